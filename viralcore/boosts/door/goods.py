"""The door's part about goods: what is asked before they are paid for, and the invoice that becomes the order.

Units: totals are Money in USD; quantities are whole units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from viralcore.boosts.door.plans import PlanView
from viralcore.core.errors import DomainError
from viralcore.core.money import Money

RequestState = Literal["open", "invoiced", "ordered", "returned", "discarded"]


@dataclass(frozen=True, slots=True)
class RequestView:
    """Goods somebody is about to buy, from the quantity to the order. `total`: at the price of now, until it is
    ``invoiced``: then the invoice says it. ``ordered``: paid, and an order; ``returned``: paid, could not become an
    order, and the money is in the wallet.

    `missing`: questions without an answer, the next one first.
    """

    id: int
    user_id: int
    plan: PlanView
    quantity: int
    total: Money
    answers: Mapping[str, str]  # as they will be frozen, by question
    missing: tuple[str, ...]
    state: RequestState
    invoice_id: int | None
    expires_at: datetime
    limits: Mapping[str, int] = field(default_factory=dict)  # by question: the last option, the most days


class Unanswered(DomainError):
    """The plan asks questions before it is paid for: use `goods.begin`. Fields: missing (tuple of questions)."""

    code = "boosts.unanswered"


class BadAnswer(DomainError):
    """Fields: question, reason (empty, link, one_link, not_x, not_a_post, not_a_profile, post, not_telegram,
    not_a_channel, private, malformed, too_long, blocked, number), and limit where the question has one."""

    code = "boosts.bad_answer"


class RequestClosed(DomainError):
    """It was paid for, given up, or waited too long. Fields: request_id, state."""

    code = "boosts.request_closed"


class Goods(Protocol):
    """Goods: how many, the plan's questions, and the invoice that becomes the order when it is paid."""

    async def begin(self, *, key: str, user_id: int, plan_id: str, quantity: int) -> RequestView:
        """Raises UnknownPlan, NotOnSale, BadQuantity, users Blocked, TermsNotAccepted."""
        ...

    async def get(self, *, user_id: int, request_id: int) -> RequestView:
        """In any state. Raises NotFound, UnknownPlan (it is not in the catalogue any more)."""
        ...

    async def unfinished(self, *, user_id: int) -> tuple[RequestView, ...]:
        """What still waits for answers or for its invoice, newest first."""
        ...

    async def answer(self, *, key: str, user_id: int, request_id: int, question: str, text: str) -> RequestView:
        """The first answer to a question, or another one instead. Raises BadAnswer, RequestClosed, NotFound."""
        ...

    async def invoice(self, *, key: str, user_id: int, request_id: int) -> int:
        """Open its invoice, once, and freeze the answers; the invoice's id. Raises Unanswered, RequestClosed, BadAnswer
        (blocked since), NotOnSale, BadQuantity, payments TooManyInvoices, users Blocked, TermsNotAccepted."""
        ...

    async def discard(self, *, key: str, user_id: int, request_id: int) -> None:
        """Raises RequestClosed when it has an invoice already."""
        ...

    async def of_invoice(self, *, user_id: int, invoice_id: int) -> RequestView | None:
        """What a person's invoice is for; None when it is not for goods."""
        ...
