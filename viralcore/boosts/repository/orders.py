"""Statements about orders and their lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Executable, and_, exists, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.boosts.api import Engine, LineState, LineView, LinkView, OrderFilter, OrderState, PlanView
from viralcore.boosts.domain.states import Line, Order
from viralcore.boosts.tables.orders import lines, orders, phases

# The statements of every phase, written out: putting one together from its parts costs more than Postgres needs for it.
_ORDER, _LINE = (", ".join(table.c.keys()) for table in (orders, lines))
_LOCK = text(f"SELECT {_ORDER} FROM boosts.orders WHERE id = :id FOR UPDATE")  # noqa: S608  # nosec B608 # our columns
# In one order for everybody: two transactions that lock the same orders then wait for, not lock, each other.
_LOCK_ALL = text(
    f"SELECT {_ORDER} FROM boosts.orders WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"  # noqa: S608  # nosec B608
)
_LINES = text(f"SELECT {_LINE} FROM boosts.lines WHERE order_id = ANY(:ids) ORDER BY id")  # noqa: S608  # nosec B608
_SET_STATES = text("""
UPDATE boosts.orders o SET state = new.state
FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:befores AS text[])) AS new (id, state, before)
WHERE o.id = new.id AND o.state = new.before
""")
_SET_LINES = text("""
UPDATE boosts.lines l SET state = new.state, delivered = new.delivered
FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:delivered AS bigint[])) AS new (id, state, delivered)
WHERE l.id = new.id AND l.finished_at IS NULL
""")

_FINISH_LINES = text("""
UPDATE boosts.lines l SET state = new.state, delivered = new.delivered, finished_at = :now
FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:delivered AS bigint[])) AS new (id, state, delivered)
WHERE l.id = new.id AND l.finished_at IS NULL
""")
_REFUND_LINES = text("""
UPDATE boosts.lines l SET refunded_cents = new.cents, unpaid_cents = new.unpaid
FROM unnest(CAST(:ids AS bigint[]), CAST(:cents AS bigint[]), CAST(:unpaid AS bigint[])) AS new (id, cents, unpaid)
WHERE l.id = new.id AND l.refunded_cents = 0
""")


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be made, of a draft (`asset` is debited already) or of a paid invoice."""

    user_id: int
    plan: PlanView
    link: LinkView
    unit_cost: Decimal
    draft_id: int | None = None
    invoice_id: int | None = None
    position: int = 0
    units: int = 1
    answers: Mapping[str, str] = field(default_factory=dict)


async def add(conn: AsyncConnection, new: NewOrder, now: datetime) -> Order:
    plan, link = new.plan, new.link
    statement = (
        insert(orders)
        .values(
            user_id=new.user_id,
            draft_id=new.draft_id,
            invoice_id=new.invoice_id,
            position=new.position,
            plan_id=plan.id,
            plan_title=plan.title,
            asset=plan.asset if new.invoice_id is None else "",
            platform=link.platform,
            link=link.canonical,
            handle=link.handle,
            post_id=link.post_id,
            unit_cost=new.unit_cost,
            units=new.units,
            answers=dict(new.answers),
            state="scheduled",
            created_at=now,
        )
        .returning(*orders.c)
    )
    return Order(**(await conn.execute(statement)).one()._mapping)


async def add_line(
    conn: AsyncConnection, order_id: int, line: LineView, *, quantity: int, engine: Engine | None
) -> Line:
    statement = (
        insert(lines)
        .values(
            order_id=order_id,
            metric=line.metric,
            channel=line.channel,
            engine=engine,
            quantity=quantity,
            share=line.share,
            state="scheduled",
            verified=min(quantity, line.verified),
        )
        .returning(*lines.c)
    )
    return Line(**(await conn.execute(statement)).one()._mapping)


async def get(conn: AsyncConnection, order_id: int) -> Order | None:
    row = (await conn.execute(select(orders).where(orders.c.id == order_id))).one_or_none()
    return None if row is None else Order(**row._mapping)


async def get_all(conn: AsyncConnection, order_ids: Sequence[int]) -> list[Order]:
    rows = await conn.execute(select(orders).where(orders.c.id.in_(order_ids)))
    return [Order(**row._mapping) for row in rows]


async def of_invoice(conn: AsyncConnection, invoice_id: int) -> Order | None:
    row = (await conn.execute(select(orders).where(orders.c.invoice_id == invoice_id))).one_or_none()
    return None if row is None else Order(**row._mapping)


async def lock(conn: AsyncConnection, order_id: int) -> Order | None:
    """Lock an order and with it everything that belongs to it. Every writer begins here."""
    row = (await conn.execute(_LOCK, {"id": order_id})).one_or_none()
    return None if row is None else Order(**row._mapping)


async def lock_all(conn: AsyncConnection, order_ids: Sequence[int]) -> list[Order]:
    """As `lock`, for many."""
    return [Order(**row._mapping) for row in await conn.execute(_LOCK_ALL, {"ids": list(order_ids)})]


async def of_draft(conn: AsyncConnection, draft_id: int) -> list[Order]:
    rows = await conn.execute(select(orders).where(orders.c.draft_id == draft_id).order_by(orders.c.position))
    return [Order(**row._mapping) for row in rows]


