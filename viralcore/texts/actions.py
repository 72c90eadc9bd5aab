"""Every button's meaning. `Go` only looks; all others ask a use case, which checks rights and state itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from viralcore.core.screen import Action, action
from viralcore.texts import reply_actions, stuck_actions, withdrawal_actions


@action
@dataclass(frozen=True, slots=True)
class Go(Action):
    """Show a route, e.g. ``invoice:12``. Safe from any message, however old."""

    CODE: ClassVar[str] = "go"
    route: str


@action
@dataclass(frozen=True, slots=True)
class Agree(Action):
    """Accept the terms of use."""

    CODE: ClassVar[str] = "agree"
    version: str


@action
@dataclass(frozen=True, slots=True)
class Buy(Action):
    """A preset quantity of a plan: opens the invoice."""

    CODE: ClassVar[str] = "buy"
    plan: str
    quantity: int


@action
@dataclass(frozen=True, slots=True)
class AskQuantity(Action):
    """Other amount: the next line typed is the quantity."""

    CODE: ClassVar[str] = "qty"
    plan: str


@action
@dataclass(frozen=True, slots=True)
class PayWith(Action):
    """Choose a method for an invoice, e.g. ``bsc:USDT``."""

    CODE: ClassVar[str] = "method"
    invoice: int
    method: str


@action
@dataclass(frozen=True, slots=True)
class PayFromWallet(Action):
    CODE: ClassVar[str] = "wallet"
    invoice: int


@action
@dataclass(frozen=True, slots=True)
class IHavePaid(Action):
    """The next line typed is the transaction hash."""

    CODE: ClassVar[str] = "paid"
    invoice: int


@action
@dataclass(frozen=True, slots=True)
class CancelInvoice(Action):
    CODE: ClassVar[str] = "icancel"
    invoice: int


@action
@dataclass(frozen=True, slots=True)
class GiveUpInvoice(Action):
    """The second press: cancel an invoice for which money may be coming."""

    CODE: ClassVar[str] = "igiveup"
    invoice: int


@action
@dataclass(frozen=True, slots=True)
class TopUp(Action):
    """Open the invoice of a top-up."""

    CODE: ClassVar[str] = "topup"
    cents: int


@action
@dataclass(frozen=True, slots=True)
class AskTopup(Action):
    """Other amount: the next line typed is what to top up."""

    CODE: ClassVar[str] = "topup_ask"


@action
@dataclass(frozen=True, slots=True)
class MoveToWallet(Action):
    """Move affiliate money to the wallet."""

    CODE: ClassVar[str] = "move"
    cents: int


@action
@dataclass(frozen=True, slots=True)
class AskMove(Action):
    """Other amount: the next line typed is what to move."""

    CODE: ClassVar[str] = "move_ask"


@action
@dataclass(frozen=True, slots=True)
class AskLink(Action):
    """The next line typed is a link."""

    CODE: ClassVar[str] = "link"


@action
@dataclass(frozen=True, slots=True)
class ChoosePlan(Action):
    CODE: ClassVar[str] = "dplan"
    draft: int
    plan: str


@action
@dataclass(frozen=True, slots=True)
class ConfirmDraft(Action):
    CODE: ClassVar[str] = "dok"
    draft: int


@action
@dataclass(frozen=True, slots=True)
class DiscardDraft(Action):
    CODE: ClassVar[str] = "dno"
    draft: int


@action
@dataclass(frozen=True, slots=True)
class CancelOrder(Action):
    CODE: ClassVar[str] = "ocancel"
    order: int


@action
@dataclass(frozen=True, slots=True)
class PhasePlaced(Action):
    """Staff card: the panel did take this attempt; the next line typed is the panel's order id."""

    CODE: ClassVar[str] = "ph_yes"
    phase: int
    attempt: int = 0


@action
@dataclass(frozen=True, slots=True)
class PhaseNotPlaced(Action):
    """Staff card: the panel did not take this attempt; send again."""

    CODE: ClassVar[str] = "ph_no"
    phase: int
    attempt: int = 0


@action
@dataclass(frozen=True, slots=True)
class OpenSession(Action):
    """Open a staff session for an hour."""

    CODE: ClassVar[str] = "session"


@action
@dataclass(frozen=True, slots=True)
class AskInvoice(Action):
    """Finance: the next line typed is an invoice's number."""

    CODE: ClassVar[str] = "inv_ask"


@action
@dataclass(frozen=True, slots=True)
class ApproveProof(Action):
    """Staff card: the money of this photographed receipt is in our account."""

    CODE: ClassVar[str] = "pr_yes"
    proof: int


