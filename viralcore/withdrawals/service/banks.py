"""The list of banks: read by a job, kept in a table, searched in memory. Where nobody pays for us and none was ever
read there is a list in the settings: people can ask, and are paid by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from viralcore.core.errors import NotFound
from viralcore.withdrawals.api import BankView
from viralcore.withdrawals.domain.banks import Bank, BankIndex
from viralcore.withdrawals.ports import PayoutsDown
from viralcore.withdrawals.repository import accounts, attempts
from viralcore.withdrawals.service.house import House

log = structlog.get_logger(__name__)


class BankList:
    def __init__(self, house: House) -> None:
        self._house = house
        self._index: BankIndex | None = None
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None

    async def search(self, text: str, limit: int) -> tuple[BankView, ...]:
        index = await self._current()
        return tuple(BankView(bank.id, bank.code, bank.name) for bank in index.search(text, limit))

    async def bank(self, bank_id: int) -> BankView:
        """Raises NotFound."""
        await self._current()
        found = self.get(bank_id)
        if found is None:
            raise NotFound(what="bank")
        return found

    def get(self, bank_id: int) -> BankView | None:
        """As it was last read."""
        found = None if self._index is None else self._index.get(bank_id)
        return None if found is None else BankView(found.id, found.code, found.name)

    async def refresh(self) -> None:
        """The job: read it anew when it is old. A list gone wrong replaces nothing."""
        rules, now = self._house.config.banks, self._house.clock.now()
        if self._house.payouts is None:
            return
        async with self._house.db.read() as conn:
            switches = await attempts.get_desk(conn)
        if switches.banks_at is not None and now - switches.banks_at < timedelta(hours=rules.keep_hours):
            return
        if self._tried_at is not None and now - self._tried_at < timedelta(minutes=rules.retry_minutes):
            return
        self._tried_at = now
        try:
            rows = await self._house.payouts.banks()
        except PayoutsDown as trouble:
            log.warning("banks_not_read", reason=trouble.reason)
            return
        unique = tuple({row.id: Bank(row.id, row.code, row.name) for row in rows}.values())
        if len(unique) < rules.fewest:
            log.warning("banks_not_believed", rows=len(unique))
            return
        async with self._house.db.transaction() as tx:
            await attempts.lock_desk(tx.conn)
            await accounts.replace_banks(tx.conn, unique)
            await attempts.turn(tx.conn, banks_at=tx.now)

    async def _current(self) -> BankIndex:
        """Read again from the table when somebody, here or elsewhere, renewed it."""
        async with self._house.db.read() as conn:
            read_at = (await attempts.get_desk(conn)).banks_at
            if self._index is None or read_at != self._read_at:
                rows = await accounts.all_banks(conn)
                if not rows and self._house.payouts is None:
                    rows = tuple(Bank(one.id, one.code, one.name) for one in self._house.config.banks.known)
                self._index = BankIndex(rows, self._house.config.banks)
                self._read_at = read_at
            return self._index
