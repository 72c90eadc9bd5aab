"""What is stored of a withdrawal, and which way it may go.

    pending -> approved -> processing -> completed | failed
    pending -> rejected | cancelled       processing -> unconfirmed -> completed | failed | processing
    approved | processing -> pending      processing -> approved

Who moves it: pending by its owner, approvers and the clock; approved by the dispatcher (automatic) or by finance
(manual); processing and unconfirmed by what the provider's own record says, or by finance where it says nothing.

Back goes only what is proven never to have left (`attempts.never_sent`; the row is locked, and so is its attempt's):
to pending when its terms are too old or the rate moved too far before anything was sent, and to approved when finance
takes it over to pay it by hand. Its attempt ends as failed in the same transaction, so that the sender, which must note
under the same lock that it is about to send, finds it ended and sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from viralcore.core.money import NGN, USD, Money
from viralcore.withdrawals.api import AttemptState, CheckState, Mode, Source, State

WAYS: Mapping[State, frozenset[State]] = {
    "pending": frozenset({"approved", "rejected", "cancelled"}),
    "approved": frozenset({"processing", "pending"}),
    "processing": frozenset({"completed", "failed", "unconfirmed", "approved", "pending"}),
    "unconfirmed": frozenset({"completed", "failed", "processing"}),
    "completed": frozenset(),
    "failed": frozenset(),
    "rejected": frozenset(),
    "cancelled": frozenset(),
}
"""unconfirmed -> processing: its transfer was found (queued), never arrived and was sent again, or nothing ever
left."""
ASSETS: Mapping[Source, str] = {"affiliate": USD, "wallet": USD, "reply": NGN}
"""A source has the name of its ledger account."""


def may(before: State, after: State) -> bool:
    return after in WAYS[before]


@dataclass(frozen=True, slots=True)
class Terms:
    """What was promised: naira per unit of the source's asset, and what comes of it, in kobo."""

    rate: Decimal
    gross: int
    fee: int

    @property
    def net(self) -> int:
        return self.gross - self.fee


@dataclass(frozen=True, slots=True)
class Account:
    """A bank account of a person. `sealed`: the encrypted number; `print`: equal for equal bank and number."""

    id: int
    user_id: int
    bank_id: int
    bank_code: str
    bank_name: str
    sealed: str
    print: str
    last4: str
    holder: str
    created_at: datetime
    used_at: datetime | None
    forgotten: bool

    @property
    def masked(self) -> str:
        return mask(self.last4)


@dataclass(frozen=True, slots=True)
class Check:
    """A question to the bank. `amount`: minor units of the source's asset."""

    id: int
    user_id: int
    source: Source
    amount: int
    state: CheckState
    reason: str
    rate: Decimal
    gross: int
    fee: int | None
    account_id: int
    holder: str
    withdrawal_id: int | None
    created_at: datetime
    until: datetime

    @property
    def money(self) -> Money:
        return Money(self.amount, ASSETS[self.source])


@dataclass(frozen=True, slots=True)
class Request:
    """A row of withdrawals.requests. `offered`: the new terms its owner is asked to confirm;
    `asked_at`: since when."""

    id: int
    user_id: int
    source: Source
    amount: int
    state: State
    terms: Terms
    terms_at: datetime
    offered: Terms | None
    offered_at: datetime | None
    asked_at: datetime | None
    account_id: int
    hold_id: int
    mode: Mode | None
    needed: int
    score: int
    reason: str
    reference: str
    decided_by: int | None
    round: int
    next_attempt_at: datetime | None
    created_at: datetime
    approved_at: datetime | None
    ended_at: datetime | None

    @property
    def money(self) -> Money:
        return Money(self.amount, ASSETS[self.source])

    @property
    def asset(self) -> str:
        return ASSETS[self.source]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One transfer at the provider, under a reference that no other ever has.

    `missing_since`, `missing_at`: when the provider first and last said that it does not know it; None once any record
    carried its reference, or it was sent again. `seen`: what that record, which is not ours to adopt, says of itself
    (``new`` | ``pending`` | ``successful`` | ``failed``: every one of them); ``exists``: none was shown, but the
    reference was refused as used; ``approval``: ours, and a person has to approve it in the provider's dashboard;
    ``""``: nothing of that kind.
    """

    id: int
    withdrawal_id: int
    n: int
    reference: str
    state: AttemptState
    provider_id: str
    reason: str
    words: str
    fee: int | None
    sends: int
    created_at: datetime
    sent_at: datetime | None
    asked_at: datetime | None
    ask_due: datetime | None
    asks: int
    missing_since: datetime | None
    missing_at: datetime | None
    seen: str
    ended_at: datetime | None

    @property
    def open(self) -> bool:
        return self.state in ("sending", "accepted", "unknown")


def reference(withdrawal_id: int, n: int) -> str:
    """What a transfer is called at the provider. Stored before it is sent, unique for ever."""
    return f"vc-w{withdrawal_id}-a{n}"


def mask(last4: str) -> str:
    return f"******{last4}"
