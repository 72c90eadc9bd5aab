"""What payments needs from outside: a chain it can read, and prices from two sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from viralcore.payments.domain.chain import ChainTransaction


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
    """Blocks read without a gap up to `upto`, all final. `hashes`: transactions in them with something for us.

    `behind`: final blocks that remain to be read. `fresh`: transactions for us in newer blocks, not final yet.
    """

    upto: int
    hashes: tuple[str, ...]
    behind: int
    fresh: tuple[str, ...]


class Chain(Protocol):
    """One network, through as many nodes as are configured: a null or an error of one asks another."""

    network: str
    nodes: int  # how many are configured

    async def finalized(self) -> int:
        """The highest finalized block any node names. Raises ChainUnavailable."""
        ...

    async def scan(self, *, after: int, limit: int, fresh: int) -> Scan:
        """Read at most `limit` final blocks after `after`, and at most `fresh` newer ones once these are all read.
        Two nodes read the final ones where two can, so that one that hides a transfer is not enough. Raises
        ChainUnavailable."""
        ...

    async def transaction(self, canonical_hash: str) -> Lookup:
        """Ask about one transaction. Raises ChainUnavailable."""
        ...

    async def confirm(self, found: Found) -> Agreement:
        """Ask the other nodes for the same story, until one knows it. Never raises for a node's trouble."""
        ...


class PriceSource(Protocol):
    """One source of coin prices."""

    async def prices(self, names: Sequence[str]) -> dict[str, Decimal]:
        """USD for the source's own names; those it cannot tell are absent. Never raises for its own trouble."""
        ...
