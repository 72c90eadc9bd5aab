"""A Solana node that answers from a script, behind the real JSON-RPC reading."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from typing import Any

import base58

from tests.contract.payments.nodes import Scripted, fixture, result
from viralcore.payments.adapters.json_rpc import JsonRpcNode
from viralcore.payments.adapters.nodes import NodesChain
from viralcore.payments.adapters.solana import SolanaNode
from viralcore.payments.adapters.solana_keys import TOKEN_PROGRAM, associated_account
from viralcore.payments.domain.chain import NATIVE, ChainTransaction, incoming, why_nothing
from viralcore.payments.ports import Found

GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
USDT = "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
CONTRACTS = {USDT: "USDT", NATIVE: "SOL"}
SYSTEM = "11111111111111111111111111111111"
TIME = 1_772_000_000


def key(name: str) -> str:
    """An address that is always the same for one name."""
    return base58.b58encode(hashlib.sha256(name.encode()).digest()).decode()


def sig(number: int) -> str:
    return base58.b58encode(hashlib.sha512(str(number).encode()).digest()).decode()


OURS, PAYER, OTHER, FAKE = key("ours"), key("payer"), key("other"), key("a token of the same name")
ACCOUNT = associated_account(OURS, USDT)
THEIRS = associated_account(PAYER, USDT)

Token = tuple[str, str, str, int | None, int | None]


def row(index: int, mint: str, owner: str, amount: int, decimals: int = 6) -> dict[str, Any]:
    return {
        "accountIndex": index,
        "mint": mint,
        "owner": owner,
        "programId": TOKEN_PROGRAM,
        "uiTokenAmount": {"amount": str(amount), "decimals": decimals, "uiAmountString": "whatever"},
    }


def transaction(
    number: int = 1,
    *,
    slot: int = 1000,
    coins: Mapping[str, tuple[int, int]] | None = None,
    tokens: tuple[Token, ...] = (),
    err: Any = None,
    time: int | None = TIME,
) -> dict[str, Any]:
    """What getTransaction tells. `coins`: address -> lamports before and after. `tokens`: token account, mint, owner,
    amount before and after, None: no row."""
    balances = {PAYER: (10**9, 10**9 - 5000), SYSTEM: (1, 1), **(coins or {})}
    if tokens:
        balances |= {TOKEN_PROGRAM: (1, 1)} | {account: (2039280, 2039280) for account, *_ in tokens}
    keys = list(balances)
    rows: tuple[list[Any], list[Any]] = ([], [])
    for account, mint, owner, *amounts in tokens:
        for side, amount in zip(rows, amounts, strict=True):
            if amount is not None:
                side.append(row(keys.index(account), mint, owner, amount))
    return {
        "slot": slot,
        "blockTime": time,
        "version": 0,
        "meta": {
            "err": err,
            "status": {"Ok": None} if err is None else {"Err": err},
            "fee": 5000,
            "innerInstructions": [],
            "preBalances": [before for before, _ in balances.values()],
            "postBalances": [after for _, after in balances.values()],
            "preTokenBalances": rows[0],
            "postTokenBalances": rows[1],
        },
        "transaction": {
            "signatures": [sig(number)],
            "message": {
                "accountKeys": [
                    {"pubkey": each, "signer": each == PAYER, "writable": True, "source": "transaction"}
                    for each in keys
                ],
                "instructions": [],
            },
        },
    }


def paid(number: int = 1, amount: int = 15_000_123, **more: Any) -> dict[str, Any]:
    """USDT into our account that held some already."""
    more.setdefault(
        "tokens", ((THEIRS, USDT, PAYER, 10**9, 10**9 - amount), (ACCOUNT, USDT, OURS, 500_000, 500_000 + amount))
    )
    return transaction(number, **more)


def held(account: str, before: int | None, after: int | None, mint: str = USDT) -> Any:
    """A token account of ours."""
    return account, mint, OURS, before, after


class Slots:
    """A consistent little chain told by a script: transactions, the accounts they name, a finalized slot."""

    def __init__(self, *transactions: dict[str, Any], final: int = 1000, latest: int | None = None) -> None:
        self.final = final
        self.latest = final if latest is None else latest
        self.told = {each["transaction"]["signatures"][0]: each for each in transactions}
        self.accounts: dict[str, list[tuple[str, str]]] = {}  # mint -> our token accounts and what is in them
        self.owner = OURS
        self.indexed: int | None = None  # lists end here
        self.statuses: set[str] = set()
        self.most = 1000
        self.changes: dict[str, Any] = {}

    def height(self, options: Mapping[str, Any]) -> int:
        return self.final if options["commitment"] == "finalized" else self.latest

    def __call__(self, method: str, params: list[Any]) -> dict[str, Any]:
        if method in self.changes:
            return copy.deepcopy(dict(self.changes[method]))
        options = params[-1] if params and isinstance(params[-1], dict) else {}
        if "minContextSlot" in options and self.height(options) < options["minContextSlot"]:
            return error(-32016)
        if method == "getTransaction" and "maxSupportedTransactionVersion" not in options:
            return dict(fixture("solana/error_32015_unsupported_version.json"))
        say = getattr(self, "say_" + method, None)
        return error(-32601) if say is None else result(copy.deepcopy(say(params, options)))

    def say_getGenesisHash(self, _: list[Any], __: Any) -> Any:  # noqa: N802
        return GENESIS

    def say_getAccountInfo(self, _: list[Any], __: Any) -> Any:  # noqa: N802
        return {"context": {"slot": self.latest}, "value": {"owner": SYSTEM, "lamports": 1, "data": ["", "base64"]}}

    def say_getSlot(self, _: list[Any], options: Any) -> Any:  # noqa: N802
        return self.height(options)

    def say_getTransaction(self, params: list[Any], options: Any) -> Any:  # noqa: N802
        told = self.told.get(params[0])
        return told if told is not None and told["slot"] <= self.height(options) else None

    def say_getSignatureStatuses(self, params: list[Any], _: Any) -> Any:  # noqa: N802
        status = fixture("solana/getSignatureStatuses_200.json")["result"]["value"][0]
        return {"context": {"slot": self.latest}, "value": [status if params[0][0] in self.statuses else None]}

    def say_getTokenAccountsByOwner(self, params: list[Any], _: Any) -> Any:  # noqa: N802
        mint = params[1]["mint"]
        return {
            "context": {"slot": self.latest},
            "value": [
                {
                    "pubkey": account,
                    "account": {
                        "owner": TOKEN_PROGRAM,
                        "data": {
                            "program": "spl-token",
                            "parsed": {
                                "type": "account",
                                "info": {"mint": mint, "owner": self.owner, "tokenAmount": {"amount": amount}},
                            },
                        },
                    },
                }
                for account, amount in self.accounts.get(mint, [])
            ],
        }

    def say_getSignaturesForAddress(self, params: list[Any], options: Any) -> Any:  # noqa: N802
        listed = [
            {
                "signature": each,
                "slot": told["slot"],
                "err": told["meta"]["err"],
                "memo": None,
                "blockTime": told["blockTime"],
                "confirmationStatus": "finalized" if told["slot"] <= self.final else "confirmed",
            }
            for each, told in self.told.items()
            if params[0] in names(told) and told["slot"] <= min(self.height(options), self.indexed or 10**12)
        ]
        listed.sort(key=lambda line: line["slot"], reverse=True)
        if "before" in options:
            at = next(at for at, line in enumerate(listed) if line["signature"] == options["before"])
            listed = listed[at + 1 :]
        return listed[: min(options["limit"], self.most)]


def error(code: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": "no"}}


def names(told: dict[str, Any]) -> list[str]:
    loaded = told["meta"].get("loadedAddresses") or {}
    keys = told["transaction"]["message"]["accountKeys"] + loaded.get("writable", []) + loaded.get("readonly", [])
    return [each["pubkey"] if isinstance(each, dict) else each for each in keys]


def node(
    client: Scripted,
    *,
    ours: str = OURS,
    contracts: Mapping[str, int] | None = None,
    overlap: int = 0,
    name: str = "n0",
) -> SolanaNode:
    return SolanaNode(
        JsonRpcNode(name, client),  # type: ignore[arg-type]
        genesis=GENESIS,
        ours=ours,
        contracts={USDT: 6} if contracts is None else contracts,
        overlap=overlap,
    )


def chain(*clients: Scripted, **more: Any) -> NodesChain:
    nodes = [node(client, name=f"n{number}", **more) for number, client in enumerate(clients)]
    return NodesChain("solana", nodes, lag=300, rest_seconds=60)


async def told(made: Slots, signature: str = sig(1), **more: Any) -> ChainTransaction:
    found = await chain(Scripted(made), **more).transaction(signature)
    assert isinstance(found, Found)
    return found.transaction


def brought(found: ChainTransaction, ours: str = OURS, contracts: Any = None) -> list[tuple[str, int, int]]:
    return [
        (each.asset, each.position, each.amount)
        for each in incoming(found, ours=ours, contracts=contracts or CONTRACTS)
    ]


def reason(found: ChainTransaction, ours: str = OURS) -> str:
    assert brought(found, ours) == []
    return why_nothing(found, ours=ours, contracts=CONTRACTS)
