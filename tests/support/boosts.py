"""Boosts under test: the real settings, panels that do as they are told, and stand-ins for the neighbours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from pydantic import SecretStr

from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain.panels import (
    Accepted,
    AddAnswer,
    AskAnswer,
    BalanceReading,
    Declined,
    Placed,
    RefillWord,
    StatusReading,
)
from viralcore.boosts.domain.services import Offer
from viralcore.boosts.ports import PanelDown
from viralcore.core.db import Tx, assert_no_transaction
from viralcore.core.errors import NotFound
from viralcore.core.problems import load_toml
from viralcore.ledger.api import Entry, Ledger, house_account, user_account
from viralcore.payments.api import Back, Grant, InvoiceView, Item, MoneyBack
from viralcore.users.api import Blocked, NotAllowed, TermsNotAccepted, UserView

SETTINGS = Path(__file__).parents[2] / "settings"
FILES = ("plans.toml", "schedule.toml", "panels.toml", "replies.toml")
KEYS = {f"{name}_api_key": SecretStr(f"{name}-key") for name in ("smmflare", "plugsmms", "smmstone")}


def config(**changes: Any) -> BoostsConfig:
    """The settings as shipped, with keys for every panel."""
    given = {name: (name.upper(), value) for name, value in {**KEYS, **changes}.items()}
    loaded, problems = load_toml([SETTINGS / name for name in FILES], BoostsConfig, given)
    assert loaded is not None, problems
    return loaded


@dataclass
class FakePanel:
    """A panel that accepts, unless told otherwise. `script`: answers to the next orders, in order."""

    name: str
    breaker: Literal["closed", "opened", "half-opened"] = "closed"
    script: list[AddAnswer | BaseException | Callable[[], AddAnswer]] = field(default_factory=list)
    always: AddAnswer | None = None
    orders: dict[str, tuple[str, str, int]] = field(default_factory=dict)  # id -> service, link, quantity
    readings: dict[str, StatusReading] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    adds: int = 0
    refuse_services: set[str] = field(default_factory=set)
    money: Decimal | None = Decimal(100)
    first: int = 1000
    listed: dict[str, Offer] = field(default_factory=dict)
    answers: list[AskAnswer] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    refilled: dict[str, RefillWord] = field(default_factory=dict)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        yield

    async def add(self, *, service: str, link: str, quantity: int) -> AddAnswer:
        assert_no_transaction("a panel order")
        self.adds += 1
        if self.script:
            answer = self.script.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            if not callable(answer):
                return answer
            return answer()
        if service in self.refuse_services:
            return Declined("link", "Bad link")
        if self.always is not None:
            return self.always
        return Placed(self.accept(service, link, quantity))

    def accept(self, service: str, link: str, quantity: int) -> str:
        order = str(self.first + len(self.orders))
        self.orders[order] = (service, link, quantity)
        return order

    async def statuses(self, orders: Sequence[str]) -> Mapping[str, StatusReading]:
        assert_no_transaction("a panel question")
        self.asked.append(tuple(orders))
        if self.money is None:
            raise PanelDown("read_timeout")
        return {order: self.readings.get(order, StatusReading("pending", "Pending")) for order in orders}

    async def services(self) -> tuple[Offer, ...]:
        assert_no_transaction("a panel question")
        if self.money is None or not self.listed:
            raise PanelDown("no_services")
        return tuple(self.listed.values())

    async def refill(self, order: str) -> AskAnswer:
        assert_no_transaction("a panel question")
        self.requests.append(("refill", order))
        return self.answers.pop(0) if self.answers else Accepted(str(len(self.requests)))

    async def cancel(self, order: str) -> AskAnswer:
        assert_no_transaction("a panel question")
        self.requests.append(("cancel", order))
        return self.answers.pop(0) if self.answers else Accepted("1")

    async def refills(self, tickets: Sequence[str]) -> Mapping[str, RefillWord]:
        if self.money is None:
            raise PanelDown("read_timeout")
        return {ticket: self.refilled.get(ticket, "running") for ticket in tickets}

    async def balance(self) -> BalanceReading:
        assert_no_transaction("a panel question")
        if self.money is None:
            raise PanelDown("read_timeout")
        return BalanceReading(self.money, "USD")

    @property
    def quantities(self) -> list[tuple[str, int]]:
        """What was ordered here: (service, quantity), oldest first."""
        return [(service, quantity) for service, _, quantity in self.orders.values()]

    def complete(self, *orders: str) -> None:
        """Let orders (all, when none is named) be delivered."""
        for order in orders or tuple(self.orders):
            self.readings[order] = StatusReading("completed", "Completed", remains=0, charge=Decimal("0.1"))

    def end(self, order: str, word: Literal["partial", "canceled"], remains: int | None) -> None:
        self.readings[order] = StatusReading(word, word.title(), remains=remains, charge=Decimal("0.1"))


@dataclass
class FakeUsers:
    """Everybody is active, nobody is staff, unless listed."""

    blocked: set[int] = field(default_factory=set)
    strangers: set[int] = field(default_factory=set)
    staff: set[int] = field(default_factory=lambda: {1000, 1001})
    owners: set[int] = field(default_factory=set)
    blocked_values: set[str] = field(default_factory=set)
    audited: list[dict[str, Any]] = field(default_factory=list)
    reply_guys: set[int] = field(default_factory=set)

    async def get(self, *, user_id: int) -> UserView:
        if user_id in self.strangers:
            raise NotFound(what="user")
        roles: set[Any] = {"user"} | ({"reply_guy"} if user_id in self.reply_guys else set())
        return UserView(
            id=user_id,
            first_name=f"P{user_id}",
            username=None,
            roles=frozenset(roles),
            rights=frozenset(),
            terms_accepted=True,
            blocked=False,
            unreachable=False,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )

    async def staff_ids(self, *, right: str) -> tuple[int, ...]:
        return tuple(sorted(self.reply_guys if right == "tasks" else self.staff))

    async def grant_role(self, *, key: str, actor: int, user_id: int, role: str, reason: str) -> None:
        if actor not in self.staff:
            raise NotAllowed(right="reply_guys.manage")
        self.reply_guys.add(user_id)

    async def revoke_role(self, *, key: str, actor: int, user_id: int, role: str, reason: str) -> None:
        if actor not in self.staff:
            raise NotAllowed(right="reply_guys.manage")
        self.reply_guys.discard(user_id)

    async def require_active(self, tx: Tx, *, user_id: int) -> None:
        if user_id in self.blocked:
            raise Blocked
        if user_id in self.strangers:
            raise TermsNotAccepted

    async def authorize(self, tx: Tx, *, actor: int, right: str) -> None:
        allowed = {"switches": self.owners, "tasks": self.reply_guys}.get(right, self.staff)
        if actor not in allowed:
            raise NotAllowed(right=right)

    async def is_blocked(self, tx: Tx, *, kind: str, value: str) -> bool:
        return f"{kind}:{value}".lower() in self.blocked_values

    async def audit(self, tx: Tx, **row: Any) -> None:
        self.audited.append(row)


@dataclass
class FakePayments:
    """Remembers the invoices it was asked for. Everything was paid with plain money, and goes back as that."""

    ledger: Ledger
    opened: list[dict[str, Any]] = field(default_factory=list)
    next_id: int = 1
    refuse: BaseException | None = None

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
        if self.refuse is not None:
            raise self.refuse
        self.opened.append(
            {"key": key, "item": item, "quantity": quantity, "unit_price": unit_price, "grants": tuple(grants)}
        )
        return SimpleNamespace(id=self.next_id)  # type: ignore[return-value]

    async def give_back(self, tx: Tx, *, key: str, user_id: int, backs: Sequence[Back]) -> tuple[MoneyBack, ...]:
        for back in backs:
            entries = (Entry(user_account(user_id, "wallet"), back.cents), Entry(house_account("revenue"), -back.cents))
            await self.ledger.post(tx, key=back.key, kind="refund", entries=entries, description=back.description)
        return tuple(MoneyBack(back.cents) for back in backs)
