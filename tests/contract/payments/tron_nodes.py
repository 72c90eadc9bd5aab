"""Tron nodes that answer from a script, behind the real HTTP reading."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

from tests.contract.payments.nodes import fixture
from viralcore.core.http import Answer, HttpFailure
from viralcore.payments.adapters.nodes import NodesChain
from viralcore.payments.adapters.tron import TronNode
from viralcore.payments.adapters.tron_http import TronHttp
from viralcore.payments.domain.chain import NATIVE

USDT = "41a614f803b6fd780986a42c78ec9c7f77e6ded13c"
USDT_SHOWN = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
OURS = "41ec20315a879c48f5e3a6a1c9826d5225f8b658b8"
OURS_SHOWN = "TXVj38D1XR3TPgSHTCZGC8wkLDAGqF1oqx"
PAYER = "416e3b44b96104b26f84057974a1f0c9880f7c9b13"
HASH = "0130dfde9281a48378109039ef512229d5359fbee2a8adbb17ad73aebc67ea99"
AT = 1738601505000
AMOUNT = 41677389
CONTRACTS = {USDT: "USDT", NATIVE: "TRX"}
MAINNET = 728126428
GENESIS = "00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc"
TOPIC = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def paid() -> tuple[dict[str, Any], dict[str, Any]]:
    """The recorded USDT transfer and its info."""
    return (
        fixture("tron/gettransactionbyid_trc20_usdt_41_prefixed_word.json"),
        fixture("tron/gettransactioninfobyid_trc20_usdt_success.json"),
    )


def varint(value: int) -> bytes:
    value %= 1 << 64
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: int | bytes) -> bytes:
    """One field as protocol buffers write it."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def contract(kind: int, name: str, value: bytes) -> bytes:
    url = field(1, b"type.googleapis.com/protocol." + name.encode())
    return field(11, field(1, kind) + field(2, url + field(2, value)))


def coins(amount: int, *, to: str = OURS, sender: str = PAYER, salt: int = 1) -> bytes:
    """The raw bytes of a transfer of TRX."""
    told = field(1, bytes.fromhex(sender)) + field(2, bytes.fromhex(to)) + field(3, amount)
    return field(1, b"\xaf\xe3") + contract(1, "TransferContract", told) + field(14, salt)


def asset(amount: int, *, name: bytes = b"1005065", to: str = OURS) -> bytes:
    """The raw bytes of a transfer of a TRC-10 token."""
    told = field(1, name) + field(2, bytes.fromhex(PAYER)) + field(3, bytes.fromhex(to)) + field(4, amount)
    return field(1, b"\xaf\xe4") + contract(2, "TransferAssetContract", told)


def call(value: int = 0, *, to: str = USDT, salt: int = 1) -> bytes:
    """The raw bytes of the call of a contract, with coins."""
    told = field(1, bytes.fromhex(PAYER)) + field(2, bytes.fromhex(to)) + (field(3, value) if value else b"")
    return contract(31, "TriggerSmartContract", told) + field(14, salt)


def body(raw: bytes, *, result: str = "SUCCESS", **told: Any) -> dict[str, Any]:
    """What a node says of these bytes. `told`: the JSON beside them, for the lists."""
    return {
        "ret": [{"contractRet": result}],
        "txID": hashlib.sha256(raw).hexdigest(),
        "raw_data": told,
        "raw_data_hex": raw.hex(),
    }


def log(amount: int, *, to: str = OURS, sender: str = PAYER, token: str = USDT) -> dict[str, Any]:
    topics = [TOPIC, sender[2:].rjust(64, "0"), to[2:].rjust(64, "0")]
    return {"address": token[2:], "topics": topics, "data": f"{amount:064x}"}


def info(told: dict[str, Any], at: int = AT, *logs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": told["txID"],
        "blockNumber": at // 3000,
        "blockTimeStamp": at,
        "contractResult": [""],
        "receipt": {"net_usage": 265},
        **({"log": list(logs)} if logs else {}),
        **more,
    }


