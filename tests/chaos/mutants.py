"""The guards, taken away one at a time: each must turn a chaos run red. The product has no branch for this; its classes
are changed in the child before its command line runs, and a change that no longer fits refuses the start.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import text

from viralcore.bot import intake
from viralcore.core import deliveries, effect_store
from viralcore.core.db import Tx
from viralcore.core.effect_runner import EffectRunner
from viralcore.core.ids import new_uuid
from viralcore.core.inbox import Inbox, Incoming
from viralcore.ledger.service import LedgerService

STORED_AFTER = 0.7
_QUEUED = b"""
SELECT e.id, e.gen, e.attempts
FROM core.effects e JOIN unnest($1::bigint[], $2::integer[]) AS asked (id, gen) ON e.id = asked.id AND e.gen = asked.gen
WHERE e.state = 'queued' AND e.due IS NULL
"""
_DELIVERY_GUARDS = (
    """ AND d.state = 'pending' AND d.gen = asked.gen
    AND (d.attempts = 0 OR d.error <> '' OR $4)""",
    "SELECT core.take_delivery(%s, %s, %s, %s)",
)
_pending: set[asyncio.Task[None]] = set()


class DoesNotFit(RuntimeError):
    """The product has moved on: this mutation changes nothing any more."""


def _swap(owner: Any, name: str, new: Any) -> Any:
    old = owner.__dict__.get(name)
    if old is None:
        raise DoesNotFit(f"{owner.__name__}.{name}")
    setattr(owner, name, new)
    return old


def _edited(statement: Any, was: str, becomes: str) -> Any:
    """A statement without one of its conditions."""
    written = str(statement)
    if was not in written:
        raise DoesNotFit(was)
    return text(written.replace(was, becomes))


def nothing() -> None:
    """The product as it is."""


def inbox() -> None:
    """Updates are confirmed when they are in memory, and stored a moment later, as python-telegram-bot would."""

    async def confirmed_first(self: intake.Polling, taken: Sequence[Any]) -> None:
        async def later() -> None:
            await asyncio.sleep(STORED_AFTER)
            await stored(self, taken)

        task = asyncio.ensure_future(later())
        _pending.add(task)
        task.add_done_callback(_pending.discard)

    stored = _swap(intake.Polling, "_store", confirmed_first)


def inbox_unique() -> None:
    """What comes again is stored again, under another id."""

    async def store(self: Inbox, source: str, items: Sequence[Incoming]) -> int:
        renamed = [(f"{one}/{new_uuid()}", order_key, body) for one, order_key, body in items]
        stored: int = await plain(self, source, renamed)
        return stored

    plain = _swap(Inbox, "store", store)


def delivery() -> None:
    """A delivery is handed over whether or not its row says that it was."""
    counted, taken = _DELIVERY_GUARDS
    module: Any = deliveries
    if counted not in module._COUNT or taken != module._TAKE:
        raise DoesNotFit("core.deliveries")
    module._COUNT = module._COUNT.replace(counted, "")
    module._TAKE = f"WITH done AS MATERIALIZED ({taken}) SELECT true FROM done"


def key() -> None:
    """No key is ever the same twice: not that of a use case, not that of a posting."""

    async def once(
        self: Tx, *, scope: str, key: str, inputs: Mapping[str, Any], run: Callable[[], Awaitable[Mapping[str, Any]]]
    ) -> Mapping[str, Any]:
        result: Mapping[str, Any] = json.loads(json.dumps(await run()))
        return result

    _swap(Tx, "once", once)
    ledger_key()


def ledger_key() -> None:
    """The ledger's keys alone: states and unique rows before it are the other line."""

    async def post(self: LedgerService, tx: Tx, *, key: str, **rest: Any) -> Any:
        return await plain(self, tx, key=f"{key}:{new_uuid()}", **rest)

    plain = _swap(LedgerService, "post", post)


def hold() -> None:
    """Nothing holds money in the order's way yet (that is for withdrawals); what holds an order there is the claim that
    is written before a panel is asked. Without it a call somebody died in is made again."""

    async def claim(self: EffectRunner, asked: Sequence[tuple[int, int]]) -> list[int | None]:
        rows = await self._db.rows(_QUEUED, ([number for number, _ in asked], [gen for _, gen in asked]))
        found = {(row[0], row[1]): int(row[2]) + 1 for row in rows}
        return [found.get(one) for one in asked]

    _swap(EffectRunner, "_claim_at_once", claim)
    loose = "(state = 'answered' OR (state = 'calling' AND claimed_by = :worker))"
    for name in ("RECORD", "ANSWERED"):
        statement = getattr(effect_store, name)
        changed = _edited(statement, loose, "state IN ('answered', 'queued')")
        setattr(effect_store, name, changed.bindparams(*_typed()))
    loose = "(e.state = 'answered' OR (e.state = 'calling' AND e.claimed_by = $7))"
    if loose not in effect_store.RECORD_SET:
        raise DoesNotFit("core.effects")
    module: Any = effect_store
    module.RECORD_SET = module.RECORD_SET.replace(loose, "(e.state IN ('answered', 'queued') OR e.claimed_by = $7)")


def _typed() -> list[Any]:
    from sqlalchemy import bindparam
    from sqlalchemy.dialects.postgresql import JSONB

    return [bindparam("answer", type_=JSONB)]


MUTANTS: dict[str, Callable[[], None]] = {
    "nothing": nothing,
    "inbox": inbox,
    "inbox-unique": inbox_unique,
    "delivery": delivery,
    "key": key,
    "ledger-key": ledger_key,
    "hold": hold,
}
