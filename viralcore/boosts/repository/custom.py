"""Statements about custom plans."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.api import CustomSpec
from viralcore.boosts.domain.custom import CustomPlan, number_of
from viralcore.boosts.tables.orders import custom_plans


async def add(conn: AsyncConnection, *, user_id: int, spec: CustomSpec, now: datetime) -> CustomPlan:
    statement = insert(custom_plans).values(user_id=user_id, created_at=now, **_values(spec))
    return CustomPlan(**(await conn.execute(statement.returning(*custom_plans.c))).one()._mapping)


async def get(conn: AsyncConnection, plan_id: int, *, lock: str = "") -> CustomPlan | None:
    """`lock`: ``share`` (it stays what it is until we commit), ``update`` (we change it)."""
    statement = select(custom_plans).where(custom_plans.c.id == plan_id)
    if lock:
        statement = statement.with_for_update(read=lock == "share")
    row = (await conn.execute(statement)).one_or_none()
    return None if row is None else CustomPlan(**row._mapping)


async def get_many(conn: AsyncConnection, plan_ids: Collection[int]) -> list[CustomPlan]:
    """Newest first."""
    statement = select(custom_plans).where(custom_plans.c.id.in_(plan_ids)).order_by(custom_plans.c.id.desc())
    return [CustomPlan(**row._mapping) for row in await conn.execute(statement)]


async def of_user(conn: AsyncConnection, user_id: int, *, limit: int = 100) -> list[CustomPlan]:
    """Newest first."""
    statement = select(custom_plans).where(custom_plans.c.user_id == user_id)
    rows = await conn.execute(statement.order_by(custom_plans.c.id.desc()).limit(limit))
    return [CustomPlan(**row._mapping) for row in rows]


async def change(conn: AsyncConnection, plan: CustomPlan, spec: CustomSpec) -> None:
    """Under its lock: what it delivers from now on."""
    statement = update(custom_plans).where(custom_plans.c.id == plan.id, custom_plans.c.version == plan.version)
    done = await conn.execute(statement.values(version=plan.version + 1, **_values(spec)))
    if done.rowcount != 1:
        raise RuntimeError("a custom plan moved while it was locked")


async def end(conn: AsyncConnection, plan: CustomPlan, *, now: datetime) -> None:
    """Under its lock. Ended again, it keeps the first moment."""
    statement = update(custom_plans).where(custom_plans.c.id == plan.id)
    await conn.execute(statement.values(ended_at=func.coalesce(custom_plans.c.ended_at, now)))


async def credit_usable(conn: AsyncConnection, asset: str, now: datetime) -> bool:
    """Whether a credit of this asset that comes back now can be used: not of a custom plan that has ended. The plan's
    row is held, so that it cannot end between this look and the posting."""
    number = number_of(asset)
    if number is None:
        return True
    plan = await get(conn, number, lock="share")
    return plan is None or plan.state(now) == "live"


def _values(spec: CustomSpec) -> dict[str, object]:
    return {
        "title": spec.title,
        "likes": spec.likes,
        "reposts": spec.reposts,
        "comments": spec.comments,
        "views": spec.views,
        "price": spec.price,
        "preset": spec.preset,
        "expires_at": spec.expires_at,
    }