@action
@dataclass(frozen=True, slots=True)
class AskAssign(Action):
    """Finance: the next line typed says whose a stray receipt is. `kind`: i (an invoice) | u (a person)."""

    CODE: ClassVar[str] = "as_ask"
    receipt: int
    kind: str


@action
@dataclass(frozen=True, slots=True)
class AssignTo(Action):
    """Finance: a stray receipt is this invoice's or person's; the next line typed is the reason."""

    CODE: ClassVar[str] = "as_to"
    receipt: int
    kind: str
    target: int


@action
@dataclass(frozen=True, slots=True)
class ConfirmAssign(Action):
    """`target`: kind and id, as the screen showed them (``i12``, ``u2001``)."""

    CODE: ClassVar[str] = "as_ok"
    receipt: int
    target: str


@action
@dataclass(frozen=True, slots=True)
class AskRefund(Action):
    """Finance: `how` full (all that can go back) | part (the next line typed is the amount)."""

    CODE: ClassVar[str] = "rf_ask"
    invoice: int
    how: str


@action
@dataclass(frozen=True, slots=True)
class ConfirmRefund(Action):
    """`refunded`: cents that had gone back before, as the screen showed them."""

    CODE: ClassVar[str] = "rf_ok"
    invoice: int
    cents: int
    refunded: int


@action
@dataclass(frozen=True, slots=True)
class RejectProof(Action):
    """Staff card: it is not; the next line typed is the reason the payer is told."""

    CODE: ClassVar[str] = "pr_no"
    proof: int


@action
@dataclass(frozen=True, slots=True)
class AcceptDifference(Action):
    """Finance: a difference between the books is explained; the next line typed says how."""

    CODE: ClassVar[str] = "bk_ok"
    difference: int


@action
@dataclass(frozen=True, slots=True)
class CompareBooks(Action):
    """Finance: compare our transfers with the provider's once more."""

    CODE: ClassVar[str] = "bk_cmp"


@action
@dataclass(frozen=True, slots=True)
class LetPayoutsGo(Action):
    """Owner: automatic payouts go on although we are short; the next line typed is the reason."""

    CODE: ClassVar[str] = "bk_lift"


@action
@dataclass(frozen=True, slots=True)
class OpenRequest(Action):
    """Go on with goods somebody has begun to buy: the next question, or the summary."""

    CODE: ClassVar[str] = "rq_go"
    request: int


@action
@dataclass(frozen=True, slots=True)
class AskAnswer(Action):
    """The next line typed is another answer to this question."""

    CODE: ClassVar[str] = "rq_ask"
    request: int
    question: str


@action
@dataclass(frozen=True, slots=True)
class GiveAnswer(Action):
    CODE: ClassVar[str] = "rq_ans"
    request: int
    question: str
    value: str


@action
@dataclass(frozen=True, slots=True)
class InvoiceRequest(Action):
    """All is answered: open the invoice."""

    CODE: ClassVar[str] = "rq_inv"
    request: int


@action
@dataclass(frozen=True, slots=True)
class DiscardRequest(Action):
    CODE: ClassVar[str] = "rq_no"
    request: int


@action
@dataclass(frozen=True, slots=True)
class TakeCard(Action):
    """Staff card: I do this. `version`: of the card as it was drawn, so that the same button is another press later."""

    CODE: ClassVar[str] = "cd_take"
    card: int
    version: int


@action
@dataclass(frozen=True, slots=True)
class ReleaseCard(Action):
    """Staff card: somebody else may take it."""

    CODE: ClassVar[str] = "cd_free"
    card: int
    version: int


@action
@dataclass(frozen=True, slots=True)
class CardProgress(Action):
    """Staff card: the next line typed is how many are delivered in all."""

    CODE: ClassVar[str] = "cd_part"
    card: int
    version: int


@action
@dataclass(frozen=True, slots=True)
class CardDone(Action):
    """Staff card: all of it is delivered."""

    CODE: ClassVar[str] = "cd_done"
    card: int
    version: int


@action
@dataclass(frozen=True, slots=True)
class CardCannot(Action):
    """Staff card: no more will come; the next line typed is the reason the buyer reads."""

    CODE: ClassVar[str] = "cd_no"
    card: int
    version: int


STAFF_CARD: tuple[type[Action], ...] = (
    PhasePlaced,
    PhaseNotPlaced,
    ApproveProof,
    RejectProof,
    AcceptDifference,
    CompareBooks,
    TakeCard,
    ReleaseCard,
    CardProgress,
    CardDone,
    CardCannot,
    *reply_actions.CARD,
    *stuck_actions.CARDS,
    *withdrawal_actions.CARDS,
)
"""Actions that live on cards in the admin group, where no home message is."""
