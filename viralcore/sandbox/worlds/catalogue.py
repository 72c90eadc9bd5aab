"""What the simulated panels sell and how they speak: services, dialects and spellings, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class Service:
    """`rate`: dollars per 1,000. `kind`: Default | Custom Comments | Poll."""

    id: int
    name: str
    category: str
    rate: Decimal
    minimum: int
    maximum: int
    kind: str = "Default"
    refill: bool = False
    cancel: bool = True


@dataclass(frozen=True, slots=True)
class Dialect:
    """One family of panel scripts. `errors`: what it answers for each thing that can be wrong; {minimum} and {maximum}
    are filled in. `ids`: how it writes ids. `spelling`: statuses it writes otherwise."""

    errors: Mapping[str, str]
    ids: Literal["int", "text"]
    watches_links: bool = True  # can be told to refuse a second order while one runs on the same link
    success: bool = False  # adds "status": "success" to an accepted order
    lean: bool = False  # leaves refill and cancel out of the service list
    spelling: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Panel:
    name: str
    environment: str  # the prefix of its settings
    key: str
    dialect: Dialect
    first_order: int
    balance: Decimal
    services: tuple[Service, ...]


_SHARED = {
    "key": "Invalid API key",
    "request": "Incorrect request",
    "order": "Incorrect order ID",
    "refill_disabled": "Refill is disabled for this service",
    "refill_over": "Refill days are over",
    "refill_soon": "The order was completed or refill was requested less than 24 hours ago",
    "refill_unknown": "Refill not found",
    "cancel": "Incorrect order ID",
}
CODES = Dialect(
    errors={
        **_SHARED,
        "funds": "neworder.error.not_enough_funds",
        "busy": "neworder.error.link_duplicate",
        "service": "error.incorrect_service_id",
        "link": "neworder.error.link",
        "minimum": "neworder.error.min_quantity",
        "maximum": "neworder.error.max_quantity",
    },
    ids="int",
)
SENTENCES = Dialect(
    errors={
        **_SHARED,
        "funds": "Not enough funds on balance",
        "busy": "You have active order with this link. Please wait until order being completed.",
        "service": "Incorrect service ID",
        "link": "Bad link",
        "minimum": "Quantity less than minimal {minimum}",
        "maximum": "Quantity more than maximum {maximum}",
    },
    ids="text",
    lean=True,
)
SMARTPANEL = Dialect(
    errors={
        **_SHARED,
        "key": "API is Disable for this user or User Not Found! Contact the Support",
        "request": "This action is Invalid",
        "missing": "There are missing required parameters. Please check your API Manual",
        "order": "Order ID is required parameter. Please check your API Manual",
        "funds": "Not enough funds on balance",
        "busy": "You have active order with this link. Please wait until order being completed.",
        "service": "Service ID does not exists",
        "link": "Invalid Link",
        "minimum": "Quantity must to be greater than or equal to minimum amount",
        "maximum": "Quantity must to be less than or equal to maximum amount",
    },
    ids="int",
    watches_links=False,
    success=True,
    spelling={"In progress": "In Progress", "Canceled": "Cancelled"},
)


def _services(first: int, likes: str, views: str, replies: str, reposts: str, followers: str) -> tuple[Service, ...]:
    """The same shelf at other prices: ids count up from `first` in this order."""
    x, telegram = "X (Twitter)", "Telegram"
    return (
        Service(first, "X Likes | real | 50K/day", x, Decimal(likes), 10, 50_000, refill=True),
        Service(first + 1, "X Post Views | instant", x, Decimal(views), 100, 1_000_000),
        Service(first + 2, "X Random Comments", x, Decimal(replies), 5, 2_000),
        Service(first + 3, "X Reposts", x, Decimal(reposts), 10, 10_000, refill=True),
        Service(first + 4, "X Followers | 30 days refill", x, Decimal(followers), 50, 100_000, refill=True),
        Service(first + 5, "X Custom Comments", x, Decimal(replies) * 2, 5, 1_500, kind="Custom Comments"),
        Service(first + 6, "Telegram Post Views", telegram, Decimal(views), 10, 3_000_000, cancel=False),
        Service(first + 7, "Telegram Reactions", telegram, Decimal(likes), 10, 20_000),
        Service(first + 8, "X Poll Votes", x, Decimal(likes) * 2, 20, 20_000, kind="Poll"),
    )


PANELS = (
    Panel(
        "smmflare",
        "SMMFLARE",
        "smmflare-sandbox-key",
        CODES,
        23_501,
        Decimal("250.00000"),
        _services(101, "0.90", "0.012", "6.50", "1.80", "2.40"),
    ),
    Panel(
        "plugsmm",
        "PLUGSMMS",
        "plugsmm-sandbox-key",
        SENTENCES,
        880_201,
        Decimal("180.00000"),
        _services(2101, "1.05", "0.015", "7.20", "2.10", "2.75"),
    ),
    Panel(
        "smmstone",
        "SMMSTONE",
        "smmstone-sandbox-key",
        SMARTPANEL,
        5_410_001,
        Decimal("320.00000"),
        _services(3301, "1.20", "0.02", "8.00", "2.30", "3.10"),
    ),
)
