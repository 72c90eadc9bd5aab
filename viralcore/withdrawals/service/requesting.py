"""What the person does: ask for the money, cancel, confirm new terms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from viralcore.core.db import Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import Money
from viralcore.ledger.api import InsufficientFunds, user_account
from viralcore.withdrawals.api import (
    CheckClosed,
    NotEnough,
    RequestOpen,
    TermsChanged,
    TooMany,
    WithdrawalView,
    WrongState,
)
from viralcore.withdrawals.domain import approving, risk, terms
from viralcore.withdrawals.domain.states import Account, Check, Request, Terms
from viralcore.withdrawals.events import (
    WithdrawalApproved,
    WithdrawalCancelled,
    WithdrawalConfirmedAgain,
    WithdrawalRequested,
)
from viralcore.withdrawals.repository import accounts, attempts, requests
from viralcore.withdrawals.service.checking import HOUR, Checking
from viralcore.withdrawals.service.dispatching import Dispatching
from viralcore.withdrawals.service.ending import Ending
from viralcore.withdrawals.service.house import SCOPE, House, locked
from viralcore.withdrawals.service.views import withdrawal_view


class Requesting:
    def __init__(self, house: House, checking: Checking, ending: Ending, dispatching: Dispatching) -> None:
        self._house = house
        self._config = house.config
        self._checking = checking
        self._ending = ending
        self._dispatching = dispatching

    async def request(self, *, key: str, user_id: int, check_id: int) -> WithdrawalView:
        async def work(tx: Tx) -> WithdrawalView:
            await self._house.users.require_active(tx, user_id=user_id)

            async def run() -> Mapping[str, Any]:
                return {"id": await self._request(tx, user_id, check_id)}

            inputs = {"user_id": user_id, "check_id": check_id}
            done = await tx.once(scope=f"{SCOPE}.request", key=key, inputs=inputs, run=run)
            return await self._view(tx, user_id, int(done["id"]))

        return await self._house.db.run(work)

    async def cancel(self, *, key: str, user_id: int, withdrawal_id: int) -> WithdrawalView:
        async def work(tx: Tx) -> WithdrawalView:
            async def run() -> Mapping[str, Any]:
                request = await self._theirs(tx, user_id, withdrawal_id)
                if request.state != "pending":
                    raise WrongState(withdrawal_id=request.id, state=request.state)
                await self.end(tx, request, expired=False)
                return {}

            inputs = {"user_id": user_id, "withdrawal_id": withdrawal_id}
            await tx.once(scope=f"{SCOPE}.cancel", key=key, inputs=inputs, run=run)
            return await self._view(tx, user_id, withdrawal_id)

        return await self._house.db.run(work)

    async def end(self, tx: Tx, request: Request, *, expired: bool) -> None:
        """A pending one ends without a decision; its row is locked."""
        await self._ending.release(tx, request)
        reason = "expired" if expired else ""
        await requests.move(tx.conn, request, "cancelled", reason=reason, ended_at=tx.now)
        tx.record(WithdrawalCancelled(withdrawal_id=request.id, user_id=request.user_id, expired=expired))

    async def confirm_again(self, *, key: str, user_id: int, withdrawal_id: int, rate: Decimal) -> WithdrawalView:
        """What was seen is what is confirmed; approvals of the old terms are void."""

        async def work(tx: Tx) -> WithdrawalView:
            await self._house.users.require_active(tx, user_id=user_id)

            async def run() -> Mapping[str, Any]:
                request = await self._theirs(tx, user_id, withdrawal_id)
                if request.state != "pending" or request.offered is None or request.offered_at is None:
                    raise WrongState(withdrawal_id=request.id, state=request.state)
                why = terms.outdated(
                    request.source,
                    request.offered,
                    since=request.offered_at,
                    now=tx.now,
                    live=await self._house.rate(),
                    rules=self._config.terms,
                )
                if rate != request.offered.rate or why:
                    raise TermsChanged(withdrawal_id=request.id)
                await self._confirm(tx, request, request.offered)
                return {}

            inputs = {"user_id": user_id, "withdrawal_id": withdrawal_id, "rate": str(rate.normalize())}
            await tx.once(scope=f"{SCOPE}.confirm_again", key=key, inputs=inputs, run=run)
            return await self._view(tx, user_id, withdrawal_id)

        return await self._house.db.run(work)

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _confirm(self, tx: Tx, request: Request, offered: Terms) -> None:
        await requests.set_values(
            tx.conn,
            request,
            rate=offered.rate,
            gross=offered.gross,
            fee=offered.fee,
            terms_at=tx.now,
            offered_rate=None,
            offered_gross=None,
            offered_fee=None,
            offered_at=None,
            asked_at=None,
            round=request.round + 1,
        )
        tx.record(WithdrawalConfirmedAgain(withdrawal_id=request.id, user_id=request.user_id, needed=request.needed))

    async def _request(self, tx: Tx, user_id: int, check_id: int) -> int:
        check, account = await self._usable(tx, user_id, check_id)
        await self._require_few(tx, user_id)
        worth = await self._checking.require(tx.conn, user_id, check.source, check.money)
        promised = Terms(check.rate, check.gross, check.fee or 0)
        drifted = terms.drift(check.source, check.rate, worth.rate)
        if drifted is None or drifted > self._config.terms.drift_percent:
            raise TermsChanged(withdrawal_id=None)
        found = risk.judge(await self._facts(tx, user_id, check, account, worth.cents), self._rules(), tx.now)
        needed = approving.needed(cents=worth.cents, flagged=bool(found), rules=self._config.approval)
        request_id = await requests.add(
            tx.conn,
            terms=promised,
            user_id=user_id,
            source=check.source,
            amount=check.amount,
            terms_at=tx.now,
            account_id=account.id,
            needed=needed,
            score=risk.total(found),
            created_at=tx.now,
        )
        if request_id is None or not await accounts.use_check(tx.conn, check.id, request_id):
            raise RequestOpen(withdrawal_id=await requests.open_of(tx.conn, user_id))
        await self._hold(tx, request_id, user_id, check)
        await accounts.use_account(tx.conn, account.id, holder=check.holder, now=tx.now)
        await requests.add_findings(tx.conn, request_id, found)
        tx.record(WithdrawalRequested(withdrawal_id=request_id, user_id=user_id, flagged=bool(found), needed=needed))
        await self._by_itself(tx, request_id)
        return request_id

    async def _usable(self, tx: Tx, user_id: int, check_id: int) -> tuple[Check, Account]:
        check = await accounts.get_check(tx.conn, check_id, hold=True)
        if check is None or check.user_id != user_id:
            raise NotFound(what="check")
        state: str = "used" if check.withdrawal_id is not None else check.state if check.state != "ready" else ""
        if not state and tx.now >= check.until:
            state = "expired"
        if state:
            raise CheckClosed(state=state, withdrawal_id=check.withdrawal_id)
        return check, (await accounts.get_accounts(tx.conn, [check.account_id]))[check.account_id]

    async def _require_few(self, tx: Tx, user_id: int) -> None:
        limit = self._config.limits.requests_per_hour
        asked, first = await requests.since(tx.conn, user_id, tx.now - HOUR)
        if first is not None and asked >= limit:
            raise TooMany(what="requests", limit=limit, again_at=first + HOUR)

    async def _hold(self, tx: Tx, request_id: int, user_id: int, check: Check) -> None:
        account = user_account(user_id, check.source, check.money.asset)
        try:
            hold = await self._house.ledger.hold(
                tx,
                key=f"withdrawals.request:{request_id}",
                account=account,
                amount=check.amount,
                reason=f"Withdrawal #{request_id}",
            )
        except InsufficientFunds as refusal:
            left = max(int(refusal.fields.get("available", 0)), 0)
            raise NotEnough(available=Money(left, check.money.asset)) from None
        tx.wait_for_disk()
        request = await locked(tx.conn, request_id)
        await requests.set_values(tx.conn, request, hold_id=hold.id)

    async def _by_itself(self, tx: Tx, request_id: int) -> None:
        """DISABLE_ADMIN_APPROVAL, where it may."""
        request = await locked(tx.conn, request_id)
        rules = self._config.approval
        allowed = self._config.disable_admin_approval and request.needed == 1
        completed = await requests.completed_count(tx.conn) if allowed else 0
        if not approving.by_itself(allowed=allowed, needed=request.needed, completed=completed, rules=rules):
            return
        switches = await attempts.get_desk(tx.conn)
        if switches.stopped:
            return
        await requests.approve(tx.conn, request, 1, actor=approving.BY_ITSELF, now=tx.now)
        mode = self._house.mode(switches)
        await requests.move(tx.conn, request, "approved", mode=mode, approved_at=tx.now, decided_by=approving.BY_ITSELF)
        tx.record(
            WithdrawalApproved(withdrawal_id=request.id, user_id=request.user_id, actor=approving.BY_ITSELF, mode=mode)
        )
        await self._dispatching.fill(tx)

    async def _facts(self, tx: Tx, user_id: int, check: Check, account: Account, cents: int) -> risk.Facts:
        hours = timedelta(hours=self._config.risk.velocity_hours)
        recent, _ = await requests.since(tx.conn, user_id, tx.now - hours)
        here, elsewhere = await requests.completed_to(tx.conn, user_id, account.id)
        others = await accounts.others_with(tx.conn, account)
        origin = await self._house.origins.origin(user_id=user_id, source=check.source, sharing=others)
        person = (await self._house.users.get_many(user_ids=[user_id])).get(user_id)
        return risk.Facts(
            cents=cents,
            recent=recent,
            user_since=None if person is None else person.created_at,
            paid_to_account=here,
            paid_elsewhere=elsewhere,
            others_with_account=len(others),
            linked_with_account=len(origin.tied),
            earned=origin.earned,
            reversed=origin.reversed,
        )

    def _rules(self) -> risk.Rules:
        return risk.Rules(self._config.risk, self._config.approval, self._config.limits)

    async def _theirs(self, tx: Tx, user_id: int, withdrawal_id: int) -> Request:
        request = await locked(tx.conn, withdrawal_id)
        if request.user_id != user_id:
            raise NotFound(what="withdrawal")
        return request

    async def _view(self, tx: Tx, user_id: int, withdrawal_id: int) -> WithdrawalView:
        request = await requests.get(tx.conn, withdrawal_id)
        if request is None or request.user_id != user_id:
            raise NotFound(what="withdrawal")
        return await withdrawal_view(tx.conn, self._config, request)
