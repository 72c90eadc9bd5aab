"""How a request ends: one transaction that moves it, closes its hold and tells. Its row is locked by the caller, the
ledger's accounts come next, the desk last."""

from __future__ import annotations

from viralcore.core.db import Tx
from viralcore.core.money import NGN, USD
from viralcore.ledger.api import Entry, house_account, user_account
from viralcore.withdrawals.domain.attempts import booked
from viralcore.withdrawals.domain.states import Request
from viralcore.withdrawals.events import WithdrawalCompleted, WithdrawalFailed
from viralcore.withdrawals.repository import requests
from viralcore.withdrawals.service.house import House

PAYOUT, FEES, FX = "payout", "fees", "fx"


class Ending:
    def __init__(self, house: House) -> None:
        self._ledger = house.ledger

    async def complete(self, tx: Tx, request: Request, *, reference: str, fee: int | None, actor: int) -> None:
        """It was paid: capture. `fee`: what sending cost, None where nobody said. `actor` 0: the provider."""
        await self._capture(tx, request, fee)
        values = {"decided_by": actor} if actor else {}
        await requests.move(
            tx.conn, request, "completed", reference=reference, next_attempt_at=None, ended_at=tx.now, **values
        )
        tx.record(
            WithdrawalCompleted(withdrawal_id=request.id, user_id=request.user_id, net=request.terms.net, actor=actor)
        )

    async def fail(self, tx: Tx, request: Request, *, reason: str, actor: int) -> None:
        """It was not paid, and will not be: release. `reason`: a machine word."""
        await self.release(tx, request)
        values = {"decided_by": actor} if actor else {}
        await requests.move(tx.conn, request, "failed", reason=reason, next_attempt_at=None, ended_at=tx.now, **values)
        tx.record(WithdrawalFailed(withdrawal_id=request.id, user_id=request.user_id, reason=reason, actor=actor))

    async def release(self, tx: Tx, request: Request) -> None:
        await self._ledger.release(tx, key=f"withdrawals.release:{request.id}", hold_id=request.hold_id)
        tx.wait_for_disk()

    async def _capture(self, tx: Tx, request: Request, fee: int | None) -> None:
        gross = request.terms.gross
        left = booked(gross=gross, net=request.terms.net, fee=fee)
        entries = [Entry(user_account(request.user_id, request.source, request.asset), -request.amount)]
        if request.asset == USD:
            entries += [Entry(house_account(FX, USD), request.amount), Entry(house_account(FX, NGN), -gross)]
        entries.append(Entry(house_account(PAYOUT, NGN), left.payout))
        if left.fees:
            entries.append(Entry(house_account(FEES, NGN), left.fees))
        await self._ledger.capture(
            tx,
            key=f"withdrawals.capture:{request.id}",
            hold_id=request.hold_id,
            kind="withdrawal",
            entries=entries,
            description=f"Withdrawal #{request.id}",
        )
        tx.wait_for_disk()
