"""One node of BNB Smart Chain over JSON-RPC (APIS 3.3).

Tokens are found by ``eth_getLogs`` where a node allows it and by ``eth_getBlockReceipts`` where it does not; coins
by whole blocks. One pass over a range is made on one node, so that its own idea of ``finalized`` bounds what it is
asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from viralcore.payments.adapters import bsc_reading as reading
from viralcore.payments.adapters.json_rpc import JsonRpcNode, refuses_method
from viralcore.payments.adapters.node_json import items, obj
from viralcore.payments.ports import Found, Lookup, Missing, NodeFailed, Pending, Scan

log = structlog.get_logger(__name__)

DECIMALS = "0x313ce567"
"""The call ``decimals()`` of a token."""


class BscNode:
    """The port `Node` for BSC."""

    def __init__(
        self,
        node: JsonRpcNode,
        *,
        chain_id: int,
        ours: str,
        contracts: Mapping[str, int],
        batch_blocks: int,
        batch_receipts: int,
        network: str = "bsc",
    ) -> None:
        """`contracts`: token contracts we take, lower case, with their decimals. `ours`: our address, any case."""
        self.name = node.name
        self._node = node
        self._network = network
        self._chain_id = chain_id
        self._ours = ours.lower()
        self._contracts = dict(contracts)
        self._batch_blocks = batch_blocks
        self._batch_receipts = batch_receipts
        self._checked = False
        self._no_logs = False

    async def finalized(self) -> int:
        await self._check()
        return reading.block_number(await self._node.call("eth_getBlockByNumber", "finalized", False))

    async def final_hashes(self, *, after: int, upto: int) -> tuple[str, ...]:
        if await self.finalized() < upto:
            raise NodeFailed("not_past_it")
        return await self._hashes(after + 1, upto)

    async def transaction(self, canonical_hash: str) -> Lookup:
        await self._check()
        receipt, tx, final = await self._node.batch(
            [
                ("eth_getTransactionReceipt", [canonical_hash]),
                ("eth_getTransactionByHash", [canonical_hash]),
                ("eth_getBlockByNumber", ["finalized", False]),
            ]
        )
        if receipt is None or tx is None:
            return Missing(1) if receipt is None and tx is None else Pending()
        number = hex(reading.quantity(obj(receipt).get("blockNumber")))
        header = await self._node.call("eth_getBlockByNumber", number, False)
        finalized = reading.block_number(final)
        transaction = reading.read_transaction(
            self._network, canonical_hash, receipt, tx, header, finalized=finalized, contracts=self._contracts
        )
        return Found(transaction, self.name)

    async def scan(self, *, after: int, limit: int, fresh: int) -> Scan:
        await self._check()
        final, head = await self._node.batch(
            [("eth_getBlockByNumber", ["finalized", False]), ("eth_blockNumber", [])],
        )
        finalized, latest = reading.block_number(final), reading.quantity(head)
        upto = min(finalized, after + limit)
        hashes = await self._hashes(after + 1, upto)
        newer: tuple[str, ...] = ()
        if fresh and upto >= finalized:
            first = max(finalized, after) + 1
            try:
                newer = await self._hashes(max(first, latest - fresh + 1), latest)
            except NodeFailed as failure:  # behind a balancer the newest block is not everywhere yet; money is below it
                log.info("fresh_blocks_not_read", network=self._network, node=self.name, reason=failure.reason)
        return Scan(max(upto, after), hashes, max(finalized - upto, 0), newer)

    async def _hashes(self, first: int, last: int) -> tuple[str, ...]:
        """Transactions with something for us in blocks first..last, in a stable order, each once."""
        if first > last:
            return ()
        numbers = range(first, last + 1)
        found = await self._in_batches(numbers, self._batch_blocks, "eth_getBlockByNumber", self._native)
        if self._contracts:
            found += await self._token_hashes(numbers)
        return tuple(dict.fromkeys(found))

    async def _token_hashes(self, numbers: range) -> list[str]:
        if not self._no_logs:
            query = {
                "fromBlock": hex(numbers[0]),
                "toBlock": hex(numbers[-1]),
                "address": sorted(self._contracts),
                "topics": [reading.TRANSFER, None, "0x" + self._ours.removeprefix("0x").rjust(64, "0")],
            }
            try:
                logs = await self._node.call("eth_getLogs", query)
                return reading.token_hashes(logs, self._ours, self._contracts)
            except NodeFailed as failure:
                if not refuses_method(failure):
                    raise
                found = await self._in_receipts(numbers)  # only a node that can do this is remembered
                log.info(
                    "node_refuses_logs",
                    network=self._network,
                    node=self.name,
                    reason=failure.reason,
                    code=failure.code,
                )
                self._no_logs = True
                return found
        return await self._in_receipts(numbers)

    async def _in_receipts(self, numbers: range) -> list[str]:
        return await self._in_batches(numbers, self._batch_receipts, "eth_getBlockReceipts", self._tokens)

    async def _in_batches(
        self, numbers: range, size: int, method: str, read: Callable[[int, Any], list[str]]
    ) -> list[str]:
        """Ask for many blocks, `size` at a time; an answer too large to take is asked for in halves."""
        found: list[str] = []
        whole = [True] if method == "eth_getBlockByNumber" else []
        for start in range(0, len(numbers), size):
            part = numbers[start : start + size]
            try:
                results = await self._node.batch([(method, [hex(number), *whole]) for number in part])
            except NodeFailed as failure:
                if failure.reason != "body_too_large" or len(part) == 1:
                    raise
                found += await self._in_batches(part, len(part) // 2, method, read)
                continue
            for number, result in zip(part, results, strict=True):
                if result is None:
                    raise NodeFailed("block_missing")  # it named a later one: it lags or is pruned
                found += read(number, result)
        return found

    def _native(self, number: int, block: Any) -> list[str]:
        if reading.block_number(block) != number:
            raise NodeFailed("another_block")
        return reading.native_hashes(block, self._ours)

    def _tokens(self, number: int, receipts: Any) -> list[str]:
        found: list[str] = []
        for receipt in map(obj, items(receipts)):
            if reading.quantity(receipt.get("blockNumber")) != number:
                raise NodeFailed("another_block")
            found += reading.token_hashes(receipt.get("logs"), self._ours, self._contracts)
        return found

    async def _check(self) -> None:
        """Once: is it the chain we think it is, and do its tokens count as we think they do?"""
        if self._checked:
            return
        if reading.chain_id(await self._node.call("eth_chainId")) != self._chain_id:
            log.error("node_of_another_chain", network=self._network, node=self.name)
            raise NodeFailed("another_chain")
        for contract, decimals in self._contracts.items():
            try:
                said = reading.quantity(await self._node.call("eth_call", {"to": contract, "data": DECIMALS}, "latest"))
            except NodeFailed:
                log.info("decimals_not_checked", network=self._network, node=self.name)
                continue
            if said != decimals:
                log.error("token_of_other_decimals", network=self._network, node=self.name, said=said)
                raise NodeFailed("other_decimals")
        self._checked = True
