"""Short ways to speak to the ledger in tests."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import psycopg

from viralcore.core.db import Database
from viralcore.ledger.api import Account, Entry, HoldView, NewPosting, PostingView, house_account, user_account
from viralcore.ledger.service import LedgerService

BANK = house_account("bsc:USDT")
REVENUE = house_account("revenue")
GRANTS = house_account("grants", "t3")


def wallet(user_id: int) -> Account:
    return user_account(user_id, "wallet")


def credits_of(user_id: int) -> Account:
    return user_account(user_id, "credits", "t3")


def move(key: str, source: Account, target: Account, amount: int) -> NewPosting:
    return NewPosting(key, "adjustment", (Entry(source, -amount), Entry(target, amount)), "a move")


@dataclass
class Books:
    db: Database
    url: str
    service: LedgerService
    sound: bool = True  # false: the test broke the books on purpose

    async def post(self, posting: NewPosting) -> PostingView:
        async with self.db.transaction() as tx:
            return await self.service.post(
                tx, key=posting.key, kind=posting.kind, entries=posting.entries, description=posting.description
            )

    async def fund(self, account: Account, amount: int, *, key: str = "") -> PostingView:
        return await self.post(move(key or f"fund:{account}", BANK, account, amount))

    async def grant(self, user_id: int, quantity: int, cost: str, *, key: str) -> PostingView:
        entries = (Entry(credits_of(user_id), quantity, Decimal(cost)), Entry(GRANTS, -quantity))
        return await self.post(NewPosting(key, "purchase", entries, "credits"))

    async def use(self, user_id: int, quantity: int, *, key: str) -> PostingView:
        return await self.post(
            NewPosting(key, "boost", (Entry(credits_of(user_id), -quantity), Entry(GRANTS, quantity)), "a boost")
        )

    async def hold(self, account: Account, amount: int, *, key: str) -> HoldView:
        async with self.db.transaction() as tx:
            return await self.service.hold(tx, key=key, account=account, amount=amount, reason="a withdrawal")

    async def release(self, hold_id: int, *, key: str) -> HoldView:
        async with self.db.transaction() as tx:
            return await self.service.release(tx, key=key, hold_id=hold_id)

    async def capture(self, hold_id: int, source: Account, amount: int, *, key: str) -> PostingView:
        async with self.db.transaction() as tx:
            return await self.service.capture(
                tx,
                key=key,
                hold_id=hold_id,
                kind="withdrawal",
                entries=(Entry(source, -amount), Entry(BANK, amount)),
                description="paid out",
            )

    async def balance(self, account: Account) -> tuple[int, int]:
        found = await self.service.balance(account=account)
        return found.balance, found.held

    def as_owner(self, statement: str, *, role: str | None = None) -> None:
        """One statement as the owner of the tables, or after SET ROLE."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            if role is not None:
                connection.execute(f"SET ROLE {role}")
            connection.execute(statement)
