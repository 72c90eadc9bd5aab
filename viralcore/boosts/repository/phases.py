"""Statements about phases and their attempts at panels."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import and_, exists, func, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.api import PanelOrderView
from viralcore.boosts.domain.panels import StatusReading
from viralcore.boosts.domain.plans import PlannedPhase
from viralcore.boosts.domain.states import Phase, PhaseUpdate
from viralcore.boosts.tables.orders import attempts, orders, panels, phases

# The statements of every phase, written out: putting one together from its parts costs more than Postgres needs for it.
_PHASE = f"SELECT {', '.join(phases.c.keys())} FROM boosts.phases "  # noqa: S608  # nosec B608 # our columns
_OF_ORDERS = text(_PHASE + "WHERE order_id = ANY(:ids) ORDER BY line_id, number")
_GET = text(_PHASE + "WHERE id = :id")
_CLAIM = text("""
WITH claimed AS (
    UPDATE boosts.phases p
    SET state = 'sending', next_at = NULL, attempt = new.number, panel = new.panel, service = new.service,
        sent_at = :now, tried = CAST(new.tried AS jsonb)
    FROM unnest(
        CAST(:ids AS bigint[]), CAST(:befores AS text[]), CAST(:numbers AS integer[]), CAST(:panels AS text[]),
        CAST(:services AS text[]), CAST(:links AS text[]), CAST(:tried AS text[])
    ) AS new (id, before, number, panel, service, link, tried)
    WHERE p.id = new.id AND p.state = new.before AND p.attempt = new.number - 1
    RETURNING p.id, new.number, new.panel, new.service, new.link, p.quantity
)
INSERT INTO boosts.attempts (phase_id, number, panel, service, link, quantity, state, created_at)
SELECT id, number, panel, service, link, quantity, 'sending', :now FROM claimed
""")
_KNOWN = text("""
SELECT a.panel, a.panel_order
FROM unnest(CAST(:panels AS text[]), CAST(:orders AS text[])) AS asked (panel, panel_order)
    JOIN boosts.attempts a USING (panel, panel_order)
""")
_ACCEPTED = text("""
WITH new AS (
    SELECT * FROM unnest(
        CAST(:ids AS bigint[]), CAST(:befores AS text[]), CAST(:attempts AS integer[]), CAST(:orders AS text[])
    ) AS new (id, before, attempt, panel_order)
), decided AS (
    UPDATE boosts.attempts a SET state = 'sent', panel_order = new.panel_order, decided_at = :now FROM new
    WHERE a.phase_id = new.id AND a.number = new.attempt AND a.state IN ('sending', 'unknown')
    RETURNING 1
), moved AS (
    UPDATE boosts.phases p SET state = 'sent', panel_order = new.panel_order, troubled_since = NULL, placed_at = :now
    FROM new
    WHERE p.id = new.id AND p.state = new.before AND p.attempt = new.attempt
    RETURNING 1
)
SELECT (SELECT count(*) FROM decided), (SELECT count(*) FROM moved)
""")

_ASKED = text("UPDATE boosts.phases SET polled_at = :now WHERE id = ANY(:ids) AND state = :state")
_READ = text("""
UPDATE boosts.phases p
SET state = new.state, delivered = new.delivered, polled_at = :now, remains = new.remains,
    start_count = coalesce(new.start_count, p.start_count), charge = coalesce(new.charge, p.charge),
    currency = coalesce(new.currency, p.currency),
    finished_at = CASE WHEN new.state = 'sent' THEN NULL ELSE CAST(:now AS timestamptz) END,
    first_at = CASE WHEN p.first_at IS NULL AND new.delivered > 0 THEN CAST(:now AS timestamptz) ELSE p.first_at END,
    strange_since = CASE WHEN new.said IS NOT NULL THEN coalesce(p.strange_since, CAST(:now AS timestamptz)) END,
    said = new.said
