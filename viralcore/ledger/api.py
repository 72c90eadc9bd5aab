"""The door of the ledger: double-entry postings in USD, NGN and post credits.

Units: `amount` is always minor units (cents, kobo, whole credits) of the account's asset; positive increases the
account as its owner sees it (a user's wallet rises with +, a house account mirrors it with -). Entries of a posting sum
to zero per asset. Every mutating call joins the caller's transaction and takes an idempotency `key`.

Keys are unique over the whole ledger (holds have a space of their own), so prefix them with what they belong to:
``payments.receipt:12``. The same key with the same kind and entries, in the same order, is a replay; the description
and the correlation id may differ.

Within a call accounts are locked in one order. A use case that posts several times in one transaction should use one
`post_many` (check every verdict): two such transactions over the same accounts could otherwise wait for each other, and
Postgres would break one of them (`Database.run` runs it again).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from viralcore.core.db import Tx
from viralcore.core.errors import DomainError

Kind = Literal[
    "deposit",
    "purchase",
    "boost",
    "refund",
    "commission",
    "reply_pay",
    "withdrawal",
    "fee",
    "adjustment",
    "import",
    "transfer",
]
"""transfer: between two accounts of one person."""
WALLET, BONUS, AFFILIATE, REPLY, CREDITS = "wallet", "wallet_bonus", "affiliate", "reply", "credits"


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """`owner`: ``user:<id>`` or ``house``. `name`: for users wallet, wallet_bonus, affiliate, reply, credits; for the
    house revenue, network:<asset> (``bsc:USDT``), fees, fx, suspense, rounding, tolerance, grants, ... `asset`: USD,
    NGN or a credit (``t3``)."""

    owner: str
    name: str
    asset: str


def user_account(user_id: int, name: str, asset: str = "USD") -> Account:
    """A user's account. Cannot go below zero; has a balance row."""
    return Account(f"user:{user_id}", name, asset)


def house_account(name: str, asset: str = "USD") -> Account:
    """An account of the house. No balance row to lock, no floor."""
    return Account("house", name, asset)


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg. `unit_cost`: for credits granted to a user, and only there, the USD price paid for one (0 when granted
    free); opens a lot. `lot`: for credits taken from a user, and only there, the key of the posting whose lot they are
    taken from; None: first-in-first-out over all lots."""

    account: Account
    amount: int
    unit_cost: Decimal | None = None
    lot: str | None = None


@dataclass(frozen=True, slots=True)
class NewPosting:
    key: str
    kind: Kind
    entries: tuple[Entry, ...]
    description: str


@dataclass(frozen=True, slots=True)
class LotUse:
    """Credits taken first-in-first-out from one lot, at the price it was bought for (USD per credit)."""

    quantity: int
    unit_cost: Decimal


@dataclass(frozen=True, slots=True)
class LotView:
    """Credits that came with one posting. `remaining` of `quantity` are unused; `unit_cost` USD paid for one."""

    posting_key: str
    kind: Kind
    quantity: int
    remaining: int
    unit_cost: Decimal


@dataclass(frozen=True, slots=True)
class LotTaken:
    """Credits that a posting took from the lot of another one, `posting_key`."""

    posting_key: str
    quantity: int


@dataclass(frozen=True, slots=True)
class PostingView:
    """`replayed`: the key was seen before and nothing was posted now. `lots`: lots used by negative credit entries."""

    id: int
    key: str
    replayed: bool
    lots: tuple[LotUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one item of `post_many`. Only posted and replayed ones have a posting and lots."""

    key: str
    outcome: Literal["posted", "replayed", "insufficient", "key_reused", "unbalanced"]
    posting_id: int | None = None
    lots: tuple[LotUse, ...] = ()

    @property
    def done(self) -> bool:
        """The posting is in the books, now or from before."""
        return self.outcome in ("posted", "replayed")


@dataclass(frozen=True, slots=True)
class HoldView:
    id: int
    account: Account
    amount: int
    state: Literal["held", "captured", "released"]
    replayed: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """available = balance - held."""

    account: Account
    balance: int
    held: int

    @property
    def available(self) -> int:
        return self.balance - self.held


