"""What is worth telling, and to whom: events become notices in the transaction that hears them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from viralcore.boosts.api import Boosts
from viralcore.boosts.events import (
    ClaimApproved,
    ClaimExpired,
    ClaimRejected,
    ClaimSubmitted,
    ClaimTaken,
    CrowdMessageDue,
    CrowdPostChanged,
    GoodsReturned,
    GroupJoined,
    GroupLost,
    LinesFinished,
    OrderCreated,
    OrderFinished,
    OrderProgressed,
    PanelTrouble,
    PhaseResolved,
    PhaseUnknown,
    RepliesDecided,
    RepliesSubmitted,
    ReplyGuyChanged,
    ReplyPaid,
    StaffCardMoved,
    StaffCardOpened,
    StaffCardWaits,
)
from viralcore.core.db import Tx
from viralcore.core.events import Event, Subscription
from viralcore.notifications import domain
from viralcore.notifications.domain import card_key, order_key, owner_key, phase_key, proof_key, stray_key, transfer_key
from viralcore.notifications.service import custom
from viralcore.notifications.service.desk import Desk
from viralcore.notifications.service.groups import GroupNotices
from viralcore.notifications.service.replies import ReplyNotices
from viralcore.payments.api import Payments
from viralcore.payments.events import (
    BankTrouble,
    ClaimDecided,
    ClaimMoved,
    DepositConfirmed,
    DepositSeen,
    InvoiceClosedUnpaid,
    InvoicePaid,
    PricesStopped,
    ProofDecided,
    ProofSubmitted,
    ReceiptAssigned,
    RefundIssued,
    StrayMoney,
    StrayNeedsOwner,
)
from viralcore.referrals.events import CommissionEarned, CommissionReversed
from viralcore.users.api import Users

WALLET = "wallet"
E = TypeVar("E", bound=Event)


class Subscribers:
    """One method for each event. Each runs once for each event; the event's id is the key of what it tells."""

    def __init__(self, desk: Desk, *, users: Users, payments: Payments, boosts: Boosts) -> None:
        self._desk = desk
        self._users = users
        self._payments = payments
        self._boosts = boosts
        self.replies = ReplyNotices(desk)
        self.groups = GroupNotices(desk, users=users, boosts=boosts)

    # --- money -------------------------------------------------------------------------------------------------------

    async def deposit_seen(self, tx: Tx, event_id: str, event: DepositSeen) -> None:
        await self._desk.show_person(
            tx,
            user_id=event.user_id,
            key=event_id,
            live_key=transfer_key(event.network, event.hash, event.user_id),
            template="transfer",
            network=event.network,
            hash=event.hash,
            invoice_id=event.invoice_id,
        )

    async def deposit_confirmed(self, tx: Tx, event_id: str, event: DepositConfirmed) -> None:
        """One message for the money and for the invoice it paid: they are one moment to the buyer."""
        for receipt in await self._payments.receipts(after_id=event.receipt_id - 1, limit=1):
            await self._desk.end_person(
                tx,
                user_id=event.user_id,
                key=event_id,
                live_key=transfer_key(receipt.network, receipt.hash, event.user_id),
                template="transfer",
                network=receipt.network,
                hash=receipt.hash,
                invoice_id=event.invoice_id,
                credited=True,
            )
        facts = {
            "invoice_id": event.invoice_id,
            "amount": event.amount,
            "asset": event.asset,
            "network": event.network,
            "usd": event.usd,
            "to_wallet": event.to_wallet,
            "outcome": event.outcome,
            "pays": await self._pays(event),
        }
        await self._desk.tell_person(tx, user_id=event.user_id, key=event_id, template="deposit", **facts)
        await self._desk.tell_admins(tx, key=event_id, template="staff_deposit", user_id=event.user_id, **facts)
        await self._stray_ends(tx, event.receipt_id)

    async def _pays(self, event: DepositConfirmed) -> bool:
        """Whether this money paid its invoice: then some of it did not stay in the wallet. A top-up's always does."""
        if event.to_wallet < event.usd:
            return True
        invoice = await self._payments.get_invoice(user_id=event.user_id, invoice_id=event.invoice_id)
        return invoice.item.kind == "topup" and invoice.state == "paid"

    async def invoice_paid(self, tx: Tx, event_id: str, event: InvoicePaid) -> None:
        """Paid with coins: the confirmed deposit, in the same transaction, says it."""
        if event.method != WALLET:
            return
        facts = {"invoice_id": event.invoice_id}
        await self._desk.tell_person(tx, user_id=event.user_id, key=event_id, template="paid_from_wallet", **facts)
        await self._desk.tell_admins(tx, key=event_id, template="staff_paid", user_id=event.user_id, **facts)

    async def invoice_closed(self, tx: Tx, event_id: str, event: InvoiceClosedUnpaid) -> None:
        await self._desk.tell_person(
            tx,
            user_id=event.user_id,
            key=event_id,
            template="invoice_closed",
            invoice_id=event.invoice_id,
            state=event.state,
        )

    async def claim_decided(self, tx: Tx, event_id: str, event: ClaimDecided) -> None:
        """While it is looked at: one message that is edited. Credited: the deposit's message says it. Else: why."""
        claim = await self._payments.get_claim(user_id=event.user_id, claim_id=event.claim_id)
        live_key = transfer_key(claim.network, claim.hash, event.user_id)
        if event.state == "checking":
            await self._desk.show_person(
                tx,
                user_id=event.user_id,
                key=event_id,
                live_key=live_key,
                template="transfer",
                network=claim.network,
                hash=claim.hash,
                claim_id=event.claim_id,
                **({} if event.invoice_id is None else {"invoice_id": event.invoice_id}),
            )
            return
        await self._desk.refresh(tx, live_key=live_key, claim_id=event.claim_id)
        if event.state != "credited":
            await self._desk.tell_person(
                tx,
                user_id=event.user_id,
                key=event_id,
                template="claim_ended",
                claim_id=event.claim_id,
                invoice_id=event.invoice_id,
                state=event.state,
                reason=event.reason,
            )

    async def claim_moved(self, tx: Tx, event_id: str, event: ClaimMoved) -> None:
        """The message that followed it on the wrong network ends; what comes of it on the right one is another."""
        await self._desk.end_person(
            tx,
            user_id=event.user_id,
            key=event_id,
            live_key=transfer_key(event.network, event.hash, event.user_id),
            template="transfer",
            network=event.network,
            hash=event.hash,
            claim_id=event.claim_id,
            moved=True,
        )

    async def stray_money(self, tx: Tx, event_id: str, event: StrayMoney) -> None:
        """Whoever pasted it hears of it by the decision on their hash. The card is edited when the money has an
        owner."""
        await self._desk.show_admins(
            tx,
            key=event_id,
            live_key=stray_key(event.receipt_id, event.user_id),
            template="staff_stray",
            receipt_id=event.receipt_id,
            network=event.network,
            asset=event.asset,
            amount=event.amount,
            hash=event.hash,
            user_id=event.user_id,
            reference=event.reference,
            reason=event.reason,
        )

    async def stray_needs_owner(self, tx: Tx, event_id: str, event: StrayNeedsOwner) -> None:
        """To each owner in private: money in suspense is theirs to see to."""
        for owner in await self._users.staff_ids(right=domain.OWNERS_HAVE):
            await self._desk.show_person(
                tx,
                user_id=owner,
                key=event_id,
                live_key=owner_key(event.receipt_id, event.why, owner),
                template="owner_stray",
                receipt_id=event.receipt_id,
                network=event.network,
                asset=event.asset,
                amount=event.amount,
                hash=event.hash,
                usd=event.usd,
                why=event.why,
            )

    async def receipt_assigned(self, tx: Tx, event_id: str, event: ReceiptAssigned) -> None:
        """To an invoice: the confirmed deposit tells the buyer."""
        if event.invoice_id is None:
            await self._desk.tell_person(
                tx,
                user_id=event.user_id,
                key=event_id,
                template="assigned",
                network=event.network,
                asset=event.asset,
                amount=event.amount,
                usd=event.usd,
            )
        await self._stray_ends(tx, event.receipt_id)

    async def _stray_ends(self, tx: Tx, receipt_id: int) -> None:
        """Bring every card about a receipt that had no owner up to date."""
        receipt = await self._payments.finance.receipt(receipt_id=receipt_id)
        for user_id in (None, *receipt.pasted_by):
            await self._desk.refresh_admins(tx, live_key=stray_key(receipt_id, user_id))
        for owner in await self._users.staff_ids(right=domain.OWNERS_HAVE):
            for why in ("large", "old"):
                await self._desk.refresh(tx, live_key=owner_key(receipt_id, why, owner))

    async def refund_issued(self, tx: Tx, event_id: str, event: RefundIssued) -> None:
        facts = {
            "invoice_id": event.invoice_id,
            "to_wallet": event.to_wallet,
            "to_bonus": event.to_bonus,
            "credits": event.credits,
            "left": event.refunded < event.paid,
        }
        await self._desk.tell_person(tx, user_id=event.user_id, key=event_id, template="refunded", **facts)
        await self._desk.tell_admins(
            tx, key=event_id, template="staff_refund", refund_id=event.refund_id, user_id=event.user_id
        )

    async def commission_earned(self, tx: Tx, event_id: str, event: CommissionEarned) -> None:
        await self._desk.tell_person(
            tx,
            user_id=event.referrer_id,
            key=event_id,
            template="commission",
            item_ref=event.item_ref,
            cents=event.cents,
            to_receivable=event.to_receivable,
        )

    async def commission_reversed(self, tx: Tx, event_id: str, event: CommissionReversed) -> None:
        await self._desk.tell_person(
            tx,
            user_id=event.referrer_id,
            key=event_id,
            template="commission_back",
            item_ref=event.item_ref,
            cents=event.cents,
            receivable=event.receivable,
        )

    async def bank_trouble(self, tx: Tx, event_id: str, event: BankTrouble) -> None:
        await self._desk.tell_bank_trouble(tx, what=event.what, detail=event.detail)

    async def proof_submitted(self, tx: Tx, event_id: str, event: ProofSubmitted) -> None:
        await self._desk.show_admins(
            tx, key=event_id, live_key=proof_key(event.proof_id), template="proof", proof_id=event.proof_id
        )

    async def proof_decided(self, tx: Tx, event_id: str, event: ProofDecided) -> None:
        """Approved: the confirmed deposit, in the same transaction, says it."""
        await self._desk.refresh_admins(tx, live_key=proof_key(event.proof_id), state=event.state)
        if event.state == "rejected":
            await self._desk.tell_person(
                tx, user_id=event.user_id, key=event_id, template="proof_rejected", proof_id=event.proof_id
            )

    async def prices_stopped(self, tx: Tx, event_id: str, event: PricesStopped) -> None:
        await self._desk.tell_admins(tx, key=event_id, template="prices", coin=event.coin, reason=event.reason)

    # --- orders ------------------------------------------------------------------------------------------------------

    async def order_created(self, tx: Tx, event_id: str, event: OrderCreated) -> None:
        """What is all for the team has cards, which say it."""
        await self._live(tx, event_id, event.user_id, event.order_id)
        order = await self._boosts.get_order(order_id=event.order_id)
        if not all(line.engine == "staff" for line in order.lines):
            await self._desk.tell_admins(
                tx, key=event_id, template="staff_order", order_id=event.order_id, user_id=event.user_id
            )

    async def order_progressed(self, tx: Tx, event_id: str, event: OrderProgressed) -> None:
        await self._live(tx, event_id, event.user_id, event.order_id)

    async def _live(self, tx: Tx, event_id: str, user_id: int, order_id: int) -> None:
        await self._desk.show_person(
            tx,
            user_id=user_id,
            key=event_id,
            live_key=order_key(order_id),
            template="progress",
            order_id=order_id,
        )

    async def lines_finished(self, tx: Tx, event_id: str, event: LinesFinished) -> None:
        """Lines that end with their order are told by the message about its end."""
        order = await self._boosts.get_order(order_id=event.order_id)
        if order.finished_at is None:
            await self._desk.tell_person(
                tx,
                user_id=event.user_id,
                key=event_id,
                template="lines_ended",
                order_id=event.order_id,
                metrics=event.metrics.split(","),
                state=event.state,
            )

    async def order_finished(self, tx: Tx, event_id: str, event: OrderFinished) -> None:
        """A cancelled order ends by its buyer's own press, which has its own answer."""
        facts = {"order_id": event.order_id}
        if event.state != "cancelled":
            await self._desk.tell_person(tx, user_id=event.user_id, key=event_id, template="finished", **facts)
        await self._desk.tell_admins(tx, key=event_id, template="staff_finished", user_id=event.user_id, **facts)

    async def goods_returned(self, tx: Tx, event_id: str, event: GoodsReturned) -> None:
        facts = {"invoice_id": event.invoice_id, "cents": event.cents, "to_bonus": event.to_bonus}
        await self._desk.tell_person(tx, user_id=event.user_id, key=event_id, template="goods_returned", **facts)

    # --- the team's work ---------------------------------------------------------------------------------------------

    async def card_opened(self, tx: Tx, event_id: str, event: StaffCardOpened) -> None:
        await self._card(tx, event_id, event.card_id)

    async def card_moved(self, tx: Tx, event_id: str, event: StaffCardMoved) -> None:
        await self._desk.refresh_admins(tx, live_key=card_key(event.card_id))

    async def card_waits(self, tx: Tx, event_id: str, event: StaffCardWaits) -> None:
        """A new card where staff look; the old one says so and loses its buttons."""
        await self._desk.renew(tx, live_key=card_key(event.card_id), superseded=True)
        await self._card(tx, event_id, event.card_id, waits=True)

    async def _card(self, tx: Tx, event_id: str, card_id: int, **facts: bool) -> None:
        live_key = card_key(card_id)
        await self._desk.show_admins(
            tx, key=event_id, live_key=live_key, template="staff_card", card_id=card_id, **facts
        )

    # --- panels ------------------------------------------------------------------------------------------------------

    async def panel_trouble(self, tx: Tx, event_id: str, event: PanelTrouble) -> None:
        await self._desk.tell_trouble(tx, panel=event.panel, what=event.what, detail=event.detail)

    async def phase_unknown(self, tx: Tx, event_id: str, event: PhaseUnknown) -> None:
        """A new card each time: one that was decided before is not where staff look."""
        live_key = phase_key(event.phase_id)
        await self._desk.renew(tx, live_key=live_key, superseded=True)
        await self._desk.show_admins(
            tx, key=event_id, live_key=live_key, template="unknown_phase", phase_id=event.phase_id
        )

    async def phase_resolved(self, tx: Tx, event_id: str, event: PhaseResolved) -> None:
        await self._desk.refresh_admins(tx, live_key=phase_key(event.phase_id), actor=event.actor, how=event.how)


