"""Whether the terms of a request still hold, and what is offered to its owner when they do not."""

from __future__ import annotations

from viralcore.core.db import Tx
from viralcore.withdrawals.domain import terms
from viralcore.withdrawals.domain.states import Request
from viralcore.withdrawals.domain.terms import Outdated
from viralcore.withdrawals.events import WithdrawalTermsOutdated
from viralcore.withdrawals.repository import requests
from viralcore.withdrawals.service.house import House


class Judging:
    def __init__(self, house: House) -> None:
        self._house = house
        self._rules = house.config.terms

    async def outdated(self, tx: Tx, request: Request) -> Outdated:
        """Why the terms it was approved on no longer hold; ``""`` while they do."""
        live = await self._house.rate()
        return terms.outdated(
            request.source, request.terms, since=request.terms_at, now=tx.now, live=live, rules=self._rules
        )

    async def judge(self, tx: Tx, request: Request) -> str:
        """Whether the terms of a pending one, whose row is locked, still hold (``""``); if not, new ones are offered.
        While there is no rate nothing can be offered, and what is old stays outdated."""
        live = await self._house.rate()
        since = request.terms_at if request.offered_at is None else request.offered_at
        current = request.offered or request.terms
        why = terms.outdated(request.source, current, since=since, now=tx.now, live=live, rules=self._rules)
        if not why:
            return "" if request.offered is None else "offered"
        if live is None:
            return why
        offer = terms.fresh(request.source, request.amount, request.terms.fee, live)
        if offer is None:
            return why
        await requests.set_values(
            tx.conn,
            request,
            offered_rate=offer.rate,
            offered_gross=offer.gross,
            offered_fee=offer.fee,
            offered_at=tx.now,
            asked_at=request.asked_at or tx.now,
        )
        if request.asked_at is None:  # told once; a screen that is open later shows the newest terms
            tx.record(WithdrawalTermsOutdated(withdrawal_id=request.id, user_id=request.user_id, why=why))
        return why
