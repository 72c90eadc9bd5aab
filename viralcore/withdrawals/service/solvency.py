"""The watch: what we owe against what we hold. When it falls short automatic payouts stop, and owners are told once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog

from viralcore.boosts.api import Boosts
from viralcore.core.db import Tx
from viralcore.core.money import NGN, USD, Money, floor_money
from viralcore.withdrawals.api import SolvencyView
from viralcore.withdrawals.domain.comparing import acts, standing
from viralcore.withdrawals.events import SolvencyShort
from viralcore.withdrawals.ports import PayoutsDown
from viralcore.withdrawals.repository import comparing
from viralcore.withdrawals.service.house import House
from viralcore.withdrawals.service.settling import Settling

log = structlog.get_logger(__name__)
NETWORK, BANK = "house:network:", "house:network:bank:"
SUSPENSE = "house:suspense"
NO_RATE = "no_rate"
PROVIDER = "flutterwave"
REASON = "We hold less than we owe: {gap} USD are missing."


class SolvencyWatch:
    """`boosts`: for panels and what orders still cost; None in tests of this module alone."""

    def __init__(self, house: House, settling: Settling, boosts: Boosts | None) -> None:
        self._house = house
        self._rules = house.config.solvency
        self._settling = settling
        self._boosts = boosts

    async def look(self) -> None:
        """The job."""
        naira = await self._naira()
        owed, held = await self._ledger()
        unread = list(await self._panels(owed, held))
        rate, now = await self._house.live(), self._house.clock.now()

        async def work(tx: Tx) -> None:
            known = await comparing.get_solvency(tx.conn, hold=True)
            kobo, read_at = self._kept(known, naira, now)
            if kobo is not None:
                held[PROVIDER] = Money(kobo, NGN)
            elif self._house.payouts is not None:
                unread.append(PROVIDER)
            values = {"checked_at": now, "rate": rate, "naira": kobo, "naira_at": read_at, "unread": unread}
            told = 0 if known is None else int(known.told_gap)
            await self._judge(tx, values, owed, held, rate, told)

        await self._house.db.run(work)

    async def view(self) -> SolvencyView | None:
        async with self._house.db.read() as conn:
            row = await comparing.get_solvency(conn)
        if row is None:
            return None
        return SolvencyView(
            checked_at=row.checked_at,
            rate=row.rate,
            owed={name: Money(cents, USD) for name, cents in row.owed.items()},
            held={name: Money(cents, USD) for name, cents in row.held.items()},
            gap=Money(row.gap, USD),
            problem=row.problem,
            unread=tuple(row.unread),
        )

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _judge(
        self,
        tx: Tx,
        values: Mapping[str, Any],
        owed: Mapping[str, Money],
        held: Mapping[str, Money],
        rate: Decimal | None,
        told: int,
    ) -> None:
        if rate is None:  # naira cannot be compared with dollars: what was judged last stays
            nothing = {"owed": {}, "held": {}, "gap": 0, "told_gap": told, "problem": NO_RATE}
            await comparing.put_solvency(tx.conn, {**values, **nothing})
            return
        found = standing(owed, held, rate=rate, cover=self._rules.cover)
        news = acts(found.gap, told, again=self._rules.again)
        told = 0 if found.gap == 0 else found.gap if news else told
        judged = {"owed": found.owed, "held": found.held, "gap": found.gap, "told_gap": told, "problem": ""}
        await comparing.put_solvency(tx.conn, {**values, **judged})
        if news:
            stopped = False
            if self._house.payouts is not None:
                stopped = await self._settling.stop(tx, REASON.format(gap=f"{Money(found.gap, USD).decimal:,.2f}"))
            tx.record(SolvencyShort(gap=found.gap, stopped=stopped))

    async def _naira(self) -> int | None:
        """What the provider holds for us: what can be paid out, and what was collected and is not settled yet."""
        if self._house.payouts is None:
            return None
        try:
            balance = await self._house.payouts.balance(NGN)
        except PayoutsDown as trouble:
            log.warning("balance_not_read", reason=trouble.reason)
            return None
        return balance.available.minor + max(0, balance.ledger.minor)

    def _kept(self, known: Any, naira: int | None, now: datetime) -> tuple[int | None, datetime | None]:
        """What was just read, or the last reading while it is not too old."""
        if naira is not None:
            return naira, now
        if known is None or known.naira_at is None or now - known.naira_at > self._stale:
            return None, None if known is None else known.naira_at
        return known.naira, known.naira_at

    @property
    def _stale(self) -> timedelta:
        return timedelta(hours=self._rules.stale_hours)

    async def _ledger(self) -> tuple[dict[str, Money], dict[str, Money]]:
        """Balances of people and money nobody owns yet; what the networks' wallets hold. Naira in the bank are counted
        where they are, not where they were booked. Credits are owed in work: what it costs is in `orders` once they
        are used."""
        owed: dict[str, Money] = {}
        held: dict[str, Money] = {}
        for name, asset, total in (await self._house.ledger.trial_balance()).rows:
            if asset not in (USD, NGN):
                continue
            if name.startswith("user:") and total > 0:
                _add(owed, f"{name.removeprefix('user:')} {asset}", Money(total, asset))
            elif name == SUSPENSE and total > 0:
                _add(owed, "suspense", Money(total, asset))
            elif name.startswith(NETWORK) and not name.startswith(BANK) and asset == USD:
                _add(held, name.removeprefix(NETWORK), Money(-total, asset))
        return owed, held

    async def _panels(self, owed: dict[str, Money], held: dict[str, Money]) -> tuple[str, ...]:
        if self._boosts is None:
            return ()
        owed["orders"] = await self._boosts.unspent()
        unread, now = [], self._house.clock.now()
        for panel in await self._boosts.panels():
            fresh = panel.checked_at is not None and now - panel.checked_at <= self._stale
            if panel.balance is None or not fresh or panel.currency != USD:
                unread.append(panel.name)
            else:
                held[panel.name] = floor_money(panel.balance, USD)
        return tuple(unread)


def _add(where: dict[str, Money], name: str, money: Money) -> None:
    where[name] = where[name] + money if name in where else money
