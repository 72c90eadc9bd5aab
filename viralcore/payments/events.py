"""What happened to invoices and to money that arrived. Amounts are minor units of USD unless named otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceOpened(Event):
    NAME: ClassVar[str] = "payments.invoice_opened.v1"
    invoice_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositSeen(Event):
    """A transfer for an invoice is on chain and waits for finality."""

    NAME: ClassVar[str] = "payments.deposit_seen.v1"
    invoice_id: int
    user_id: int
    network: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositConfirmed(Event):
    """Money was credited. `usd`: cents; `outcome`: exact | tolerated | shortfall | excess | late."""

    NAME: ClassVar[str] = "payments.deposit_confirmed.v1"
    receipt_id: int
    invoice_id: int
    user_id: int
    network: str
    asset: str
    amount: str
    usd: int
    to_wallet: int
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePaid(Event):
    """The invoice is fulfilled and its grants are posted. `paid_cents`: money that pays commission (no bonus money)."""

    NAME: ClassVar[str] = "payments.invoice_paid.v1"
    invoice_id: int
    user_id: int
    item_kind: str
    item_ref: str
    quantity: int
    total: int
    paid_cents: int
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceClosedUnpaid(Event):
    """Expired or cancelled. `state`: expired | cancelled."""

    NAME: ClassVar[str] = "payments.invoice_closed_unpaid.v1"
    invoice_id: int
    user_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDecided(Event):
    """A pasted hash was judged (or is still being checked, with a new reason). See api.ClaimView for the words."""

    NAME: ClassVar[str] = "payments.claim_decided.v1"
    claim_id: int
    invoice_id: int | None
    user_id: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMoved(Event):
    """A pasted hash turned out to be of another network than it was looked for on. `network`, `hash`: the former."""

    NAME: ClassVar[str] = "payments.claim_moved.v1"
    claim_id: int
    user_id: int
    network: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayMoney(Event):
    """Money arrived that nobody's invoice explains; it is in suspense and finance must look. `reference`: what a bank
    transfer named; `reason`: unknown_reference | currency | too_old, of a bank transfer."""

    NAME: ClassVar[str] = "payments.stray_money.v1"
    receipt_id: int
    network: str
    asset: str
    amount: str
    hash: str
    user_id: int | None
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDecided(Event):
    """The bank gave an account for a quote, or did not. `state`: open | failed."""

    NAME: ClassVar[str] = "payments.account_decided.v1"
    charge_id: int
    invoice_id: int
    user_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BankTrouble(Event):
    """Staff must look at our account at the bank. `what`: config | refused | unconfirmed; `detail`: its own words."""

    NAME: ClassVar[str] = "payments.bank_trouble.v1"
    what: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSubmitted(Event):
    """A photo of a bank receipt waits for finance."""

    NAME: ClassVar[str] = "payments.proof_submitted.v1"
    proof_id: int
    invoice_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofDecided(Event):
    """Finance decided. `state`: approved | rejected."""

    NAME: ClassVar[str] = "payments.proof_decided.v1"
    proof_id: int
    invoice_id: int
    user_id: int
    actor: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferReported(Event):
    """Flutterwave said something of a transfer of ours (a payout). Only a reason to ask its API."""

    NAME: ClassVar[str] = "payments.transfer_reported.v1"
    reference: str
    transfer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayNeedsOwner(Event):
    """Stray money that owners should know of, told once. `why`: large | old. `usd`: cents it was booked as."""

    NAME: ClassVar[str] = "payments.stray_needs_owner.v1"
    receipt_id: int
    network: str
    asset: str
    amount: str
    hash: str
    usd: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptAssigned(Event):
    """Finance gave stray money to somebody. With an invoice, DepositConfirmed tells what it did there; without one all
    of it is in the wallet. `usd`: cents; `actor`: who decided."""

    NAME: ClassVar[str] = "payments.receipt_assigned.v1"
    receipt_id: int
    user_id: int
    invoice_id: int | None
    network: str
    asset: str
    amount: str
    usd: int
    actor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundIssued(Event):
    """Money of a paid invoice went back. All sums in cents. `to_wallet` + `to_bonus` = `cents`; `to_wallet` is the part
    that had paid commission. `credits`: taken back. `refunded`: all that went back of this invoice, this included, of
    `paid` (no forgiven part)."""

    NAME: ClassVar[str] = "payments.refund_issued.v1"
    refund_id: int
    invoice_id: int
    user_id: int
    cents: int
    to_wallet: int
    to_bonus: int
    credits: int
    credit_asset: str
    refunded: int
    paid: int
    kind: str
    actor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesStopped(Event):
    """Quotes for a coin, or in naira, stopped (`reason`: diverged | stale | depegged) or came back (reason ``ok``)."""

    NAME: ClassVar[str] = "payments.prices_stopped.v1"
    coin: str
    reason: str
