"""Who is told what of a withdrawal: its owner of every turn of it, the admin group by one card that is kept up to date.

Its owner has one message that follows it from the approval on, and a new one when it ends, or when its end is not
known.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from viralcore.core.db import Tx
from viralcore.core.errors import NotFound
from viralcore.core.events import Event, Subscription
from viralcore.core.screen import Screen
from viralcore.notifications.domain import Notice
from viralcore.notifications.service.desk import Desk
from viralcore.texts import withdrawal_cards as cards
from viralcore.texts import withdrawal_notices as notices
from viralcore.texts.cards import PersonText
from viralcore.users.api import Users
from viralcore.withdrawals.api import Withdrawals
from viralcore.withdrawals.events import (
    PayoutSwitched,
    PayoutTrouble,
    TransferLookedFor,
    WithdrawalApprovalGiven,
    WithdrawalApprovalVoid,
    WithdrawalApproved,
    WithdrawalAttemptFailed,
    WithdrawalCancelled,
    WithdrawalCompleted,
    WithdrawalConfirmedAgain,
    WithdrawalFailed,
    WithdrawalRejected,
    WithdrawalRequested,
    WithdrawalSent,
    WithdrawalTakenOver,
    WithdrawalTermsOutdated,
    WithdrawalUnconfirmed,
)

E = TypeVar("E", bound=Event)
CARDS = 50  # drawn again when a switch is turned
Ended = WithdrawalCompleted | WithdrawalFailed | WithdrawalRejected | WithdrawalCancelled


def card_key(withdrawal_id: int) -> str:
    """The card in the admin group."""
    return f"withdrawal:{withdrawal_id}"


def progress_key(withdrawal_id: int) -> str:
    """The message that follows it for its owner."""
    return f"withdrawal:{withdrawal_id}:owner"


class PayoutTeller:
    """Hears, and knows what its own templates look like."""

    def __init__(self, desk: Desk, *, withdrawals: Withdrawals, users: Users) -> None:
        self._desk = desk
        self._withdrawals = withdrawals
        self._users = users
        self.templates: Mapping[str, Callable[[Notice, Mapping[str, Any]], Awaitable[Screen | None]]] = {
            "withdrawal_card": self._card,
            "withdrawal_progress": self._progress,
            "withdrawal_told": self._told,
            "withdrawal_terms": self._terms,
            "payout_trouble": self._trouble,
            "payout_switched": self._switched,
        }

    # --- hearing -----------------------------------------------------------------------------------------------------

    async def requested(self, tx: Tx, event_id: str, event: WithdrawalRequested) -> None:
        await self._show_card(tx, event_id, event.withdrawal_id)

    async def confirmed_again(self, tx: Tx, event_id: str, event: WithdrawalConfirmedAgain) -> None:
        """A new card: approvals of the old terms are void, and nobody looks at one that scrolled away."""
        await self._desk.renew(tx, live_key=card_key(event.withdrawal_id), superseded=True)
        await self._show_card(tx, event_id, event.withdrawal_id)

    async def approval_given(self, tx: Tx, event_id: str, event: WithdrawalApprovalGiven) -> None:
        await self._refresh_card(tx, event_id, event.withdrawal_id)

    async def approved(self, tx: Tx, event_id: str, event: WithdrawalApproved) -> None:
        await self._refresh_card(tx, event_id, event.withdrawal_id)
        await self._desk.show_person(
            tx,
            user_id=event.user_id,
            key=event_id,
            live_key=progress_key(event.withdrawal_id),
            template="withdrawal_progress",
            withdrawal_id=event.withdrawal_id,
        )

    async def sent(self, tx: Tx, event_id: str, event: WithdrawalSent) -> None:
        await self._moved(tx, event_id, event.withdrawal_id)

    async def attempt_failed(self, tx: Tx, event_id: str, event: WithdrawalAttemptFailed) -> None:
        await self._refresh_card(tx, event_id, event.withdrawal_id)

    async def unconfirmed(self, tx: Tx, event_id: str, event: WithdrawalUnconfirmed) -> None:
        await self._moved(tx, event_id, event.withdrawal_id)
        await self._tell(tx, event_id, event.user_id, event.withdrawal_id, "unconfirmed")

    async def terms_outdated(self, tx: Tx, event_id: str, event: WithdrawalTermsOutdated) -> None:
        await self._refresh_card(tx, event_id, event.withdrawal_id)
        await self._desk.tell_person(
            tx,
            user_id=event.user_id,
            key=event_id,
            template="withdrawal_terms",
            withdrawal_id=event.withdrawal_id,
            why=event.why,
        )

    async def ended(self, tx: Tx, event_id: str, event: Ended) -> None:
        """Who cancels reads it on the screen they press; who is cancelled because time ran out is told."""
        await self._moved(tx, event_id, event.withdrawal_id)
        if isinstance(event, WithdrawalCancelled) and not event.expired:
            return
        await self._tell(tx, event_id, event.user_id, event.withdrawal_id, "")

    async def back(self, tx: Tx, event_id: str, event: WithdrawalApprovalVoid | WithdrawalTakenOver) -> None:
        await self._moved(tx, event_id, event.withdrawal_id)

    async def looked_for(self, tx: Tx, event_id: str, event: TransferLookedFor) -> None:
        await self._refresh_card(tx, event_id, event.withdrawal_id)

    async def trouble(self, tx: Tx, event_id: str, event: PayoutTrouble) -> None:
        """Its card may offer more now."""
        await self._refresh_card(tx, event_id, event.withdrawal_id)
        await self._desk.tell_admins(
            tx,
            key=event_id,
            template="payout_trouble",
            what=event.what,
            reference=event.reference,
            detail=event.detail,
            withdrawal_id=event.withdrawal_id,
        )

    async def switched(self, tx: Tx, event_id: str, event: PayoutSwitched) -> None:
        """That the shop stopped payouts itself is told by what made it stop. The cards of those that wait offer to pay
        them by hand while nothing is sent."""
        if event.what in ("stopped", "paused"):
            for one in await self._withdrawals.desk.queue(which="under_way", limit=CARDS):
                await self._desk.refresh_admins(tx, live_key=card_key(one.id))
        if event.actor:
            await self._desk.tell_admins(
                tx,
                key=event_id,
                template="payout_switched",
                what=event.what,
                value=event.value,
                reason=event.reason,
                actor=event.actor,
            )

    async def _show_card(self, tx: Tx, event_id: str, withdrawal_id: int) -> None:
        await self._desk.show_admins(
            tx,
            key=event_id,
            live_key=card_key(withdrawal_id),
            template="withdrawal_card",
            withdrawal_id=withdrawal_id,
        )

    async def _refresh_card(self, tx: Tx, event_id: str, withdrawal_id: int) -> None:
        await self._desk.refresh_admins(tx, live_key=card_key(withdrawal_id))

    async def _moved(self, tx: Tx, event_id: str, withdrawal_id: int) -> None:
        """Bring the card and the owner's message up to date, where there are any."""
        await self._desk.refresh_admins(tx, live_key=card_key(withdrawal_id))
        await self._desk.refresh(tx, live_key=progress_key(withdrawal_id))

    async def _tell(self, tx: Tx, event_id: str, user_id: int, withdrawal_id: int, only: str) -> None:
        """`only`: not told any more once it is in another state."""
        await self._desk.tell_person(
            tx,
            user_id=user_id,
            key=event_id,
            template="withdrawal_told",
            withdrawal_id=withdrawal_id,
            only=only,
        )

    # --- showing -----------------------------------------------------------------------------------------------------

    async def _card(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        one = await self._withdrawals.desk.card(withdrawal_id=params["withdrawal_id"])
        people = {user_id: await self._person(user_id) for user_id in sorted(cards.people_of(one))}
        return cards.card(one, people, superseded=bool(params.get("superseded")))

    async def _progress(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return notices.progress(
            await self._withdrawals.get(user_id=notice.user_id or 0, withdrawal_id=params["withdrawal_id"])
        )

    async def _told(self, notice: Notice, params: Mapping[str, Any]) -> Screen | None:
        one = await self._withdrawals.get(user_id=notice.user_id or 0, withdrawal_id=params["withdrawal_id"])
        return None if params["only"] and one.state != params["only"] else notices.told(one)

    async def _terms(self, notice: Notice, params: Mapping[str, Any]) -> Screen | None:
        one = await self._withdrawals.get(user_id=notice.user_id or 0, withdrawal_id=params["withdrawal_id"])
        return None if one.again is None else notices.terms_changed(one, why=params["why"])

    async def _trouble(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return cards.trouble(
            what=params["what"],
            reference=params["reference"],
            detail=params["detail"],
            withdrawal=params["withdrawal_id"],
        )

    async def _switched(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        by = await self._person(params["actor"])
        return cards.switched(what=params["what"], value=params["value"], reason=params["reason"], by=by)

    async def _person(self, user_id: int) -> PersonText:
        try:
            found = await self._users.get(user_id=user_id)
        except NotFound:
            return PersonText(user_id, "Somebody", None)
        return PersonText(found.id, found.first_name, found.username)

    def subscriptions(self) -> tuple[Subscription, ...]:
        """Names are stored with deliveries: they never change."""
        return (
            _hear(WithdrawalRequested, "notifications.withdrawal_requested", self.requested),
            _hear(WithdrawalConfirmedAgain, "notifications.withdrawal_confirmed_again", self.confirmed_again),
            _hear(WithdrawalApprovalGiven, "notifications.withdrawal_approval_given", self.approval_given),
            _hear(WithdrawalApproved, "notifications.withdrawal_approved", self.approved),
            _hear(WithdrawalSent, "notifications.withdrawal_sent", self.sent),
            _hear(WithdrawalAttemptFailed, "notifications.withdrawal_attempt_failed", self.attempt_failed),
            _hear(WithdrawalApprovalVoid, "notifications.withdrawal_approval_void", self.back),
            _hear(WithdrawalTakenOver, "notifications.withdrawal_taken_over", self.back),
            _hear(TransferLookedFor, "notifications.transfer_looked_for", self.looked_for),
            _hear(WithdrawalUnconfirmed, "notifications.withdrawal_unconfirmed", self.unconfirmed),
            _hear(WithdrawalTermsOutdated, "notifications.withdrawal_terms_outdated", self.terms_outdated),
            _hear(WithdrawalCompleted, "notifications.withdrawal_completed", self.ended),
            _hear(WithdrawalFailed, "notifications.withdrawal_failed", self.ended),
            _hear(WithdrawalRejected, "notifications.withdrawal_rejected", self.ended),
            _hear(WithdrawalCancelled, "notifications.withdrawal_cancelled", self.ended),
            _hear(PayoutTrouble, "notifications.payout_trouble", self.trouble),
            _hear(PayoutSwitched, "notifications.payout_switched", self.switched),
        )


def _hear(event: type[E], name: str, handler: Callable[[Tx, str, E], Awaitable[None]]) -> Subscription:
    async def heard(tx: Tx, event_id: str, what: Event) -> None:
        if not isinstance(what, event):
            raise TypeError(f"{name} hears {event.__name__}, not {type(what).__name__}")
        await handler(tx, event_id, what)

    return Subscription(event, name, heard)
