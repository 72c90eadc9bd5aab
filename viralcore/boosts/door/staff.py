"""The door's part about lines worked at by hand: a card for each, and what the team does with cards.

Units: quantities are whole units of the line's metric; refunds are Money in USD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from viralcore.boosts.door.plans import Metric
from viralcore.core.errors import DomainError
from viralcore.core.money import Money

CardState = Literal["open", "taken", "done", "cannot", "closed"]


@dataclass(frozen=True, slots=True)
class StaffCardView:
    """One line that staff work at. `delivered`: of `quantity`, so far; `refunded`: what came back for the rest.

    ``open`` -> ``taken`` -> ``done`` | ``cannot``, and back to open when it is released; ``closed``: its order was
    cancelled. `version` rises with every change.
    """

    id: int
    order_id: int
    user_id: int  # the buyer
    plan_id: str
    plan_title: str
    metric: Metric
    quantity: int
    delivered: int
    link: str
    answers: Mapping[str, str]
    goods: bool
    state: CardState
    version: int
    taken_by: int | None
    taken_at: datetime | None
    decided_by: int | None
    decided_at: datetime | None
    reason: str
    created_at: datetime
    refunded: Money
    verified: int = 0  # how many of `quantity` must come from verified accounts


class CardTaken(DomainError):
    """Another member of staff has it. Fields: card_id."""

    code = "boosts.card_taken"


class CardNotYours(DomainError):
    """Only who took a card, or an owner, moves it on. Fields: card_id, taken (whether anybody has it)."""

    code = "boosts.card_not_yours"


class BadProgress(DomainError):
    """Not a count between nothing and all of it. Fields: most."""

    code = "boosts.bad_progress"


class StaffLines(Protocol):
    """Lines worked at by hand. All that acts takes the right ``orders.retry``; all but `take` is for who took the card
    and for owners. Raises NotFound, AlreadyDecided (ended), users NotAllowed and Blocked."""

    async def get(self, *, card_id: int) -> StaffCardView: ...

    async def waiting(self, *, after_id: int = 0, limit: int = 20) -> tuple[StaffCardView, ...]:
        """Open and taken ones, oldest first."""
        ...

    async def count(self) -> int:
        """How many wait."""
        ...

    async def take(self, *, key: str, actor: int, card_id: int) -> StaffCardView:
        """Raises CardTaken. Taking one's own again changes nothing."""
        ...

    async def release(self, *, key: str, actor: int, card_id: int) -> StaffCardView:
        """Somebody else may take it. Raises CardNotYours."""
        ...

    async def progress(self, *, key: str, actor: int, card_id: int, delivered: int) -> StaffCardView:
        """So much is delivered in all; all of it is `done`. Raises CardNotYours, BadProgress."""
        ...

    async def done(self, *, key: str, actor: int, card_id: int) -> StaffCardView:
        """All of it is delivered. Raises CardNotYours."""
        ...

    async def cannot(self, *, key: str, actor: int, card_id: int, reason: str) -> StaffCardView:
        """No more will come; what is missing goes back to the buyer, who reads the reason. Raises CardNotYours, users
        NotYourself (their own order)."""
        ...
