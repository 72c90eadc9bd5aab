"""What the supervisor asks of a simulated third party. Implementations live in `viralcore.sandbox.worlds`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from starlette.routing import Route
from starlette.types import ASGIApp


@dataclass(frozen=True, slots=True)
class BookTransfer:
    """One movement of coins to an address of ours, as the simulated chain knows it. Negative: from it.

    `position`: as the chain counts it inside the transaction; 0 for the native coin. What it counts is each world's
    own affair (log indexes on BSC and Tron, accounts on Solana, events on Aptos). `asset`: ``USDT``, the native coin,
    or ``""`` for a token we do not take, whatever it calls itself. `final`: mined and past finality. `backdated`: it
    was put into a stretch of the chain that readers may have left behind them, so they need not have found it.
    """

    network: str
    hash: str
    position: int
    asset: str
    amount: Decimal
    final: bool
    failed: bool
    backdated: bool = False


@dataclass(frozen=True, slots=True)
class BookOrder:
    """One order in a simulated panel's own book."""

    panel: str
    order: str
    service: str
    link: str
    quantity: int
    status: str


@dataclass(frozen=True, slots=True)
class BookPayment:
    """One payment into an account of ours at the bank. `amount`: in the smallest unit of `currency` (kobo).

    `status`: as the bank says it when it is asked: ``pending``, ``successful`` or ``failed``.
    """

    id: str
    tx_ref: str
    amount: int
    currency: str
    status: str


@dataclass(frozen=True, slots=True)
class BookPayout:
    """One transfer of ours to somebody's account. `amount`: kobo. `status`: ``NEW``, ``PENDING``, ``SUCCESSFUL`` or
    ``FAILED``."""

    id: str
    reference: str
    amount: int
    account: str
    status: str


@dataclass(frozen=True, slots=True)
class Books:
    """Everything a world knows that our own books must agree with."""

    transfers: Sequence[BookTransfer] = ()
    orders: Sequence[BookOrder] = ()
    payments: Sequence[BookPayment] = ()
    payouts: Sequence[BookPayout] = ()


class World(Protocol):
    """A simulated third party. All are given `now: Callable[[], datetime]`, the business clock, when they are built.

    `snapshot` feeds the page's world panel. Keys that mean the same everywhere: ``addresses`` {network: address},
    ``transfers`` [{network, hash, asset, amount, to, state: pending|final|failed, at, ours}] newest first,
    ``panels`` {name: {orders: [...], outage, balance, busy_links, ...}}, ``prices`` {coin: "decimal"},
    ``chains`` {network: {outage, height, final_height, assets}}, ``bank`` {charges: [{account_number, transfer_amount,
    expires_at, payments, ...}] newest first, outage, webhooks, ...}.
    """

    name: str

    @property
    def app(self) -> ASGIApp:
        """The third party itself, over its real wire format; served on a loopback port of its own."""
        ...

    def control_routes(self) -> list[Route]:
        """Routes of the control API, mounted under ``/sandbox``."""
        ...

    def environment(self, base_url: str) -> Mapping[str, str]:
        """What the bot's process must be told to speak to this world; `base_url` has no trailing slash."""
        ...

    async def tick(self, now: datetime) -> None:
        """Called after each change of the clock."""
        ...

    def pending(self, now: datetime) -> list[str]:
        """What must happen at this moment and has not: reasons, in words, why the world is not quiet."""
        ...

    def next_due(self, now: datetime) -> datetime | None:
        """The next business moment at which something happens by itself."""
        ...

    def snapshot(self) -> Mapping[str, Any]:
        """JSON for the page."""
        ...

    def books(self) -> Books:
        """For ``GET /sandbox/check``."""
        ...


@runtime_checkable
class HostsWorld(World, Protocol):
    """A world that needs an address for each of its hosts, because nothing may stand before their paths."""

    @property
    def apps(self) -> Sequence[ASGIApp]:
        """Each is served on a port of its own."""
        ...

    def environment_of(self, base_urls: Sequence[str]) -> Mapping[str, str]:
        """As `environment`, for one address per app, in their order."""
        ...
