"""What payments needs from outside: a chain it can read, prices from two sources, and a bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from viralcore.payments.domain.bank import BankPayment
from viralcore.payments.domain.chain import ChainTransaction
from viralcore.payments.domain.exchange import FxReading


class ChainUnavailable(Exception):
    """No node gave a usable answer. Never means that something does not exist. `reason`: a machine word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Found:
    """The transaction is in a block, as `node` (a name, not an address) tells it."""

    transaction: ChainTransaction
    node: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A node has heard of it; it is in no block yet."""


@dataclass(frozen=True, slots=True)
class Missing:
    """These nodes answered, and do not know it. One may lag or be pruned: one alone proves nothing."""

    nodes: int


Lookup = Found | Pending | Missing

Agreement = Literal["agrees", "differs", "not_final", "silent"]
"""What the other nodes say of a transaction one node told as final. silent: none of them knows it or answers."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The chain read without a gap up to `upto`, all final. `hashes`: transactions in it with something for us; some
    may have been told before.

    `behind`: what is final and remains to be read. `fresh`: transactions for us in newer blocks, not final yet.
    """

    upto: int
    hashes: tuple[str, ...]
    behind: int
    fresh: tuple[str, ...]


class Node(Protocol):
    """One endpoint of a network. Everything may raise NodeFailed, which says nothing about the chain.

    Places on the chain are counted in the unit of the network's cursor: blocks on BSC, slots on Solana, milliseconds
    of block time on Tron, ledger versions on Aptos.
    """

    name: str  # for logs: never its address, which may carry a key

    async def finalized(self) -> int:
        """The last place that is final for this node."""
        ...

    async def scan(self, *, after: int, limit: int, fresh: int) -> Scan:
        """Read what is final after `after`, at most `limit` of it, and, once that is all, at most `fresh` newer."""
        ...

    async def final_hashes(self, *, after: int, upto: int) -> tuple[str, ...]:
        """Transactions with something for us in a stretch that is final. Raises NodeFailed where this node is not
        past it."""
        ...

    async def transaction(self, canonical_hash: str) -> Lookup:
        """Ask about one transaction; Missing(1) when it is not known here."""
        ...


class NodeFailed(Exception):
    """This node gave no usable answer. `code`: the error code it gave, when there was one; the text carries no
    address."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Chain(Protocol):
    """One network, through as many nodes as are configured: a null or an error of one asks another."""

    network: str
    nodes: int  # how many are configured

    async def finalized(self) -> int:
        """The highest final place any node names. Raises ChainUnavailable."""
        ...

    async def scan(self, *, after: int, limit: int, fresh: int) -> Scan:
        """Read at most `limit` final places after `after`, and at most `fresh` newer ones once these are all read.
        Two nodes read the final ones where two can, so that one that hides a transfer is not enough. Raises
        ChainUnavailable."""
        ...

    async def transaction(self, canonical_hash: str) -> Lookup:
        """Ask about one transaction. Raises ChainUnavailable."""
        ...

    async def confirm(self, found: Found) -> Agreement:
        """Ask the other nodes for the same story. Where they differ and three or more speak, the majority is believed
        and who stands alone is asked last for a while. Never raises for a node's trouble."""
        ...


class PriceSource(Protocol):
    """One source of coin prices."""

    async def prices(self, names: Sequence[str]) -> dict[str, Decimal]:
        """USD for the source's own names; those it cannot tell are absent. Never raises for its own trouble."""
        ...


class FxSource(Protocol):
    """The source of exchange rates."""

    async def rate(self, currency: str) -> FxReading | None:
        """What one US dollar costs; None: it said nothing usable. Never raises for its own trouble."""
        ...


class BankDown(Exception):
    """The bank's API gave no usable answer. Never means that no money came. `reason`: a machine word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AccountGiven:
    """An account for one transfer. `transfer_raw`: kobo to be transferred, a fee of the bank's included."""

    number: str
    bank: str
    provider_reference: str
    transfer_raw: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NoAccount:
    """`reason`: down (nothing was sent), silent (nobody knows), refused, config (it does not accept us). `detail`: its
    own words, for staff."""

    reason: Literal["down", "silent", "refused", "config"]
    detail: str


@dataclass(frozen=True, slots=True)
class PaidIn:
    payment: BankPayment


@dataclass(frozen=True, slots=True)
class StillPending:
    """Known, and neither successful nor over. `status`: its own word."""

    status: str


@dataclass(frozen=True, slots=True)
class WillNotCome:
    """Over, without money."""

    status: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """Not known (yet)."""


BankLookup = PaidIn | StillPending | WillNotCome | NotThere


class Bank(Protocol):
    """Takes bank transfers for us."""

    async def account(self, *, reference: str, amount_raw: int, email: str, seconds: int) -> AccountGiven | NoAccount:
        """An account that takes money for `seconds`. Never raises for the bank's trouble."""
        ...

    async def payment(self, *, payment_id: str, reference: str) -> BankLookup:
        """Ask about a payment, by the API's own id when there is one, else by our reference; of several under one
        reference the newest answers. Raises BankDown."""
        ...

    async def numbers(self, *, reference: str) -> tuple[str, ...]:
        """The ids of all payments under a reference. Raises BankDown."""
        ...
