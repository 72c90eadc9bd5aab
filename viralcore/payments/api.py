"""The door of payments: invoices, quotes, receipts. Money arrives here and nowhere else.

Units: USD amounts are Money; coin amounts due are plain Decimals in whole coins, exact to the quote's decimals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

from viralcore.core.db import Tx
from viralcore.core.errors import DomainError
from viralcore.core.money import Money

_PURCHASE = re.compile(r"invoice:(?P<sold>[0-9]{1,18}):paid|return:[a-z]+:[0-9]{1,18}:invoice:(?P<back>[0-9]{1,18})")
InvoiceState = Literal["open", "paid", "expired", "cancelled"]
ClaimState = Literal["checking", "credited", "not_found", "refused", "suspense"]
ReceiptFilter = Literal["all", "suspense", "late", "excess"]
ProofState = Literal["waiting", "approved", "rejected"]
AccountState = Literal["asking", "open", "failed", "manual"]


def purchase_key(invoice_id: int) -> str:
    """The posting in the ledger that is the purchase of an invoice; `invoice_of` reads it."""
    return f"invoice:{invoice_id}:paid"


def invoice_of(posting_key: str) -> int | None:
    """The invoice whose purchase a posting in the ledger is, or whose credits it gives back (its key ends with
    ``:invoice:<id>`` then); None when it is something else, or does not say."""
    found = _PURCHASE.fullmatch(posting_key)
    return int(found["sold"] or found["back"]) if found else None


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
    due: Money | None = None  # what it asks for; less than the total when a part came before
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
    rate: Decimal = Decimal(0)  # USD per coin, as booked
    block_time: datetime | None = None
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
    notes: tuple[
        str, ...
    ] = ()  # machine words, in order: "seen" (on its way), "shortfall", "tolerated", "excess", "late"
    rest: Money | None = (
        None  # while open, once money came: what is to be paid beside what of it still is in the wallet
    )
    refunded: Money | None = None  # of what was paid, given back so far; None: nothing


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
class CandidateView:
    """An invoice, open or closed for less than a day, that was asked to be paid with about this amount of the same
    asset. `asked`: whole coins."""

    invoice_id: int
    user_id: int
    item: Item
    quantity: int
    total: Money
    state: InvoiceState
    asked: Decimal


@dataclass(frozen=True, slots=True)
class StaffReceiptView:
    """A receipt as finance sees it. `outcome`: exact | tolerated | shortfall | excess | late | assigned (to a wallet) |
    stray. `assigned_by`: who in finance decided; None: the hash or the amount did."""

    receipt: ReceiptView
    outcome: str
    block_time: datetime
    credited_at: datetime | None
    assigned_by: int | None
    pasted_by: tuple[int, ...]  # users, first comers first
    candidates: tuple[CandidateView, ...] = ()  # nearest first; of a single stray receipt only


@dataclass(frozen=True, slots=True)
class RefundView:
    """`kind`: full when nothing of what was paid is left after it. `credits` of `credit_asset` were taken back."""

    id: int
    invoice_id: int
    user_id: int
    kind: Literal["full", "partial"]
    amount: Money
    to_wallet: Money
    to_bonus: Money
    credits: int
    credit_asset: str
    reason: str
    by: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """What a refund would do at this moment. `refunded`: before it; `most`: what can be given back now; `left`: what of
    the payment was not given back, credits in use included."""

    invoice_id: int
    user_id: int
    amount: Money
    to_wallet: Money
    to_bonus: Money
    credits: int
    refunded: Money
    most: Money
    left: Money
    kind: Literal["full", "partial"]


@dataclass(frozen=True, slots=True)
class StaffInvoiceView:
    """An invoice as finance sees it. `paid`: by the person, nothing forgiven; `bonus`: of that, bonus money. `most`:
    what can be given back now; `problem`: why nothing can (see NotRefundable), empty when something can. `unused`:
    credits that a refund could take back. `elsewhere`: given back by orders that did not deliver all; `left`: of
    `paid`, what has not gone back by either way."""

    invoice: InvoiceView
    paid: Money
    bonus: Money
    most: Money
    problem: str
    credits: int
    unused: int
    refunds: tuple[RefundView, ...]
    receipts: tuple[ReceiptView, ...]
    elsewhere: Money
    left: Money


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
    """Fields: method, reason: ``price`` (no price to trust now), ``rate`` (the same of naira), ``switched_off``,
    ``no_address``, ``starting`` (the chain has not been read yet), ``topup`` (a top-up cannot be paid from the wallet),
    ``unknown``."""

    code = "payments.method_unavailable"


class BadAmount(DomainError):
    """Outside what a top-up may be. Fields: minimum, maximum (cents)."""

    code = "payments.bad_amount"


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


class ReceiptTaken(DomainError):
    """This money has an owner already: somebody was faster, or its hash explained it. Fields: receipt_id, user_id,
    invoice_id (None: a wallet), by (who in finance; None: nobody)."""

    code = "payments.receipt_taken"


class CannotAssign(DomainError):
    """Fields: receipt_id, reason: ``price`` (no price to trust now), ``dust`` (worth less than a cent)."""

    code = "payments.cannot_assign"


class NotRefundable(DomainError):
    """Fields: invoice_id, reason: ``unpaid``, ``topup`` (its money is in the wallet), ``goods`` (what their order does
    not deliver goes back when it ends), ``bundle`` (credits of several kinds), ``nothing`` (all was given back),
    ``used`` (all credits that are left are in use)."""

    code = "payments.not_refundable"


class RefundTooMuch(DomainError):
    """Fields, in cents: invoice_id, asked, most (what can be given back now), left (what was paid and not given back;
    more than `most` when credits are in use)."""

    code = "payments.refund_too_much"


class RefundChanged(DomainError):
    """The invoice is not as the decider saw it: somebody refunded it, or its credits were used. Fields: invoice_id,
    refunded (cents)."""

    code = "payments.refund_changed"


class Finance(Protocol):
    """What finance does with money. Whoever only looks is let in by the caller; what moves money checks the right
    itself and wants an open staff session, and nobody decides about their own money (users NotYourself).

    `reason` is never empty; it goes to the audit log.
    """

    async def strays(self, *, after_id: int = 0, limit: int = 20) -> tuple[StaffReceiptView, ...]:
        """Money in suspense, oldest first."""
        ...

    async def stray_count(self) -> int: ...

    async def list_receipts(
        self, *, which: ReceiptFilter = "all", before_id: int | None = None, limit: int = 20
    ) -> tuple[StaffReceiptView, ...]:
        """Newest first."""
        ...

    async def receipt(self, *, receipt_id: int) -> StaffReceiptView:
        """With its candidates while it is stray. Raises NotFound."""
        ...

    async def invoice(self, *, invoice_id: int) -> StaffInvoiceView:
        """Anybody's. Raises NotFound."""
        ...

    async def assign_to_invoice(
        self, *, key: str, actor: int, receipt_id: int, invoice_id: int, reason: str
    ) -> StaffReceiptView:
        """Stray money is for this invoice: credited at the rate of this moment, and judged as late money is. Right
        ``payments.assign``. Raises NotFound, ReceiptTaken, CannotAssign; users NotAllowed, SessionExpired, Blocked,
        NotYourself."""
        ...

    async def assign_to_wallet(
        self, *, key: str, actor: int, receipt_id: int, user_id: int, reason: str
    ) -> StaffReceiptView:
        """Stray money is this person's: all of it goes to the wallet. Raises as `assign_to_invoice`."""
        ...

    async def plan_refund(self, *, invoice_id: int, amount: Money) -> RefundPlan:
        """What a refund of USD `amount` would do now; nothing is changed. Raises NotFound, NotRefundable,
        RefundTooMuch."""
        ...

    async def refund(
        self, *, key: str, actor: int, invoice_id: int, amount: Money, seen: Money, reason: str
    ) -> RefundView:
        """Give `amount` back, to the wallet and, in the share it had, to bonus money. `seen`: what was refunded before,
        as the decider saw it. Right ``refunds``. Raises NotFound, NotRefundable, RefundTooMuch, RefundChanged; users as
        `assign_to_invoice`."""
        ...

    async def get_refund(self, *, refund_id: int) -> RefundView:
        """Raises NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class Back:
    """Something sold that was not delivered: `cents` of its price go back. `key`: of the posting. `invoice_id`: what it
    was bought with; None: no purchase is known, and it goes back as bonus money."""

    key: str
    invoice_id: int | None
    cents: int
    description: str


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """What became of a `Back`, in cents: `wallet` (it had paid commission) and `bonus` are there, `unpaid` nobody had
    paid (it was forgiven), or it is more than the price."""

    wallet: int = 0
    bonus: int = 0
    unpaid: int = 0

    @property
    def cents(self) -> int:
        """What came back."""
        return self.wallet + self.bonus

    def __add__(self, other: MoneyBack) -> MoneyBack:
        return MoneyBack(self.wallet + other.wallet, self.bonus + other.bonus, self.unpaid + other.unpaid)


class Payments(Protocol):
    @property
    def finance(self) -> Finance:
        """The part of the door that is for staff."""
        ...

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

    async def give_back(self, tx: Tx, *, key: str, user_id: int, backs: Sequence[Back]) -> tuple[MoneyBack, ...]:
        """What was sold and not delivered goes back to where its money came from, in the order given: never more of
        wallet or bonus money than the invoice took, and exactly that when all of its price has gone back. The rule:
        domain/finance.py. Holds the invoices' rows; the caller's own rows are held before."""
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

    async def count_open_invoices(self, *, user_id: int) -> int:
        """How many invoices of a person are open at this moment. Cheap: many people's questions are one statement."""
        ...

    async def receipts_of(self, *, user_id: int, invoice_id: int) -> tuple[ReceiptView, ...]:
        """What was credited for an invoice, in the order it came. Raises NotFound."""
        ...

    async def ending(self, *, moments: Sequence[tuple[datetime, datetime]], limit: int = 500) -> tuple[EndingView, ...]:
        """Open invoices that expire after the first and not after the second of any of these pairs; the next to expire
        come first."""
        ...

    async def get_claim(self, *, user_id: int, claim_id: int) -> ClaimView: ...

    async def naira_per_usd(self) -> Decimal | None:
        """The live rate, nothing added; None while there is none to trust. Inside a transaction, as it sees it."""
        ...

    async def receipts(self, *, after_id: int = 0, limit: int = 500) -> tuple[ReceiptView, ...]:
        """Every transfer judged so far, oldest first: for reconciliation and the sandbox's check."""
        ...
