"""The states of everything that holds money here, who may move them, and what a crash leaves behind.

INVOICE     who moves it
  open      -> paid       the crediting transaction (a transfer, or the wallet), holding the row
            -> expired    the invoices job, guarded by ``expires_at``
            -> cancelled  its owner
  expired   -> paid       the crediting transaction: money sent in time and seen late, or late money that still
  covers it cancelled, paid         final. Money that still comes for them goes to the owner's wallet.

SIGHTING    a transaction of a chain with money for us, by (network, hash): the watcher's list, the verifier's lock
  -         -> seen       the watcher, from a block that is not final (only tells the payer)
  -, seen   -> found      the watcher, in the transaction that moves its cursor over the block
  -, found  -> judged     the crediting transaction, which holds the row: only it writes receipts, and only once

RECEIPT     money of one sighting at one position, by (network, hash, position): written in the crediting transaction
  credited                to a user's wallet, and from there to the invoice it explains. Final.
  suspense  -> credited   the crediting transaction, once a pasted hash explains it; or finance (see finance.py, which
                          also says what refunds do)

CLAIM       a hash a person pasted, by (network, hash, user)
  checking  -> credited | refused | suspense   the crediting transaction
            -> not_found                       the verifier, after long enough and two nodes that do not know it
  not_found, refused, suspense -> checking     its owner pastes it again
  checking on one network -> on another          the verifier, when only another one knows that hash

CHARGE      an account asked of the bank for one quote, under a reference of ours
  requested -> open       the outcome of its effect: it has a number, and is asked about until a day after its invoice
            -> failed     the outcome: refused, not sent, silence, or the invoice ended first. Nobody saw a number; the
  payer asks for another, which is another charge. Both final, and about numbers only: money that names the reference
  is credited in every state.

WEBHOOK     a body Flutterwave signed, by (event, id, status): stored as it came, then only a reason to ask the API
RECEIPT     of a bank transfer: (bank, the API's id, 0), or (bank, manual:<quote>, 0). Same states, same transaction

PROOF       a photo of the receipt of a transfer to the shop's own account, for one quote
  waiting   -> approved   staff: the receipt is written and credited in the same transaction
            -> rejected   staff, with a reason; the payer may send another

Nothing outside is asked before it is written down what for: a claim and its effect commit before a node is asked
about the hash; a quote asks nobody, its price was stored by the price job; the watcher asks for blocks after a
cursor that is stored; a charge and its reference commit before the bank is asked for an account.

If the process dies
  after a claim is stored            its effect is there and runs when the process is back
  after a node answered              nothing was written: the node is asked again
  inside the crediting transaction   nothing of it exists: sighting, receipts, postings, invoice, claims and events
  are one after it, before the effect ended  the effect runs again, finds the sighting judged and the claim decided,
  and ends after blocks were read             the cursor has not moved: they are read again; found rows are unique
  after the cursor moved             the found rows committed with it and are judged by the next run
  between price fetch and store      fetched again
  after a charge is stored           its effect is there and asks the bank when the process is back
  after the bank gave an account, before it is recorded   the call counts as silence: failed, "try again". The number
  was shown to nobody; should money name the reference all the same, it is credited
  after a webhook's body is stored, before it is in the inbox   it was not answered: it comes again, or polling finds
  the payment
  after it is in the inbox           it is handled when the process is back; its effect has one key, however often
  after the API was asked            nothing was written: it is asked again
  after the credit, before the effect or the poll is noted   asked again, and found judged
  inside an approval                 nothing of it exists: the photo still waits
Two judges of one transaction (watcher and claim, webhook and poll, two processes) meet at the sighting row: the
second finds it judged. Should that fail, the unique receipt stops the second; should that fail, the ledger's key
``receipt:<network>:<hash>:<position>`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from viralcore.payments.api import ClaimState, InvoiceState
from viralcore.payments.domain.bank import BANK, BY_HAND

SightingState = Literal["seen", "found", "judged"]
ReceiptState = Literal["credited", "suspense"]

INVOICE_MOVES: dict[InvoiceState, frozenset[InvoiceState]] = {
    "open": frozenset({"paid", "expired", "cancelled"}),
    "expired": frozenset({"paid"}),
    "paid": frozenset(),
    "cancelled": frozenset(),
}
CLAIM_MOVES: dict[ClaimState, frozenset[ClaimState]] = {
    "checking": frozenset({"credited", "refused", "suspense", "not_found"}),
    "not_found": frozenset({"checking", "credited", "refused", "suspense"}),
    "suspense": frozenset({"checking", "credited", "refused"}),
    "refused": frozenset({"checking"}),
    "credited": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Invoice:
    """A row of payments.invoices."""

    id: int
    user_id: int
    item_kind: Literal["credits", "goods", "topup"]
    item_ref: str
    item_title: str
    item_data: dict[str, Any]
    quantity: int
    unit_price: Decimal
    total_cents: int
    grants: tuple[tuple[str, int, Decimal], ...]
    state: InvoiceState
    created_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    paid_at: datetime | None
    paid_with: str | None
    received_cents: int
    notes: tuple[str, ...]
    quote_id: int | None
    bonus_cents: int = 0  # of what paid it, bonus money
    forgiven_cents: int = 0  # of the total, what nobody paid
    refunded_cents: int = 0  # given back by finance, in money
    given_cents: int = 0  # of the price, what has gone back in all; see finance.py

    def state_at(self, now: datetime) -> InvoiceState:
        """The state as it counts now: an open invoice is expired from its last second, whether or not the job has
        run."""
        return "expired" if self.state == "open" and now >= self.expires_at else self.state


@dataclass(frozen=True, slots=True)
class Quote:
    """A row of payments.quotes: an amount asked for, reserved until `released_at` is set."""

    id: int
    invoice_id: int
    network: str
    asset: str
    amount_raw: int
    rate: Decimal
    due_cents: int
    address: str
    expires_at: datetime

    @property
    def method(self) -> str:
        """Only the shop's own bank account has an address: the others are made for one payment."""
        return BY_HAND if self.network == BANK and self.address else f"{self.network}:{self.asset}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A row of payments.receipts. `usd_cents`: what it was booked as."""

    id: int
    network: str
    hash: str
    position: int
    asset: str
    amount_raw: int
    usd_cents: int
    rate: Decimal
    state: ReceiptState
    invoice_id: int | None
    user_id: int | None
    block_time: datetime
    seen_at: datetime
    block: int = 0
    outcome: str = ""
    credited_at: datetime | None = None
    assigned_by: int | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A row of payments.claims. `round` counts pastes; `opened_at` is the last one.

    `others`: (network, hash) the same text can be elsewhere; asked while this network does not know it.
    """

    id: int
    user_id: int
    network: str
    hash: str
    invoice_id: int | None
    state: ClaimState
    reason: str
    round: int
    checks: int
    created_at: datetime
    opened_at: datetime
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Refund:
    """A row of payments.refunds: always done. `bonus_cents`: of the amount, what went back to bonus money."""

    id: int
    invoice_id: int
    user_id: int
    kind: Literal["full", "partial"]
    amount_cents: int
    bonus_cents: int
    credit_asset: str
    credits: int
    reason: str
    by: int
    created_at: datetime
