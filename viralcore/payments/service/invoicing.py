"""Invoices: opening, choosing how to pay, paying from the wallet, cancelling, expiring."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from viralcore.core.clock import Clock
from viralcore.core.db import Connection, Database, Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import NGN, USD, ceil_money
from viralcore.ledger.api import BONUS, WALLET, Entry, InsufficientFunds, Ledger, user_account
from viralcore.payments.api import Grant, InvoiceClosed, Item, Method, MethodUnavailable, TooManyInvoices
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.bank import BANK, BY_ACCOUNT, BY_HAND, SCALE, OwnAccount
from viralcore.payments.domain.quotes import base_amount, bases, free_tails
from viralcore.payments.domain.states import Invoice
from viralcore.payments.events import InvoiceClosedUnpaid, InvoiceOpened
from viralcore.payments.repository import chain_state, invoices, money
from viralcore.payments.service.charging import Charging
from viralcore.payments.service.fulfilment import Fulfilment
from viralcore.payments.service.pricing import Pricing
from viralcore.payments.service.views import scale
from viralcore.users.api import Users

BATCH = 200
WALLET_METHOD = "wallet"


class Invoicing:
    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        ledger: Ledger,
        users: Users,
        config: PaymentsConfig,
        pricing: Pricing,
        fulfilment: Fulfilment,
        charging: Charging,
        watched: Collection[str],
        below: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        """`watched`: networks that are read; no other is offered. `below(n)`: a number from 0 to n-1; picks a tail."""
        self._db = db
        self._clock = clock
        self._ledger = ledger
        self._users = users
        self._config = config
        self._pricing = pricing
        self._fulfilment = fulfilment
        self._charging = charging
        self._watched = frozenset(watched)
        self._below = below

    async def open(
        self,
        tx: Tx,
        *,
        key: str,
        user_id: int,
        item: Item,
        quantity: int,
        unit_price: Decimal,
        grants: Sequence[Grant],
    ) -> int:
        """The invoice's id, in the caller's transaction. Raises TooManyInvoices, users Blocked or TermsNotAccepted."""
        total = ceil_money(quantity * unit_price, USD)
        if quantity <= 0 or total.minor <= 0:
            raise ValueError("an invoice sells something for something")

        async def run() -> dict[str, Any]:
            await self._users.require_active(tx, user_id=user_id)
            await invoices.lock_person(tx.conn, user_id)
            already = await invoices.open_ids(tx.conn, user_id, tx.now)
            if len(already) >= self._config.invoices.max_open:
                raise TooManyInvoices(limit=self._config.invoices.max_open, open=already)
            invoice_id = await invoices.add_invoice(
                tx.conn,
                user_id=user_id,
                item_kind=item.kind,
                item_ref=item.ref,
                item_title=item.title,
                item_data=dict(item.data),
                quantity=quantity,
                unit_price=unit_price,
                total_cents=total.minor,
                grants=[{**asdict(grant), "unit_cost": str(grant.unit_cost)} for grant in grants],
                state="open",
                created_at=tx.now,
                expires_at=tx.now + timedelta(minutes=self._config.invoices.minutes),
            )
            tx.record(InvoiceOpened(invoice_id=invoice_id, user_id=user_id))
            return {"invoice_id": invoice_id}

        inputs = {
            "user_id": user_id,
            "item": [item.kind, item.ref, dict(item.data)],
            "quantity": quantity,
            "unit_price": str(unit_price),
            "grants": [[grant.asset, grant.quantity, str(grant.unit_cost)] for grant in grants],
        }
        result = await tx.once(scope="payments.open_invoice", key=key, inputs=inputs, run=run)
        return int(result["invoice_id"])

    async def methods(self, conn: Connection) -> tuple[Method, ...]:
        """What is offered at this moment."""
        now = self._clock.now()
        priced = await self._pricing.usable(conn, now)
        read = await chain_state.read_networks(conn) & self._watched
        found = [
            Method(f"{network}:{name}", network, name)
            for network, settings in self._config.networks.items()
            if settings.enabled and self._config.deposit_address(network) and network in read
            for name, asset in settings.assets.items()
            if asset.enabled and name in priced
        ]
        by_bank = self._config.bank_method
        if by_bank is not None and NGN in priced:
            found.append(Method(by_bank, BANK, NGN))
        if self._config.invoices.wallet_enabled:
            found.append(Method(WALLET_METHOD, "", USD))
        return tuple(found)

    async def choose(self, tx: Tx, *, key: str, user_id: int, invoice_id: int, method: str) -> None:
        """Lock a quote. Raises NotFound, InvoiceClosed, MethodUnavailable."""

        async def run() -> dict[str, Any]:
            await self._users.require_active(tx, user_id=user_id)
            invoice = await self._open_one(tx, user_id, invoice_id)
            network, _, asset = method.partition(":")
            if network == BANK:
                await self._choose_bank(tx, invoice, method)
                return {}
            address = self._offered(method, network, asset)
            if await chain_state.get_cursor(tx.conn, network) is None:
                raise MethodUnavailable(method=method, reason="starting")
            rate = await self._pricing.rate(tx.conn, asset, tx.now)
            if rate is None:
                raise MethodUnavailable(method=method, reason="price")
            due = await self._due(tx, invoice)
            for quote in await invoices.quotes_of(tx.conn, invoice.id):
                if quote.method == method and quote.due_cents == due and quote.address == address:
                    await invoices.choose_quote(tx.conn, invoice.id, quote.id)
                    return {}
            quote_id = await self._reserve(tx, invoice, network, asset, rate=rate, due=due, address=address)
            await invoices.choose_quote(tx.conn, invoice.id, quote_id)
            return {}

        inputs = {"user_id": user_id, "invoice_id": invoice_id, "method": method}
        await tx.once(scope="payments.choose_method", key=key, inputs=inputs, run=run)

    async def _choose_bank(self, tx: Tx, invoice: Invoice, method: str) -> None:
        """Lock a number of naira; to an account of Flutterwave's, have one made when there is none that works."""
        if method != self._config.bank_method:
            raise MethodUnavailable(
                method=method, reason="switched_off" if method in (BY_ACCOUNT, BY_HAND) else "unknown"
            )
        due = await self._due(tx, invoice)
        own = self._config.bank
        shown = OwnAccount(own.manual_account_number, own.manual_bank_name, own.manual_account_name)
        address = shown.packed() if method == BY_HAND else ""
        known = [
            quote
            for quote in await invoices.quotes_of(tx.conn, invoice.id)
            if quote.method == method and quote.due_cents == due and quote.address == address
        ]
        quote_id = known[0].id if known else await self._quote_naira(tx, invoice, due=due, address=address)
        await invoices.choose_quote(tx.conn, invoice.id, quote_id)
        if method == BY_ACCOUNT:
            await self._charging.ensure(tx, quote_id)

    async def _quote_naira(self, tx: Tx, invoice: Invoice, *, due: int, address: str) -> int:
        rate = await self._pricing.rate(tx.conn, NGN, tx.now)
        if rate is None:
            raise MethodUnavailable(method=self._config.bank_method, reason="rate")
        quote_id = await invoices.reserve(
            tx.conn,
            invoice=invoice,
            network=BANK,
            asset=NGN,
            amount_raw=base_amount(due, rate, SCALE),
            rate=rate,
            due_cents=due,
            address=address,
            now=tx.now,
        )
        if quote_id is None:
            raise RuntimeError("an amount of naira is never reserved")
        return quote_id

    async def pay_from_wallet(self, tx: Tx, *, key: str, user_id: int, invoice_id: int) -> None:
        """Bonus money first. Raises NotFound, InvoiceClosed, MethodUnavailable, ledger InsufficientFunds."""

        async def run() -> dict[str, Any]:
            await self._users.require_active(tx, user_id=user_id)
            if not self._config.invoices.wallet_enabled:
                raise MethodUnavailable(method=WALLET_METHOD, reason="switched_off")
            invoice = await self._open_one(tx, user_id, invoice_id)
            if invoice.item_kind == "topup":
                raise MethodUnavailable(method=WALLET_METHOD, reason="topup")
            bonus, wallet = user_account(user_id, BONUS), user_account(user_id, WALLET)
            has_bonus = (await self._ledger.balance(account=bonus, tx=tx)).available
            has_wallet = (await self._ledger.balance(account=wallet, tx=tx)).available
            total = invoice.total_cents
            if has_bonus + has_wallet < total:
                raise InsufficientFunds(account=WALLET, asset=USD, available=has_bonus + has_wallet, needed=total)
            from_bonus = min(has_bonus, total)
            payer = [entry for entry in (Entry(bonus, -from_bonus), Entry(wallet, from_bonus - total)) if entry.amount]
            await self._fulfilment.pay(tx, invoice, payer=payer, paid_cents=total - from_bonus, method=WALLET_METHOD)
            return {}

        inputs = {"user_id": user_id, "invoice_id": invoice_id}
        await tx.once(scope="payments.pay_from_wallet", key=key, inputs=inputs, run=run)

    async def cancel(self, tx: Tx, *, key: str, user_id: int, invoice_id: int) -> None:
        """Raises NotFound, InvoiceClosed. A cancelled one is cancelled."""

        async def run() -> dict[str, Any]:
            invoice = await self._held(tx, user_id, invoice_id)
            if invoice.state_at(tx.now) == "cancelled":
                return {}
            invoice = await self._open_one(tx, user_id, invoice_id)
            await invoices.move_invoice(tx.conn, invoice, "cancelled", now=tx.now)
            tx.record(InvoiceClosedUnpaid(invoice_id=invoice.id, user_id=user_id, state="cancelled"))
            return {}

        inputs = {"user_id": user_id, "invoice_id": invoice_id}
        await tx.once(scope="payments.cancel_invoice", key=key, inputs=inputs, run=run)

    async def expire_due(self) -> None:
        """The job: close what is over, free amounts whose time has passed. Each batch is a transaction of its own."""
        while True:
            async with self._db.transaction() as tx:
                closed = await invoices.expire(tx.conn, tx.now, BATCH)
                for invoice_id, user_id in closed:
                    tx.record(InvoiceClosedUnpaid(invoice_id=invoice_id, user_id=user_id, state="expired"))
            if len(closed) < BATCH:
                break
        reserved = timedelta(hours=self._config.invoices.reservation_hours)
        while True:
            async with self._db.transaction() as tx:
                freed = await invoices.release(tx.conn, closed_before=tx.now - reserved, now=tx.now, limit=BATCH)
            if freed < BATCH:
                break
        async with self._db.transaction() as tx:
            await money.forget_seen(tx.conn, tx.now - reserved)

    async def next_expiry(self) -> datetime | None:
        async with self._db.read() as conn:
            return await invoices.next_expiry(conn)

    async def _held(self, tx: Tx, user_id: int, invoice_id: int) -> Invoice:
        invoice = (await invoices.lock_invoices(tx.conn, [invoice_id])).get(invoice_id)
        if invoice is None or invoice.user_id != user_id:
            raise NotFound(what="invoice")
        return invoice

    async def _open_one(self, tx: Tx, user_id: int, invoice_id: int) -> Invoice:
        invoice = await self._held(tx, user_id, invoice_id)
        state = invoice.state_at(tx.now)
        if state != "open":
            raise InvoiceClosed(invoice_id=invoice_id, state=state)
        return invoice

    def _offered(self, method: str, network: str, asset: str) -> str:
        """The address money is asked to. Raises MethodUnavailable."""
        settings = self._config.networks.get(network)
        if settings is None or asset not in settings.assets:
            raise MethodUnavailable(method=method, reason="unknown")
        if not settings.enabled or not settings.assets[asset].enabled:
            raise MethodUnavailable(method=method, reason="switched_off")
        address = self._config.deposit_address(network)
        if address is None:
            raise MethodUnavailable(method=method, reason="no_address")
        if network not in self._watched:
            raise MethodUnavailable(method=method, reason="switched_off")
        return address

    async def _due(self, tx: Tx, invoice: Invoice) -> int:
        """What is to be asked for: the total, less what came for it before and still is in the wallet."""
        if not invoice.received_cents:
            return invoice.total_cents
        wallet = await self._ledger.balance(account=user_account(invoice.user_id, WALLET), tx=tx)
        rest = invoice.total_cents - min(invoice.received_cents, max(wallet.available, 0))
        return rest if rest > 0 else invoice.total_cents

    async def _reserve(
        self, tx: Tx, invoice: Invoice, network: str, asset: str, *, rate: Decimal, due: int, address: str
    ) -> int:
        """Find an amount nobody is asked for. The unique index decides races; the loser looks again."""
        rules, how = self._config.rules, scale(self._config, network, asset)
        for base in bases(due, rate, how, rise_cents=rules.tail_rise_cents, rises=rules.tail_rises):
            while True:
                taken = await invoices.taken_amounts(tx.conn, network, asset, base, base + how.step - 1)
                free = free_tails(base, taken, how)
                if not free:
                    break
                quote_id = await invoices.reserve(
                    tx.conn,
                    invoice=invoice,
                    network=network,
                    asset=asset,
                    amount_raw=free[self._below(len(free))],
                    rate=rate,
                    due_cents=due,
                    address=address,
                    now=tx.now,
                )
                if quote_id is not None:
                    return quote_id
        raise MethodUnavailable(method=f"{network}:{asset}", reason="price")
