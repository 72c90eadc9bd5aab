"""A little Aptos chain told by a script, behind the real reading: transactions, and balances at any version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from viralcore.core.http import Answer, HttpFailure, NoAnswer
from viralcore.payments.adapters import aptos_reading as reading
from viralcore.payments.adapters.aptos import AptosHttp, AptosNode
from viralcore.payments.adapters.nodes import NodesChain

FIXTURES = Path(__file__).parents[2] / "fixtures/aptos"
OURS = "0x" + "0b" * 32
PAYER = "0x" + "c1" * 32
OTHER = "0x" + "d2" * 32
USDT = "0x357b0b74bc833e95a115ad22604854d6b0fca151cecd94111770e5d6ffc9dc2b"
FAKE = "0x" + "e3" * 32
APT = reading.APT_METADATA
STAMP = 1_767_225_600_000_000


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text())


def short(address: str) -> str:
    """As the API sometimes prints it: without its leading zeros."""
    return "0x" + (address[2:].lstrip("0") or "0")


class Story:
    """One transaction in the making: events with the changes that explain them."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []

    def wrote(self, where: str, kind: str, data: dict[str, Any]) -> None:
        self.changes.append(
            {
                "address": short(where),
                "state_key_hash": "",
                "data": {"type": kind, "data": data},
                "type": "write_resource",
            }
        )

    def fa(self, kind: str, owner: str, metadata: str, amount: int, *, told: bool = True, store: str = "") -> Story:
        store = store or reading.primary_store(owner, metadata)
        data = {"amount": str(amount), "store": short(store)}
        self.events.append(
            {"guid": _NOBODY, "sequence_number": "0", "type": f"0x1::fungible_asset::{kind}", "data": data}
        )
        if told:
            balance = {"balance": "5", "frozen": False, "metadata": {"inner": short(metadata)}}
            self.wrote(store, "0x1::fungible_asset::FungibleStore", balance)
            self.wrote(store, "0x1::object::ObjectCore", {"owner": short(owner), "guid_creation_num": "1"})
        return self

    def pay(self, sender: str, to: str, metadata: str, amount: int, **more: Any) -> Story:
        return self.fa("Withdraw", sender, metadata, amount).fa("Deposit", to, metadata, amount, **more)

    def coin(self, kind: str, owner: str, coin: str, amount: int, *, told: bool = True) -> Story:
        """The older way: an event of the account's own handle, the type in its coin store."""
        number = "2" if kind == "DepositEvent" else "3"
        guid = {"creation_number": number, "account_address": owner}
        self.events.append(
            {"guid": guid, "sequence_number": "1", "type": f"0x1::coin::{kind}", "data": {"amount": str(amount)}}
        )
        if not told:
            return self
        handle = {
            name: {"counter": "1", "guid": {"id": {"addr": owner, "creation_num": creation}}}
            for name, creation in (("deposit_events", "2"), ("withdraw_events", "3"))
        }
        self.wrote(owner, f"0x1::coin::CoinStore<{coin}>", {"coin": {"value": "9"}, "frozen": False, **handle})
        return self

    def ended(self, owner: str, coin: str) -> Story:
        """The coin store moved into a store of the paired asset: it is gone, and an event says which it was."""
        self.changes = [change for change in self.changes if change["data"]["type"] != f"0x1::coin::CoinStore<{coin}>"]
        data = {
            "coin_type": coin,
            "event_handle_creation_address": short(owner),
            "deleted_deposit_event_handle_creation_number": "2",
            "deleted_withdraw_event_handle_creation_number": "3",
        }
        self.events.append(
            {"guid": _NOBODY, "sequence_number": "0", "type": "0x1::coin::CoinStoreDeletion", "data": data}
        )
        return self

    def coin_module(self, kind: str, owner: str, coin: str, amount: int) -> Story:
        data = {"coin_type": coin, "account": short(owner), "amount": str(amount)}
        self.events.append({"guid": _NOBODY, "sequence_number": "0", "type": f"0x1::coin::{kind}", "data": data})
        return self

    def body(self, version: int, *, sender: str = PAYER, **changes: Any) -> dict[str, Any]:
        return {
            "version": str(version),
            "hash": hash_of(version),
            "success": True,
            "vm_status": "Executed successfully",
            "changes": self.changes,
            "sender": sender,
            "sequence_number": "0",
            "payload": {"function": "0x1::aptos_account::transfer", "type_arguments": [], "arguments": []},
            "events": self.events,
            "timestamp": str(STAMP + version),
            "type": "user_transaction",
            **changes,
        }


_NOBODY = {"creation_number": "0", "account_address": "0x0"}


def hash_of(version: int) -> str:
    return f"0x{version:064x}"