FROM unnest(
    CAST(:ids AS bigint[]), CAST(:attempts AS integer[]), CAST(:states AS text[]), CAST(:delivered AS bigint[]),
    CAST(:starts AS bigint[]), CAST(:remains AS bigint[]), CAST(:charges AS numeric[]), CAST(:currencies AS text[]),
    CAST(:saids AS text[])
) AS new (id, attempt, state, delivered, start_count, remains, charge, currency, said)
WHERE p.id = new.id AND p.state = 'sent' AND p.attempt = new.attempt
""")


_GOES_ON = ~exists().where(orders.c.id == phases.c.order_id, orders.c.paused_at.is_not(None))
"""Its order is not paused."""


class PanelOrderTaken(RuntimeError):
    """A panel order belongs to one phase only."""


class Moved(RuntimeError):
    """A guarded update did not find its row in the state it was read in."""


async def add(conn: AsyncConnection, *, order_id: int, line_id: int, planned: PlannedPhase, due_at: datetime) -> None:
    await conn.execute(
        insert(phases).values(
            order_id=order_id,
            line_id=line_id,
            number=planned.number,
            quantity=planned.quantity,
            due_at=due_at,
            next_at=due_at,
            state="waiting",
        )
    )


async def add_remainder(conn: AsyncConnection, of: Phase, *, quantity: int, number: int, now: datetime) -> Phase:
    """What is left of a phase that ended early, due at once. The second one of the same phase is a mistake of ours:
    the database refuses it."""
    statement = insert(phases).values(
        order_id=of.order_id,
        line_id=of.line_id,
        number=number,
        quantity=quantity,
        due_at=now,
        next_at=now,
        state="waiting",
        remainder_of=of.id,
        avoid=of.panel,
    )
    return Phase(**(await conn.execute(statement.returning(*phases.c))).one()._mapping)


async def of_orders(conn: AsyncConnection, order_ids: Sequence[int]) -> Mapping[int, list[Phase]]:
    found: dict[int, list[Phase]] = defaultdict(list)
    for row in await conn.execute(_OF_ORDERS, {"ids": list(order_ids)}):
        found[row.order_id].append(Phase(**row._mapping))
    return found


async def get(conn: AsyncConnection, phase_id: int) -> Phase | None:
    row = (await conn.execute(_GET, {"id": phase_id})).one_or_none()
    return None if row is None else Phase(**row._mapping)


async def due_orders(conn: AsyncConnection, *, now: datetime, limit: int) -> list[int]:
    """Orders with phases to be looked at now, those that wait longest first."""
    statement = (
        select(phases.c.order_id)
        .where(phases.c.state == "waiting", phases.c.next_at <= now, _GOES_ON)
        .group_by(phases.c.order_id)
        .order_by(func.min(phases.c.next_at), phases.c.order_id)
        .limit(limit)
    )
    return list((await conn.execute(statement)).scalars())


async def next_due(conn: AsyncConnection) -> datetime | None:
    statement = (
        select(phases.c.next_at).where(phases.c.state == "waiting", _GOES_ON).order_by(phases.c.next_at).limit(1)
    )
    moment: datetime | None = (await conn.execute(statement)).scalar_one_or_none()
    return moment


async def running(conn: AsyncConnection, *, limit: int) -> list[Phase]:
    """Accepted and not ended, longest unasked first."""
    statement = (
        select(phases)
        .where(phases.c.state == "sent")
        .order_by(phases.c.polled_at.nulls_first(), phases.c.id)
        .limit(limit)
    )
    return [Phase(**row._mapping) for row in await conn.execute(statement)]


async def asked(conn: AsyncConnection, ids: Sequence[int], *, now: datetime) -> None:
    """They were asked about in vain: others come first in the next round."""
    await conn.execute(_ASKED, {"ids": list(ids), "state": "sent", "now": now})


async def unknown(conn: AsyncConnection, *, after: int, limit: int) -> list[Phase]:
    """By id, after this one."""
    statement = select(phases).where(phases.c.state == "unknown", phases.c.id > after)
    return [Phase(**row._mapping) for row in await conn.execute(statement.order_by(phases.c.id).limit(limit))]


async def unknown_count(conn: AsyncConnection) -> int:
    statement = select(func.count()).select_from(phases).where(phases.c.state == "unknown")
    return int((await conn.execute(statement)).scalar_one())


async def unread(conn: AsyncConnection) -> list[Phase]:
    """Every send nobody answered since when its panel's balance was not read."""
    statement = (
        select(phases)
        .outerjoin(panels, panels.c.name == phases.c.panel)
        .where(phases.c.state == "unknown", phases.c.sent_at.is_not(None))
        .where(or_(panels.c.checked_at.is_(None), phases.c.sent_at >= panels.c.checked_at))
        .order_by(phases.c.id)
    )
    return [Phase(**row._mapping) for row in await conn.execute(statement)]


