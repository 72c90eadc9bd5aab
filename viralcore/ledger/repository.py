"""Every SQL statement of the ledger. Writing is one function call each, on the raw connection: that is the hot path."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.core.db import raw_connection
from viralcore.core.wires import Ask
from viralcore.ledger.api import Account, Balance, Entry, LotTaken, LotUse, LotView, NewPosting, StatementLine

_POST = "SELECT outcome, posting_id, uses, trouble FROM ledger.post(%s, %s, %s, %s, %s, %s::jsonb, %s)"
_POST_MANY = "SELECT outcome, posting_id, uses FROM ledger.post_many(%s::jsonb, %s, %s)"
_HOLD = "SELECT outcome, hold_id, state, available FROM ledger.hold(%s, %s, %s, %s, %s, %s, %s, %s)"
_RELEASE = "SELECT outcome, state, owner, name, asset, amount FROM ledger.release(%s, %s, %s)"
_SNAPSHOT = "SELECT ledger.take_snapshot(%s)"

_HOLD_OF = text("""
SELECT a.owner, a.name, a.asset, h.amount
FROM ledger.holds h JOIN ledger.accounts a ON a.id = h.account_id WHERE h.id = :id
""")
_BALANCES = text("""
SELECT a.owner, a.name, a.asset, b.balance, b.held FROM ledger.accounts a JOIN ledger.balances b ON b.account_id = a.id
WHERE a.owner = :owner ORDER BY a.name, a.asset
""")
_BALANCES_AT_ONCE = b"""
SELECT a.owner, a.name, a.asset, b.balance, b.held FROM ledger.accounts a JOIN ledger.balances b ON b.account_id = a.id
WHERE a.owner = ANY($1::text[]) ORDER BY a.owner, a.name, a.asset
"""
_BALANCE = text("""
SELECT b.balance, b.held FROM ledger.accounts a JOIN ledger.balances b ON b.account_id = a.id
WHERE a.owner = :owner AND a.name = :name AND a.asset = :asset
""")
# A house account: its newest snapshot and every entry since.
_HOUSE = """
SELECT coalesce(s.balance, 0) + coalesce((SELECT sum(e.amount) FROM ledger.entries e
    WHERE e.account_id = a.id AND e.id > coalesce(s.entry_id, 0)), 0) AS balance
FROM ledger.accounts a LEFT JOIN LATERAL (SELECT balance, entry_id FROM ledger.snapshots
    WHERE account_id = a.id ORDER BY entry_id DESC LIMIT 1) s ON true
"""
_HOUSE_BALANCE = text(_HOUSE + "WHERE a.owner = 'house' AND a.name = :name AND a.asset = :asset")
_STATEMENT = text("""
SELECT e.id, e.posting_id, p.at, p.kind, a.owner, a.name, a.asset, e.amount, e.before, e.after,
    p.description, p.correlation_id
FROM ledger.accounts a
CROSS JOIN LATERAL (
    SELECT * FROM ledger.entries WHERE account_id = a.id AND id < :before ORDER BY id DESC LIMIT :limit) e