class Script:
    """Stands for a `ProviderClient` over a chain of bodies. Versions without one are block metadata."""

    def __init__(self, *, last: int, first: int = 0) -> None:
        self.last = last
        self.first = first  # what is older was pruned
        self.bodies: dict[int, dict[str, Any]] = {}
        self.deltas: dict[int, dict[str, int]] = {}
        self.no_balances = False
        self.decimals: Any = None  # of the token; None: not told
        self.not_yet: list[str] = []  # how paths begin that an answering node does not have yet, once each
        self.most_rows = 100  # what a page may hold before it is too large to take
        self.whole: Any = None
        self.asked: list[str] = []

    def add(self, version: int, story: Story, *, mine: bool = False, numbered: bool = True, **changes: Any) -> str:
        """`mine`: we sent it; `numbered`: with a sequence number."""
        body = story.body(version, sender=OURS if mine else PAYER, **changes)
        if mine:
            body["sequence_number"] = str(len(self.mine(version)))
        if not numbered:
            body["replay_protection_nonce"] = "7"
        self.bodies[version] = body
        transaction = reading.read_transaction("aptos", "", body, ours=OURS, contracts=(USDT,))
        assert transaction is not None
        for each in transaction.movements if transaction.success else ():
            delta = self.deltas.setdefault(version, {})
            net = each.amount * ((each.recipient == OURS) - (each.sender == OURS))
            delta[each.contract] = delta.get(each.contract, 0) + net
        return hash_of(version)

    def balance(self, contract: str, version: int) -> int:
        return 1000 + sum(delta.get(contract, 0) for at, delta in self.deltas.items() if at <= version)

    def mine(self, version: int) -> list[dict[str, Any]]:
        return [
            body
            for at, body in sorted(self.bodies.items())
            if at <= version and body.get("sender") == OURS and "replay_protection_nonce" not in body
        ]

    def at(self, version: int) -> dict[str, Any]:
        return self.bodies.get(
            version,
            {
                "version": str(version),
                "hash": hash_of(version),
                "success": True,
                "vm_status": "Executed successfully",
                "changes": [],
                "events": [],
                "timestamp": str(STAMP + version),
                "type": "block_metadata_transaction",
            },
        )

    async def read_json(self, method: str, path: str = "", *, params: Any = None, **_: Any) -> Answer:
        self.asked.append(path)
        if isinstance(self.whole, HttpFailure):
            raise self.whole
        if self.whole is not None:
            return self.whole if isinstance(self.whole, Answer) else Answer(200, self.whole, {})
        return self.say(path, params or {})

    def say(self, path: str, params: dict[str, Any]) -> Answer:
        version = int(params.get("ledger_version", self.last))
        if version < self.first:
            return Answer(410, {"message": "pruned", "error_code": "version_pruned", "vm_error_code": None}, {})
        late = next((start for start in self.not_yet if path.startswith(start)), None)
        if late is not None:
            self.not_yet.remove(late)
            code = "version_not_found" if path.startswith("accounts") else "transaction_not_found"
            return Answer(404, {"message": "not found", "error_code": code, "vm_error_code": None}, {})
        if int(params.get("limit", 0)) > self.most_rows:
            raise NoAnswer("aptos", "body_too_large", status=200)
        if path == f"accounts/{USDT}/resource/0x1::fungible_asset::Metadata" and self.decimals is not None:
            return Answer(200, {"type": "0x1::fungible_asset::Metadata", "data": {"decimals": self.decimals}}, {})
        if path == "":
            return Answer(200, {**fixture("ledger_info.json"), "chain_id": 1, "ledger_version": str(self.last)}, {})
        if path.startswith("transactions/by_hash/"):
            found = [body for body in self.bodies.values() if body["hash"] == path.rsplit("/", 1)[1]]
            return (
                Answer(200, found[0], {}) if found else Answer(404, fixture("error_404_transaction_not_found.json"), {})
            )
        if path.startswith("transactions/by_version/"):
            return Answer(200, self.at(int(path.rsplit("/", 1)[1])), {})
        if path == "transactions":
            start = int(params["start"])
            return Answer(
                200, [self.at(at) for at in range(start, min(start + int(params["limit"]), self.last + 1))], {}
            )
        if path == f"accounts/{OURS}/transactions":
            start = int(params["start"])
            return Answer(200, self.mine(self.last)[start : start + int(params["limit"])], {})
        if path == f"accounts/{OURS}":
            return Answer(200, {"sequence_number": str(len(self.mine(version))), "authentication_key": OURS}, {})
        if path.startswith(f"accounts/{OURS}/balance/") and not self.no_balances:
            asset = path.rsplit("/", 1)[1]
            return Answer(200, self.balance("" if asset == reading.APT_COIN else asset, version), {})
        return Answer(404, {"error": "no such route"}, {})


def node(script: Script, name: str = "n0") -> AptosNode:
    return AptosNode(AptosHttp(name, script), chain_id=1, ours=OURS, contracts={USDT: 6})  # type: ignore[arg-type]


def chain(*scripts: Script) -> NodesChain:
    return NodesChain("aptos", [node(each, f"n{n}") for n, each in enumerate(scripts)], lag=200, rest_seconds=60)