def subscriptions(hears: Subscribers) -> tuple[Subscription, ...]:
    """Names are stored with deliveries: they never change."""
    return (
        hear(DepositSeen, "notifications.deposit_seen", hears.deposit_seen),
        hear(DepositConfirmed, "notifications.deposit_confirmed", hears.deposit_confirmed),
        hear(InvoicePaid, "notifications.invoice_paid", hears.invoice_paid),
        hear(InvoiceClosedUnpaid, "notifications.invoice_closed", hears.invoice_closed),
        hear(ClaimDecided, "notifications.claim_decided", hears.claim_decided),
        hear(ClaimMoved, "notifications.claim_moved", hears.claim_moved),
        hear(StrayMoney, "notifications.stray_money", hears.stray_money),
        hear(StrayNeedsOwner, "notifications.stray_needs_owner", hears.stray_needs_owner),
        hear(ReceiptAssigned, "notifications.receipt_assigned", hears.receipt_assigned),
        hear(RefundIssued, "notifications.refund_issued", hears.refund_issued),
        hear(CommissionEarned, "notifications.commission_earned", hears.commission_earned),
        hear(CommissionReversed, "notifications.commission_reversed", hears.commission_reversed),
        hear(BankTrouble, "notifications.bank_trouble", hears.bank_trouble),
        hear(ProofSubmitted, "notifications.proof_submitted", hears.proof_submitted),
        hear(ProofDecided, "notifications.proof_decided", hears.proof_decided),
        hear(PricesStopped, "notifications.prices_stopped", hears.prices_stopped),
        hear(OrderCreated, "notifications.order_created", hears.order_created),
        hear(OrderProgressed, "notifications.order_progressed", hears.order_progressed),
        hear(LinesFinished, "notifications.lines_finished", hears.lines_finished),
        hear(OrderFinished, "notifications.order_finished", hears.order_finished),
        custom.subscription(hears._desk),
        hear(GoodsReturned, "notifications.goods_returned", hears.goods_returned),
        hear(StaffCardOpened, "notifications.staff_card_opened", hears.card_opened),
        hear(StaffCardMoved, "notifications.staff_card_moved", hears.card_moved),
        hear(StaffCardWaits, "notifications.staff_card_waits", hears.card_waits),
        hear(PanelTrouble, "notifications.panel_trouble", hears.panel_trouble),
        hear(PhaseUnknown, "notifications.phase_unknown", hears.phase_unknown),
        hear(PhaseResolved, "notifications.phase_resolved", hears.phase_resolved),
        hear(RepliesSubmitted, "notifications.replies_submitted", hears.replies.submitted),
        hear(RepliesDecided, "notifications.replies_decided", hears.replies.decided),
        hear(ReplyPaid, "notifications.reply_paid", hears.replies.paid),
        hear(ReplyGuyChanged, "notifications.reply_guy_changed", hears.replies.role),
        hear(CrowdMessageDue, "notifications.crowd_message_due", hears.groups.due),
        hear(CrowdPostChanged, "notifications.crowd_post_changed", hears.groups.changed),
        hear(GroupJoined, "notifications.group_joined", hears.groups.joined),
        hear(GroupLost, "notifications.group_lost", hears.groups.lost),
        hear(ClaimTaken, "notifications.claim_taken", hears.groups.taken),
        hear(ClaimSubmitted, "notifications.claim_submitted", hears.groups.submitted),
        hear(ClaimApproved, "notifications.claim_approved", hears.groups.approved),
        hear(ClaimRejected, "notifications.claim_rejected", hears.groups.rejected),
        hear(ClaimExpired, "notifications.claim_expired", hears.groups.expired),
    )


def hear(event: type[E], name: str, handler: Callable[[Tx, str, E], Awaitable[None]]) -> Subscription:
    """A subscription of one kind of event."""

    async def heard(tx: Tx, event_id: str, what: Event) -> None:
        if not isinstance(what, event):
            raise TypeError(f"{name} hears {event.__name__}, not {type(what).__name__}")
        await handler(tx, event_id, what)

    return Subscription(event, name, heard)
