"""What approvers do with one request. Everything is authorised, decided once under the row's lock, and audited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from viralcore.core.db import Tx
from viralcore.withdrawals.api import (
    CannotGiveBack,
    Decision,
    NoRate,
    OwnWithdrawal,
    TermsOutdated,
    WrongState,
)
from viralcore.withdrawals.domain import approving
from viralcore.withdrawals.domain.attempts import may_give_back
from viralcore.withdrawals.domain.states import Attempt, Request
from viralcore.withdrawals.events import WithdrawalApprovalGiven, WithdrawalApproved, WithdrawalRejected
from viralcore.withdrawals.repository import attempts, requests
from viralcore.withdrawals.service.asking import Asking
from viralcore.withdrawals.service.dispatching import Dispatching
from viralcore.withdrawals.service.ending import Ending
from viralcore.withdrawals.service.house import RIGHT, SCOPE, House, locked, wanted
from viralcore.withdrawals.service.judging import Judging
from viralcore.withdrawals.service.returning import Returning

Act = Callable[[Tx, Request], Awaitable[Mapping[str, Any]]]


class Deciding:
    def __init__(
        self,
        house: House,
        ending: Ending,
        dispatching: Dispatching,
        judging: Judging,
        returning: Returning,
        asking: Asking,
    ) -> None:
        self._house = house
        self._ending = ending
        self._dispatching = dispatching
        self._judging = judging
        self._returning = returning
        self._asking = asking

    async def approve(self, *, key: str, actor: int, withdrawal_id: int) -> None:
        async def act(tx: Tx, request: Request) -> Mapping[str, Any]:
            _require(request, "pending")
            if actor == request.user_id:
                raise OwnWithdrawal(withdrawal_id=request.id)
            if await self._house.rate() is None and request.source != "reply":
                raise NoRate()
            why = await self._judging.judge(tx, request)
            if why:
                return {"outdated": why}
            await self._approve(tx, request, actor)
            return {}

        done = await self._decide("approve", key, actor, withdrawal_id, "", act)
        if done.get("outdated"):  # said after the commit: that new terms are offered must stay
            raise TermsOutdated(withdrawal_id=withdrawal_id)

    async def reject(self, *, key: str, actor: int, withdrawal_id: int, reason: str) -> None:
        words = wanted("reason", reason)

        async def act(tx: Tx, request: Request) -> Mapping[str, Any]:
            _require(request, "pending")
            _require_not_own(request, actor)
            await self._ending.release(tx, request)
            await requests.move(tx.conn, request, "rejected", reason=words, decided_by=actor, ended_at=tx.now)
            tx.record(WithdrawalRejected(withdrawal_id=request.id, user_id=request.user_id, actor=actor))
            return {}

        await self._decide("reject", key, actor, withdrawal_id, words, act)

    async def mark_paid(self, *, key: str, actor: int, withdrawal_id: int, reference: str) -> None:
        words = wanted("reference", reference)

        async def act(tx: Tx, request: Request) -> Mapping[str, Any]:
            # The money has left: terms that are out of date by now are kept in the audit log, and refuse nothing.
            why = await self._judging.outdated(tx, request)
            request = await self._by_hand(tx, request, actor)
            await self._ending.complete(tx, request, reference=words, fee=None, actor=actor)
            return {"terms": why} if why else {}

        await self._decide("mark_paid", key, actor, withdrawal_id, words, act)

    async def mark_failed(self, *, key: str, actor: int, withdrawal_id: int, reason: str) -> None:
        words = wanted("reason", reason)

        async def act(tx: Tx, request: Request) -> Mapping[str, Any]:
            request = await self._by_hand(tx, request, actor)
            await self._ending.fail(tx, request, reason="by_hand", actor=actor)
            return {}

        await self._decide("mark_failed", key, actor, withdrawal_id, words, act)

    async def pay_by_hand(self, *, key: str, actor: int, withdrawal_id: int, reason: str) -> None:
        words = wanted("reason", reason)

        async def act(tx: Tx, request: Request) -> Mapping[str, Any]:
            _require(request, "approved", "processing", "unconfirmed")
            if request.mode != "automatic":
                raise WrongState(withdrawal_id=request.id, state=request.state)
            _require_not_own(request, actor)
            await self._returning.by_hand(tx, request, actor=actor)
            await self._dispatching.fill(tx)
            return {}

        await self._decide("pay_by_hand", key, actor, withdrawal_id, words, act)

    async def ask_again(self, *, key: str, actor: int, withdrawal_id: int, reason: str) -> None:
        words = wanted("reason", reason)

        async def act(tx: Tx, request: Request) -> Mapping[str, Any]:
            _require(request, "approved")
            _require_not_own(request, actor)
            why = await self._judging.outdated(tx, request)
            if request.mode != "manual" or not why:
                raise WrongState(withdrawal_id=request.id, state=request.state)
            await self._returning.to_owner(tx, request, why)
            return {"terms": why}

        await self._decide("ask_again", key, actor, withdrawal_id, words, act)

    async def ask_now(self, *, key: str, actor: int, withdrawal_id: int) -> None:
        async def act(tx: Tx, request: Request) -> Mapping[str, Any]:
            _require(request, "processing", "unconfirmed")
            attempt = await self._last(tx, request)
            if attempt is not None:
                self._asking.ask(tx, key=f"now:{key}", attempt=attempt, staff=True)
            return {}

        await self._decide("ask_now", key, actor, withdrawal_id, "", act)

    async def resolve(
        self, *, key: str, actor: int, withdrawal_id: int, decision: Decision, reference: str, reason: str
    ) -> None:
        words = wanted("reason", reason)
        named = wanted("reference", reference) if decision == "paid" else ""

        async def act(tx: Tx, request: Request) -> Mapping[str, Any]:
            _require(request, "unconfirmed")
            _require_not_own(request, actor)
            attempt = await self._last(tx, request, hold=True)
            if attempt is None:
                raise RuntimeError("an unconfirmed withdrawal without an attempt")
            if decision == "paid":
                await self._end_attempt(tx, attempt, "succeeded")
                await self._ending.complete(tx, request, reference=named, fee=None, actor=actor)
            else:
                rules = self._house.config.sending
                if not may_give_back(attempt, now=tx.now, rules=rules):
                    raise CannotGiveBack(
                        withdrawal_id=request.id,
                        since=attempt.missing_since,
                        hours=rules.give_back_hours,
                        seen=attempt.seen,
                    )
                await self._end_attempt(tx, attempt, "failed")
                await self._ending.fail(tx, request, reason="by_hand", actor=actor)
            await self._dispatching.fill(tx)
            return {}

        await self._decide(f"resolve_{decision}", key, actor, withdrawal_id, f"{named} {words}".strip(), act)

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _approve(self, tx: Tx, request: Request, actor: int) -> None:
        house = self._house
        given = (await requests.given(tx.conn, [request.id])).get(request.id, [])
        approving.require_may(
            given,
            withdrawal_id=request.id,
            actor=actor,
            owner=request.user_id,
            approvers=await house.users.staff_ids(right=RIGHT),
            needed=request.needed,
            now=tx.now,
            rules=house.config.approval,
        )
        place = len(given) + 1
        await requests.approve(tx.conn, request, place, actor=actor, now=tx.now)
        if place < request.needed:
            tx.record(
                WithdrawalApprovalGiven(
                    withdrawal_id=request.id, user_id=request.user_id, actor=actor, given=place, needed=request.needed
                )
            )
            return
        mode = house.mode(await attempts.get_desk(tx.conn))
        await requests.move(tx.conn, request, "approved", mode=mode, approved_at=tx.now, decided_by=actor)
        tx.record(WithdrawalApproved(withdrawal_id=request.id, user_id=request.user_id, actor=actor, mode=mode))
        await self._dispatching.fill(tx)

    async def _by_hand(self, tx: Tx, request: Request, actor: int) -> Request:
        """An approved one that is paid by hand, on its way through `processing`."""
        _require(request, "approved")
        if request.mode != "manual":
            raise WrongState(withdrawal_id=request.id, state=request.state)
        _require_not_own(request, actor)
        await requests.move(tx.conn, request, "processing")
        return await locked(tx.conn, request.id)

    async def _last(self, tx: Tx, request: Request, *, hold: bool = False) -> Attempt | None:
        found = await attempts.of(tx.conn, request.id)
        return await attempts.get(tx.conn, found[-1].id, hold=hold) if found else None

    @staticmethod
    async def _end_attempt(tx: Tx, attempt: Attempt, state: str) -> None:
        values = {"state": state, "reason": "by_hand", "ended_at": tx.now, "ask_due": None}
        if not attempt.open or not await attempts.change(tx.conn, attempt, (attempt.state,), **values):
            raise RuntimeError(f"attempt {attempt.id} was not open")

    async def _decide(
        self, what: str, key: str, actor: int, withdrawal_id: int, reason: str, act: Act
    ) -> Mapping[str, Any]:
        async def work(tx: Tx) -> Mapping[str, Any]:
            await self._house.users.authorize(tx, actor=actor, right=RIGHT)

            async def run() -> Mapping[str, Any]:
                request = await locked(tx.conn, withdrawal_id)
                done = await act(tx, request)
                after = await locked(tx.conn, withdrawal_id)
                await self._house.users.audit(
                    tx,
                    actor=actor,
                    action=f"withdrawals.{what}",
                    subject=f"withdrawal:{withdrawal_id}",
                    before={"state": request.state},
                    after={
                        "state": after.state,
                        "mode": after.mode,
                        "amount": after.amount,
                        "asset": after.asset,
                        "user": after.user_id,
                        **done,
                    },
                    reason=reason,
                )
                return done

            inputs = {"actor": actor, "withdrawal_id": withdrawal_id, "reason": reason}
            return await tx.once(scope=f"{SCOPE}.{what}", key=key, inputs=inputs, run=run)

        return await self._house.db.run(work)


def _require(request: Request, *states: str) -> None:
    if request.state not in states:
        raise WrongState(withdrawal_id=request.id, state=request.state)


def _require_not_own(request: Request, actor: int) -> None:
    if actor == request.user_id:
        raise OwnWithdrawal(withdrawal_id=request.id)
