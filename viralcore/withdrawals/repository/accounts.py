"""Statements on banks, accounts and checks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.withdrawals.domain.banks import Bank
from viralcore.withdrawals.domain.states import Account, Check
from viralcore.withdrawals.tables import accounts, banks, checks


async def replace_banks(conn: AsyncConnection, rows: Sequence[Bank]) -> None:
    """The list as it was read now."""
    await conn.execute(delete(banks))
    await conn.execute(insert(banks), [{"id": row.id, "code": row.code, "name": row.name} for row in rows])


async def all_banks(conn: AsyncConnection) -> tuple[Bank, ...]:
    found = await conn.execute(select(banks.c.id, banks.c.code, banks.c.name).order_by(banks.c.id))
    return tuple(Bank(*row) for row in found)


async def keep_account(conn: AsyncConnection, *, now: datetime, **values: Any) -> int:
    """The account's number: a new one, or the one this person gave before."""
    fresh = upsert(accounts).values(created_at=now, **values)
    statement = fresh.on_conflict_do_update(
        index_elements=["user_id", "print"],
        set_={name: fresh.excluded[name] for name in ("bank_id", "bank_name", "sealed")},
    )
    found: int = (await conn.execute(statement.returning(accounts.c.id))).scalar_one()
    return found


async def get_accounts(conn: AsyncConnection, ids: Sequence[int]) -> dict[int, Account]:
    found = await conn.execute(select(accounts).where(accounts.c.id.in_(list(ids))))
    return {row.id: _account(row) for row in found}


async def saved_accounts(conn: AsyncConnection, user_id: int, limit: int) -> list[Account]:
    """Accounts money was asked to, the last used first."""
    query = select(accounts).where(
        accounts.c.user_id == user_id, accounts.c.used_at.is_not(None), accounts.c.forgotten.is_(False)
    )
    found = await conn.execute(query.order_by(accounts.c.used_at.desc(), accounts.c.id.desc()).limit(limit))
    return [_account(row) for row in found]


async def use_account(conn: AsyncConnection, account_id: int, *, holder: str, now: datetime) -> None:
    await conn.execute(
        update(accounts).where(accounts.c.id == account_id).values(holder=holder, used_at=now, forgotten=False)
    )


async def forget_account(conn: AsyncConnection, account_id: int) -> None:
    await conn.execute(update(accounts).where(accounts.c.id == account_id).values(forgotten=True))


async def others_with(conn: AsyncConnection, account: Account) -> list[int]:
    """Other people who gave the same account."""
    query = select(accounts.c.user_id).where(accounts.c.print == account.print, accounts.c.user_id != account.user_id)
    return [row.user_id for row in await conn.execute(query.order_by(accounts.c.user_id))]


async def sealed_accounts(conn: AsyncConnection, *, after_id: int, limit: int) -> list[tuple[int, str]]:
    """Encrypted numbers, for whoever rotates the keys."""
    query = select(accounts.c.id, accounts.c.sealed).where(accounts.c.id > after_id).order_by(accounts.c.id)
    return [(row.id, row.sealed) for row in await conn.execute(query.limit(limit))]


async def reseal(conn: AsyncConnection, account_id: int, *, before: str, sealed: str) -> bool:
    """Guarded by what it was."""
    done = await conn.execute(
        update(accounts).where(accounts.c.id == account_id, accounts.c.sealed == before).values(sealed=sealed)
    )
    return done.rowcount == 1


# --- questions to the bank --------------------------------------------------------------------------------------------


async def add_check(conn: AsyncConnection, **values: Any) -> int:
    found: int = (
        await conn.execute(insert(checks).values(state="asking", **values).returning(checks.c.id))
    ).scalar_one()
    return found


async def get_check(conn: AsyncConnection, check_id: int, *, hold: bool = False) -> Check | None:
    query = select(checks).where(checks.c.id == check_id)
    row = (await conn.execute(query.with_for_update() if hold else query)).first()
    return None if row is None else _check(row)


async def decide_check(conn: AsyncConnection, check_id: int, state: str, **values: Any) -> bool:
    """Guarded. False: it was decided before."""
    done = await conn.execute(
        update(checks).where(checks.c.id == check_id, checks.c.state == "asking").values(state=state, **values)
    )
    return done.rowcount == 1


async def use_check(conn: AsyncConnection, check_id: int, withdrawal_id: int) -> bool:
    """Guarded: once."""
    done = await conn.execute(
        update(checks)
        .where(checks.c.id == check_id, checks.c.state == "ready", checks.c.withdrawal_id.is_(None))
        .values(withdrawal_id=withdrawal_id)
    )
    return done.rowcount == 1


async def checks_since(conn: AsyncConnection, user_id: int, since: datetime) -> tuple[int, datetime | None]:
    """How many, and when the oldest of them was."""
    query = select(func.count(), func.min(checks.c.created_at))
    row = (await conn.execute(query.where(checks.c.user_id == user_id, checks.c.created_at > since))).one()
    return int(row[0]), row[1]


def _account(row: Row[Any]) -> Account:
    return Account(**row._mapping)


def _check(row: Row[Any]) -> Check:
    return Check(**row._mapping)
