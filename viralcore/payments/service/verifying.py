"""The one verifier: what the nodes say of a transaction, and whether that is enough to judge it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

import structlog

from viralcore.core.clock import Clock
from viralcore.core.db import Database
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.chain import ChainTransaction
from viralcore.payments.domain.judging import value_cents
from viralcore.payments.ports import Chain, ChainUnavailable, Found, Missing, Pending
from viralcore.payments.repository import money
from viralcore.payments.service.crediting import Crediting
from viralcore.payments.service.pricing import Pricing

log = structlog.get_logger(__name__)

Wait = Literal["unknown_tx", "not_final", "node_down", "price"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not to be judged yet. `sure`: as many nodes as are needed said that they do not know it."""

    reason: Wait
    sure: bool = False


class Verifier:
    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        config: PaymentsConfig,
        chains: Mapping[str, Chain],
        crediting: Crediting,
        pricing: Pricing,
    ) -> None:
        self._db = db
        self._clock = clock
        self._config = config
        self._chains = chains
        self._crediting = crediting
        self._pricing = pricing

    async def verify(self, network: str, canonical_hash: str) -> Waiting | None:
        """Ask the nodes and, when they are sure, judge. None: judged, now or before."""
        looked = await self.look(network, canonical_hash)
        if isinstance(looked, Waiting):
            return looked
        settled = await self._crediting.settle(looked)
        if settled == "unpriced":
            return Waiting("price")
        return Waiting("not_final") if settled == "starting" else None

    async def look(self, network: str, canonical_hash: str) -> ChainTransaction | Waiting:
        """A final transaction that the nodes agree on, or why there is none to judge."""
        chain = self._chains.get(network)
        if chain is None:  # switched off, or without nodes, since the hash was pasted
            return Waiting("node_down")
        try:
            lookup = await chain.transaction(canonical_hash)
        except ChainUnavailable:
            return Waiting("node_down")
        if isinstance(lookup, Missing):
            return Waiting("unknown_tx", sure=lookup.nodes >= min(2, chain.nodes))
        if isinstance(lookup, Pending) or not lookup.transaction.final:
            return Waiting("not_final")
        found = lookup.transaction
        ahead = (found.block_time - self._clock.now()).total_seconds()
        if ahead > self._config.rules.future_seconds:
            log.warning("block_from_the_future", network=network, hash=found.hash, seconds=round(ahead))
            return Waiting("not_final")
        return await self._agreed(chain, lookup)

    async def _agreed(self, chain: Chain, found: Found) -> ChainTransaction | Waiting:
        """Small sums need that nobody contradicts; large ones that another node says the same, or the only one says it
        twice. So does "nothing came" of a transaction in which the watcher saw money: it would never be looked at
        again."""
        if chain.nodes < 2:
            once_is_enough = await self._small(found) or await self._told_twice(found)
            return found.transaction if once_is_enough else Waiting("not_final")
        verdict = await chain.confirm(found)
        if verdict == "agrees" or (verdict == "silent" and await self._small(found)):
            return found.transaction
        log.warning("not_agreed", network=chain.network, hash=found.transaction.hash, verdict=verdict)
        return Waiting("not_final" if verdict == "not_final" else "node_down")

    async def _told_twice(self, found: Found) -> bool:
        """The only node there is must tell the same of a large sum again, some time later."""
        story = replace(found.transaction, final=True)
        digest = hashlib.sha256(repr(story).encode()).hexdigest()
        async with self._db.transaction() as tx:
            since = await money.note_reading(tx.conn, story.network, story.hash, digest, tx.now)
        return tx.now - since >= timedelta(seconds=self._config.rules.second_look_seconds)

    async def _small(self, found: Found) -> bool:
        transaction = found.transaction
        limit = int(self._config.rules.two_nodes_from_usd * 100)
        total = 0
        coming = self._crediting.coming(transaction)
        async with self._db.read() as conn:
            if not coming:
                return not await money.is_open(conn, transaction.network, transaction.hash)
            for each in coming:
                rate = await self._pricing.rate(conn, each.asset, self._clock.now())
                if rate is None:
                    return False
                decimals = self._config.asset(transaction.network, each.asset).decimals
                total += value_cents(each.amount, decimals=decimals, rate=rate)
        return total < limit
