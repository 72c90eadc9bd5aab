"""Statements about drafts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.api import LinkProblem, LinkView
from viralcore.boosts.tables.orders import drafts


@dataclass(frozen=True, slots=True)
class Draft:
    id: int
    user_id: int
    links: tuple[LinkView, ...]
    problems: tuple[LinkProblem, ...]
    plan_id: str | None
    unit_cost: Decimal | None
    plan_version: int
    state: Literal["open", "confirmed", "discarded"]
    created_at: datetime
    expires_at: datetime


async def add(
    conn: AsyncConnection,
    *,
    user_id: int,
    links: Sequence[LinkView],
    problems: Sequence[LinkProblem],
    plan: tuple[str, Decimal] | None,
    now: datetime,
    expires_at: datetime,
) -> int:
    """`plan`: the chosen one and the price paid for the dearest of the credits it would use."""
    statement = (
        insert(drafts)
        .values(
            user_id=user_id,
            links=[asdict(link) for link in links],
            problems=[asdict(problem) for problem in problems],
            plan_id=plan[0] if plan else None,
            unit_cost=plan[1] if plan else None,
            state="open",
            created_at=now,
            expires_at=expires_at,
        )
        .returning(drafts.c.id)
    )
    return int((await conn.execute(statement)).scalar_one())


async def get(conn: AsyncConnection, draft_id: int, *, lock: bool = False) -> Draft | None:
    statement = select(drafts).where(drafts.c.id == draft_id)
    row = (await conn.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return None if row is None else _draft(row)


async def choose(conn: AsyncConnection, draft_id: int, plan_id: str, unit_cost: Decimal, *, version: int = 0) -> bool:
    """`version`: of a custom plan."""
    statement = update(drafts).where(drafts.c.id == draft_id, drafts.c.state == "open")
    return (
        await conn.execute(statement.values(plan_id=plan_id, unit_cost=unit_cost, plan_version=version))
    ).rowcount == 1


async def close(conn: AsyncConnection, draft_id: int, state: Literal["confirmed", "discarded"]) -> bool:
    statement = update(drafts).where(drafts.c.id == draft_id, drafts.c.state == "open").values(state=state)
    return (await conn.execute(statement)).rowcount == 1


async def forget(conn: AsyncConnection, *, before: datetime) -> int:
    """Delete drafts that never became orders."""
    statement = delete(drafts).where(drafts.c.expires_at < before, drafts.c.state != "confirmed")
    return (await conn.execute(statement)).rowcount


def _draft(row: Any) -> Draft:
    values = dict(row._mapping)
    values["links"] = tuple(LinkView(**link) for link in values["links"])
    values["problems"] = tuple(LinkProblem(**problem) for problem in values["problems"])
    return Draft(**values)
