"""What boosts needs from outside: panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

from viralcore.boosts.domain.panels import AddAnswer, AskAnswer, BalanceReading, RefillWord, StatusReading
from viralcore.boosts.domain.services import Offer


class PanelDown(Exception):
    """A panel could not be read now. `reason` is a machine word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Panel(Protocol):
    """One SMM panel, reached at its pace and parallelism."""

    @property
    def name(self) -> str: ...

    @property
    def breaker(self) -> Literal["closed", "opened", "half-opened"]:
        """Orders go only to a panel whose breaker is closed; a half-opened one is tried with a harmless question."""
        ...

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Wait for pace and parallelism and hold the place. Never raises: `add` says no when the breaker is open."""
        ...

    async def add(self, *, service: str, link: str, quantity: int) -> AddAnswer:
        """Order once. Never raises for what the panel or the network does."""
        ...

    async def statuses(self, orders: Sequence[str]) -> Mapping[str, StatusReading]:
        """Up to 100 orders in one question, one by one where the panel cannot. Raises PanelDown."""
        ...

    async def balance(self) -> BalanceReading:
        """What we have there. Raises PanelDown."""
        ...

    async def services(self) -> tuple[Offer, ...]:
        """Everything it lists. Raises PanelDown, also when the list is empty."""
        ...

    async def refill(self, order: str) -> AskAnswer:
        """Ask once for what dropped of a completed order. Never raises for what the panel or the network does."""
        ...

    async def cancel(self, order: str) -> AskAnswer:
        """Ask once that the rest of an order is not delivered. Never raises for what the panel or the network does."""
        ...

    async def refills(self, tickets: Sequence[str]) -> Mapping[str, RefillWord]:
        """How far up to 100 refills are. Raises PanelDown."""
        ...
