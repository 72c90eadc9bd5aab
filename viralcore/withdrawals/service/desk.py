"""The door for staff: lists, cards, switches, numbers. Implements `withdrawals.api.Desk`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from viralcore.core.db import Connection, Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import NGN, USD, Money
from viralcore.users.api import Blocked, NotAllowed, SessionExpired
from viralcore.withdrawals.api import (
    OPEN,
    ApprovalView,
    CardView,
    Decision,
    DeskView,
    Mode,
    NoProvider,
    QueueFilter,
    State,
    StatsView,
    WithdrawalView,
)
from viralcore.withdrawals.domain import approving, terms
from viralcore.withdrawals.domain.attempts import may_give_back, never_sent
from viralcore.withdrawals.domain.states import ASSETS, WAYS, Account, Attempt, Request
from viralcore.withdrawals.events import PayoutSwitched
from viralcore.withdrawals.repository import attempts, requests
from viralcore.withdrawals.service.deciding import Deciding
from viralcore.withdrawals.service.dispatching import Dispatching
from viralcore.withdrawals.service.house import RIGHT, SCOPE, SWITCH, House, account_of, page_size, wanted
from viralcore.withdrawals.service.views import attempt_view, naira, record_view, withdrawal_view, withdrawal_views


class DeskService:
    def __init__(self, house: House, deciding: Deciding, dispatching: Dispatching) -> None:
        self._house = house
        self._deciding = deciding
        self._dispatching = dispatching

    # --- lists and cards ---------------------------------------------------------------------------------------------

    async def queue(
        self, *, which: QueueFilter = "waiting", user_id: int | None = None, after_id: int = 0, limit: int = 20
    ) -> tuple[WithdrawalView, ...]:
        async with self._house.db.read() as conn:
            found = await requests.queue(conn, which, user_id=user_id, after_id=after_id, limit=page_size(limit))
            return await withdrawal_views(conn, self._house.config, found)

    async def counts(self) -> Mapping[QueueFilter, int]:
        async with self._house.db.read() as conn:
            return await requests.counts(conn)

    async def history_of(
        self, *, user_id: int, before_id: int | None = None, limit: int = 20
    ) -> tuple[WithdrawalView, ...]:
        async with self._house.db.read() as conn:
            found = await requests.history(conn, user_id, before_id=before_id, limit=page_size(limit))
            return await withdrawal_views(conn, self._house.config, found)

    async def live_rate(self) -> Decimal | None:
        return await self._house.rate()

    async def card(self, *, withdrawal_id: int, actor: int | None = None) -> CardView:
        number = None if actor is None else await self._reveal(actor, withdrawal_id)
        async with self._house.db.transaction() as tx:  # other doors read here as well, of the same moment
            request = await requests.get(tx.conn, withdrawal_id)
            if request is None:
                raise NotFound(what="withdrawal")
            return await self._card(tx.conn, request, number)

    async def approve(self, *, key: str, actor: int, withdrawal_id: int) -> CardView:
        await self._deciding.approve(key=key, actor=actor, withdrawal_id=withdrawal_id)
        return await self.card(withdrawal_id=withdrawal_id)

    async def reject(self, *, key: str, actor: int, withdrawal_id: int, reason: str) -> CardView:
        await self._deciding.reject(key=key, actor=actor, withdrawal_id=withdrawal_id, reason=reason)
        return await self.card(withdrawal_id=withdrawal_id)

    async def mark_paid(self, *, key: str, actor: int, withdrawal_id: int, reference: str) -> CardView:
        await self._deciding.mark_paid(key=key, actor=actor, withdrawal_id=withdrawal_id, reference=reference)
        return await self.card(withdrawal_id=withdrawal_id)

    async def mark_failed(self, *, key: str, actor: int, withdrawal_id: int, reason: str) -> CardView:
        await self._deciding.mark_failed(key=key, actor=actor, withdrawal_id=withdrawal_id, reason=reason)
        return await self.card(withdrawal_id=withdrawal_id)

    async def pay_by_hand(self, *, key: str, actor: int, withdrawal_id: int, reason: str) -> CardView:
        await self._deciding.pay_by_hand(key=key, actor=actor, withdrawal_id=withdrawal_id, reason=reason)
        return await self.card(withdrawal_id=withdrawal_id)

    async def ask_again(self, *, key: str, actor: int, withdrawal_id: int, reason: str) -> CardView:
        await self._deciding.ask_again(key=key, actor=actor, withdrawal_id=withdrawal_id, reason=reason)
        return await self.card(withdrawal_id=withdrawal_id)

    async def ask_now(self, *, key: str, actor: int, withdrawal_id: int) -> CardView:
        await self._deciding.ask_now(key=key, actor=actor, withdrawal_id=withdrawal_id)
        return await self.card(withdrawal_id=withdrawal_id)

    async def resolve(
        self, *, key: str, actor: int, withdrawal_id: int, decision: Decision, reference: str, reason: str
    ) -> CardView:
        await self._deciding.resolve(
            key=key,
            actor=actor,
            withdrawal_id=withdrawal_id,
            decision=decision,
            reference=reference,
            reason=reason,
        )
        return await self.card(withdrawal_id=withdrawal_id)

    # --- switches ----------------------------------------------------------------------------------------------------

    async def switches(self) -> DeskView:
        async with self._house.db.read() as conn:
            view = self._view(await attempts.get_desk(conn))
            completed = await requests.completed_count(conn)
        rules = self._house.config
        return replace(
            view,
            by_itself=rules.disable_admin_approval,
            completed=completed,
            by_itself_after=rules.approval.self_after_completed,
        )

    async def set_mode(self, *, key: str, actor: int, mode: Mode, reason: str) -> DeskView:
        if mode == "automatic" and self._house.payouts is None:
            raise NoProvider()
        return await self._turn("mode", key, actor, {"mode": mode}, mode, reason)

    async def pause(self, *, key: str, actor: int, paused: bool, reason: str) -> DeskView:
        return await self._turn("paused", key, actor, {"paused": paused}, str(paused).lower(), reason)

    async def lift_stop(self, *, key: str, actor: int, reason: str) -> DeskView:
        return await self._turn("stopped", key, actor, {"stopped": False, "stop_reason": ""}, "false", reason)

    async def stats(self, *, since: datetime, until: datetime) -> StatsView:
        async with self._house.db.read() as conn:
            rows = await requests.by_state(conn, since, until)
            everything = await requests.by_state(conn, None, None)
            median = await requests.median(conn, since, until)
        counts: dict[State, int] = dict.fromkeys(WAYS, 0)
        for row in rows:
            counts[row.state] += row.number
        held = {USD: 0, NGN: 0}
        for row in everything:
            if row.state in OPEN:
                held[ASSETS[row.source]] += int(row.amount)
        done = [row for row in rows if row.state == "completed"]
        return StatsView(
            counts=counts,
            paid=naira(sum(int(row.net) for row in done)),
            fees=naira(sum(int(row.fee) for row in done)),
            flagged=sum(row.flagged for row in rows),
            median_seconds=None if median is None else int(median.total_seconds()),
            open_usd=Money(held[USD], USD),
            open_ngn=Money(held[NGN], NGN),
        )

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _reveal(self, actor: int, withdrawal_id: int) -> str | None:
        """The full account number for somebody who may decide, audited once for each; None for everybody else."""

        async def work(tx: Tx) -> str | None:
            request = await requests.get(tx.conn, withdrawal_id)
            if request is None:
                raise NotFound(what="withdrawal")
            try:
                await self._house.users.authorize(tx, actor=actor, right=RIGHT)
            except (NotAllowed, SessionExpired, Blocked):
                return None
            account: Account = await account_of(tx.conn, request)

            async def run() -> Mapping[str, Any]:
                subject = f"withdrawal:{withdrawal_id}"
                after = {"account": account.masked}
                await self._house.users.audit(
                    tx, actor=actor, action="withdrawals.reveal", subject=subject, before=None, after=after
                )
                return {}

            await tx.once(scope=f"{SCOPE}.reveal", key=f"{withdrawal_id}:{actor}", inputs={}, run=run)
            return self._house.sealing.open(account)

        return await self._house.db.run(work)

    async def _card(self, conn: Connection, request: Request, number: str | None) -> CardView:
        approvers, live = await self._house.users.staff_ids(right=RIGHT), await self._house.rate()
        given = (await requests.given(conn, [request.id])).get(request.id, [])
        tried = await attempts.of(conn, request.id)
        person = (await self._house.users.get_many(user_ids=[request.user_id])).get(request.user_id)
        record = await requests.record_of(conn, request.user_id, besides=request.id)
        findings = await requests.findings_of(conn, request.id)
        rules, now = self._house.config, self._house.clock.now()
        waits = None
        if request.state == "pending":
            waits = approving.lone_from(
                given, approvers=approvers, owner=request.user_id, needed=request.needed, rules=rules.approval
            )
        last = tried[-1] if tried else None
        return CardView(
            request=await withdrawal_view(conn, rules, request),
            account_number=number,
            score=request.score,
            findings=findings,
            record=record_view(record, None if person is None else person.created_at),
            approved_by=tuple(ApprovalView(one.actor, one.at) for one in given),
            decided_by=request.decided_by,
            attempts=tuple(attempt_view(one) for one in tried),
            live_rate=live,
            drift=terms.drift(request.source, request.terms.rate, live),
            waits_until=waits,
            can_give_back=request.state == "unconfirmed" and may_give_back(last, now=now, rules=rules.sending),
            can_take_over=self._waits(request, tried, await attempts.get_desk(conn), now),
            outdated=terms.outdated(
                request.source, request.terms, since=request.terms_at, now=now, live=live, rules=rules.terms
            )
            if request.state == "approved" and request.mode == "manual"
            else "",
        )

    def _waits(self, request: Request, tried: Sequence[Attempt], switches: attempts.Switches, now: datetime) -> bool:
        """Nothing of an automatic one ever left, and that is not because it was approved a moment ago."""
        if request.mode != "automatic" or request.state not in ("approved", "processing", "unconfirmed"):
            return False
        if any(one.state != "failed" and not never_sent(one) for one in tried):
            return False
        held = switches.paused or switches.stopped or self._house.payouts is None
        long = timedelta(minutes=self._house.config.sending.slow_minutes)
        return held or request.approved_at is None or now - request.approved_at >= long

    def _view(self, switches: attempts.Switches) -> DeskView:
        return DeskView(self._house.mode(switches), switches.paused, switches.stopped, switches.stop_reason)

    async def _turn(
        self, what: str, key: str, actor: int, values: Mapping[str, Any], value: str, reason: str
    ) -> DeskView:
        words = wanted("reason", reason)

        async def work(tx: Tx) -> DeskView:
            await self._house.users.authorize(tx, actor=actor, right=SWITCH)

            async def run() -> Mapping[str, Any]:
                switches = await attempts.lock_desk(tx.conn)
                before = self._view(switches)
                await attempts.turn(tx.conn, **values)
                await self._house.users.audit(
                    tx,
                    actor=actor,
                    action=f"withdrawals.{what}",
                    subject="withdrawals",
                    before={"mode": before.mode, "paused": before.paused, "stopped": before.stopped},
                    after={what: value},
                    reason=words,
                )
                tx.record(PayoutSwitched(what=what, value=value, reason=words, actor=actor))
                await self._dispatching.fill(tx)
                return {}

            inputs = {"actor": actor, "value": value, "reason": words}
            await tx.once(scope=f"{SCOPE}.{what}", key=key, inputs=inputs, run=run)
            return self._view(await attempts.get_desk(tx.conn))

        return await self._house.db.run(work)