def native_row(amount: int, at: int, *, to: str = OURS, name: str = "TransferContract", salt: int = 1) -> Any:
    """A row of the account's list."""
    value = {"amount": amount, "owner_address": PAYER, "to_address": to}
    told = body(
        coins(amount, to=to, salt=salt),
        contract=[{"parameter": {"value": value, "type_url": f"type.googleapis.com/protocol.{name}"}, "type": name}],
    )
    return {**told, "block_timestamp": at, "blockNumber": at // 3000, "internal_transactions": []}


def token_row(canonical: str, at: int, **changes: Any) -> Any:
    """A row of the token list."""
    row = fixture("tron/v1_account_transactions_trc20_live_2025.json")["data"][0]
    return {**row, "transaction_id": canonical, "block_timestamp": at, **changes}


def number_hash(number: int) -> str:
    return f"{number:064x}"


class Tron:
    """Stands for a `ProviderClient`: a little chain with its lists, that tells what it is given to tell."""

    def __init__(self, *, solid: int = AT, head: int | None = None, genesis: Any = None) -> None:
        self.solid = solid
        self.head = solid if head is None else head
        self.known: dict[str, tuple[Any, Any, int]] = {}
        self.tokens: list[Any] = []
        self.coins: list[Any] = []
        self.index = 1 << 42  # how far the lists have come
        self.page_size = 200
        self.marks = True
        self.whole: Any = None  # answers everything: an Answer, a body, or an error to raise
        self.changes: dict[str, Any] = {"wallet/getblockbynum": {"blockID": GENESIS} if genesis is None else genesis}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[Any] = []

    def add(self, told: Any, its_info: Any, at: int = AT) -> str:
        canonical = str(told["txID"])
        self.known[canonical] = told, its_info, at
        return canonical

    async def read_json(
        self, method: str, path: str = "", *, params: Any = None, json: Any = None, headers: Any = None
    ) -> Answer:
        self.asked.append((path, dict(params or json)))
        self.headers.append(headers)
        answer = self.whole if self.whole is not None else self.say(path, params or json)
        if isinstance(answer, HttpFailure):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(200, copy.deepcopy(answer), {})

    def say(self, path: str, asked: Any) -> Any:
        if path in self.changes:
            change = self.changes[path]
            return change(asked) if callable(change) else change
        if path.startswith("v1/"):
            assert path.startswith(f"v1/accounts/{OURS_SHOWN}/transactions")
            return self.page(self.tokens if path.endswith("/trc20") else self.coins, asked)
        where, _, what = path.partition("/")
        if what == "getnowblock":
            return {"block_header": {"raw_data": {"timestamp": self.solid if where == "walletsolidity" else self.head}}}
        told, its_info, at = self.known.get(asked["value"], ({}, {}, 0))
        if where == "walletsolidity" and at > self.solid:
            return {}
        return told if what == "gettransactionbyid" else its_info

    def page(self, rows: list[Any], asked: Any) -> Any:
        confirmed = asked.get("only_confirmed") == "true"
        assert confirmed != (asked.get("only_unconfirmed") == "true")
        assert (asked["only_to"], asked["order_by"]) == ("true", "block_timestamp,asc")
        matching = sorted(
            (
                row
                for row in rows
                if asked["min_timestamp"] <= row["block_timestamp"] <= asked["max_timestamp"]
                and (row["block_timestamp"] <= self.solid) == confirmed
                and row["block_timestamp"] <= self.index
            ),
            key=lambda row: int(row["block_timestamp"]),
        )
        size = min(self.page_size, int(asked["limit"]))
        start = int(asked.get("fingerprint", 0))
        shown = matching[start : start + size]
        meta = {"at": self.head, "page_size": len(shown)}
        if self.marks and len(matching) > start + size:
            meta["fingerprint"] = str(start + size)
        return {"data": shown, "success": True, "meta": meta}

    def lists(self) -> list[dict[str, Any]]:
        return [asked for path, asked in self.asked if path.startswith("v1/")]


def pair(told: Any, its_info: Any, *, solid: int = AT) -> Tron:
    """A chain that tells this body and this info of the recorded hash, whatever they say."""
    made = Tron(solid=solid)
    made.known[HASH] = told, its_info, AT
    return made


def node(client: Any, *, ours: str = OURS, pages: int = 20, overlap: int = 600_000, key: str | None = None) -> TronNode:
    return TronNode(
        TronHttp("t1", client, key=key), chain_id=MAINNET, ours=ours, contracts={USDT: 6}, overlap=overlap, pages=pages
    )


def chain(*clients: Any, ours: str = OURS) -> NodesChain:
    nodes = [
        TronNode(
            TronHttp(f"t{number}", client),
            chain_id=MAINNET,
            ours=ours,
            contracts={USDT: 6},
            overlap=600_000,
            pages=20,
        )
        for number, client in enumerate(clients)
    ]
    return NodesChain("tron", nodes, lag=120_000, rest_seconds=60)
