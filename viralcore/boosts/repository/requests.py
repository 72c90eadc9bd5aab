"""Statements about refills and cancels that panels were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.api import AskState, AskWhat
from viralcore.boosts.domain.states import Phase
from viralcore.boosts.repository.phases import Moved
from viralcore.boosts.tables.panels import requests

OPEN = ("asking", "accepted")


@dataclass(frozen=True, slots=True)
class Request:
    id: int
    phase_id: int
    order_id: int
    what: AskWhat
    state: AskState
    panel: str
    panel_order: str
    ticket: str | None
    words: str
    asked_by: int
    created_at: datetime
    polled_at: datetime | None
    ended_at: datetime | None


class AlreadyAsked(RuntimeError):
    """One of this kind is open for this phase."""


async def add(conn: AsyncConnection, phase: Phase, *, what: AskWhat, asked_by: int, now: datetime) -> Request:
    """Raises AlreadyAsked (and the transaction is lost) when another was begun at this moment."""
    statement = insert(requests).values(
        phase_id=phase.id,
        order_id=phase.order_id,
        what=what,
        state="asking",
        panel=phase.panel,
        panel_order=phase.panel_order,
        asked_by=asked_by,
        created_at=now,
    )
    try:
        return Request(**(await conn.execute(statement.returning(*requests.c))).one()._mapping)
    except IntegrityError as error:
        raise AlreadyAsked(f"{what} of phase {phase.id}") from error


async def get(conn: AsyncConnection, request_id: int) -> Request | None:
    row = (await conn.execute(select(requests).where(requests.c.id == request_id))).one_or_none()
    return None if row is None else Request(**row._mapping)


async def of_orders(conn: AsyncConnection, order_ids: Sequence[int]) -> list[Request]:
    """Oldest first."""
    statement = select(requests).where(requests.c.order_id.in_(order_ids)).order_by(requests.c.id)
    return [Request(**row._mapping) for row in await conn.execute(statement)]


async def accepted(conn: AsyncConnection, *, asked_before: datetime, limit: int = 500) -> list[Request]:
    """Refills that panels work at and were not asked about lately, longest unasked first."""
    statement = (
        select(requests)
        .where(requests.c.state == "accepted", requests.c.what == "refill")
        .where((requests.c.polled_at.is_(None)) | (requests.c.polled_at <= asked_before))
        .order_by(requests.c.polled_at.nulls_first(), requests.c.id)
        .limit(limit)
    )
    return [Request(**row._mapping) for row in await conn.execute(statement)]


async def move(conn: AsyncConnection, before: Request, *, state: AskState, now: datetime, **values: Any) -> None:
    """Raises Moved when it is not what it was."""
    ended_at = None if state in OPEN else now
    statement = update(requests).where(requests.c.id == before.id, requests.c.state == before.state)
    if (await conn.execute(statement.values(state=state, ended_at=ended_at, **values))).rowcount != 1:
        raise Moved(f"request {before.id} was {before.state}")


async def polled(conn: AsyncConnection, ids: Sequence[int], *, now: datetime) -> None:
    """They were asked about, and go on."""
    await conn.execute(
        update(requests).where(requests.c.id.in_(ids), requests.c.state == "accepted").values(polled_at=now)
    )
