"""The doors notifications looks through, with what a test puts behind them; and a chat that answers as it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from viralcore.boosts.api import (
    CreditView,
    LineView,
    LinkView,
    OrderLineView,
    OrderView,
    PhaseView,
    PlanView,
    StaffCardView,
    StuckView,
    UnknownPhaseView,
    UnknownPlan,
)
from viralcore.core.db import Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import Money, usd
from viralcore.core.screen import Screen
from viralcore.notifications.ports import Answer, NoTopic, Rejected, Shown, TopicAnswer, TopicMade
from viralcore.payments.api import (
    ClaimView,
    InvoiceView,
    Item,
    ProofView,
    ReceiptView,
    RefundView,
    StaffReceiptView,
)
from viralcore.users.api import UserView

ADA, OLU, GROUP = 2001, 1000, -1_001_000_000_500
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HASH = "0x" + "ab" * 32
ZERO = usd(0)


def person(user_id: int, name: str, handle: str | None = None) -> UserView:
    return UserView(user_id, name, handle, frozenset({"user"}), frozenset(), True, False, False, AT)


@dataclass
class FakeUsers:
    people: dict[int, UserView] = field(
        default_factory=lambda: {ADA: person(ADA, "Ada", "ada_l"), OLU: person(OLU, "Olu", "olu_owner")}
    )
    owners: tuple[int, ...] = (OLU,)

    async def get(self, *, user_id: int) -> UserView:
        if user_id not in self.people:
            raise NotFound(what="user")
        return self.people[user_id]

    async def staff_ids(self, *, right: str) -> tuple[int, ...]:
        return self.owners if right == "switches" else ()

    async def set_unreachable(self, tx: Tx, *, user_id: int, unreachable: bool) -> None:
        self.people[user_id] = replace(self.people[user_id], unreachable=unreachable)


def invoice(**changes: Any) -> InvoiceView:
    plain = InvoiceView(
        id=12,
        user_id=ADA,
        item=Item("credits", "t3", "X Tier 3"),
        quantity=10,
        unit_price=Decimal("1.50"),
        total=usd("15.00"),
        state="paid",
        created_at=AT,
        expires_at=AT + timedelta(minutes=20),
        quote=None,
        paid_at=AT,
        paid_with="bsc:USDT",
        received=usd("15.00"),
    )
    return replace(plain, **changes)


@dataclass
class FakeFinance:
    """Receipts and refunds; by default every receipt is the judged one of invoice 12."""

    known: dict[int, StaffReceiptView] = field(default_factory=dict)
    refunds: dict[int, RefundView] = field(default_factory=dict)

    async def receipt(self, *, receipt_id: int) -> StaffReceiptView:
        return self.known.get(receipt_id) or stray(receipt_id, owner=ADA, invoice=12)

    async def get_refund(self, *, refund_id: int) -> RefundView:
        return self.refunds[refund_id]


def stray(
    number: int, *, owner: int | None = None, invoice: int | None = None, by: int | None = None, pasted: Any = ()
) -> StaffReceiptView:
    """A receipt, by default in suspense."""
    state: Any = "suspense" if owner is None else "credited"
    receipt = ReceiptView(number, "bsc", HASH, 0, "USDT", Decimal("140"), usd(140), state, invoice, owner, AT)
    return StaffReceiptView(receipt, "stray", AT, None if owner is None else AT, by, pasted)


@dataclass
class FakePayments:
    finance: FakeFinance = field(default_factory=FakeFinance)
    invoices: dict[int, InvoiceView] = field(default_factory=lambda: {12: invoice()})
    claims: dict[int, ClaimView] = field(default_factory=dict)
    proofs: dict[int, ProofView] = field(default_factory=dict)
    known: list[ReceiptView] = field(
        default_factory=lambda: [
            ReceiptView(4, "bsc", HASH, 0, "USDT", Decimal("15.0034"), usd("15.00"), "credited", 12, ADA, AT)
        ]
    )

    async def get_invoice(self, *, user_id: int, invoice_id: int) -> InvoiceView:
        found = self.invoices.get(invoice_id)
        if found is None or found.user_id != user_id:
            raise NotFound(what="invoice")
        return found

    async def get_claim(self, *, user_id: int, claim_id: int) -> ClaimView:
        return self.claims[claim_id]

    async def get_proof(self, *, proof_id: int) -> ProofView:
        return self.proofs[proof_id]

    def proof(self, state: Any = "waiting", reason: str = "", actor: int | None = None) -> ProofView:
        self.proofs[3] = ProofView(3, 12, ADA, Decimal("24000.00"), usd("15.00"), "AgAC", state, reason, actor, AT)
        return self.proofs[3]

    async def receipts(self, *, after_id: int = 0, limit: int = 500) -> tuple[ReceiptView, ...]:
        return tuple(one for one in self.known if one.id > after_id)[:limit]

    def claim(self, state: Any, reason: str) -> ClaimView:
        self.claims[3] = ClaimView(3, 12, "bsc", HASH, state, reason, None, AT)
        return self.claims[3]


PLAN = PlanView(
    id="t3",
    title="X Tier 3",
    platform="x",
    group="engagement",
    kind="credits",
    unit="post",
    price=Decimal("1.50"),
    minimum=10,
    step=1,
    maximum=1000,
    presets=(10,),
    lines=(LineView("likes", 75, "panel", Decimal("0.2"), True),),
    asset="t3",
    on_sale=True,
)


def phase(number: int, metric: Any = "likes", state: Any = "waiting", **changes: Any) -> PhaseView:
    due = AT + timedelta(minutes=30 * number)
    plain = PhaseView(50 + number, metric, number, 38 if number == 1 else 37, due, state, 0, None, None)
    return replace(plain, **changes)


def order(state: Any = "scheduled", delivered: int = 0, **changes: Any) -> OrderView:
    plain = OrderView(
        id=7,
        user_id=ADA,
        plan_id="t3",
        plan_title="X Tier 3",
        link=LinkView("x", "https://x.com/ada/status/123", "ada", "123"),
        state=state,
        created_at=AT,
        finished_at=None,
        lines=(
            OrderLineView("likes", "panel", 75, delivered, "scheduled", ZERO),
            OrderLineView("comments", "crowd", 30, 0, "scheduled", ZERO),
        ),
        phases=(phase(1), phase(2)),
        refunded=ZERO,
        credit_returned=False,
        can_cancel=True,
    )
    return replace(plain, **changes)


def ended(order_: OrderView, state: Any = "completed", back: Money = ZERO) -> OrderView:
    lines = (
        OrderLineView("likes", "panel", 75, 75, "completed", ZERO),
        OrderLineView("comments", "crowd", 30, 0, "refunded", back),
    )
    return replace(order_, state=state, finished_at=AT, lines=lines, refunded=back)


@dataclass
class FakeStaff:
    """Card 5, 50 votes of order 7."""

    state: Any = "open"
    delivered: int = 0
    by: int | None = None
    reason: str = ""
    back: Money = ZERO

    async def get(self, *, card_id: int) -> StaffCardView:
        decided = self.by if self.state in ("done", "cannot") else None
        return StaffCardView(
            id=card_id,
            order_id=7,
            user_id=ADA,
            plan_id="x_poll",
            plan_title="X poll votes",
            metric="votes",
            quantity=50,
            delivered=self.delivered,
            link="https://x.com/ada/status/123",
            answers={"poll_link": "https://x.com/ada/status/123", "poll_option": "3"},
            goods=True,
            state=self.state,
            version=1,
            taken_by=self.by,
            taken_at=None if self.by is None else AT,
            decided_by=decided,
            decided_at=None if decided is None else AT,
            reason=self.reason,
            created_at=AT,
            refunded=self.back,
        )


@dataclass
class FakeStuck:
    """The door to orders at panels that do not end; also its own owner, `panel_care`."""

    state: Any = "sent"
    why: Any = "strange"
    others: int = 0

    @property
    def stuck(self) -> FakeStuck:
        return self

    async def get(self, *, phase_id: int) -> StuckView:
        return StuckView(
            phase_id, 7, "https://x.com/ada/status/123", "likes", 38, 20, self.state, "smmflare", "101", "991", AT,
            self.why, AT, "Incorrect order ID",
        )  # fmt: skip

    async def count(self) -> int:
        return 1 + self.others


@dataclass
class FakeBoosts:
    panel_care: FakeStuck = field(default_factory=FakeStuck)
    staff: FakeStaff = field(default_factory=FakeStaff)
    orders: dict[int, OrderView] = field(default_factory=lambda: {7: order()})
    left: int = 10
    unknown: dict[int, UnknownPhaseView] = field(default_factory=dict)

    async def find_plan(self, plan_id: str) -> PlanView:
        if plan_id != "t3":
            raise UnknownPlan
        return PLAN

    async def credits(self, *, user_id: int) -> tuple[CreditView, ...]:
        return (CreditView(PLAN, self.left),) if self.left else ()

    async def get_order(self, *, order_id: int, user_id: int | None = None) -> OrderView:
        if order_id not in self.orders:
            raise NotFound(what="order")
        return self.orders[order_id]

    async def unknown_phase(self, *, phase_id: int) -> UnknownPhaseView:
        return self.unknown[phase_id]

    def silence(self, phase_id: int, state: Any = "unknown") -> None:
        self.unknown[phase_id] = UnknownPhaseView(
            phase_id, 7, "smmflare", "1234", "https://x.com/ada/status/123", "likes", 38, AT, state
        )


@dataclass
class FakeChat:
    """The port `Messenger`: keeps what stands in the chats; answers from a script first."""

    script: list[Answer | BaseException] = field(default_factory=list)
    standing: dict[tuple[int, int], Screen] = field(default_factory=dict)
    calls: list[tuple[str, int, Screen]] = field(default_factory=list)
    nonces: list[str] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: count(100))
    forums: set[int] = field(default_factory=set)
    topic_script: list[TopicAnswer | BaseException] = field(default_factory=list)
    topics: dict[int, str] = field(default_factory=dict)
    places: dict[int, int | None] = field(default_factory=dict)
    """By number: what topics are called; by message: the topic it was sent to."""

    async def send(self, *, chat_id: int, screen: Screen, nonce: str, thread_id: int | None = None) -> Answer:
        if thread_id is not None and (chat_id not in self.forums or thread_id not in self.topics):
            return NoTopic()
        number = next(self.numbers)
        answer = self._answer("send", chat_id, number, screen, nonce)
        if isinstance(answer, Shown):
            self.places[answer.message_id] = thread_id
        return answer

    async def is_forum(self, *, chat_id: int) -> bool:
        return chat_id in self.forums

    async def make_topic(self, *, chat_id: int, name: str) -> TopicAnswer:
        if self.topic_script:
            scripted = self.topic_script.pop(0)
            if isinstance(scripted, BaseException):
                raise scripted
            return scripted
        if chat_id not in self.forums:
            return Rejected("The chat is not a forum")
        number = next(self.numbers)
        self.topics[number] = name
        return TopicMade(number)

    def in_topics(self) -> list[tuple[str, str]]:
        """The topic of each message that stands in a group, by name (General is empty), and its first line."""
        return [
            (self.topics.get(self.places.get(number) or 0, ""), str(screen.text).split("\n")[0])
            for (chat, number), screen in sorted(self.standing.items())
            if chat < 0
        ]

    async def edit(self, *, chat_id: int, message_id: int, screen: Screen, nonce: str) -> Answer:
        return self._answer("edit", chat_id, message_id, screen, nonce)

    def _answer(self, verb: str, chat_id: int, message_id: int, screen: Screen, nonce: str) -> Answer:
        self.calls.append((verb, chat_id, screen))
        self.nonces.append(nonce)
        if self.script:
            scripted = self.script.pop(0)
            if isinstance(scripted, BaseException):
                raise scripted
            return scripted
        self.standing[chat_id, message_id] = screen
        return Shown(message_id)

    def texts(self, chat_id: int) -> list[str]:
        """What stands in a chat, oldest first."""
        return [str(screen.text) for (chat, _), screen in sorted(self.standing.items()) if chat == chat_id]

    def verbs(self, chat_id: int | None = None) -> list[str]:
        return [verb for verb, chat, _ in self.calls if chat_id is None or chat == chat_id]

    def labels(self, chat_id: int) -> Sequence[Sequence[str]]:
        """The buttons of each message of a chat, oldest first."""
        found: Mapping[tuple[int, int], Screen] = self.standing
        return [
            [button.label for row in screen.rows for button in row]
            for (chat, _), screen in sorted(found.items())
            if chat == chat_id
        ]
