"""The door itself: opens the transactions, calls the use cases, shows what stands afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from viralcore.core.clock import Clock
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import USD, Money
from viralcore.ledger.api import WALLET, Ledger, user_account
from viralcore.payments.api import (
    Back,
    ClaimView,
    EndingView,
    Grant,
    InvoiceState,
    InvoiceView,
    Item,
    Method,
    MoneyBack,
    ProofView,
    ReceiptView,
    WalletOffer,
)
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.hashes import parse_hash
from viralcore.payments.repository import invoices, money
from viralcore.payments.service.bank_watching import BankWatcher
from viralcore.payments.service.claiming import Claiming
from viralcore.payments.service.exchange import Exchange
from viralcore.payments.service.finance import FinanceService
from viralcore.payments.service.funding import Funding
from viralcore.payments.service.invoicing import Invoicing
from viralcore.payments.service.proofs import Proofs
from viralcore.payments.service.returning import Returning
from viralcore.payments.service.views import claim_view, invoice_views, receipt_view

LONGEST_PAGE = 500


class PaymentsService:
    """Implements `payments.api.Payments`."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        config: PaymentsConfig,
        invoicing: Invoicing,
        claiming: Claiming,
        finance: FinanceService,
        funding: Funding,
        ledger: Ledger,
        bank: BankWatcher,
        proofs: Proofs,
        exchange: Exchange,
        returning: Returning,
    ) -> None:
        self.finance = finance
        self._db = db
        self._clock = clock
        self._config = config
        self._invoicing = invoicing
        self._claiming = claiming
        self._funding = funding
        self._ledger = ledger
        self._bank = bank
        self._proofs = proofs
        self._exchange = exchange
        self._returning = returning
        self._count_open = db.together("payments.count_open", self._count_open_at_once)

    async def open_invoice(
        self,
        *,
        key: str,
        user_id: int,
        item: Item,
        quantity: int,
        unit_price: Decimal,
        grants: Sequence[Grant] = (),
        tx: Tx | None = None,
    ) -> InvoiceView:
        if tx is None:
            async with self._db.transaction() as own:
                return await self.open_invoice(
                    key=key,
                    user_id=user_id,
                    item=item,
                    quantity=quantity,
                    unit_price=unit_price,
                    grants=grants,
                    tx=own,
                )
        invoice_id = await self._invoicing.open(
            tx, key=key, user_id=user_id, item=item, quantity=quantity, unit_price=unit_price, grants=grants
        )
        return await self._view(tx, user_id, invoice_id)

    async def give_back(self, tx: Tx, *, key: str, user_id: int, backs: Sequence[Back]) -> tuple[MoneyBack, ...]:
        return await self._returning.give_back(tx, key=key, user_id=user_id, backs=backs)

    def wallet_offer(self) -> WalletOffer:
        return self._funding.offer()

    async def open_topup(self, *, key: str, user_id: int, amount: Money) -> InvoiceView:
        async with self._db.transaction() as tx:
            return await self._view(
                tx, user_id, await self._funding.top_up(tx, key=key, user_id=user_id, amount=amount)
            )

    async def move_to_wallet(self, *, key: str, user_id: int, amount: Money) -> Money:
        return await self._db.run(lambda tx: self._funding.move(tx, key=key, user_id=user_id, amount=amount))

    async def methods(self) -> tuple[Method, ...]:
        async with self._db.read() as conn:
            return await self._invoicing.methods(conn)

    async def choose_method(self, *, key: str, user_id: int, invoice_id: int, method: str) -> InvoiceView:
        async with self._db.transaction() as tx:
            await self._invoicing.choose(tx, key=key, user_id=user_id, invoice_id=invoice_id, method=method)
            return await self._view(tx, user_id, invoice_id)

    async def pay_from_wallet(self, *, key: str, user_id: int, invoice_id: int) -> InvoiceView:
        async with self._db.transaction() as tx:
            await self._invoicing.pay_from_wallet(tx, key=key, user_id=user_id, invoice_id=invoice_id)
            return await self._view(tx, user_id, invoice_id)

    async def cancel_invoice(self, *, key: str, user_id: int, invoice_id: int) -> InvoiceView:
        async with self._db.transaction() as tx:
            await self._invoicing.cancel(tx, key=key, user_id=user_id, invoice_id=invoice_id)
            return await self._view(tx, user_id, invoice_id)

    async def submit_hash(self, *, key: str, user_id: int, text: str, invoice_id: int | None = None) -> ClaimView:
        offered = [name for name in self._config.networks if self._config.deposit_address(name) is not None]
        pasted = parse_hash(text, offered)
        async with self._db.transaction() as tx:
            claim_id = await self._claiming.submit(tx, key=key, user_id=user_id, pasted=pasted, invoice_id=invoice_id)
        return await self.get_claim(user_id=user_id, claim_id=claim_id)

    async def look_for_transfer(self, *, key: str, user_id: int, invoice_id: int) -> InvoiceView:
        async with self._db.transaction() as tx:
            await self._bank.look_for(tx, key=key, user_id=user_id, invoice_id=invoice_id)
            return await self._view(tx, user_id, invoice_id)

    async def submit_proof(self, *, key: str, user_id: int, invoice_id: int, file_id: str) -> ProofView:
        return await self._proofs.submit(key=key, user_id=user_id, invoice_id=invoice_id, file_id=file_id)

    async def get_proof(self, *, proof_id: int) -> ProofView:
        return await self._proofs.get(proof_id=proof_id)

    async def approve_proof(self, *, key: str, actor: int, proof_id: int) -> ProofView:
        return await self._proofs.approve(key=key, actor=actor, proof_id=proof_id)

    async def reject_proof(self, *, key: str, actor: int, proof_id: int, reason: str) -> ProofView:
        return await self._proofs.reject(key=key, actor=actor, proof_id=proof_id, reason=reason)

    async def get_invoice(self, *, user_id: int, invoice_id: int) -> InvoiceView:
        async with self._db.read() as conn:
            row = await invoices.get_invoice(conn, invoice_id)
            if row is None or row.user_id != user_id:
                raise NotFound(what="invoice")
            view = (await invoice_views(conn, self._config, [row], self._clock.now()))[0]
        return await self._with_rest(view)

    async def invoices(
        self,
        *,
        user_id: int,
        open_only: bool = False,
        before_id: int | None = None,
        limit: int = 20,
        states: Sequence[InvoiceState] = (),
    ) -> tuple[InvoiceView, ...]:
        now = self._clock.now()
        async with self._db.read() as conn:
            rows = await invoices.list_invoices(
                conn,
                user_id,
                now=now,
                states=("open",) if open_only else states,
                before_id=before_id,
                limit=max(1, min(limit, LONGEST_PAGE)),
            )
            views = await invoice_views(conn, self._config, rows, now) if rows else ()
        return tuple([await self._with_rest(view) for view in views])

    async def count_open_invoices(self, *, user_id: int) -> int:
        if not self._db.reads_own_writes:
            return await self._count_open(user_id)
        async with self._db.read() as conn:
            return len(await invoices.open_ids(conn, user_id, self._clock.now()))

    async def _count_open_at_once(self, user_ids: Sequence[int]) -> list[int]:
        found = await invoices.count_open(self._db.rows, user_ids=sorted(set(user_ids)), now=self._clock.now())
        return [found.get(user_id, 0) for user_id in user_ids]

    async def receipts_of(self, *, user_id: int, invoice_id: int) -> tuple[ReceiptView, ...]:
        async with self._db.read() as conn:
            row = await invoices.get_invoice(conn, invoice_id)
            if row is None or row.user_id != user_id:
                raise NotFound(what="invoice")
            return tuple(receipt_view(each, self._config) for each in await money.receipts_for(conn, invoice_id))

    async def ending(self, *, moments: Sequence[tuple[datetime, datetime]], limit: int = 500) -> tuple[EndingView, ...]:
        if not moments:
            return ()
        async with self._db.read() as conn:
            return tuple(EndingView(*row) for row in await invoices.ending(conn, moments, limit))

    async def get_claim(self, *, user_id: int, claim_id: int) -> ClaimView:
        async with self._db.read() as conn:
            claim = await money.get_claim(conn, claim_id)
            if claim is None or claim.user_id != user_id:
                raise NotFound(what="claim")
            return claim_view(claim, await money.credited_cents(conn, [claim]))

    async def naira_per_usd(self) -> Decimal | None:
        async with self._db.read() as conn:
            return await self._exchange.live(conn, self._clock.now())

    async def receipts(self, *, after_id: int = 0, limit: int = 500) -> tuple[ReceiptView, ...]:
        async with self._db.read() as conn:
            rows = await money.list_receipts(conn, after_id, max(1, min(limit, LONGEST_PAGE)))
            return tuple(receipt_view(row, self._config) for row in rows)

    async def _view(self, tx: Tx, user_id: int, invoice_id: int) -> InvoiceView:
        row = await invoices.get_invoice(tx.conn, invoice_id)
        if row is None or row.user_id != user_id:
            raise NotFound(what="invoice")
        return await self._with_rest((await invoice_views(tx.conn, self._config, [row], tx.now))[0], tx)

    async def _with_rest(self, view: InvoiceView, tx: Tx | None = None) -> InvoiceView:
        """What came for it went to the wallet, and may have been spent since: then that much more is to be paid."""
        if view.rest is None:
            return view
        wallet = await self._ledger.balance(account=user_account(view.user_id, WALLET), tx=tx)
        kept = min(view.received.minor, max(wallet.available, 0))
        return replace(view, rest=Money(max(view.total.minor - kept, 0), USD))