@dataclass(frozen=True, slots=True)
class Claim:
    """A phase and what will be sent of it. `number`: of the attempt."""

    phase: Phase
    panel: str
    service: str
    link: str

    @property
    def number(self) -> int:
        return self.phase.attempt + 1


async def claim(conn: AsyncConnection, claims: Sequence[Claim], *, now: datetime) -> None:
    """Move phases to `sending` and freeze what will be sent."""
    if not claims:
        return
    values = {
        "ids": [one.phase.id for one in claims],
        "befores": [one.phase.state for one in claims],
        "numbers": [one.number for one in claims],
        "panels": [one.panel for one in claims],
        "services": [one.service for one in claims],
        "links": [one.link for one in claims],
        "tried": [json.dumps(one.phase.tried) for one in claims],
    }
    if (await conn.execute(_CLAIM, {**values, "now": now})).rowcount != len(claims):
        raise Moved(f"one of the phases {values['ids']} has moved")


async def accepted(conn: AsyncConnection, placed: Sequence[tuple[Phase, str]], *, now: datetime) -> None:
    """Phases and the panel orders they became. Raises PanelOrderTaken (and the transaction is lost) when another phase
    got one of them at this moment."""
    values = {
        "ids": [phase.id for phase, _ in placed],
        "befores": [phase.state for phase, _ in placed],
        "attempts": [phase.attempt for phase, _ in placed],
        "orders": [panel_order for _, panel_order in placed],
    }
    try:
        decided, moved = (await conn.execute(_ACCEPTED, {**values, "now": now})).one()
    except IntegrityError as error:
        raise PanelOrderTaken(", ".join(panel_order for _, panel_order in placed)) from error
    if (decided, moved) != (len(placed), len(placed)):
        raise Moved(f"one of the phases {values['ids']} has moved, or its attempt is decided")


async def refused(conn: AsyncConnection, phase: Phase, *, why: str, words: str, now: datetime) -> None:
    """The attempt only; the phase moves with what comes of it."""
    await _decide(conn, phase, now=now, state="refused", why=why, words=words)


async def silent(conn: AsyncConnection, phase: Phase, *, why: str) -> None:
    await _decide(conn, phase, now=None, state="unknown", why=why)
    await _move(conn, phase, state="unknown")


async def not_placed(conn: AsyncConnection, phase: Phase, *, now: datetime) -> None:
    await _decide(conn, phase, now=now, state="not_placed")


async def wait(
    conn: AsyncConnection, phase: Phase, *, next_at: datetime, troubled_since: datetime | None, round_: int
) -> None:
    """Back to waiting, for another round."""
    await _move(conn, phase, state="waiting", next_at=next_at, troubled_since=troubled_since, round=round_, tried=[])


async def give_up(conn: AsyncConnection, phase: Phase, *, now: datetime) -> None:
    await _move(conn, phase, state="failed", next_at=None, finished_at=now)


async def cancel_all(conn: AsyncConnection, order_id: int, *, now: datetime) -> int:
    """Cancel what waits; returns how many."""
    statement = update(phases).where(phases.c.order_id == order_id, phases.c.state == "waiting")
    return (await conn.execute(statement.values(state="cancelled", next_at=None, finished_at=now))).rowcount


@dataclass(frozen=True, slots=True)
class Told:
    """What a panel said of a sent phase, and what that makes of it."""

    phase: Phase
    reading: StatusReading
    became: PhaseUpdate

    @property
    def now(self) -> Phase:
        """The phase with what was said, as far as others look at it."""
        return replace(self.phase, state=self.became.state, delivered=self.became.delivered)

    @property
    def said(self) -> str | None:
        """The panel's words, where nobody understands them."""
        return (self.reading.text or "no status") if self.became.strange else None

    @property
    def news(self) -> bool:
        """Whether there is anything to keep beside the moment of asking."""
        of, said = self.phase, self.reading
        known = (of.start_count, of.remains, of.charge, of.currency)
        told = (
            of.start_count if said.start_count is None else said.start_count,
            said.remains,
            of.charge if said.charge is None else said.charge,
            said.currency or of.currency,
        )
        strange = self.became.strange or of.said is not None
        return self.became.state != "sent" or self.became.changed or strange or known != told