async def of_user(
    conn: AsyncConnection, user_id: int, *, before_id: int | None, limit: int, which: OrderFilter = "all"
) -> list[Order]:
    statement = select(orders).where(orders.c.user_id == user_id)
    if which == "running":
        statement = statement.where(orders.c.finished_at.is_(None))
    elif which == "finished":
        statement = statement.where(orders.c.finished_at.is_not(None))
    elif which == "problems":
        troubled = exists().where(
            phases.c.order_id == orders.c.id,
            or_(
                phases.c.state == "unknown",
                and_(phases.c.state == "waiting", phases.c.troubled_since.is_not(None)),
            ),
        )
        statement = statement.where(or_(orders.c.state.in_(("partial", "failed")), troubled))
    if before_id is not None:
        statement = statement.where(orders.c.id < before_id)
    rows = await conn.execute(statement.order_by(orders.c.id.desc()).limit(limit))
    return [Order(**row._mapping) for row in rows]


async def lines_of(conn: AsyncConnection, order_ids: Sequence[int]) -> Mapping[int, list[Line]]:
    rows = await conn.execute(_LINES, {"ids": list(order_ids)})
    found: dict[int, list[Line]] = defaultdict(list)
    for row in rows:
        found[row.order_id].append(Line(**row._mapping))
    return found


async def set_states(conn: AsyncConnection, moved: Sequence[tuple[Order, OrderState]]) -> None:
    """The states of orders that go on."""
    if not moved:
        return
    befores = [order.state for order, _ in moved]
    values = {"ids": [order.id for order, _ in moved], "states": [state for _, state in moved], "befores": befores}
    await _hit(conn, _SET_STATES, values, len(moved))


async def finish(
    conn: AsyncConnection,
    order: Order,
    *,
    state: OrderState,
    now: datetime,
    refunded_cents: int,
    credit_returned: bool,
    bonus_cents: int = 0,
    unpaid_cents: int = 0,
) -> None:
    statement = (
        update(orders)
        .where(orders.c.id == order.id, orders.c.finished_at.is_(None))
        .values(
            state=state,
            finished_at=now,
            refunded_cents=refunded_cents,
            credit_returned=credit_returned,
            bonus_cents=bonus_cents,
            unpaid_cents=unpaid_cents,
            paused_at=None,
        )
    )
    await _hit(conn, statement)


async def set_lines(conn: AsyncConnection, lines_now: Sequence[Line]) -> None:
    """State and count of lines that go on."""
    if not lines_now:
        return
    values = {
        "ids": [line.id for line in lines_now],
        "states": [line.state for line in lines_now],
        "delivered": [line.delivered for line in lines_now],
    }
    await _hit(conn, _SET_LINES, values, len(lines_now))


async def set_verified(conn: AsyncConnection, line_id: int, done: int) -> None:
    """How many of a line came from verified accounts, never more than were wanted from them."""
    statement = update(lines).where(lines.c.id == line_id)
    await _hit(conn, statement.values(verified_done=func.least(lines.c.verified, done)))


async def hand_over(conn: AsyncConnection, line_id: int, *, before: Engine, now: Engine) -> None:
    """Another engine works at a line that has not ended."""
    statement = update(lines).where(lines.c.id == line_id, lines.c.engine == before, lines.c.finished_at.is_(None))
    await _hit(conn, statement.values(engine=now))


async def finish_line(conn: AsyncConnection, line_id: int, *, state: LineState, delivered: int, now: datetime) -> None:
    statement = update(lines).where(lines.c.id == line_id, lines.c.finished_at.is_(None))
    await _hit(conn, statement.values(state=state, delivered=delivered, finished_at=now))


async def finish_lines(conn: AsyncConnection, ended: Sequence[Line], *, now: datetime) -> None:
    """The same for many, whose state and count are what they end with."""
    values = {
        "ids": [line.id for line in ended],
        "states": [line.state for line in ended],
        "delivered": [line.delivered for line in ended],
        "now": now,
    }
    await _hit(conn, _FINISH_LINES, values, len(ended))


async def refund_lines(conn: AsyncConnection, refunds: Mapping[int, tuple[int, int]]) -> None:
    """(Cents of the price that were not delivered, of them what nobody had paid), by line."""
    cents, unpaid = ([pair[which] for pair in refunds.values()] for which in (0, 1))
    await _hit(conn, _REFUND_LINES, {"ids": list(refunds), "cents": cents, "unpaid": unpaid}, len(refunds))


async def correct_line(conn: AsyncConnection, before: Line, after: Line) -> None:
    """A line that had ended delivered less than its panel had said."""
    statement = update(lines).where(
        lines.c.id == before.id,
        lines.c.finished_at.is_not(None),
        lines.c.delivered == before.delivered,
        lines.c.refunded_cents == before.refunded_cents,
    )
    values = {
        "state": after.state,
        "delivered": after.delivered,
        "refunded_cents": after.refunded_cents,
        "unpaid_cents": after.unpaid_cents,
    }
    await _hit(conn, statement.values(values))


async def correct(conn: AsyncConnection, order: Order, after: Order) -> None:
    """An order that had ended ended otherwise: more came back."""
    statement = update(orders).where(
        orders.c.id == order.id,
        orders.c.finished_at.is_not(None),
        orders.c.refunded_cents == order.refunded_cents,
        orders.c.credit_returned == order.credit_returned,
    )
    values = {
        "state": after.state,
        "refunded_cents": after.refunded_cents,
        "credit_returned": after.credit_returned,
        "bonus_cents": after.bonus_cents,
        "unpaid_cents": after.unpaid_cents,
    }
    await _hit(conn, statement.values(values))


async def _hit(
    conn: AsyncConnection, statement: Executable, values: Mapping[str, object] | None = None, wanted: int = 1
) -> None:
    """A guarded update that must hit its rows: their orders are locked, so anything else is a mistake of ours."""
    done = await conn.execute(statement, values)
    if done.rowcount != wanted:
        raise RuntimeError("an order moved while it was locked")