@dataclass(frozen=True, slots=True)
class StatementLine:
    entry_id: int
    posting_id: int
    at: datetime
    kind: Kind
    account: Account
    amount: int
    before: int | None
    after: int | None
    description: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Total per (house account or kind of user account, asset); `balanced` when every asset sums to zero.

    Rows are (name, asset, total), ordered; names are ``house:revenue`` and ``user:wallet`` (all users together).
    """

    rows: tuple[tuple[str, str, int], ...]
    balanced: bool


class InsufficientFunds(DomainError):
    """A user account would go below zero, or a lot that was named has too little left. Fields: account, asset,
    available, needed (minor units)."""

    code = "ledger.insufficient_funds"


class Unbalanced(DomainError):
    """Not a posting: entries that do not sum to zero per asset, an empty or zero entry, an account that cannot exist, a
    unit cost missing on credits given to a user or present elsewhere. A programming error. Fields: key, problem."""

    code = "ledger.unbalanced"


class HoldClosed(DomainError):
    """The hold was captured or released before, under another key. Fields: hold_id, state."""

    code = "ledger.hold_closed"


class Ledger(Protocol):
    async def post(self, tx: Tx, *, key: str, kind: Kind, entries: Sequence[Entry], description: str) -> PostingView:
        """Post in one SQL call. Raises InsufficientFunds, Unbalanced, core KeyReused (same key, other inputs)."""
        ...

    async def post_many(self, tx: Tx, postings: Sequence[NewPosting]) -> tuple[Verdict, ...]:
        """Post up to 1,000 in one SQL call, in the order given; each stands or falls alone: nothing is raised for a bad
        item. Verdicts in the order given."""
        ...

    async def hold(self, tx: Tx, *, key: str, account: Account, amount: int, reason: str) -> HoldView:
        """Reserve money on a user account. A replay returns the hold in its present state. Raises InsufficientFunds,
        Unbalanced (not a user account, amount not above zero), core KeyReused."""
        ...

    async def capture(
        self, tx: Tx, *, key: str, hold_id: int, kind: Kind, entries: Sequence[Entry], description: str
    ) -> PostingView:
        """Close a hold by posting `entries`, which must take exactly the held amount from its account. Raises
        HoldClosed, Unbalanced, core KeyReused, core NotFound (no such hold)."""
        ...

    async def release(self, tx: Tx, *, key: str, hold_id: int) -> HoldView:
        """Give a hold back; posts nothing. Raises HoldClosed when it was captured, or released under another key; core
        NotFound."""
        ...

    async def balances(self, *, user_id: int) -> tuple[Balance, ...]:
        """All balance rows of a user, in a stable order; accounts never touched are absent."""
        ...

    async def balance(self, *, account: Account, tx: Tx | None = None) -> Balance:
        """One account (0 when never touched), house accounts included. With `tx`, as that transaction sees it."""
        ...

    async def lots(self, tx: Tx, *, account: Account) -> tuple[LotView, ...]:
        """The lots of a user's credits that have something left, oldest first, as this transaction sees them. Nothing
        is locked: a posting that names a lot says whether it still was there."""
        ...

    async def lots_taken(self, tx: Tx, *, key: str) -> tuple[LotTaken, ...]:
        """From which lots the posting with this key took credits, in the order of its `lots`."""
        ...

    async def statement(
        self, *, user_id: int, before_id: int | None = None, limit: int = 20
    ) -> tuple[StatementLine, ...]:
        """A user's entries, newest first, keyset-paged by entry id; at most 100."""
        ...

    async def trial_balance(self) -> TrialBalance:
        """The whole ledger at one moment, from the balances and snapshots."""
        ...

    async def check(self) -> tuple[str, ...]:
        """Audit everything: postings balanced, balances equal sums of entries, running balances unbroken, holds equal
        to `held`, lots equal to credit balances, none below its floor. Problems in plain words; empty is good."""
        ...