JOIN ledger.postings p ON p.id = e.posting_id
WHERE a.owner = :owner ORDER BY e.id DESC LIMIT :limit
""")
_LOTS = text("""
SELECT p.key, p.kind, l.quantity, l.remaining, l.unit_cost
FROM ledger.accounts a JOIN ledger.lots l ON l.account_id = a.id JOIN ledger.postings p ON p.id = l.posting_id
WHERE a.owner = :owner AND a.name = :name AND a.asset = :asset AND l.remaining > 0 ORDER BY l.id
""")
_LOTS_TAKEN = text("""
SELECT p.key, u.quantity FROM ledger.lot_uses u
JOIN ledger.lots l ON l.id = u.lot_id JOIN ledger.postings p ON p.id = l.posting_id
WHERE u.posting_id = (SELECT id FROM ledger.postings WHERE key = :key) ORDER BY u.id
""")
_TRIAL = text(f"""
SELECT 'user:' || a.name AS name, a.asset, sum(b.balance)::bigint AS total
FROM ledger.balances b JOIN ledger.accounts a ON a.id = b.account_id GROUP BY a.name, a.asset
UNION ALL
SELECT 'house:' || h.name, h.asset, own.balance::bigint FROM ledger.accounts h
CROSS JOIN LATERAL ({_HOUSE} WHERE a.id = h.id) own WHERE h.owner = 'house'
ORDER BY 1, 2
""")  # noqa: S608  # nosec B608 # constants

# One statement, so that all of it is judged at one moment while the shop goes on.
_CHECK = text("""
SELECT problem FROM (
    SELECT format('posting %s is off by %s %s', e.posting_id, sum(e.amount), a.asset) AS problem
    FROM ledger.entries e JOIN ledger.accounts a ON a.id = e.account_id
    GROUP BY e.posting_id, a.asset HAVING sum(e.amount) <> 0
  UNION ALL
    SELECT format('posting %s has no entries', p.id) FROM ledger.postings p
    WHERE NOT EXISTS (SELECT 1 FROM ledger.entries e WHERE e.posting_id = p.id)
  UNION ALL
    SELECT format('entry %s belongs to no posting or no account', e.id) FROM ledger.entries e
    LEFT JOIN ledger.postings p ON p.id = e.posting_id LEFT JOIN ledger.accounts a ON a.id = e.account_id
    WHERE p.id IS NULL OR a.id IS NULL
  UNION ALL
    SELECT format('%s %s %s has no balance, or the house has one', a.owner, a.name, a.asset) FROM ledger.accounts a
    LEFT JOIN ledger.balances b ON b.account_id = a.id WHERE (a.owner = 'house') <> (b.account_id IS NULL)
  UNION ALL
    SELECT format('%s %s %s has balance %s, its entries sum to %s', a.owner, a.name, a.asset, b.balance,
                  coalesce(s.total, 0))
    FROM ledger.balances b JOIN ledger.accounts a ON a.id = b.account_id
    LEFT JOIN (SELECT account_id, sum(amount) AS total FROM ledger.entries GROUP BY account_id) s USING (account_id)
    WHERE b.balance <> coalesce(s.total, 0)
  UNION ALL
    SELECT format('%s %s %s is below its floor', a.owner, a.name, a.asset)
    FROM ledger.balances b JOIN ledger.accounts a ON a.id = b.account_id
    WHERE b.balance - b.held < b.floor OR b.held < 0
  UNION ALL
    SELECT format('entry %s says before %s, after %s: the running balance is broken', r.id, r.before, r.after) FROM (
        SELECT e.id, e.before, e.after, e.amount,
               lag(e.after, 1, 0) OVER (PARTITION BY e.account_id ORDER BY e.id) AS last
        FROM ledger.entries e JOIN ledger.balances b USING (account_id)) r
    WHERE r.before IS DISTINCT FROM r.last OR r.after IS DISTINCT FROM r.before + r.amount
  UNION ALL
    SELECT format('%s %s %s has %s held, its open holds sum to %s', a.owner, a.name, a.asset, b.held,
                  coalesce(h.total, 0))
    FROM ledger.balances b JOIN ledger.accounts a ON a.id = b.account_id
    LEFT JOIN (SELECT account_id, sum(amount) AS total FROM ledger.holds WHERE state = 'held' GROUP BY account_id) h
        USING (account_id) WHERE b.held <> coalesce(h.total, 0)
  UNION ALL
    SELECT format('%s credits %s are %s, the open lots hold %s', a.owner, a.asset, b.balance, coalesce(l.total, 0))
    FROM ledger.balances b JOIN ledger.accounts a ON a.id = b.account_id
    LEFT JOIN (SELECT account_id, sum(remaining) AS total FROM ledger.lots GROUP BY account_id) l USING (account_id)
    WHERE a.name = 'credits' AND b.balance <> coalesce(l.total, 0)
  UNION ALL
    SELECT format('lot %s has %s of %s left, but %s were used', l.id, l.remaining, l.quantity, coalesce(u.total, 0))
    FROM ledger.lots l LEFT JOIN (SELECT lot_id, sum(quantity) AS total FROM ledger.lot_uses GROUP BY lot_id) u
        ON u.lot_id = l.id WHERE l.quantity - l.remaining <> coalesce(u.total, 0)
  UNION ALL
    SELECT format('the snapshot of house %s %s up to entry %s is wrong', a.name, a.asset, s.entry_id)
    FROM ledger.snapshots s JOIN ledger.accounts a ON a.id = s.account_id
    WHERE s.balance <> (SELECT coalesce(sum(e.amount), 0) FROM ledger.entries e
                        WHERE e.account_id = s.account_id AND e.id <= s.entry_id)
      AND s.entry_id = (SELECT max(n.entry_id) FROM ledger.snapshots n WHERE n.account_id = s.account_id)
) found LIMIT :limit
""")


def wire(entries: Sequence[Entry]) -> list[list[object]]:
    """Entries as ledger.post reads them. A cost is spelt one way only, because the spelling is hashed; for the same
    reason a lot stands there only when one is named."""
    return [
        [
            entry.account.owner,
            entry.account.name,
            entry.account.asset,
            entry.amount,
            None if entry.unit_cost is None else plain(entry.unit_cost),
            *(() if entry.lot is None else (entry.lot,)),
        ]
        for entry in entries
    ]


def plain(cost: Decimal) -> str:
    """1.50, 1.5 and 15E-1 are one price and one spelling."""
    written = format(cost, "f")
    return (written.rstrip("0").rstrip(".") or "0") if "." in written else written


def _lots(uses: Any) -> tuple[LotUse, ...]:
    return tuple(LotUse(quantity=quantity, unit_cost=Decimal(cost)) for quantity, cost in uses or ())


async def _call(conn: AsyncConnection, statement: str, values: Sequence[object]) -> tuple[Any, ...]:
    raw = await raw_connection(conn)
    row = await (await raw.execute(statement, values)).fetchone()
    if row is None:
        raise RuntimeError("a ledger function gave no answer")
    return tuple(row)


async def post(
    conn: AsyncConnection, posting: NewPosting, *, correlation_id: str, at: datetime, hold_id: int | None = None
) -> tuple[str, int | None, tuple[LotUse, ...], dict[str, Any]]:
    """(outcome, posting id, lots used, details of a refusal)."""
    entries = json.dumps(wire(posting.entries))
    values = (posting.key, posting.kind, posting.description, correlation_id, at, entries, hold_id)
    outcome, posting_id, uses, trouble = await _call(conn, _POST, values)
    return outcome, posting_id, _lots(uses), trouble or {}


async def post_many(
    conn: AsyncConnection, postings: Sequence[NewPosting], *, correlation_id: str, at: datetime
) -> list[tuple[str, int | None, tuple[LotUse, ...]]]:
    """(outcome, posting id, lots used) for each, in order."""
    items = json.dumps(
        [
            {"key": one.key, "kind": one.kind, "description": one.description, "entries": wire(one.entries)}
            for one in postings
        ]
    )
    raw = await raw_connection(conn)
    rows = await (await raw.execute(_POST_MANY, (items, correlation_id, at))).fetchall()
    return [(outcome, posting_id, _lots(uses)) for outcome, posting_id, uses in rows]


async def hold(
    conn: AsyncConnection, *, key: str, account: Account, amount: int, reason: str, correlation_id: str, at: datetime
) -> tuple[str, int, Any, int]:
    """(outcome, hold id, state, available)."""
    values = (key, account.owner, account.name, account.asset, amount, reason, correlation_id, at)
    outcome, hold_id, state, available = await _call(conn, _HOLD, values)
    return outcome, hold_id, state, available


async def release(conn: AsyncConnection, *, key: str, hold_id: int, at: datetime) -> tuple[str, Any, Account, int]:
    """(outcome, state, account, amount)."""
    outcome, state, owner, name, asset, amount = await _call(conn, _RELEASE, (key, hold_id, at))
    return outcome, state, Account(owner, name, asset), amount


async def hold_of(conn: AsyncConnection, *, hold_id: int) -> tuple[Account, int] | None:
    """What a hold holds, and where. Neither ever changes."""
    row = (await conn.execute(_HOLD_OF, {"id": hold_id})).one_or_none()
    return None if row is None else (Account(row.owner, row.name, row.asset), row.amount)


async def balances(conn: AsyncConnection, *, owner: str) -> tuple[Balance, ...]:
    rows = await conn.execute(_BALANCES, {"owner": owner})
    return tuple(Balance(Account(row.owner, row.name, row.asset), row.balance, row.held) for row in rows)


async def balances_at_once(ask: Ask, *, owners: Sequence[str]) -> dict[str, tuple[Balance, ...]]:
    """As `balances`, of several owners in one statement of its own."""
    found: dict[str, list[Balance]] = {}
    for owner, name, asset, total, held in await ask(_BALANCES_AT_ONCE, (list(owners),)):
        found.setdefault(owner, []).append(Balance(Account(owner, name, asset), total, held))
    return {owner: tuple(rows) for owner, rows in found.items()}


async def balance(conn: AsyncConnection, *, account: Account) -> Balance:
    if account.owner == "house":
        found = await conn.execute(_HOUSE_BALANCE, {"name": account.name, "asset": account.asset})
        return Balance(account, int(found.scalar_one_or_none() or 0), 0)
    values = {"owner": account.owner, "name": account.name, "asset": account.asset}
    row = (await conn.execute(_BALANCE, values)).one_or_none()
    return Balance(account, row.balance, row.held) if row is not None else Balance(account, 0, 0)


async def lots(conn: AsyncConnection, *, account: Account) -> tuple[LotView, ...]:
    values = {"owner": account.owner, "name": account.name, "asset": account.asset}
    return tuple(
        LotView(
            posting_key=row.key, kind=row.kind, quantity=row.quantity, remaining=row.remaining, unit_cost=row.unit_cost
        )
        for row in await conn.execute(_LOTS, values)
    )


async def lots_taken(conn: AsyncConnection, *, key: str) -> tuple[LotTaken, ...]:
    return tuple(LotTaken(row.key, row.quantity) for row in await conn.execute(_LOTS_TAKEN, {"key": key}))


async def statement(conn: AsyncConnection, *, owner: str, before_id: int, limit: int) -> tuple[StatementLine, ...]:
    rows = await conn.execute(_STATEMENT, {"owner": owner, "before": before_id, "limit": limit})
    return tuple(
        StatementLine(
            entry_id=row.id,
            posting_id=row.posting_id,
            at=row.at,
            kind=row.kind,
            account=Account(row.owner, row.name, row.asset),
            amount=row.amount,
            before=row.before,
            after=row.after,
            description=row.description,
            correlation_id=row.correlation_id,
        )
        for row in rows
    )


@asynccontextmanager
async def unhurried(conn: AsyncConnection) -> AsyncIterator[None]:
    """Whole books are read once a night and grow for ever: inside, a statement may take an hour."""
    raw = await raw_connection(conn)
    async with raw.transaction():
        await raw.execute("SET LOCAL statement_timeout = '1h'")
        yield


async def trial_balance(conn: AsyncConnection) -> tuple[tuple[str, str, int], ...]:
    return tuple((row.name, row.asset, row.total) for row in await conn.execute(_TRIAL))


async def check(conn: AsyncConnection, *, limit: int) -> tuple[str, ...]:
    return tuple((await conn.execute(_CHECK, {"limit": limit})).scalars())


async def take_snapshot(conn: AsyncConnection, *, at: datetime) -> int:
    """How many house accounts got a new snapshot."""
    return int((await _call(conn, _SNAPSHOT, (at,)))[0])