async def read(conn: AsyncConnection, told: Sequence[Told], *, now: datetime) -> None:
    """Keep what panels said of sent phases."""
    if not told:
        return
    values = {
        "ids": [one.phase.id for one in told],
        "attempts": [one.phase.attempt for one in told],
        "states": [one.became.state for one in told],
        "delivered": [one.became.delivered for one in told],
        "starts": [one.reading.start_count for one in told],
        "remains": [one.reading.remains for one in told],
        "charges": [one.reading.charge for one in told],
        "currencies": [one.reading.currency or None for one in told],
        "saids": [one.said for one in told],
    }
    if (await conn.execute(_READ, {**values, "now": now})).rowcount != len(told):
        raise Moved(f"one of the phases {values['ids']} has moved")


async def to_recheck(conn: AsyncConnection, *, since: datetime, asked_before: datetime, limit: int) -> list[Phase]:
    """Completed since then and not asked about lately, longest unasked first."""
    statement = (
        select(phases)
        .where(phases.c.state == "completed", phases.c.finished_at > since, phases.c.polled_at <= asked_before)
        .order_by(phases.c.polled_at, phases.c.id)
        .limit(limit)
    )
    return [Phase(**row._mapping) for row in await conn.execute(statement)]


async def rechecked(conn: AsyncConnection, ids: Sequence[int], *, now: datetime) -> None:
    """Completed phases were asked about once more, and nothing has changed."""
    await conn.execute(_ASKED, {"ids": list(ids), "state": "completed", "now": now})


async def correct(
    conn: AsyncConnection, phase: Phase, reading: StatusReading, *, state: str, delivered: int, now: datetime
) -> None:
    """A panel took back that it had completed an order."""
    charge = phase.charge if reading.charge is None else reading.charge
    await _move(conn, phase, state=state, delivered=delivered, remains=reading.remains, charge=charge, polled_at=now)


async def panel_order_known(conn: AsyncConnection, *, panel: str, panel_order: str) -> bool:
    """Whether some attempt already holds this panel order."""
    return bool(await panel_orders_known(conn, [(panel, panel_order)]))


async def panel_orders_known(conn: AsyncConnection, asked: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of these (panel, panel order), those that some attempt already holds."""
    if not asked:
        return set()
    values = {"panels": [panel for panel, _ in asked], "orders": [panel_order for _, panel_order in asked]}
    return {(panel, panel_order) for panel, panel_order in await conn.execute(_KNOWN, values)}


async def panel_orders(conn: AsyncConnection, *, after: int, limit: int) -> list[PanelOrderView]:
    statement = (
        select(attempts)
        .where(attempts.c.state == "sent", attempts.c.phase_id > after)
        .order_by(attempts.c.phase_id)
        .limit(limit)
    )
    return [
        PanelOrderView(row.panel, row.panel_order, row.phase_id, row.number, row.service, row.link, row.quantity)
        for row in await conn.execute(statement)
    ]


async def _move(conn: AsyncConnection, phase: Phase, **values: object) -> None:
    statement = update(phases).where(
        and_(phases.c.id == phase.id, phases.c.state == phase.state, phases.c.attempt == phase.attempt)
    )
    if (await conn.execute(statement.values(**values))).rowcount != 1:
        raise Moved(f"phase {phase.id} was {phase.state} at attempt {phase.attempt}")


async def _decide(conn: AsyncConnection, phase: Phase, *, now: datetime | None, **values: object) -> None:
    statement = update(attempts).where(
        attempts.c.phase_id == phase.id,
        attempts.c.number == phase.attempt,
        attempts.c.state.in_(("sending", "unknown")),
    )
    if (await conn.execute(statement.values(decided_at=now, **values))).rowcount != 1:
        raise Moved(f"attempt {phase.attempt} of phase {phase.id} is decided")
