"""The time left on a payment screen, kept up to date: at round moments before the end, and only where it is looked at.

Nothing is stored about it but the redraws themselves. A redraw is an effect with a key of its invoice and moment, so
there is one of each, however often this looks, and whether or not the process died in between. The end is an event of
its own (`refresh`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from viralcore.bot import refresh, repository
from viralcore.bot.config import Countdown
from viralcore.core.clock import Clock
from viralcore.core.db import Database
from viralcore.core.jobs import Job
from viralcore.payments.api import EndingView, Payments

LOOKED_AT = ("invoice", "pay")
"""Routes that tell how much time is left."""
ENDING = 2000
"""Invoices that one look takes into account."""


class Ticker:
    """Looks at what ends soon, every few seconds of business time. A moment that passed before the last look is over:
    what was not drawn then shows the next one."""

    def __init__(self, db: Database, clock: Clock, payments: Payments, config: Countdown) -> None:
        self._db = db
        self._clock = clock
        self._payments = payments
        self._config = config
        self._marks = sorted(timedelta(minutes=minutes) for minutes in config.minutes)
        self._since: datetime | None = None

    def job(self) -> Job:
        """After the jobs that may end an invoice."""
        return Job("bot.countdown", self._config.every_seconds, self.run, order=400)

    async def run(self) -> None:
        now = self._clock.now()
        since = self._since or now - timedelta(seconds=self._config.every_seconds)
        self._since = now
        if not since < now:  # turned back, or looked at this very moment already
            return
        moments = [(since + mark, now + mark) for mark in self._marks]
        ending = await self._payments.ending(moments=moments, limit=ENDING)
        if not ending:
            return
        places = {(one.user_id, f"{name}:{one.invoice_id}"): one for one in ending for name in LOOKED_AT}
        async with self._db.read() as conn:
            shown = await repository.showing_any(conn, list(places))
        if not shown:
            return
        async with self._db.transaction() as tx:
            for chat_id, route in shown[: self._config.per_run]:
                one = places[chat_id, route]
                tx.effect(
                    kind=refresh.KIND,
                    key=f"countdown:{one.invoice_id}:{self._mark(one, now)}",
                    payload={"chat_id": chat_id, "route": route, "bulk": True},
                    ref=route,
                )

    def _mark(self, one: EndingView, now: datetime) -> int:
        """The last moment it has passed: minutes before its end."""
        left = one.expires_at - now
        passed = next((mark for mark in self._marks if left <= mark), self._marks[-1])
        return int(passed.total_seconds()) // 60
