"""Booking: what one judged amount does to receipts, the ledger and its invoice. Only `Crediting` and `BankCrediting`
call it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from viralcore.core.db import Tx
from viralcore.core.money import NGN
from viralcore.ledger.api import WALLET, Account, Entry, Ledger, house_account, user_account
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.bank import BANK
from viralcore.payments.domain.chain import ChainTransaction
from viralcore.payments.domain.judging import Ask, Part, Settlement, settle, value_cents
from viralcore.payments.domain.quotes import plain, shown_amount, whole_coins
from viralcore.payments.domain.states import Claim, Invoice, Quote, Receipt
from viralcore.payments.events import DepositConfirmed, StrayMoney
from viralcore.payments.repository import invoices, money
from viralcore.payments.service.fulfilment import Fulfilment
from viralcore.payments.service.pricing import Pricing
from viralcore.payments.service.views import scale


class Unpriced(Exception):
    """Money is here whose value is not known now: nothing is written, it is judged again later."""


@dataclass(frozen=True, slots=True)
class Case:
    """One judgement: the transaction of ours, the transaction on the chain, and who pasted its hash.

    A bank transfer is told as one on a network of its own; `reference` is what it named.
    """

    tx: Tx
    found: ChainTransaction
    claims: Sequence[Claim] = ()
    reference: str = ""

    @property
    def claimants(self) -> frozenset[int]:
        return frozenset(claim.user_id for claim in self.claims)


class Worthless(Exception):
    """Money worth less than a cent now: there is nothing to credit."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How an amount counts for its invoice. `rate`: USD per coin; `due`: cents asked for; `assigned_by`: finance."""

    rate: Decimal
    due: int
    on_time: bool
    method: str
    assigned_by: int | None = None


