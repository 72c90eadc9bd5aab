"""Nodes that answer from a script, behind the real JSON-RPC reading."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from viralcore.core.http import Answer, HttpFailure
from viralcore.payments.adapters.bsc import BscNode
from viralcore.payments.adapters.json_rpc import JsonRpcNode
from viralcore.payments.adapters.nodes import NodesChain

FIXTURES = Path(__file__).parents[2] / "fixtures"
USDT = "0x55d398326f99059ff775485246999027b3197955"
OURS = "0xdd46c2751155e8411cc84c10c64bf0df2412b521"
HASH = "0xd956d180f7533127ec59cb1885c46b16467d3ed890f0a6b89ad88e7933c0d62b"


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text())


class Scripted:
    """Stands for a `ProviderClient`: one function from (method, params) to a JSON-RPC body."""

    def __init__(self, say: Callable[[str, list[Any]], Any], *, whole: Any = None) -> None:
        """`whole`: answer every request, batches included, with this: an Answer, a body, or an error to raise."""
        self.say = say
        self.whole = whole
        self.asked: list[tuple[str, list[Any]]] = []

    async def read_json(self, method: str, path: str = "", *, json: Any = None, **_: Any) -> Answer:
        calls = json if isinstance(json, list) else [json]
        self.asked += [(call["method"], call["params"]) for call in calls]
        if isinstance(self.whole, HttpFailure):
            raise self.whole
        if self.whole is not None:
            return self.whole if isinstance(self.whole, Answer) else Answer(200, self.whole, {})
        said = [{**self.say(call["method"], call["params"]), "id": call["id"]} for call in calls]
        return Answer(200, said if isinstance(json, list) else said[0], {})


def result(value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": value}


class Book:
    """A consistent little chain told by a script: transactions with receipts, headers, a finalized block."""

    def __init__(self, *, final: int, latest: int | None = None, logs: bool = True) -> None:
        self.final = final
        self.latest = final if latest is None else latest
        self.logs = logs
        self.told: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        self.times: dict[int, int] = {}
        self.changes: dict[str, Any] = {}

    def add(self, tx: dict[str, Any], receipt: dict[str, Any], timestamp: int = 0x68DE3E70) -> None:
        self.told[tx["hash"]] = (tx, receipt)
        self.times[int(tx["blockNumber"], 16)] = timestamp

    def block(self, number: int, whole: bool) -> dict[str, Any] | None:
        if number > self.latest:
            return None
        mine = [tx for tx, _ in self.told.values() if int(tx["blockNumber"], 16) == number]
        return {
            "number": hex(number),
            "hash": mine[0]["blockHash"] if mine else "0x" + f"{number:064x}",
            "timestamp": hex(self.times.get(number, 0x68DE3E70)),
            "transactions": mine if whole else [tx["hash"] for tx in mine],
        }

    def __call__(self, method: str, params: list[Any]) -> dict[str, Any]:
        if method in self.changes:
            return dict(self.changes[method])
        if method == "eth_chainId":
            return result("0x38")
        if method == "eth_blockNumber":
            return result(hex(self.latest))
        if method == "eth_getBlockByNumber":
            number = self.final if params[0] == "finalized" else int(params[0], 16)
            return result(self.block(number, params[1]))
        if method == "eth_getTransactionByHash":
            return result(self.told.get(params[0], (None, None))[0])
        if method == "eth_getTransactionReceipt":
            return result(self.told.get(params[0], (None, None))[1])
        if method == "eth_getBlockReceipts":
            number = int(params[0], 16)
            return result(
                None
                if number > self.latest
                else [receipt for _, receipt in self.told.values() if int(receipt["blockNumber"], 16) == number]
            )
        if method == "eth_getLogs" and self.logs:
            return result([log for _, receipt in self.told.values() for log in receipt["logs"]])
        return {"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "limit exceeded"}}


def chain(*clients: Scripted, ours: str = OURS) -> NodesChain:
    nodes = [
        BscNode(
            JsonRpcNode(f"n{number}", client),  # type: ignore[arg-type]
            chain_id=56,
            ours=ours,
            contracts={USDT: 18},
            batch_blocks=4,
            batch_receipts=2,
        )
        for number, client in enumerate(clients)
    ]
    return NodesChain("bsc", nodes, lag=200, rest_seconds=60)


def paid_2026() -> tuple[dict[str, Any], dict[str, Any]]:
    """The recorded USDT transfer of 2026 and its receipt."""
    return (
        fixture("bsc_rpc/getTransactionByHash_usdt_transfer_2026.json")["result"],
        fixture("bsc_rpc/getTransactionReceipt_usdt_transfer_2026.json")["result"],
    )
