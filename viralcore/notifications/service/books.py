"""What the admin group is told about the books: the report of the day, a card for each difference, and being short."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from viralcore.core.db import Tx
from viralcore.core.errors import NotFound
from viralcore.core.events import Event, Subscription
from viralcore.core.money import USD, Money
from viralcore.core.screen import Screen
from viralcore.notifications.domain import Notice
from viralcore.notifications.service.desk import Desk
from viralcore.texts import reconciliation_cards as cards
from viralcore.texts.cards import PersonText
from viralcore.texts.reconciliation import ComparisonText, DifferenceText
from viralcore.users.api import Users
from viralcore.withdrawals.api import Withdrawals
from viralcore.withdrawals.events import ComparisonEnded, DifferenceEnded, DifferenceFound, SolvencyShort

E = TypeVar("E", bound=Event)


def difference_key(difference_id: int) -> str:
    """The card of one difference; it is told anew when it comes back."""
    return f"difference:{difference_id}"


class BooksTeller:
    """Hears, and knows what its own templates look like."""

    def __init__(self, desk: Desk, *, withdrawals: Withdrawals, users: Users) -> None:
        self._desk = desk
        self._withdrawals = withdrawals
        self._users = users
        self.templates: Mapping[str, Callable[[Notice, Mapping[str, Any]], Awaitable[Screen | None]]] = {
            "books_report": self._report,
            "books_difference": self._difference,
            "books_short": self._short,
        }

    async def ended(self, tx: Tx, event_id: str, event: ComparisonEnded) -> None:
        """Where there is nothing on either side nothing is told: a shop without payouts has no books of the day."""
        one = await self._withdrawals.watch.comparison(comparison_id=event.comparison_id)
        if one is not None and (one.ours or one.theirs or event.open or event.asked_by or event.state == "failed"):
            await self._desk.tell_admins(tx, key=event_id, template="books_report", comparison_id=event.comparison_id)

    async def found(self, tx: Tx, event_id: str, event: DifferenceFound) -> None:
        live_key = difference_key(event.difference_id)
        await self._desk.renew(tx, live_key=live_key, superseded=True)
        await self._desk.show_admins(
            tx, key=event_id, live_key=live_key, template="books_difference", difference_id=event.difference_id
        )

    async def closed(self, tx: Tx, event_id: str, event: DifferenceEnded) -> None:
        await self._desk.refresh_admins(tx, live_key=difference_key(event.difference_id), state=event.state)

    async def short(self, tx: Tx, event_id: str, event: SolvencyShort) -> None:
        await self._desk.tell_admins(tx, key=event_id, template="books_short", gap=event.gap, stopped=event.stopped)

    async def _report(self, notice: Notice, params: Mapping[str, Any]) -> Screen | None:
        one = await self._withdrawals.watch.comparison(comparison_id=params["comparison_id"])
        if one is None:
            return None
        return cards.report(
            ComparisonText(
                state=one.state,
                asked_at=one.asked_at,
                ended_at=one.ended_at,
                ours=one.ours,
                theirs=one.theirs,
                found=one.found,
                open=one.open,
                balance=one.balance,
                note=one.note,
            )
        )

    async def _difference(self, notice: Notice, params: Mapping[str, Any]) -> Screen | None:
        one = await self._withdrawals.watch.difference(difference_id=params["difference_id"])
        return cards.difference(
            DifferenceText(
                id=one.id,
                kind=one.kind,
                reference=one.reference,
                ours=one.ours,
                ours_state=one.ours_state,
                theirs=one.theirs,
                theirs_status=one.theirs_status,
                last4=one.last4,
                state="told again" if params.get("superseded") else one.state,
                found_at=one.found_at,
                by=await self._person(one.decided_by) if one.decided_by else None,
                at=one.decided_at,
                reason=one.reason,
            )
        )

    async def _short(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return cards.short(gap=Money(params["gap"], USD), stopped=params["stopped"])

    async def _person(self, user_id: int) -> PersonText:
        try:
            found = await self._users.get(user_id=user_id)
        except NotFound:
            return PersonText(user_id, "Somebody", None)
        return PersonText(found.id, found.first_name, found.username)

    def subscriptions(self) -> tuple[Subscription, ...]:
        """Names are stored with deliveries: they never change."""
        return (
            _hear(ComparisonEnded, "notifications.comparison_ended", self.ended),
            _hear(DifferenceFound, "notifications.difference_found", self.found),
            _hear(DifferenceEnded, "notifications.difference_ended", self.closed),
            _hear(SolvencyShort, "notifications.solvency_short", self.short),
        )


def _hear(event: type[E], name: str, handler: Callable[[Tx, str, E], Awaitable[None]]) -> Subscription:
    async def heard(tx: Tx, event_id: str, what: Event) -> None:
        if not isinstance(what, event):
            raise TypeError(f"{name} hears {event.__name__}, not {type(what).__name__}")
        await handler(tx, event_id, what)

    return Subscription(event, name, heard)
