"""The exchange rate: fetched by a job, kept in a table, read by quotes and by whoever values naira."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from viralcore.core.clock import Clock
from viralcore.core.db import Connection, Database
from viralcore.core.money import NGN
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.exchange import FxRate, due_again, judge, usd_per_unit
from viralcore.payments.events import PricesStopped
from viralcore.payments.ports import FxSource
from viralcore.payments.repository import chain_state

log = structlog.get_logger(__name__)


class Exchange:
    """`source` None: there is nobody to ask, and no rate."""

    def __init__(self, *, db: Database, clock: Clock, config: PaymentsConfig, source: FxSource | None) -> None:
        self._db = db
        self._clock = clock
        self._fx = config.fx
        self._longest = timedelta(hours=config.fx.longest_age_hours)
        self._ahead = timedelta(seconds=config.rules.future_seconds)
        self._source = source

    async def rate(self, conn: Connection, now: datetime) -> Decimal | None:
        """USD per naira as it is charged, the spread included; None while there is no rate to trust."""
        live = await self.live(conn, now)
        return None if live is None else usd_per_unit(live, self._fx.spread_ngn)

    async def live(self, conn: Connection, now: datetime) -> Decimal | None:
        """Naira per USD as the source says it; None while there is no rate to trust."""
        known = await chain_state.get_fx(conn, NGN)
        return known.per_usd if known is not None and known.usable(now, self._longest) else None

    async def refresh(self) -> None:
        """The job: ask when it is time, store, tell when the rate becomes too old to use or is back."""
        if self._source is None:
            return
        now = self._clock.now()
        async with self._db.read() as conn:
            known = await chain_state.get_fx(conn, NGN)
        fetch, retry = timedelta(seconds=self._fx.fetch_seconds), timedelta(seconds=self._fx.retry_seconds)
        due = due_again(known, now=now, fetch=fetch, retry=retry)
        aged = known is not None and known.state == "ok" and not known.usable(now, self._longest)
        if not due and not aged:
            return
        reading = await self._source.rate(NGN)
        async with self._db.transaction() as tx:
            before = await chain_state.get_fx(tx.conn, NGN)
            after = judge(
                before or FxRate(NGN, "stale", None, None, None, tx.now),
                reading,
                now=tx.now,
                longest=self._longest,
                ahead=self._ahead,
            )
            await chain_state.save_fx(tx.conn, after)
            if after.state != (before.state if before else "ok"):
                log.warning("price_state_changed", coin=NGN, state=after.state)
                tx.record(PricesStopped(coin=NGN, reason=after.state))
