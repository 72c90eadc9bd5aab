"""BNB Smart Chain over JSON-RPC: several nodes, each asked until one answers (APIS 3.3).

Tokens are found by ``eth_getLogs`` where a node allows it and by ``eth_getBlockReceipts`` where it does not; coins
by whole blocks. One pass over a range is made on one node, so that its own idea of ``finalized`` bounds what it is
asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from viralcore.payments.adapters import bsc_reading as reading
from viralcore.payments.adapters.json_rpc import JsonRpcNode, NodeFailed
from viralcore.payments.ports import Agreement, ChainUnavailable, Found, Lookup, Missing, Pending, Scan

log = structlog.get_logger(__name__)

DECIMALS = "0x313ce567"
"""The call ``decimals()`` of a token."""

ENOUGH_MISSING = 2
"""Nodes that must not know a hash before the others are spared the question."""


class BscChain:
    """The port `Chain` for BSC."""

    def __init__(
        self,
        *,
        nodes: Sequence[JsonRpcNode],
        chain_id: int,
        ours: str,
        contracts: Mapping[str, int],
        batch_blocks: int,
        batch_receipts: int,
        network: str = "bsc",
    ) -> None:
        """`contracts`: token contracts we take, lower case, with their decimals. `ours`: our address, any case."""
        self.network = network
        self.nodes = len(nodes)
        self._nodes = list(nodes)
        self._chain_id = chain_id
        self._ours = ours.lower()
        self._contracts = dict(contracts)
        self._batch_blocks = batch_blocks
        self._batch_receipts = batch_receipts
        self._checked: set[str] = set()
        self._no_logs: set[str] = set()

    async def finalized(self) -> int:
        heights = []
        reason = "no_nodes"
        for node in list(self._nodes):
            try:
                await self._check(node)
                heights.append(reading.block_number(await node.call("eth_getBlockByNumber", "finalized", False)))
            except NodeFailed as failure:
                reason = failure.reason
                self._failed(node, failure)
        if not heights:
            raise ChainUnavailable(reason)
        return max(heights)

    async def scan(self, *, after: int, limit: int, fresh: int) -> Scan:
        """A node that is not past `after` is no use unless all are: the others are tried first."""
        waiting: Scan | None = None
        reason = "no_nodes"
        for node in list(self._nodes):
            try:
                result = await self._scan(node, after, limit, fresh)
            except NodeFailed as failure:
                reason = failure.reason
                self._failed(node, failure)
                continue
            if result.upto > after:
                return await self._second_reading(node, after, result)
            if waiting is None or len(result.fresh) > len(waiting.fresh):
                waiting = result
        if waiting is None:
            raise ChainUnavailable(reason)
        return waiting

    async def _second_reading(self, first: JsonRpcNode, after: int, scan: Scan) -> Scan:
        """The same blocks from another node, if one can: what either of them has seen is looked at."""
        for node in [node for node in self._nodes if node is not first]:
            try:
                await self._check(node)
                if reading.block_number(await node.call("eth_getBlockByNumber", "finalized", False)) < scan.upto:
                    continue
                more = await self._hashes(node, after + 1, scan.upto)
            except NodeFailed as failure:
                self._failed(node, failure)
                continue
            return replace(scan, hashes=tuple(dict.fromkeys((*scan.hashes, *more))))
        return scan

    async def transaction(self, canonical_hash: str) -> Lookup:
        """The first node that knows it as final answers, else the first that knows it: one that stands still must
        not hold it. "Missing" needs every answer to have been null."""
        missing, pending, reason = 0, False, "no_nodes"
        waiting: Found | None = None
        for node in list(self._nodes):
            try:
                found = await self._transaction(node, canonical_hash)
            except NodeFailed as failure:
                reason = failure.reason
                self._failed(node, failure)
                continue
            if isinstance(found, Found):
                if found.transaction.final:
                    return found
                waiting = waiting or found
            pending = pending or isinstance(found, Pending)
            missing += isinstance(found, Missing)
            if missing >= ENOUGH_MISSING:
                break
        if waiting is not None:
            return waiting
        if pending:
            return Pending()
        if not missing:
            raise ChainUnavailable(reason)
        return Missing(missing)

    async def confirm(self, found: Found) -> Agreement:
        verdict: Agreement = "silent"
        for node in [node for node in self._nodes if node.name != found.node]:
            try:
                other = await self._transaction(node, found.transaction.hash)
            except NodeFailed as failure:
                self._failed(node, failure)
                continue
            if not isinstance(other, Found):
                continue
            if replace(other.transaction, final=True) != replace(found.transaction, final=True):
                log.error("nodes_disagree", network=self.network, one=found.node, other=node.name)
                return "differs"
            if other.transaction.final:
                return "agrees"
            verdict = "not_final"
        return verdict

    async def _transaction(self, node: JsonRpcNode, canonical_hash: str) -> Lookup:
        await self._check(node)
        receipt, tx, final = await node.batch(
            [
                ("eth_getTransactionReceipt", [canonical_hash]),
                ("eth_getTransactionByHash", [canonical_hash]),
                ("eth_getBlockByNumber", ["finalized", False]),
            ]
        )
        if receipt is None or tx is None:
            return Missing(1) if receipt is None and tx is None else Pending()
        number = hex(reading.quantity(reading.obj(receipt).get("blockNumber")))
        header = await node.call("eth_getBlockByNumber", number, False)
        finalized = reading.block_number(final)
        transaction = reading.read_transaction(
            self.network, canonical_hash, receipt, tx, header, finalized=finalized, contracts=self._contracts
        )
        return Found(transaction, node.name)

    async def _scan(self, node: JsonRpcNode, after: int, limit: int, fresh: int) -> Scan:
        await self._check(node)
        final, head = await node.batch(
            [("eth_getBlockByNumber", ["finalized", False]), ("eth_blockNumber", [])],
        )
        finalized, latest = reading.block_number(final), reading.quantity(head)
        upto = min(finalized, after + limit)
        hashes = await self._hashes(node, after + 1, upto)
        newer: tuple[str, ...] = ()
        if fresh and upto >= finalized:
            first = max(finalized, after) + 1
            try:
                newer = await self._hashes(node, max(first, latest - fresh + 1), latest)
            except NodeFailed as failure:  # behind a balancer the newest block is not everywhere yet; money is below it
                log.info("fresh_blocks_not_read", network=self.network, node=node.name, reason=failure.reason)
        return Scan(max(upto, after), hashes, max(finalized - upto, 0), newer)

    async def _hashes(self, node: JsonRpcNode, first: int, last: int) -> tuple[str, ...]:
        """Transactions with something for us in blocks first..last, in a stable order, each once."""
        if first > last:
            return ()
        numbers = range(first, last + 1)
        found = await self._in_batches(node, numbers, self._batch_blocks, "eth_getBlockByNumber", self._native)
        if self._contracts:
            found += await self._token_hashes(node, numbers)
        return tuple(dict.fromkeys(found))

    async def _token_hashes(self, node: JsonRpcNode, numbers: range) -> list[str]:
        if node.name not in self._no_logs:
            query = {
                "fromBlock": hex(numbers[0]),
                "toBlock": hex(numbers[-1]),
                "address": sorted(self._contracts),
                "topics": [reading.TRANSFER, None, "0x" + self._ours.removeprefix("0x").rjust(64, "0")],
            }
            try:
                logs = await node.call("eth_getLogs", query)
                return reading.token_hashes(logs, self._ours, self._contracts)
            except NodeFailed as failure:
                if not failure.refuses_method:
                    raise
                found = await self._in_receipts(node, numbers)  # only a node that can do this is remembered
                log.info(
                    "node_refuses_logs",
                    network=self.network,
                    node=node.name,
                    reason=failure.reason,
                    code=failure.code,
                )
                self._no_logs.add(node.name)
                return found
        return await self._in_receipts(node, numbers)

    async def _in_receipts(self, node: JsonRpcNode, numbers: range) -> list[str]:
        return await self._in_batches(node, numbers, self._batch_receipts, "eth_getBlockReceipts", self._tokens)

    async def _in_batches(
        self, node: JsonRpcNode, numbers: range, size: int, method: str, read: Callable[[int, Any], list[str]]
    ) -> list[str]:
        """Ask for many blocks, `size` at a time; an answer too large to take is asked for in halves."""
        found: list[str] = []
        whole = [True] if method == "eth_getBlockByNumber" else []
        for start in range(0, len(numbers), size):
            part = numbers[start : start + size]
            try:
                results = await node.batch([(method, [hex(number), *whole]) for number in part])
            except NodeFailed as failure:
                if failure.reason != "body_too_large" or len(part) == 1:
                    raise
                found += await self._in_batches(node, part, len(part) // 2, method, read)
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
        for receipt in map(reading.obj, reading.items(receipts)):
            if reading.quantity(receipt.get("blockNumber")) != number:
                raise NodeFailed("another_block")
            found += reading.token_hashes(receipt.get("logs"), self._ours, self._contracts)
        return found

    async def _check(self, node: JsonRpcNode) -> None:
        """Once per node: is it the chain we think it is, and do its tokens count as we think they do?"""
        if node.name in self._checked:
            return
        if reading.chain_id(await node.call("eth_chainId")) != self._chain_id:
            log.error("node_of_another_chain", network=self.network, node=node.name)
            raise NodeFailed("another_chain")
        for contract, decimals in self._contracts.items():
            try:
                said = reading.quantity(await node.call("eth_call", {"to": contract, "data": DECIMALS}, "latest"))
            except NodeFailed:
                log.info("decimals_not_checked", network=self.network, node=node.name)
                continue
            if said != decimals:
                log.error("token_of_other_decimals", network=self.network, node=node.name, said=said)
                raise NodeFailed("other_decimals")
        self._checked.add(node.name)

    def _failed(self, node: JsonRpcNode, failure: NodeFailed) -> None:
        """Move a node that failed to the end of the line, so that the next question starts elsewhere."""
        log.warning("node_failed", network=self.network, node=node.name, reason=failure.reason, code=failure.code)
        if node in self._nodes:
            self._nodes.remove(node)
            self._nodes.append(node)
