"""Several nodes of one network as one chain: who is asked first, who is left alone, and what they must agree on.

A node that failed, lags or stood alone with its story rests: it is asked last until its rest is over, never not at all,
because a bad answer from every node is still better than none from one. What a node says is only believed together
with where it says it: one pass over a stretch is made on one node, whose own idea of "final" bounds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from viralcore.core.clock import monotonic
from viralcore.payments.domain.chain import ChainTransaction
from viralcore.payments.ports import (
    Agreement,
    ChainUnavailable,
    Found,
    Lookup,
    Missing,
    Node,
    NodeFailed,
    Pending,
    Scan,
)

log = structlog.get_logger(__name__)

ENOUGH_MISSING = 2
"""Nodes that must not know a hash before the others are spared the question."""


class NodesChain:
    """The port `Chain`, the same for every network.

    `lag`: how far behind another a node may be. `rest_seconds`: how long one that failed is asked last.
    """

    def __init__(self, network: str, nodes: Sequence[Node], *, lag: int, rest_seconds: float) -> None:
        self.network = network
        self.nodes = len(nodes)
        self._nodes = list(nodes)
        self._lag = lag
        self._rest_seconds = rest_seconds
        self._waits_until: dict[str, float] = {}

    async def finalized(self) -> int:
        heights: dict[str, int] = {}
        reason = "no_nodes"
        for node in self._in_order():
            try:
                heights[node.name] = await node.finalized()
            except NodeFailed as failure:
                reason = failure.reason
                self._failed(node, failure)
        if not heights:
            raise ChainUnavailable(reason)
        best = max(heights.values())
        for name, height in heights.items():
            if best - height > self._lag:
                self._leave(name, "lags")
        return best

    async def scan(self, *, after: int, limit: int, fresh: int) -> Scan:
        """A node that is not past `after` is no use unless all are: the others are tried first."""
        waiting: Scan | None = None
        behind: list[Node] = []
        reason = "no_nodes"
        for node in self._in_order():
            try:
                result = await node.scan(after=after, limit=limit, fresh=fresh)
            except NodeFailed as failure:
                reason = failure.reason
                self._failed(node, failure)
                continue
            if result.upto > after:
                if result.upto + result.behind - after > self._lag:
                    for each in behind:
                        self._leave(each.name, "lags")
                return await self._second_reading(node, after, result)
            behind.append(node)
            if waiting is None or len(result.fresh) > len(waiting.fresh):
                waiting = result
        if waiting is None:
            raise ChainUnavailable(reason)
        return waiting

    async def _second_reading(self, first: Node, after: int, scan: Scan) -> Scan:
        """The same stretch from another node, if one can: what either of them has seen is looked at."""
        for node in [node for node in self._in_order() if node is not first]:
            try:
                more = await node.final_hashes(after=after, upto=scan.upto)
            except NodeFailed as failure:
                if failure.reason != "not_past_it":
                    self._failed(node, failure)
                continue
            return replace(scan, hashes=tuple(dict.fromkeys((*scan.hashes, *more))))
        return scan

    async def transaction(self, canonical_hash: str) -> Lookup:
        """The first node that knows it as final answers, else the first that knows it: one that stands still must
        not hold it. "Missing" needs every answer to have been null."""
        missing, pending, reason = 0, False, "no_nodes"
        waiting: Found | None = None
        for node in self._in_order():
            try:
                found = await node.transaction(canonical_hash)
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
        told = await self._others(found)
        for_it = [each for each in told if _story(each.transaction) == _story(found.transaction)]
        against = [each for each in told if each not in for_it]
        if against:
            log.error("nodes_disagree", network=self.network, one=found.node, others=[each.node for each in against])
            mine, theirs = 1 + len(for_it), _loudest(against)
            if mine <= theirs:
                if mine < theirs:
                    self._leave(found.node, "stands_alone")
                return "differs"
            for each in against:
                self._leave(each.node, "stands_alone")
        if any(each.transaction.final for each in for_it):
            return "agrees"
        return "not_final" if for_it else "silent"

    async def _others(self, found: Found) -> list[Found]:
        """What other nodes tell of it: the first that tells the same as final is enough; where they differ, all."""
        told: list[Found] = []
        for node in [node for node in self._in_order() if node.name != found.node]:
            try:
                other = await node.transaction(found.transaction.hash)
            except NodeFailed as failure:
                self._failed(node, failure)
                continue
            if not isinstance(other, Found):
                continue
            told.append(other)
            same = all(_story(each.transaction) == _story(found.transaction) for each in told)
            if same and other.transaction.final:
                break
        return told

    def _in_order(self) -> list[Node]:
        """Those that rest come last; among equals the order of the settings."""
        now = monotonic()
        return sorted(self._nodes, key=lambda node: self._waits_until.get(node.name, now) > now)

    def _failed(self, node: Node, failure: NodeFailed) -> None:
        log.warning("node_failed", network=self.network, node=node.name, reason=failure.reason, code=failure.code)
        self._waits_until[node.name] = monotonic() + self._rest_seconds

    def _leave(self, name: str, why: str) -> None:
        log.warning("node_left", network=self.network, node=name, reason=why)
        self._waits_until[name] = monotonic() + self._rest_seconds


def _story(transaction: ChainTransaction) -> ChainTransaction:
    """What two nodes must tell alike: all but how far each of them has come."""
    return replace(transaction, final=True)


def _loudest(told: Sequence[Found]) -> int:
    """How many tell the most told of these stories."""
    stories = [_story(each.transaction) for each in told]
    return max(stories.count(story) for story in stories)
