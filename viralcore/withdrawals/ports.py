"""What withdrawals needs from outside: somebody who pays naira into bank accounts and says what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

from viralcore.core.money import Money
from viralcore.withdrawals.api import Source

TransferStatus = Literal["new", "pending", "successful", "failed"]
Why = Literal["passing", "account", "final", "config"]
"""Why money was not sent. passing: our balance, or trouble of a bank or a network; another attempt may go through.
account: this account takes no money. final: this transfer will never be made, whoever is paid. config: the provider
does not serve us (key, addresses, approval); every other transfer fails in the same way until staff have seen to it."""


class PayoutsDown(Exception):
    """A question had no usable answer. Says nothing about any transfer. `reason`: a machine word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class BankRow:
    """One row of the provider's list. `id` is the row's own: codes repeat. `code`: as it is sent, without blanks."""

    id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The account exists. `name`: its holder, as the bank spells it."""

    name: str


@dataclass(frozen=True, slots=True)
class NotResolved:
    """The provider answered that there is no such account. `words`: its own, for staff and the log."""

    words: str


@dataclass(frozen=True, slots=True)
class Queued:
    """Accepted, which is not paid: what becomes of it is read later. `fee`: what it costs us, rounded up to the kobo;
    None where the answer names none."""

    provider_id: str
    status: TransferStatus
    fee: Money | None


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider said no and made no transfer. `words`: its own, for staff."""

    why: Why
    words: str


@dataclass(frozen=True, slots=True)
class DuplicateReference:
    """A transfer with this reference exists: ours, when an answer was lost. Look it up, compare, adopt; never pay."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Proven: nothing reached the provider, or it turned the question away unread (too many). The same reference may
    be sent again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody knows whether it was accepted (time-out, 5xx, an answer that is not theirs). Only `by_reference` may
    tell; the reference stays the one that was sent."""

    reason: str


SendOutcome = Queued | Declined | DuplicateReference | NotSent | Silent


@dataclass(frozen=True, slots=True)
class TransferRecord:
    """A transfer as the provider's book has it.

    `status`: new and pending are under way. `complete_message`: its own words about the end, empty until then. `why`:
    what these words mean of a failed one; None when it has not failed, or when the words are not known, which is for
    staff to read. `fee`: rounded up to the kobo. `account_number` is not printed: show `account_last4`.
    """

    id: str
    reference: str
    status: TransferStatus
    amount: Money
    fee: Money | None
    bank_code: str
    account_number: str = field(repr=False)
    complete_message: str
    why: Why | None
    created_at: datetime | None
    waits_for_approval: bool = False  # in the provider's dashboard, by a person of ours

    @property
    def currency(self) -> str:
        return self.amount.asset

    @property
    def account_last4(self) -> str:
        return self.account_number[-4:]

    def is_for(self, *, account_number: str, bank_code: str, amount: Money) -> bool:
        """Whether it pays what we meant to pay to whom we meant. What is not, is nobody's to adopt."""
        same_account = self.account_number == account_number and self.bank_code == bank_code
        return same_account and self.amount == amount


@dataclass(frozen=True, slots=True)
class TransferPage:
    """One page of the provider's book, newest first. `pages`: how many there are, 0 when it holds nothing."""

    records: tuple[TransferRecord, ...]
    page: int
    pages: int
    unread: int = 0  # rows without what a record needs (another currency's shape): reconciliation tells them


@dataclass(frozen=True, slots=True)
class Balance:
    """`available` pays transfers; `ledger` is collected and not settled yet."""

    available: Money
    ledger: Money


class Payouts(Protocol):
    """Pays out. Every question may raise PayoutsDown; `send` never raises for what the provider or the network does.

    No method may be called while a transaction is open.
    """

    def slot(self) -> AbstractAsyncContextManager[object]:
        """Wait for pace and parallelism and hold the place, before an attempt is claimed. Raises PayoutsDown when the
        provider's breaker is open."""
        ...

    async def banks(self) -> tuple[BankRow, ...]:
        """All banks of Nigeria, about 600, as they come: doubles included. `domain.banks` makes sense of them."""
        ...

    async def resolve(self, *, bank_code: str, account_number: str) -> Resolved | NotResolved:
        """Whose account it is."""
        ...

    async def fee(self, amount: Money) -> Money:
        """What sending `amount` to a bank account costs us now, rounded up to the kobo."""
        ...

    async def send(
        self, *, reference: str, bank_code: str, account_number: str, name: str, amount: Money, narration: str
    ) -> SendOutcome:
        """Pay once. `reference` is stored before and never used for anything else. `name`: as it was resolved."""
        ...

    async def by_reference(self, reference: str) -> tuple[TransferRecord, ...]:
        """Transfers under this reference, newest first; empty when the provider knows none (yet)."""
        ...

    async def by_id(self, provider_id: str) -> TransferRecord | None:
        """One transfer; None when there is none with this id."""
        ...

    async def page(self, *, since: date, until: date, page: int) -> TransferPage:
        """All transfers created on these days (both included, the provider's days: UTC), page 1 first."""
        ...

    async def balance(self, currency: str) -> Balance:
        """What we have there."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a person's earnings came from. `tied`: who of those that were asked about referred them, or was referred by
    them. `earned`, `reversed`: in minor units of the balance's asset, all they ever earned and what was taken back."""

    tied: frozenset[int]
    earned: int
    reversed: int


class Origins(Protocol):
    """Tells risk rules about referrals and reply work. Reads only, and as an open transaction sees it."""

    async def origin(self, *, user_id: int, source: Source, sharing: Sequence[int]) -> Origin:
        """`sharing`: people who gave the same bank account."""
        ...


class NoOrigins:
    """Nothing is known of anybody."""

    async def origin(self, *, user_id: int, source: Source, sharing: Sequence[int]) -> Origin:
        return Origin(frozenset(), 0, 0)
