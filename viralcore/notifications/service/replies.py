"""What is told about replies: cards for staff, and to reply guys what became of what they handed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from viralcore.boosts.api import Boosts, SubmissionView
from viralcore.boosts.events import RepliesDecided, RepliesSubmitted, ReplyGuyChanged, ReplyPaid
from viralcore.core.db import Tx
from viralcore.core.screen import Screen
from viralcore.notifications.domain import Notice
from viralcore.notifications.service.desk import Desk
from viralcore.texts import replies, reply_notices, reply_staff
from viralcore.texts.cards import PersonText

Person = Callable[[int], Awaitable[PersonText]]


def submission_key(submission_id: int) -> str:
    """The staff card of a submission."""
    return f"replies:{submission_id}"


class ReplyNotices:
    """One method for each event; the event's id is the key of what it tells."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def submitted(self, tx: Tx, event_id: str, event: RepliesSubmitted) -> None:
        await self._desk.show_admins(
            tx,
            key=event_id,
            live_key=submission_key(event.submission_id),
            template="replies",
            submission_id=event.submission_id,
        )

    async def decided(self, tx: Tx, event_id: str, event: RepliesDecided) -> None:
        """Who takes their own back knows it."""
        await self._desk.refresh_admins(tx, live_key=submission_key(event.submission_id), state=event.state)
        if event.state != "withdrawn":
            await self._desk.tell_person(
                tx,
                user_id=event.user_id,
                key=event_id,
                template="replies_decided",
                submission_id=event.submission_id,
            )

    async def paid(self, tx: Tx, event_id: str, event: ReplyPaid) -> None:
        await self._desk.tell_person(
            tx, user_id=event.user_id, key=event_id, template="reply_paid", pay_id=event.pay_id
        )

    async def role(self, tx: Tx, event_id: str, event: ReplyGuyChanged) -> None:
        await self._desk.tell_person(
            tx, user_id=event.user_id, key=event_id, template="reply_role", active=event.active
        )


class ReplyPainter:
    """The templates of `ReplyNotices`."""

    def __init__(self, boosts: Boosts, person: Person) -> None:
        self._boosts = boosts
        self._person = person
        self.templates: Mapping[str, Callable[[Notice, Mapping[str, Any]], Awaitable[Screen | None]]] = {
            "replies": self._card,
            "replies_decided": self._decided,
            "reply_paid": self._paid,
            "reply_role": self._role,
        }

    async def _card(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        one = await self._boosts.replies.submission(submission_id=params["submission_id"])
        record = await self._boosts.replies.record(user_id=one.user_id, day=one.day)
        return reply_staff.card(
            _text(one),
            await self._person(one.user_id),
            reply_staff.RecordText(record.approved, record.rejected, record.replies, record.same_day),
            by=None if one.actor is None else await self._person(one.actor),
        )

    async def _decided(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return reply_notices.decided(
            _text(await self._boosts.replies.submission(submission_id=params["submission_id"]))
        )

    async def _paid(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        one = await self._boosts.replies.pay(pay_id=params["pay_id"])
        return reply_notices.paid(kind=one.kind, amount=one.amount, reason=one.reason)

    async def _role(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return reply_notices.role(active=params["active"], rate=self._boosts.replies.terms().rate)


def _text(one: SubmissionView) -> replies.SubmissionText:
    return replies.SubmissionText(
        id=one.id,
        kind=one.kind,
        count=one.count,
        day=one.day,
        links=one.links,
        rate=one.rate,
        state=one.state,
        approved=one.approved,
        paid=one.paid,
        reason=one.reason,
        sent_at=one.created_at,
    )
