"""What happened to orders and panels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCreated(Event):
    NAME: ClassVar[str] = "boosts.order_created.v1"
    order_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderProgressed(Event):
    """A phase was sent, a count moved or a state changed: live screens should be drawn again."""

    NAME: ClassVar[str] = "boosts.order_progressed.v1"
    order_id: int
    user_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseSent(Event):
    NAME: ClassVar[str] = "boosts.phase_sent.v1"
    phase_id: int
    order_id: int
    user_id: int
    metric: str
    number: int
    quantity: int
    panel: str
    panel_order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseUnknown(Event):
    """A panel did not answer an `add`: staff must decide."""

    NAME: ClassVar[str] = "boosts.phase_unknown.v1"
    phase_id: int
    order_id: int
    panel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseHinted(Event):
    """A panel's balance was read after a send nobody knows the outcome of: its card can say what that hints at."""

    NAME: ClassVar[str] = "boosts.phase_hinted.v1"
    phase_id: int
    order_id: int
    panel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseResolved(Event):
    """Staff answered the card of an unknown phase. `how`: placed | not_placed."""

    NAME: ClassVar[str] = "boosts.phase_resolved.v1"
    phase_id: int
    order_id: int
    actor: int
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStuck(Event):
    """A panel order does not end by itself: staff must look. Again when they did not for long."""

    NAME: ClassVar[str] = "boosts.phase_stuck.v1"
    phase_id: int
    order_id: int
    panel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckDecided(Event):
    """`how`: ended | renumbered (by staff) | over (`actor` 0: it has ended, or its panel answers again)."""

    NAME: ClassVar[str] = "boosts.stuck_decided.v1"
    phase_id: int
    order_id: int
    actor: int
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesFinished(Event):
    """Lines of an order ended together. `metrics`: comma list; `state`: completed | partial | refunded | failed."""

    NAME: ClassVar[str] = "boosts.lines_finished.v1"
    order_id: int
    user_id: int
    metrics: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFinished(Event):
    """`state`: completed | partial | failed | cancelled. `refunded`: cents that came back, as money of either kind."""

    NAME: ClassVar[str] = "boosts.order_finished.v1"
    order_id: int
    user_id: int
    state: str
    refunded: int
    credit_returned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCorrected(Event):
    """An order that had ended delivered less than its panel had said. `refunded`: cents that came back for it now, of
    them `to_bonus` as bonus money."""

    NAME: ClassVar[str] = "boosts.order_corrected.v1"
    order_id: int
    user_id: int
    metric: str
    refunded: int
    credit_returned: bool
    to_bonus: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelAsked(Event):
    """A refill or a cancel that a panel was asked for moved on. `state`: accepted | refused | unknown | done | rejected
    | lapsed; `asked_by`: a buyer, or staff."""

    NAME: ClassVar[str] = "boosts.panel_asked.v1"
    request_id: int
    order_id: int
    user_id: int
    asked_by: int
    what: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomPlanChanged(Event):
    """`what`: made | edited | ended. `given`: posts given, below 0 taken back; `refunded`: cents paid back for them, of
    them `to_bonus` as bonus money."""

    NAME: ClassVar[str] = "boosts.custom_plan_changed.v1"
    plan_id: int
    user_id: int
    what: str
    given: int
    refunded: int
    reason: str
    to_bonus: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefunded(Event):
    """What of an order was not delivered went back as money. `cents`: how much; `to_wallet`: of it, what had paid
    commission (None: not known, it was recorded before that was told apart); `invoice_id`: the purchase whose credit
    the order had used. `source`: ``settled`` | ``corrected:<phase>``; with the order it is one return (empty: recorded
    before orders had more than one). Orders with a credit that nobody paid for have no such event."""

    NAME: ClassVar[str] = "boosts.order_refunded.v1"
    order_id: int
    user_id: int
    invoice_id: int
    cents: int
    source: str = ""
    to_wallet: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsRefunded(Event):
    """Unused credits were taken back, and what was paid for them went back as money: `cents` of what `invoice_id` had
    sold, of them `to_wallet` had paid commission (None: not known). `source` names the taking back: with the invoice it
    is one refund. Credits that were given have no such event."""

    NAME: ClassVar[str] = "boosts.credits_refunded.v1"
    source: str
    user_id: int
    invoice_id: int
    cents: int
    to_wallet: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelTrouble(Event):
    """Staff should know; said once until it is over. `detail` is for staff eyes, and may hold a panel's own words.

    `what`: breaker_open (detail: the panel that is active now, or empty when none is) | active_changed (`panel` is
    active again; detail: the one before) | low_balance (detail: what is left, with currency) | not_enough_funds |
    config (bad key, or a service it does not know) | refused (any other no) | strange_status (an answer to a status
    question that says nothing we know) | corrected (it took back that an order was completed) | services (of its list:
    what is not used any more until an owner accepts it) | runway (at what we spend there, what is left does not last;
    detail: how long it does, and what is left).
    """

    NAME: ClassVar[str] = "boosts.panel_trouble.v1"
    panel: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelListRead(Event):
    """A panel's list of services was read because somebody had asked for it."""

    NAME: ClassVar[str] = "boosts.panel_list_read.v1"
    panel: str
    asked_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffCardOpened(Event):
    """A line waits for somebody of the team."""

    NAME: ClassVar[str] = "boosts.staff_card_opened.v1"
    card_id: int
    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffCardMoved(Event):
    """Taken, released, worked at or decided; `state` is what it is now. `actor` 0: its order was cancelled."""

    NAME: ClassVar[str] = "boosts.staff_card_moved.v1"
    card_id: int
    order_id: int
    state: str
    actor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffCardWaits(Event):
    """Nobody has moved it for long."""

    NAME: ClassVar[str] = "boosts.staff_card_waits.v1"
    card_id: int
    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsReturned(Event):
    """A paid invoice could not become an order (its plan is gone): `cents`, all that was paid, came back; of them
    `to_wallet` had paid commission (None: not known), and `to_bonus` are bonus money again."""

    NAME: ClassVar[str] = "boosts.goods_returned.v1"
    invoice_id: int
    user_id: int
    cents: int
    to_wallet: int | None = None
    to_bonus: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupJoined(Event):
    """The bot is in a group it was not in before, or is back."""

    NAME: ClassVar[str] = "boosts.group_joined.v1"
    group_id: int
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLost(Event):
    """The bot left a group or was thrown out. `role`: what the group was for."""

    NAME: ClassVar[str] = "boosts.group_lost.v1"
    group_id: int
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdMessageDue(Event):
    """A post is to be sent to a group now. `kind`: comments | likes."""

    NAME: ClassVar[str] = "boosts.crowd_message_due.v1"
    message_id: int
    order_id: int
    chat_id: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdPostChanged(Event):
    """Its messages in the groups should be drawn again: counts moved, or it is closed. At a polite pace."""

    NAME: ClassVar[str] = "boosts.crowd_post_changed.v1"
    post_id: int
    order_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTaken(Event):
    """Somebody took a slot, a new one or one more of the same post. `group_id` 0: from the list of tasks."""

    NAME: ClassVar[str] = "boosts.claim_taken.v1"
    claim_id: int
    user_id: int
    order_id: int
    group_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSubmitted(Event):
    """Proof was handed in: staff should look."""

    NAME: ClassVar[str] = "boosts.claim_submitted.v1"
    claim_id: int
    user_id: int
    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimApproved(Event):
    """Work that staff approved, one event for each metric of the claim; `count` pieces of it. Once."""

    NAME: ClassVar[str] = "boosts.claim_approved.v1"
    claim_id: int
    user_id: int
    order_id: int
    metric: str
    count: int
    actor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRejected(Event):
    NAME: ClassVar[str] = "boosts.claim_rejected.v1"
    claim_id: int
    user_id: int
    order_id: int
    actor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimExpired(Event):
    """No proof came in time, or its person gave it up: the slot is free."""

    NAME: ClassVar[str] = "boosts.claim_expired.v1"
    claim_id: int
    user_id: int
    order_id: int
    given_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RepliesSubmitted(Event):
    """A reply guy handed something in: staff should look."""

    NAME: ClassVar[str] = "boosts.replies_submitted.v1"
    submission_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepliesDecided(Event):
    """`state`: approved | rejected | withdrawn (by the person). `kobo`: paid for it."""

    NAME: ClassVar[str] = "boosts.replies_decided.v1"
    submission_id: int
    user_id: int
    state: str
    kobo: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyPaid(Event):
    """A reply balance moved without a submission. `kind`: claim | bonus | correction."""

    NAME: ClassVar[str] = "boosts.reply_paid.v1"
    pay_id: int
    user_id: int
    kind: str
    kobo: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyGuyChanged(Event):
    """`active`: they are one now."""

    NAME: ClassVar[str] = "boosts.reply_guy_changed.v1"
    user_id: int
    active: bool
    actor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyExportAsked(Event):
    """Somebody in staff wants the list of reply guys as a file."""

    NAME: ClassVar[str] = "boosts.reply_export_asked.v1"
    actor: int
    form: str = "csv"  # or xlsx
