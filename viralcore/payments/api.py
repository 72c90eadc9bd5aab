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
ProofState = Literal["waiting", "approved", "rejected"]
AccountState = Literal["asking", "open", "failed", "manual"]


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
    """A way to pay that is offered now. `code`: ``bsc:USDT``, ``bsc:BNB``, ``wallet``; ``bank:NGN`` (an account made
    for this payment) or ``bank:manual`` (the shop's own, with a photo of the receipt)."""

    code: str
    network: str  # "bsc", "bank"; "" for the wallet
    asset: str  # "USDT", "BNB", "NGN"; "USD" for the wallet


@dataclass(frozen=True, slots=True)
class ProofView:
    """A photo of a bank receipt. `amount`: naira asked for; `file_id`: Telegram's; `reason`: why it was rejected."""

    id: int
    invoice_id: int
    user_id: int
    amount: Decimal
    usd: Money
    file_id: str
    state: ProofState
    reason: str
    actor: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccountView:
    """Where to transfer naira. ``asking``: the bank is being asked for an account. ``failed``: it gave none, `reason`:
    down (could not be reached), silent (did not answer), refused, config (does not accept us), closed (the invoice
    ended before), expired (it takes no more money). ``manual``: the shop's own account; `reference` is to be written
    into the transfer, `proof` is the latest photo.

    `looking`: the payer said they have paid, not long ago.
    """

    state: AccountState
    reason: str = ""
    number: str = ""
    bank: str = ""
    name: str = ""
    reference: str = ""
    looking: bool = False
    proof: ProofView | None = None


@dataclass(frozen=True, slots=True)
class QuoteView:
    """Locked until the invoice expires. `amount` whole coins with the unique tail; `address` as to be copied.

    By bank: `amount` is the naira to transfer, to the kobo, `address` is empty and `account` says where to.
    """

    method: str
    network: str
    asset: str
    amount: Decimal
    address: str
    rate: Decimal  # USD per coin
    expires_at: datetime
    account: AccountView | None = None


@dataclass(frozen=True, slots=True)
class ReceiptView:
    id: int
    network: str
    hash: str  # of a bank transfer: its id at Flutterwave, or "manual:<n>"
    position: int
    asset: str
    amount: Decimal  # whole coins
    usd: Money | None  # what it was booked as, credited or in suspense: at the locked or the booking moment's rate
    state: Literal["credited", "suspense"]
    invoice_id: int | None
    user_id: int | None
    seen_at: datetime
    reference: str = ""  # by bank: ours, or the foreign one it named


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
    notes: tuple[str, ...] = ()  # machine words, in order: "shortfall", "tolerated", "excess", "late"
    rest: Money | None = None  # while open and partly paid: what is still to be paid, if the wallet keeps its part


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


class InvoiceClosed(DomainError):
    """Fields: invoice_id, state."""

    code = "payments.invoice_closed"


class TooManyInvoices(DomainError):
    """Already `limit` open; the person chooses which to cancel. Fields: limit, open (tuple of invoice ids)."""

    code = "payments.too_many_invoices"


class MethodUnavailable(DomainError):
    """Fields: method, reason: ``price`` (no price to trust now), ``rate`` (the same of naira), ``switched_off``,
    ``no_address``, ``starting`` (the chain has not been read yet), ``topup`` (a top-up cannot be paid from the wallet),
    ``unknown``."""

    code = "payments.method_unavailable"


class BadHash(DomainError):
    """Not a transaction hash of a network we know. Fields: reason: ``garbage``, ``other_network``, ``address``, or
    ``too_many`` (this person has too many hashes being checked)."""

    code = "payments.bad_hash"


class NoProofWanted(DomainError):
    """Nothing is being paid by hand there, or its receipt was accepted. Fields: invoice_id."""

    code = "payments.no_proof_wanted"


class ProofClosed(DomainError):
    """Somebody has decided on this photo already. Fields: proof_id, state."""

    code = "payments.proof_closed"


class OwnReceipt(DomainError):
    """Nobody approves money for themselves. Fields: proof_id."""

    code = "payments.own_receipt"


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

    async def look_for_transfer(self, *, key: str, user_id: int, invoice_id: int) -> InvoiceView:
        """The payer says that a bank transfer is made: ask about its accounts now, and often for a while. Raises
        NotFound."""
        ...

    async def submit_proof(self, *, key: str, user_id: int, invoice_id: int, file_id: str) -> ProofView:
        """A photo of the receipt of a transfer to the shop's own account; while one waits, that one. Raises NotFound,
        NoProofWanted."""
        ...

    async def get_proof(self, *, proof_id: int) -> ProofView:
        """Raises NotFound."""
        ...

    async def approve_proof(self, *, key: str, actor: int, proof_id: int) -> ProofView:
        """Staff saw the money: credit what was asked for, once. Right ``payments.assign``. Raises NotFound,
        ProofClosed, OwnReceipt, MethodUnavailable (it is late, and there is no rate to value it at now), users
        NotAllowed, SessionExpired."""
        ...

    async def reject_proof(self, *, key: str, actor: int, proof_id: int, reason: str) -> ProofView:
        """The payer is told `reason`. Right and errors as `approve_proof`."""
        ...

    async def get_invoice(self, *, user_id: int, invoice_id: int) -> InvoiceView:
        """Raises NotFound."""
        ...

    async def invoices(
        self, *, user_id: int, open_only: bool = False, before_id: int | None = None, limit: int = 20
    ) -> tuple[InvoiceView, ...]: ...

    async def get_claim(self, *, user_id: int, claim_id: int) -> ClaimView: ...

    async def receipts(self, *, after_id: int = 0, limit: int = 500) -> tuple[ReceiptView, ...]:
        """Every transfer judged so far, oldest first: for reconciliation and the sandbox's check."""
        ...