class Booking:
    def __init__(self, *, ledger: Ledger, config: PaymentsConfig, pricing: Pricing, fulfilment: Fulfilment) -> None:
        self._ledger = ledger
        self._config = config
        self._pricing = pricing
        self._fulfilment = fulfilment

    async def _rate(self, case: Case, asset: str) -> Decimal:
        rate = await self._pricing.rate(case.tx.conn, asset, case.tx.now)
        if rate is None:
            raise Unpriced
        return rate

    def _value(self, case: Case, asset: str, amount: int, rate: Decimal) -> int:
        decimals = scale(self._config, case.found.network, asset).decimals
        return value_cents(amount, decimals=decimals, rate=rate)

    async def suspend(self, case: Case, part: Part) -> int:
        """Nobody's, for now: booked at the value of this moment; the receipt's id. Whoever decides the claims tells
        finance. A currency the books do not know is written down and worth nothing until finance says otherwise."""
        tx, found = case.tx, case.found
        foreign = found.network == BANK and part.asset != NGN
        rate = Decimal(0) if foreign else await self._rate(case, part.asset)
        value = 0 if foreign else self._value(case, part.asset, part.amount, rate)
        receipt_id = await money.add_receipt(
            tx.conn,
            network=found.network,
            hash=found.hash,
            position=part.position,
            asset=part.asset,
            amount_raw=part.amount,
            usd_cents=value,
            rate=rate,
            state="suspense",
            outcome="stray",
            block=found.block,
            block_time=found.block_time,
            seen_at=tx.now,
            reference=case.reference,
        )
        legs = [Entry(_network(found, part.asset), -value), Entry(house_account("suspense"), value)]
        entries = [leg for leg in legs if leg.amount] + ([] if foreign else _arrived(found, part))
        if entries:
            await self._ledger.post(
                tx,
                key=_key(found, part.position),
                kind="deposit",
                entries=entries,
                description=f"Receipt {receipt_id}: money nobody's invoice explains",
            )
        return receipt_id

    def stray(self, case: Case, receipt: Receipt, user_id: int | None, reason: str = "") -> None:
        found = case.found
        decimals = scale(self._config, found.network, receipt.asset).decimals
        case.tx.record(
            StrayMoney(
                receipt_id=receipt.id,
                network=found.network,
                asset=receipt.asset,
                amount=plain(whole_coins(receipt.amount_raw, decimals)),
                hash=found.hash,
                user_id=user_id,
                reference=receipt.reference,
                reason=reason,
            )
        )

    async def credit(self, case: Case, part: Part, ask: Ask, invoice: Invoice, before: Receipt | None) -> None:
        """Money that an invoice explains: into its owner's wallet, and from there to the invoice if it covers it.

        `before`: the receipt, when the money waited in suspense.
        """
        tx, found = case.tx, case.found
        quote = (await invoices.get_quotes(tx.conn, [ask.quote_id]))[ask.quote_id]
        on_time = found.block_time <= _deadline(invoice, quote)
        rate = quote.rate if on_time else await self._rate(case, part.asset)
        terms = Terms(rate, quote.due_cents, on_time, quote.method)
        await self._book(case, part, invoice, before, terms)

    async def assign(self, case: Case, before: Receipt, invoice: Invoice, *, by: int) -> None:
        """Finance says which invoice stray money is for: counted at the rate of this moment. Raises Unpriced,
        Worthless."""
        rate, _ = await self._worth(case, before)
        part = Part(before.asset, before.position, before.amount_raw, None, False, "")
        on_time = invoice.state_at(case.tx.now) == "open"
        terms = Terms(rate, await self._due(case.tx, invoice), on_time, f"{before.network}:{before.asset}", by)
        await self._book(case, part, invoice, before, terms)

    async def to_wallet(self, case: Case, before: Receipt, user_id: int, *, by: int) -> int:
        """Finance says whose stray money is: into their wallet, at the rate of this moment; the cents. Raises Unpriced,
        Worthless."""
        rate, value = await self._worth(case, before)
        facts = {"usd_cents": value, "rate": rate, "state": "credited", "outcome": "assigned", "user_id": user_id}
        if not await money.credit_receipt(
            case.tx.conn, before.id, **facts, credited_at=case.tx.now, assigned_by=by, invoice_id=None
        ):
            raise RuntimeError("a held receipt left suspense")
        legs = [
            Entry(_network(case.found, before.asset), before.usd_cents - value),
            Entry(house_account("suspense"), -before.usd_cents),
            Entry(user_account(user_id, WALLET), value),
        ]
        await self._ledger.post(
            case.tx,
            key=_key(case.found, before.position) + ":assigned",
            kind="deposit",
            entries=[leg for leg in legs if leg.amount],
            description=f"Receipt {before.id} given to a wallet by finance",
        )
        return value

    async def _worth(self, case: Case, receipt: Receipt) -> tuple[Decimal, int]:
        rate = await self._rate(case, receipt.asset)
        value = self._value(case, receipt.asset, receipt.amount_raw, rate)
        if not value:
            raise Worthless
        return rate, value

    async def _due(self, tx: Tx, invoice: Invoice) -> int:
        """What is still to come for it: the total, less what came before and still is in the wallet."""
        if not invoice.received_cents or invoice.state == "paid":
            return invoice.total_cents
        wallet = await self._ledger.balance(account=user_account(invoice.user_id, WALLET), tx=tx)
        rest = invoice.total_cents - min(invoice.received_cents, max(wallet.available, 0))
        return rest if rest > 0 else invoice.total_cents

    async def _book(self, case: Case, part: Part, invoice: Invoice, before: Receipt | None, terms: Terms) -> None:
        """Judge and book: receipt, posting, invoice, event."""
        tx, found = case.tx, case.found
        value = self._value(case, part.asset, part.amount, terms.rate)
        verdict = settle(
            value=value,
            due=terms.due,
            tolerance=self._tolerance(found.network, part.asset),
            state=invoice.state,
            on_time=terms.on_time,
            exact=part.exact,
            topup=invoice.item_kind == "topup",
            wallet_part_there=await self._wallet_has(tx, invoice, invoice.total_cents - terms.due),
        )
        receipt_id = await self._receipt(case, part, invoice, before, terms, value=value, outcome=verdict.outcome)
        entries = _entries(found, part, invoice, before, value, verdict)
        if entries:
            suffix = ":assigned" if before else ""
            await self._ledger.post(
                tx,
                key=_key(found, part.position) + suffix,
                kind="deposit",
                entries=entries,
                description=f"Receipt {receipt_id} for invoice {invoice.id}",
            )
        note = None if verdict.outcome == "exact" else verdict.outcome
        await invoices.note_receipt(tx.conn, invoice.id, cents=value, note=note)
        self._tell(case, part, invoice, receipt_id, value, verdict)
        if verdict.fulfils:
            topup = invoice.item_kind == "topup"
            wallet = user_account(invoice.user_id, WALLET)
            payer = [] if topup else [Entry(wallet, -invoice.total_cents)]
            paid = invoice.total_cents - verdict.forgiven
            await self._fulfilment.pay(tx, invoice, payer=payer, paid_cents=paid, method=terms.method)
        elif invoice.state == "open" and value:
            await invoices.choose_quote(tx.conn, invoice.id, None)  # the rest needs another amount

    async def _receipt(
        self,
        case: Case,
        part: Part,
        invoice: Invoice,
        before: Receipt | None,
        terms: Terms,
        *,
        value: int,
        outcome: str,
    ) -> int:
        facts = {
            "usd_cents": value,
            "rate": terms.rate,
            "state": "credited",
            "outcome": outcome,
            "assigned_by": terms.assigned_by,
            "invoice_id": invoice.id,
            "user_id": invoice.user_id,
            "credited_at": case.tx.now,
        }
        if before is not None:
            if not await money.credit_receipt(case.tx.conn, before.id, **facts):
                raise RuntimeError("a held receipt left suspense")
            return before.id
        return await money.add_receipt(
            case.tx.conn,
            network=case.found.network,
            hash=case.found.hash,
            position=part.position,
            asset=part.asset,
            amount_raw=part.amount,
            block=case.found.block,
            block_time=case.found.block_time,
            seen_at=case.tx.now,
            reference=case.reference,
            **facts,
        )

    def _tell(self, case: Case, part: Part, invoice: Invoice, receipt_id: int, value: int, verdict: Settlement) -> None:
        found = case.found
        case.tx.record(
            DepositConfirmed(
                receipt_id=receipt_id,
                invoice_id=invoice.id,
                user_id=invoice.user_id,
                network=found.network,
                asset=part.asset,
                amount=self._shown(found.network, part.asset, part.amount),
                usd=value,
                to_wallet=verdict.to_wallet,
                outcome=verdict.outcome,
            )
        )

    def _shown(self, network: str, asset: str, raw: int) -> str:
        """With the same digits as the invoice asked for it: people, and staff, compare the two by eye."""
        return plain(shown_amount(raw, scale(self._config, network, asset)))

    def _tolerance(self, network: str, asset: str) -> Decimal:
        rules = self._config.rules
        if network == BANK:
            return min(rules.bank_tolerance, rules.tolerance_cap)
        stable = self._config.asset(network, asset).stable
        return min(rules.stable_tolerance if stable else rules.native_tolerance, rules.tolerance_cap)

    async def _wallet_has(self, tx: Tx, invoice: Invoice, cents: int) -> bool:
        if cents <= 0:
            return True
        balance = await self._ledger.balance(account=user_account(invoice.user_id, WALLET), tx=tx)
        return balance.available >= cents


