"""The door of payments: invoices, quotes, receipts. Money arrives here and nowhere else.

Units: USD amounts are Money; coin amounts due are plain Decimals in whole coins, exact to the quote's decimals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

from viralcore.core.db import Tx
from viralcore.core.errors import DomainError
from viralcore.core.money import Money

InvoiceState = Literal["open", "paid", "expired", "cancelled"]
ClaimState = Literal["checking", "credited", "not_found", "refused", "suspense"]


@dataclass(frozen=True, slots=True)
class Item:
    """What an invoice sells. `kind`: credits | goods | topup. `ref`: plan id (``t3``). `title`: as advertised."""

    kind: Literal["credits", "goods", "topup"]
    ref: str
    title: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grant:
    """Credits given with the crediting posting. `unit_cost` USD paid for one."""

    asset: str
    quantity: int
    unit_cost: Decimal


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay that is offered now. `code`: ``bsc:USDT``, ``bsc:BNB``, ``wallet``."""

    code: str
    network: str  # "bsc"; "" for the wallet
    asset: str  # "USDT", "BNB"; "USD" for the wallet


@dataclass(frozen=True, slots=True)
class QuoteView:
    """Locked until the invoice expires. `amount` whole coins with the unique tail; `address` as to be copied."""

    method: str
    network: str
    asset: str
    amount: Decimal
    address: str
    rate: Decimal  # USD per coin
    expires_at: datetime
    due: Money | None = None  # what it asks for; less than the total when a part came before


