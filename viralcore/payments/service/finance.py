"""The door for finance: opens the transactions, calls the use cases, shows what stands afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from viralcore.core.clock import Clock
from viralcore.core.db import Connection, Database, Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import USD, Money
from viralcore.payments.api import (
    CandidateView,
    Item,
    ReceiptFilter,
    RefundPlan,
    RefundView,
    StaffInvoiceView,
    StaffReceiptView,
)
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.judging import near_range
from viralcore.payments.domain.quotes import shown_amount
from viralcore.payments.domain.states import Receipt, Refund
from viralcore.payments.repository import finance, invoices, money
from viralcore.payments.service.assigning import Assigning
from viralcore.payments.service.refunding import Refunding
from viralcore.payments.service.views import invoice_views, receipt_view, scale

LONGEST_PAGE = 100
MOST_CANDIDATES = 5


class FinanceService:
    """Implements `payments.api.Finance`."""

    def __init__(
        self, *, db: Database, clock: Clock, config: PaymentsConfig, assigning: Assigning, refunding: Refunding
    ) -> None:
        self._db = db
        self._clock = clock
        self._config = config
        self._assigning = assigning
        self._refunding = refunding

    async def strays(self, *, after_id: int = 0, limit: int = 20) -> tuple[StaffReceiptView, ...]:
        async with self._db.read() as conn:
            return await self._views(conn, await finance.strays(conn, after_id=after_id, limit=_page(limit)))

    async def stray_count(self) -> int:
        async with self._db.read() as conn:
            return await finance.stray_count(conn)

    async def list_receipts(
        self, *, which: ReceiptFilter = "all", before_id: int | None = None, limit: int = 20
    ) -> tuple[StaffReceiptView, ...]:
        async with self._db.read() as conn:
            found = await finance.list_receipts(conn, which, before_id=before_id, limit=_page(limit))
            return await self._views(conn, found)

    async def receipt(self, *, receipt_id: int) -> StaffReceiptView:
        async with self._db.read() as conn:
            return await self._receipt(conn, receipt_id)

    async def invoice(self, *, invoice_id: int) -> StaffInvoiceView:
        async with self._db.transaction() as tx:
            row = await invoices.get_invoice(tx.conn, invoice_id)
            if row is None:
                raise NotFound(what="invoice")
            now = await self._refunding.standing(tx, row)
            came = await money.receipts_for(tx.conn, invoice_id)
            return StaffInvoiceView(
                invoice=(await invoice_views(tx.conn, self._config, [row], tx.now))[0],
                paid=Money(now.purchase.paid, USD),
                bonus=Money(now.purchase.bonus, USD),
                most=Money(now.most, USD),
                problem=now.problem,
                credits=now.purchase.credits,
                unused=now.unused,
                refunds=tuple(refund_view(refund) for refund in now.refunds),
                receipts=tuple(receipt_view(receipt, self._config) for receipt in came),
                elsewhere=Money(now.purchase.elsewhere, USD),
                left=Money(now.purchase.left, USD),
            )

    async def assign_to_invoice(
        self, *, key: str, actor: int, receipt_id: int, invoice_id: int, reason: str
    ) -> StaffReceiptView:
        async def work(tx: Tx) -> None:
            await self._assigning.to_invoice(
                tx, key=key, actor=actor, receipt_id=receipt_id, invoice_id=invoice_id, reason=reason
            )

        return await self._assigned(work, receipt_id)

    async def assign_to_wallet(
        self, *, key: str, actor: int, receipt_id: int, user_id: int, reason: str
    ) -> StaffReceiptView:
        async def work(tx: Tx) -> None:
            await self._assigning.to_wallet(
                tx, key=key, actor=actor, receipt_id=receipt_id, user_id=user_id, reason=reason
            )

        return await self._assigned(work, receipt_id)

    async def plan_refund(self, *, invoice_id: int, amount: Money) -> RefundPlan:
        async with self._db.transaction() as tx:
            return await self._refunding.plan(tx, invoice_id, _cents(amount))

    async def refund(
        self, *, key: str, actor: int, invoice_id: int, amount: Money, seen: Money, reason: str
    ) -> RefundView:
        cents, before = _cents(amount), _cents(seen)

        async def work(tx: Tx) -> RefundView:
            refund_id = await self._refunding.refund(
                tx, key=key, actor=actor, invoice_id=invoice_id, cents=cents, seen_cents=before, reason=reason
            )
            return await self._refund(tx.conn, refund_id)

        return await self._db.run(work)

    async def get_refund(self, *, refund_id: int) -> RefundView:
        async with self._db.read() as conn:
            return await self._refund(conn, refund_id)

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _assigned(self, work: Callable[[Tx], Awaitable[None]], receipt_id: int) -> StaffReceiptView:
        async def whole(tx: Tx) -> StaffReceiptView:
            await work(tx)
            return await self._receipt(tx.conn, receipt_id)

        return await self._db.run(whole)

    async def _refund(self, conn: Connection, refund_id: int) -> RefundView:
        found = await finance.get_refund(conn, refund_id)
        if found is None:
            raise NotFound(what="refund")
        return refund_view(found)

    async def _receipt(self, conn: Connection, receipt_id: int) -> StaffReceiptView:
        found = await finance.get_receipt(conn, receipt_id)
        if found is None:
            raise NotFound(what="receipt")
        candidates = await self._candidates(conn, found) if found.state == "suspense" else ()
        return (await self._views(conn, [found], candidates))[0]

    async def _candidates(self, conn: Connection, stray: Receipt) -> tuple[CandidateView, ...]:
        """Invoices asked to be paid with about this amount, nearest first."""
        low, high = near_range(stray.amount_raw, self._config.rules.inexact_window)
        asks = await invoices.asks(conn, stray.network, stray.asset, amounts=[stray.amount_raw], low=low, high=high)
        nearest = sorted(asks, key=lambda ask: (abs(ask.amount - stray.amount_raw), ask.invoice_id))
        found = []
        for ask in {ask.invoice_id: ask for ask in reversed(nearest)}.values():
            row = await invoices.get_invoice(conn, ask.invoice_id)
            if row is not None and row.state != "paid":
                found.append((abs(ask.amount - stray.amount_raw), ask, row))
        found.sort(key=lambda each: (each[0], each[1].invoice_id))
        coin = scale(self._config, stray.network, stray.asset)
        return tuple(
            CandidateView(
                invoice_id=row.id,
                user_id=row.user_id,
                item=Item(kind=row.item_kind, ref=row.item_ref, title=row.item_title, data=row.item_data),
                quantity=row.quantity,
                total=Money(row.total_cents, USD),
                state=row.state_at(self._clock.now()),
                asked=shown_amount(ask.amount, coin),
            )
            for _, ask, row in found[:MOST_CANDIDATES]
        )

    async def _views(
        self, conn: Connection, found: Sequence[Receipt], candidates: tuple[CandidateView, ...] = ()
    ) -> tuple[StaffReceiptView, ...]:
        pasted = await finance.pasters(conn, found)
        return tuple(
            StaffReceiptView(
                receipt=receipt_view(one, self._config),
                outcome=one.outcome,
                block_time=one.block_time,
                credited_at=one.credited_at,
                assigned_by=one.assigned_by,
                pasted_by=tuple(pasted.get((one.network, one.hash), ())),
                candidates=candidates,
            )
            for one in found
        )


def refund_view(refund: Refund) -> RefundView:
    return RefundView(
        id=refund.id,
        invoice_id=refund.invoice_id,
        user_id=refund.user_id,
        kind=refund.kind,
        amount=Money(refund.amount_cents, USD),
        to_wallet=Money(refund.amount_cents - refund.bonus_cents, USD),
        to_bonus=Money(refund.bonus_cents, USD),
        credits=refund.credits,
        credit_asset=refund.credit_asset,
        reason=refund.reason,
        by=refund.by,
        created_at=refund.created_at,
    )


def _page(limit: int) -> int:
    return max(1, min(limit, LONGEST_PAGE))


def _cents(amount: Money) -> int:
    if amount.asset != USD:
        raise ValueError("refunds are in USD")
    return amount.minor