def _deadline(invoice: Invoice, quote: Quote) -> datetime:
    """Until when a block counts as in time: the quote's end, or the moment its owner cancelled."""
    if invoice.state == "cancelled" and invoice.closed_at is not None:
        return min(quote.expires_at, invoice.closed_at)
    return quote.expires_at


def _key(found: ChainTransaction, position: int) -> str:
    return f"receipt:{found.network}:{found.hash}:{position}"


def _network(found: ChainTransaction, asset: str) -> Account:
    """The house account that dollars come from: of coins the network's, of naira the one that changes them."""
    return house_account("fx") if found.network == BANK else house_account(f"network:{found.network}:{asset}")


def _arrived(found: ChainTransaction, part: Part) -> list[Entry]:
    """Naira are in the books as what they are, beside the dollars they were credited as; coins only as dollars."""
    if found.network != BANK:
        return []
    network = house_account(f"network:{found.network}:{part.asset}", part.asset)
    return [Entry(network, -part.amount), Entry(house_account("fx", part.asset), part.amount)]


def _entries(
    found: ChainTransaction, part: Part, invoice: Invoice, before: Receipt | None, value: int, verdict: Settlement
) -> list[Entry]:
    """Into the wallet: from the network, or out of suspense with what its value has changed since; plus what is
    forgiven."""
    wallet = user_account(invoice.user_id, WALLET)
    booked = before.usd_cents if before else 0
    forgiven = 0 if invoice.item_kind == "topup" else verdict.forgiven
    legs = [
        Entry(_network(found, part.asset), booked - value),
        Entry(house_account("suspense"), -booked),
        Entry(house_account("tolerance"), -forgiven),
        Entry(wallet, value + forgiven),
    ]
    return [leg for leg in legs if leg.amount] + ([] if before else _arrived(found, part))