@dataclass(frozen=True, slots=True)
class ReceiptView:
    id: int
    network: str
    hash: str
    position: int
    asset: str
    amount: Decimal  # whole coins
    usd: Money | None  # what it was booked as, credited or in suspense: at the locked or the booking moment's rate
    state: Literal["credited", "suspense"]
    invoice_id: int | None
    user_id: int | None
    seen_at: datetime
    rate: Decimal = Decimal(0)  # USD per coin, as booked
    block_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class InvoiceView:
    id: int
    user_id: int
    item: Item
    quantity: int
    unit_price: Decimal
    total: Money
    state: InvoiceState
    created_at: datetime
    expires_at: datetime
    quote: QuoteView | None
    paid_at: datetime | None
    paid_with: str | None  # method code
    received: Money  # USD value received for it so far
    claim: ClaimView | None = None  # the latest pasted hash
    notes: tuple[
        str, ...
    ] = ()  # machine words, in order: "seen" (on its way), "shortfall", "tolerated", "excess", "late"
    rest: Money | None = (
        None  # while open, once money came: what is to be paid beside what of it still is in the wallet
    )


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A pasted hash. `reason`: a machine word, empty before the first look and once credited.

    ``checking``: unknown_tx (no node knows it yet), not_final, node_down, price (it is here, its value is not known
    yet).
    ``not_found``: unknown_tx or node_down.
    ``refused``: failed, wrong_token, wrong_recipient, self_transfer, zero, internal (a contract ran; coins it may have
    sent us cannot be seen: support looks), too_old (from before the shop), used (it paid somebody else's invoice).
    ``suspense`` (the money is here, finance looks at it): ambiguous (fits more than one invoice, or another's),
    no_invoice (fits none), too_old (older than the invoice), dust (worth less than a cent).
    """

    id: int
    invoice_id: int | None
    network: str
    hash: str
    state: ClaimState
    reason: str
    credited: Money | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class WalletOffer:
    """What settings allow and suggest. `presets`: amounts of a top-up; `shares`: percent of the affiliate balance."""

    minimum: Money
    maximum: Money
    presets: tuple[Money, ...]
    shares: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EndingView:
    """An open invoice whose time is running out."""

    invoice_id: int
    user_id: int
    expires_at: datetime


class InvoiceClosed(DomainError):
    """Fields: invoice_id, state."""

    code = "payments.invoice_closed"


class TooManyInvoices(DomainError):
    """Already `limit` open; the person chooses which to cancel. Fields: limit, open (tuple of invoice ids)."""

    code = "payments.too_many_invoices"


class MethodUnavailable(DomainError):
    """Fields: method, reason: ``price`` (no price to trust now), ``switched_off``, ``no_address``, ``starting`` (the
    chain has not been read yet), ``topup`` (a top-up cannot be paid from the wallet), ``unknown``."""

    code = "payments.method_unavailable"


class BadAmount(DomainError):
    """Outside what a top-up may be. Fields: minimum, maximum (cents)."""

    code = "payments.bad_amount"


class BadHash(DomainError):
    """Not a transaction hash of a network we know. Fields: reason: ``garbage``, ``other_network``, ``address``, or
    ``too_many`` (this person has too many hashes being checked)."""

    code = "payments.bad_hash"


class HashUsed(DomainError):
    """This transaction was credited before. Fields: yours (bool), invoice_id (when yours)."""

    code = "payments.hash_used"


class Payments(Protocol):
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
        """total = quantity x unit_price rounded up to the cent. Raises TooManyInvoices."""
        ...

    def wallet_offer(self) -> WalletOffer:
        """The amounts a top-up may have, and what is offered as buttons."""
        ...

    async def open_topup(self, *, key: str, user_id: int, amount: Money) -> InvoiceView:
        """An invoice of kind ``topup``. Any amount that arrives for it fulfils it and is in the wallet. Raises
        BadAmount, TooManyInvoices, users Blocked."""
        ...

    async def move_to_wallet(self, *, key: str, user_id: int, amount: Money) -> Money:
        """From the affiliate balance to the bonus part of the wallet (spent first, pays no commission), in one posting;
        returns what was moved. Raises BadAmount (not above zero), ledger InsufficientFunds, users Blocked."""
        ...

    async def methods(self) -> tuple[Method, ...]:
        """Ways to pay that are switched on and have an address and a usable price now."""
        ...

    async def choose_method(self, *, key: str, user_id: int, invoice_id: int, method: str) -> InvoiceView:
        """Lock a quote from cached prices; waits for no provider. The same method again is the same quote.
        Raises NotFound, InvoiceClosed, MethodUnavailable."""
        ...

    async def pay_from_wallet(self, *, key: str, user_id: int, invoice_id: int) -> InvoiceView:
        """Bonus money first, then the wallet; one posting. Raises ledger InsufficientFunds, InvoiceClosed."""
        ...

    async def cancel_invoice(self, *, key: str, user_id: int, invoice_id: int) -> InvoiceView:
        """Raises InvoiceClosed when paid. Money that still arrives is handled as late."""
        ...

    async def submit_hash(self, *, key: str, user_id: int, text: str, invoice_id: int | None = None) -> ClaimView:
        """Store a pasted hash (any spelling, explorer URL) and check it in the background; returns state ``checking``,
        or the earlier claim. Raises BadHash, HashUsed. The outcome is the event ClaimDecided and the claim's state."""
        ...

    async def get_invoice(self, *, user_id: int, invoice_id: int) -> InvoiceView:
        """Raises NotFound."""
        ...

    async def invoices(
        self,
        *,
        user_id: int,
        open_only: bool = False,
        before_id: int | None = None,
        limit: int = 20,
        states: Sequence[InvoiceState] = (),
    ) -> tuple[InvoiceView, ...]:
        """Newest first, keyset-paged by id. `states`: only those, as they count at this moment; empty: all."""
        ...

    async def receipts_of(self, *, user_id: int, invoice_id: int) -> tuple[ReceiptView, ...]:
        """What was credited for an invoice, in the order it came. Raises NotFound."""
        ...

    async def ending(self, *, moments: Sequence[tuple[datetime, datetime]], limit: int = 500) -> tuple[EndingView, ...]:
        """Open invoices that expire after the first and not after the second of any of these pairs; the next to expire
        come first."""
        ...

    async def get_claim(self, *, user_id: int, claim_id: int) -> ClaimView: ...

    async def receipts(self, *, after_id: int = 0, limit: int = 500) -> tuple[ReceiptView, ...]:
        """Every transfer judged so far, oldest first: for reconciliation and the sandbox's check."""
        ...
