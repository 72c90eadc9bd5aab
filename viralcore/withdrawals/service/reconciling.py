"""Our transfers against the provider's, every day and when finance asks. Every difference is a task.

The comparison is a question: an effect, asked outside of any transaction. What it found is stored with its outcome. A
difference is looked at twice before it counts, because the two lists are not read at one moment.

It has an end: the provider's days are listed one by one, the newest first, as far back as the settings say and the time
allows; open differences of older days are looked up by their reference, those first that waited longest. Only what was
looked at is closed; a comparison that left something out says so (`PARTLY`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import structlog

from viralcore.core.db import Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Refused, Silence, Succeeded
from viralcore.core.errors import NotFound
from viralcore.core.money import NGN, Money
from viralcore.withdrawals.api import (
    ComparisonView,
    DifferenceClosed,
    DifferenceView,
    NoProvider,
    TransferView,
)
from viralcore.withdrawals.domain.comparing import Difference, Theirs, balance_difference, compare
from viralcore.withdrawals.events import ComparisonEnded, DifferenceEnded, DifferenceFound
from viralcore.withdrawals.ports import Payouts, PayoutsDown
from viralcore.withdrawals.repository import attempts, comparing
from viralcore.withdrawals.service.house import RIGHT, SCOPE, House, page_size, wanted
from viralcore.withdrawals.service.listing import DAY, Listing, who
from viralcore.withdrawals.service.views import transfer_view

log = structlog.get_logger(__name__)
KIND = "withdrawals.compare"
PAGE = 500
CARDS = 20
AGAIN_SECONDS = 600
PARTLY = "partly"


class Reconciling:
    def __init__(self, house: House) -> None:
        self._house = house
        self._rules = house.config.reconciliation

    # --- asking ------------------------------------------------------------------------------------------------------

    async def daily(self) -> None:
        """The job: once a day from its hour on."""
        now = self._house.clock.now()
        if self._house.payouts is None or now.hour < self._rules.at_hour:
            return
        async with self._house.db.read() as conn:
            last = await comparing.last_day(conn)
        if last is None or last < now.date():
            async with self._house.db.transaction() as tx:
                await self._ask(tx, asked_by=0, day=now.date())

    async def next_due(self) -> datetime | None:
        if self._house.payouts is None:
            return None
        now = self._house.clock.now()
        due = datetime.combine(now.date(), time(self._rules.at_hour), UTC)
        return due if due > now else due + timedelta(days=1)

    async def compare_now(self, *, key: str, actor: int) -> ComparisonView:
        if self._house.payouts is None:
            raise NoProvider()

        async def work(tx: Tx) -> int:
            await self._house.users.authorize(tx, actor=actor, right=RIGHT)

            async def run() -> Mapping[str, Any]:
                number = await self._ask(tx, asked_by=actor, day=None)
                await self._house.users.audit(
                    tx, actor=actor, action="withdrawals.compare", subject=f"comparison:{number}", before=None, after={}
                )
                return {"id": number}

            done = await tx.once(scope=f"{SCOPE}.compare", key=key, inputs={"actor": actor}, run=run)
            return int(done["id"])

        found = await self.comparison(await self._house.db.run(work))
        if found is None:
            raise NotFound(what="comparison")
        return found

    async def _ask(self, tx: Tx, *, asked_by: int, day: date | None) -> int | None:
        number = await comparing.add(tx.conn, now=tx.now, asked_by=asked_by, day=day)
        if number is not None:
            tx.effect(kind=KIND, key=str(number), payload={"id": number}, ref=f"comparison:{number}")
        return number

    # --- comparing: no transaction is open ---------------------------------------------------------------------------

    async def asked(self) -> Outcome | Later:
        payouts = self._house.payouts
        if payouts is None:
            return Refused("no_provider")
        try:
            return Succeeded(await self._compared(payouts))
        except PayoutsDown as trouble:
            return Later(AGAIN_SECONDS, trouble.reason, counts=True)

    async def _compared(self, payouts: Payouts) -> Mapping[str, Any]:
        now, listing = self._house.clock.now(), Listing(self._house, payouts)
        async with self._house.db.read() as conn:
            before, spent = await comparing.last_balance(conn), await comparing.spending(conn)
        since, theirs = await listing.theirs(now.date())
        balance = (await payouts.balance(NGN)).available.minor
        ours = await self._ours(since, theirs)
        async with self._house.db.read() as conn:
            spent_after = await comparing.spending(conn)
            older = await comparing.older(conn, since, self._rules.look_ups)
        listed = [
            one
            for one in compare(ours, theirs, now=now, settle=listing.settle)
            if one.on_day >= since  # what is older was listed only so that a day's edge hides nothing
        ]
        lookups = await listing.looked_up([*map(who, listed), *map(who, older)])
        found = [lookups.sure[one.place] for one in listed if one.place in lookups.sure]
        known = {one.place for one in found}
        asked = set(map(who, older))
        found += [one for one in lookups.sure.values() if one.place not in known and who(one) in asked]
        still = spent == spent_after and not spent[2]
        note = "" if still and before is not None else "first" if still else "moving"
        if still and before is not None:
            lost = balance_difference(
                before=before[0],
                spent_before=before[1],
                balance=balance,
                spent=spent[0],
                transfers=spent[1],
                tolerance=self._rules.tolerance,
                today=now.date(),
            )
            found += [lost] if lost is not None else []
        whole = not lookups.left and since <= now.date() - self._rules.days * DAY
        return {
            "since": since.isoformat(),
            "ours": len(ours),
            "theirs": len(theirs),
            "balance": balance,
            "spent": spent[0] if still else None,
            "note": note if whole else PARTLY,
            "differences": [asdict(one) | {"on_day": one.on_day.isoformat()} for one in found],
            "left": sorted(lookups.left),
            "older": [row.id for row in older if who(row) in lookups.looked],
        }

    async def _ours(self, since: date, theirs: Sequence[Theirs]) -> list[TransferView]:
        """Ours since then, and whatever of ours is in their list beside that."""
        found: dict[str, TransferView] = {}
        start, after = datetime.combine(since, time(0), UTC), 0
        async with self._house.db.read() as conn:
            while rows := await attempts.page(conn, after_id=after, since=start, limit=PAGE):
                after = rows[-1].id
                views = (transfer_view(row) for row in rows)
                found |= {one.reference: one for one in views if one.sent_at is not None and one.sent_at >= start}
            for reference in {one.reference for one in theirs} - set(found):
                row = await attempts.one_with_net(conn, reference)
                if row is not None:
                    found[reference] = transfer_view(row)
        return list(found.values())

    # --- recording ---------------------------------------------------------------------------------------------------

    async def recorded(self, tx: Tx, comparison_id: int, outcome: Outcome) -> None:
        if not isinstance(outcome, Succeeded):
            await self._end(tx, comparison_id, "failed", 0, note=outcome.reason[:200])
            return
        data = outcome.data
        found = [Difference(**{**one, "on_day": date.fromisoformat(one["on_day"])}) for one in data["differences"]]
        fresh = []
        for one in found:
            number = await comparing.place(tx.conn, one, now=tx.now)
            fresh += [(number, one.kind)] if number is not None else []
        ended = await comparing.gone(
            tx.conn,
            [one.place for one in found],
            since=date.fromisoformat(data["since"]),
            left={(str(reference), str(number)) for reference, number in data["left"]},
            older=data["older"],
            now=tx.now,
        )
        for number in ended:
            tx.record(DifferenceEnded(difference_id=number, state="gone", actor=0))
        for number, kind in fresh[:CARDS]:
            tx.record(DifferenceFound(difference_id=number, kind=kind))
        kept = {name: data[name] for name in ("ours", "theirs", "balance", "spent", "note")}
        await self._end(tx, comparison_id, "done", len(fresh), **kept)

    async def _end(self, tx: Tx, comparison_id: int, state: str, found: int, **values: Any) -> None:
        remain = await comparing.count_open(tx.conn)
        if not await comparing.end(tx.conn, comparison_id, now=tx.now, state=state, found=found, open=remain, **values):
            return
        row = await comparing.get(tx.conn, comparison_id)
        asked_by = 0 if row is None else row.asked_by
        tx.record(
            ComparisonEnded(comparison_id=comparison_id, state=state, asked_by=asked_by, found=found, open=remain)
        )

    # --- tasks -------------------------------------------------------------------------------------------------------

    async def accept(self, *, key: str, actor: int, difference_id: int, reason: str) -> DifferenceView:
        words = wanted("reason", reason)

        async def work(tx: Tx) -> None:
            await self._house.users.authorize(tx, actor=actor, right=RIGHT)

            async def run() -> Mapping[str, Any]:
                row = await comparing.difference(tx.conn, difference_id)
                if row is None:
                    raise NotFound(what="difference")
                if not await comparing.decide(tx.conn, difference_id, actor=actor, reason=words, now=tx.now):
                    raise DifferenceClosed(difference_id=difference_id, state=row.state)
                await self._house.users.audit(
                    tx,
                    actor=actor,
                    action="withdrawals.difference_accepted",
                    subject=f"difference:{difference_id}",
                    before={"kind": row.kind, "reference": row.reference, "ours": row.ours, "theirs": row.theirs},
                    after={"state": "accepted"},
                    reason=words,
                )
                tx.record(DifferenceEnded(difference_id=difference_id, state="accepted", actor=actor))
                return {}

            inputs = {"actor": actor, "difference_id": difference_id, "reason": words}
            await tx.once(scope=f"{SCOPE}.difference", key=key, inputs=inputs, run=run)

        await self._house.db.run(work)
        return await self.difference(difference_id=difference_id)

    async def differences(self, *, state: str, after_id: int, limit: int) -> tuple[DifferenceView, ...]:
        async with self._house.db.read() as conn:
            rows = await comparing.page(conn, state=state, after_id=after_id, limit=page_size(limit))
        return tuple(_difference_view(row) for row in rows)

    async def difference(self, *, difference_id: int) -> DifferenceView:
        async with self._house.db.read() as conn:
            row = await comparing.difference(conn, difference_id)
        if row is None:
            raise NotFound(what="difference")
        return _difference_view(row)

    async def comparison(self, comparison_id: int | None) -> ComparisonView | None:
        async with self._house.db.read() as conn:
            row = await comparing.get(conn, comparison_id)
            remain = await comparing.count_open(conn)
        return None if row is None else _comparison_view(row, remain)


class CompareEffect:
    """The effect kind: it only asks, so it may be asked again."""

    name = KIND
    silence: Silence = "repeat"
    max_attempts = 3
    urgent = False
    parallelism = 1

    def __init__(self, reconciling: Reconciling) -> None:
        self._reconciling = reconciling

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        return nullcontext()

    async def call(self, call: EffectCall) -> Outcome | Later:
        return await self._reconciling.asked()

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        await self._reconciling.recorded(tx, int(call.payload["id"]), outcome)


def _difference_view(row: Any) -> DifferenceView:
    return DifferenceView(
        id=row.id,
        kind=row.kind,
        reference=row.reference,
        provider_id=row.provider_id,
        ours=None if row.ours is None else Money(row.ours, NGN),
        ours_state=row.ours_state,
        theirs=None if row.theirs is None else Money(row.theirs, row.theirs_asset),
        theirs_status=row.theirs_status,
        last4=row.last4,
        state=row.state,
        found_at=row.found_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
    )


def _comparison_view(row: Any, remain: int) -> ComparisonView:
    return ComparisonView(
        id=row.id,
        state=row.state,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        ended_at=row.ended_at,
        ours=row.ours,
        theirs=row.theirs,
        found=row.found,
        open=remain,
        balance=None if row.balance is None else Money(row.balance, NGN),
        note=row.note,
    )
