"""One simulated BSC node: JSON-RPC methods over the shared chain, with this node's own faults."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from viralcore.sandbox.worlds.bsc_chain import (
    DECIMALS,
    TRANSFER_TOPIC,
    USDC,
    USDT,
    Chain,
    Log,
    Transaction,
    log_positions,
    movements,
    word,
)
from viralcore.sandbox.worlds.bsc_wire import block_json, log_json, quantity, receipt_json, transaction_json
from viralcore.sandbox.worlds.chains import Block, ChainNode, Faults

MAX_LOG_RANGE = 5000
MAX_BATCH = 1000
_HEX = re.compile(r"^0x(0|[1-9a-f][0-9a-f]*)$")
_HASH = re.compile(r"^0x[0-9a-f]{64}$")
_ADDRESS = re.compile(r"^0x[0-9a-f]{40}$")
_STRANGERS_BALANCE = 10 * 10**18


class RpcError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


LIMIT_EXCEEDED = RpcError(-32005, "limit exceeded")
ARCHIVE_GATE = RpcError(
    -32602, "Archive requests require a personal token. Get one at: https://www.allnodes.com/publicnode"
)


@dataclass(slots=True)
class BscFaults(Faults):
    logs: bool = False  # eth_getLogs allowed; the public nodes refuse it


class Node(ChainNode[Transaction]):
    """Answers JSON-RPC. All nodes see one chain; each may lag behind it or lie about it."""

    chain: Chain
    faults: BscFaults

    def __init__(self, chain: Chain) -> None:
        super().__init__(chain, BscFaults())
        self._methods: dict[str, Callable[[list[Any]], Any]] = {
            "eth_chainId": lambda _: "0x38",
            "net_version": lambda _: "56",
            "web3_clientVersion": lambda _: "Geth/v1.7.2-sandbox/linux-amd64/go1.25.1",
            "eth_syncing": lambda _: False,
            "eth_gasPrice": lambda _: "0x2faf080",
            "eth_blockNumber": self._block_number,
            "eth_getBlockByNumber": self._get_block,
            "eth_getBlockReceipts": self._get_block_receipts,
            "eth_getLogs": self._get_logs,
            "eth_getTransactionByHash": self._get_transaction,
            "eth_getTransactionReceipt": self._get_receipt,
            "eth_getBalance": self._get_balance,
            "eth_call": self._call,
            "eth_getCode": self._get_code,
        }

    def answer(self, body: Any) -> Any:
        """The answer to a decoded request body, single or batch."""
        if isinstance(body, list):
            if not body:
                return _error(None, RpcError(-32600, "empty batch"))
            if len(body) > MAX_BATCH:
                return _error(None, RpcError(-32600, "batch too large"))
            return [self._one(item) for item in body]
        return self._one(body)

    def _one(self, body: Any) -> dict[str, Any]:
        if not isinstance(body, dict) or not isinstance(body.get("method"), str):
            return _error(None, RpcError(-32600, "invalid request"))
        call_id, name, params = body.get("id"), body["method"], body.get("params") or []
        self.requests += 1
        try:
            if self.faults.outage == "rate_limit":
                raise LIMIT_EXCEEDED
            method = self._methods.get(name)
            if method is None:
                raise RpcError(-32601, f"the method {name} does not exist/is not available")
            if not isinstance(params, list):
                raise RpcError(-32602, "non-array args")
            return {"jsonrpc": "2.0", "id": call_id, "result": method(params)}
        except RpcError as error:
            return _error(call_id, error)

    # what this node can see

    def inflated(self, transaction: Transaction) -> Transaction:
        logs = tuple(
            Log(log.address, log.topics, "0x" + word(int(log.data, 16) * 10))
            if log.topics[0] == TRANSFER_TOPIC
            else log
            for log in transaction.logs
        )
        return replace(transaction, value=transaction.value * 10, logs=logs)

    def _was_read(self, number: int) -> None:
        """Somebody was given the contents of a block: what is final in it is known to them now."""
        if number <= self.final:
            self.chain.read_final = max(self.chain.read_final, number)

    def _known(self, wanted: str) -> tuple[Transaction, Block[Transaction] | None] | None:
        """A transaction and its block, if it is in one: those that wait are known too."""
        transfer = self.chain.transfers.get(wanted)
        if transfer is not None and not transfer.mined:
            return None if self.faults.lie == "missing" else (transfer.transaction, None)
        return self.find(wanted)

    def _height(self, tag: Any) -> int:
        if tag in {"latest", "pending"}:
            self.chain.poll()
            return self.head
        if tag in {"finalized", "safe"}:
            self.chain.poll()
            return self.final
        if tag == "earliest":
            return 0
        if isinstance(tag, str) and _HEX.match(tag.lower()):
            return int(tag, 16)
        raise RpcError(-32602, f"invalid argument 0: hex string without 0x prefix or not a block tag: {tag}")

    # methods

    def _block_number(self, _: list[Any]) -> str:
        return quantity(self._height("latest"))

    def _get_block(self, params: list[Any]) -> Any:
        block = self.visible(self._height(_argument(params, 0)))
        full = _argument(params, 1)
        if not isinstance(full, bool):
            raise RpcError(-32602, "invalid argument 1: json: cannot unmarshal non-boolean into Go value of type bool")
        if block is None:
            return None
        if full:
            self._was_read(block.number)
        return block_json(block, full=full)

    def _get_block_receipts(self, params: list[Any]) -> Any:
        if self.faults.outage == "archive":
            raise ARCHIVE_GATE
        block = self.visible(self._height(_argument(params, 0)))
        if block is None:
            return None
        self._was_read(block.number)
        return [receipt_json(item, block) for item in block.transactions]

    def _get_logs(self, params: list[Any]) -> Any:
        if not self.faults.logs:
            raise LIMIT_EXCEEDED
        wish = _argument(params, 0)
        if not isinstance(wish, dict):
            raise RpcError(-32602, "invalid argument 0: not a filter")
        first = self._height(wish.get("fromBlock", "latest"))
        last = min(self._height(wish.get("toBlock", "latest")), self.head)
        if last - first >= MAX_LOG_RANGE:
            raise LIMIT_EXCEEDED
        self._was_read(min(last, self.final))
        found = []
        for number in range(first, last + 1):
            block = self.visible(number)
            for item in block.transactions if block is not None else ():
                assert block is not None  # noqa: S101 - for the type checker
                places = log_positions(block, item)
                found += [
                    log_json(log, at, item, block)
                    for at, log in zip(places, item.logs, strict=True)
                    if _matches(log, wish)
                ]
        return found

    def _get_transaction(self, params: list[Any]) -> Any:
        found = self._known(_hash(params))
        return transaction_json(*found) if found is not None else None

    def _get_receipt(self, params: list[Any]) -> Any:
        if self.faults.outage == "archive":
            raise ARCHIVE_GATE
        found = self._known(_hash(params))
        if found is None or found[1] is None:
            return None
        return receipt_json(found[0], found[1])

    def _get_balance(self, params: list[Any]) -> str:
        address = _address(params)
        known, total = False, 0
        for transfer in self.chain.transfers.values():
            item = transfer.transaction
            if not (transfer.mined and item.ok and item.native):
                continue
            if transfer.wish.to.lower() == address:
                known, total = True, total + item.value
        return quantity(total if known else _STRANGERS_BALANCE)

    def _call(self, params: list[Any]) -> str:
        call = _argument(params, 0)
        if not isinstance(call, dict):
            raise RpcError(-32602, "invalid argument 0: not a call")
        token = str(call.get("to", "")).lower()
        data = str(call.get("data") or call.get("input") or "").lower()
        fakes = {(transfer.wish.contract or "").lower() for transfer in self.chain.transfers.values()}
        if token not in {USDT, USDC} | fakes:
            return "0x"
        if data.startswith("0x313ce567"):  # decimals()
            return "0x" + word(DECIMALS["USDT"])
        if data.startswith("0x95d89b41"):  # symbol(): the fakes say the same
            return "0x" + word(32) + word(4) + b"USDT".hex().ljust(64, "0")
        if data.startswith("0x70a08231"):  # balanceOf(address)
            return "0x" + word(self._token_balance(token, "0x" + data[-40:]))
        raise RpcError(3, "execution reverted")

    def _token_balance(self, token: str, address: str) -> int:
        done = [t.transaction for t in self.chain.transfers.values() if t.mined and t.transaction.ok]
        return max(0, sum(raw for item in done for _, at, raw in movements(item, address) if at == token))

    def _get_code(self, params: list[Any]) -> str:
        return "0x6080604052" if _address(params) in {USDT, USDC} else "0x"


def _error(call_id: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "error": {"code": error.code, "message": error.message}}


def _argument(params: list[Any], index: int) -> Any:
    if len(params) <= index:
        raise RpcError(-32602, f"missing value for required argument {index}")
    return params[index]


def _hash(params: list[Any]) -> str:
    text = str(_argument(params, 0)).lower()
    if not _HASH.match(text):
        raise RpcError(-32602, f"invalid argument 0: hex string has length {len(text) - 2}, want 64 for common.Hash")
    return text


def _address(params: list[Any]) -> str:
    text = str(_argument(params, 0)).lower()
    if not _ADDRESS.match(text):
        raise RpcError(-32602, f"invalid argument 0: hex string has length {len(text) - 2}, want 40 for common.Address")
    return text


def _matches(log: Log, wish: dict[str, Any]) -> bool:
    address = wish.get("address")
    if address is not None and log.address not in _lowered(address):
        return False
    for position, topic in enumerate(wish.get("topics") or []):
        if topic is not None and (position >= len(log.topics) or log.topics[position] not in _lowered(topic)):
            return False
    return True


def _lowered(value: Any) -> set[str]:
    return {str(item).lower() for item in (value if isinstance(value, list) else [value])}
