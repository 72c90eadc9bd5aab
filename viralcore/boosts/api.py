"""The door of boosts: the catalogue, credits, orders and their delivery.

`Boosts` stands here; what it speaks of stands in ``door/``, views, refusals and Protocols of one subject together:

- ``plans``: the catalogue, credits, custom plans (`CustomPlans`)
- ``orders``: links, drafts, orders with their lines and phases, and why one is slow
- ``panels``: panels and their services, stuck orders, sends of unknown outcome (`PanelCare`, `StuckOrders`)
- ``goods``: goods, from the quantity to the invoice (`Goods`)
- ``staff``: lines worked at by hand, and their cards (`StaffLines`)
- ``crowd``: groups, tasks and claims (`Crowd`)
- ``replies``: reply guys and their pay (`Replies`)

Everybody, boosts included, imports these names from here.

Units: prices are Decimals in USD per unit; quantities are whole units; refunds are Money in USD. A panel's figures
are in its own currency; reply guys' pay is Money in NGN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from viralcore.boosts.door.crowd import (
    BadProof,
    BadReason,
    ClaimChanged,
    ClaimClosed,
    ClaimState,
    ClaimView,
    Crowd,
    CrowdPostState,
    GroupMessageView,
    GroupRole,
    GroupState,
    GroupView,
    NoSlot,
    OwnPost,
    TakenView,
    TaskClosed,
    TaskPartView,
    TaskView,
)
from viralcore.boosts.door.goods import BadAnswer, Goods, RequestClosed, RequestState, RequestView, Unanswered
from viralcore.boosts.door.orders import (
    NOTHING,
    BadLink,
    CannotCancel,
    CannotReorder,
    CannotSteer,
    DraftExpired,
    DraftView,
    Engine,
    LineState,
    LinkProblem,
    LinkView,
    OrderFilter,
    OrderLineView,
    OrderState,
    OrderView,
    PhaseState,
    PhaseView,
    PlacedView,
    SlowCode,
    SlowReason,
    SlowView,
    TooManyLinks,
    WayView,
)
from viralcore.boosts.door.panels import (
    AlreadyDecided,
    AskState,
    AskView,
    AskWhat,
    BadPanelOrder,
    BadService,
    BalanceHint,
    CannotAsk,
    NotSent,
    OfferView,
    PanelCare,
    PanelOrderView,
    PanelPage,
    PanelServiceView,
    PanelView,
    PlacementView,
    ServiceChangeView,
    StuckOrders,
    StuckView,
    StuckWhy,
    UnknownPhaseView,
)
from viralcore.boosts.door.plans import (
    BadCustomPlan,
    BadQuantity,
    Channel,
    CreditView,
    CustomPlans,
    CustomPlanView,
    CustomSpec,
    LineView,
    Metric,
    NoCredits,
    NotOnSale,
    PlanChanged,
    PlanEnded,
    PlanView,
    UnknownPlan,
)
from viralcore.boosts.door.replies import (
    BadApproval,
    BadPay,
    BadReplies,
    BadReport,
    BelowZero,
    EarnersView,
    EarnerView,
    NoReason,
    PayKind,
    RecordView,
    Replies,
    ReplyDayView,
    ReplyPanelView,
    ReplyPayView,
    ReplyTerms,
    ReportView,
    SubmissionClosed,
    SubmissionPending,
    SubmissionState,
    SubmissionView,
)
from viralcore.boosts.door.staff import BadProgress, CardNotYours, CardState, CardTaken, StaffCardView, StaffLines
from viralcore.core.money import Money
from viralcore.ledger.api import Balance
from viralcore.payments.api import InvoiceView

__all__ = [
    "NOTHING",
    "AlreadyDecided",
    "AskState",
    "AskView",
    "AskWhat",
    "BadAnswer",
    "BadApproval",
    "BadCustomPlan",
    "BadLink",
    "BadPanelOrder",
    "BadPay",
    "BadProgress",
    "BadProof",
    "BadQuantity",
    "BadReason",
    "BadReplies",
    "BadReport",
    "BadService",
    "BalanceHint",
    "BelowZero",
    "Boosts",
    "CannotAsk",
    "CannotCancel",
    "CannotReorder",
    "CannotSteer",
    "CardNotYours",
    "CardState",
    "CardTaken",
    "Channel",
    "ClaimChanged",
    "ClaimClosed",
    "ClaimState",
    "ClaimView",
    "CreditView",
    "Crowd",
    "CrowdPostState",
    "CustomPlanView",
    "CustomPlans",
    "CustomSpec",
    "DraftExpired",
    "DraftView",
    "EarnerView",
    "EarnersView",
    "Engine",
    "Goods",
    "GroupMessageView",
    "GroupRole",
    "GroupState",
    "GroupView",
    "LineState",
    "LineView",
    "LinkProblem",
    "LinkView",
    "Metric",
    "NoCredits",
    "NoReason",
    "NoSlot",
    "NotOnSale",
    "NotSent",
    "OfferView",
    "OrderFilter",
    "OrderLineView",
    "OrderState",
    "OrderView",
    "OwnPost",
    "PanelCare",
    "PanelOrderView",
    "PanelPage",
    "PanelServiceView",
    "PanelView",
    "PayKind",
    "PhaseState",
    "PhaseView",
    "PlacedView",
    "PlacementView",
    "PlanChanged",
    "PlanEnded",
    "PlanView",
    "RecordView",
    "Replies",
    "ReplyDayView",
    "ReplyPanelView",
    "ReplyPayView",
    "ReplyTerms",
    "ReportView",
    "RequestClosed",
    "RequestState",
    "RequestView",
    "ServiceChangeView",
    "SlowCode",
    "SlowReason",
    "SlowView",
    "StaffCardView",
    "StaffLines",
    "StuckOrders",
    "StuckView",
    "StuckWhy",
    "SubmissionClosed",
    "SubmissionPending",
    "SubmissionState",
    "SubmissionView",
    "TakenView",
    "TaskClosed",
    "TaskPartView",
    "TaskView",
    "TooManyLinks",
    "Unanswered",
    "UnknownPhaseView",
    "UnknownPlan",
    "WayView",
]


class Boosts(Protocol):
    @property
    def panel_care(self) -> PanelCare: ...

    @property
    def replies(self) -> Replies:
        """Reply guys and their pay."""
        ...

    @property
    def crowd(self) -> Crowd:
        """The groups and their members' work."""
        ...

    @property
    def goods(self) -> Goods: ...

    @property
    def staff(self) -> StaffLines: ...

    def plans(self) -> tuple[PlanView, ...]:
        """The catalogue, in the order shown."""
        ...

    def plan(self, plan_id: str) -> PlanView:
        """Raises UnknownPlan."""
        ...

    async def buy(self, *, key: str, user_id: int, plan_id: str, quantity: int) -> InvoiceView:
        """Open the invoice of credits. Raises UnknownPlan, NotOnSale, BadQuantity, Unanswered (goods), payments
        TooManyInvoices, users Blocked, TermsNotAccepted."""
        ...

    async def credits(self, *, user_id: int) -> tuple[CreditView, ...]: ...

    async def credits_in(self, balances: Sequence[Balance]) -> tuple[CreditView, ...]:
        """The same, of the balances of a person that were read already. Asks nothing more of who has no custom plan."""
        ...

    async def find_plan(self, plan_id: str) -> PlanView:
        """Like `plan`, custom plans included. Raises UnknownPlan."""
        ...

    @property
    def custom(self) -> CustomPlans: ...

    async def draft(self, *, key: str, user_id: int, text: str) -> DraftView:
        """Read the links out of a message. With credits for the first of them only, the draft is of these and the
        others are problems. Raises BadLink, TooManyLinks, NoCredits (the draft is not kept then)."""
        ...

    async def choose_plan(self, *, key: str, user_id: int, draft_id: int, plan_id: str) -> DraftView:
        """Raises DraftExpired, NoCredits, PlanEnded."""
        ...

    async def get_draft(self, *, user_id: int, draft_id: int) -> DraftView:
        """Raises NotFound, DraftExpired."""
        ...

    async def confirm(self, *, key: str, user_id: int, draft_id: int) -> tuple[OrderView, ...]:
        """Debit one credit a link and create the orders in one transaction. A draft makes its orders once, whatever
        key. Raises DraftExpired, NoCredits, BadLink (blocked since), PlanEnded, PlanChanged, users Blocked,
        TermsNotAccepted."""
        ...

    async def placed(self, *, user_id: int, draft_id: int) -> PlacedView:
        """What a confirmed draft became, as it is now. Raises NotFound, also before it is confirmed."""
        ...

    async def reorder(self, *, key: str, user_id: int, order_id: int) -> DraftView:
        """A draft of the same link and, while it has posts, the same plan. Raises NotFound, CannotReorder, NoCredits,
        PlanEnded, BadLink (blocked since)."""
        ...

    async def discard(self, *, key: str, user_id: int, draft_id: int) -> None:
        """Raises DraftExpired when it made its orders already."""
        ...

    async def get_order(self, *, order_id: int, user_id: int | None = None) -> OrderView:
        """With `user_id`, only that person's. Raises NotFound."""
        ...

    async def orders(
        self, *, user_id: int, before_id: int | None = None, limit: int = 10, which: OrderFilter = "all"
    ) -> tuple[OrderView, ...]:
        """Newest first. problems: not all of it came, or something keeps it waiting."""
        ...

    async def slow(self, *, order_id: int, user_id: int | None = None) -> SlowView:
        """Why it is where it is, from our own rows. With `user_id`, only that person's. Raises NotFound."""
        ...

    async def pause(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        """Waiting phases are not sent until `resume`. What panels, groups and staff have begun goes on. Raises
        CannotSteer: nothing waits, or it is paused."""
        ...

    async def resume(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        """The times of waiting phases move by as long as the pause was. Raises CannotSteer: it is not paused."""
        ...

    async def cancel_rest(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        """Cancel what waits: parts that are not sent, and lines of groups or staff that nobody has begun. Their share
        comes back when the order ends. Before anything was begun it is `cancel`. Raises CannotSteer: nothing waits."""
        ...

    async def cancel(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        """Until the first phase is sent; the credit comes back. Raises CannotCancel."""
        ...

    async def unknown_phase(self, *, phase_id: int) -> UnknownPhaseView: ...

    async def unknown_phases(self, *, after: int = 0, limit: int = 100) -> tuple[UnknownPhaseView, ...]:
        """By phase id, after this one."""
        ...

    async def unknown_count(self) -> int: ...

    async def resolve_placed(
        self, *, key: str, actor: int, phase_id: int, panel_order: str, attempt: int = 0
    ) -> UnknownPhaseView:
        """Staff: it was placed, under this panel order id. Right ``orders.retry``. Raises AlreadyDecided,
        BadPanelOrder. `attempt`: the send they looked at (0: the one that is unknown now)."""
        ...

    async def resolve_not_placed(self, *, key: str, actor: int, phase_id: int, attempt: int = 0) -> UnknownPhaseView:
        """Staff: it was not placed; send again. Right ``orders.retry``. Raises AlreadyDecided, also when the send they
        looked at was decided and a later one is unknown now."""
        ...

    async def panels(self) -> tuple[PanelView, ...]: ...

    async def panel_orders(self, *, after: int = 0, limit: int = 500) -> tuple[PanelOrderView, ...]:
        """Every accepted panel order by phase id, for reconciliation and the sandbox's check."""
        ...

    async def unspent(self) -> Money:
        """What open orders will still cost at panels, at most, in dollars."""
        ...
