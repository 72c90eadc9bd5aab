"""What is told in the groups and about them, to their members and to staff, and what boosts hears back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from viralcore.boosts.api import Boosts, ClaimView, GroupView, TaskPartView
from viralcore.boosts.events import (
    ClaimApproved,
    ClaimExpired,
    ClaimRejected,
    ClaimSubmitted,
    ClaimTaken,
    CrowdMessageDue,
    CrowdPostChanged,
    GroupJoined,
    GroupLost,
)
from viralcore.core.db import Tx
from viralcore.core.effects import EffectCall, Outcome, Succeeded
from viralcore.core.errors import NotFound
from viralcore.core.screen import Screen
from viralcore.notifications import repository
from viralcore.notifications.domain import Notice
from viralcore.notifications.service.desk import Desk
from viralcore.texts import crowd as texts
from viralcore.users.api import Users

TASKS = "tasks"


def message_key(message_id: int) -> str:
    """The live message of a post in one group."""
    return f"crowd:{message_id}"


def claims_key(order_id: int) -> str:
    """The staff card of work to be checked of one order."""
    return f"claims:{order_id}"


class GroupNotices:
    """One method for each event; the event's id is the key of what it tells."""

    def __init__(self, desk: Desk, *, users: Users, boosts: Boosts) -> None:
        self._desk = desk
        self._users = users
        self._boosts = boosts

    async def due(self, tx: Tx, event_id: str, event: CrowdMessageDue) -> None:
        key, what = message_key(event.message_id), event.message_id
        show = partial(self._desk.show_group, tx, chat_id=event.chat_id, key=event_id, live_key=key, message=what)
        if event.kind == "comments":
            await show(channel="group", template="group_post")
        else:
            await show(channel="likes_group", template="likes_post")

    async def changed(self, tx: Tx, event_id: str, event: CrowdPostChanged) -> None:
        for message_id in await self._boosts.crowd.post_messages(post_id=event.post_id):
            await self._desk.refresh(tx, live_key=message_key(message_id))

    async def joined(self, tx: Tx, event_id: str, event: GroupJoined) -> None:
        await self._desk.tell_admins(tx, key=event_id, template="group_joined", group_id=event.group_id)

    async def lost(self, tx: Tx, event_id: str, event: GroupLost) -> None:
        await self._desk.tell_admins(tx, key=event_id, template="group_lost", group_id=event.group_id, role=event.role)

    async def taken(self, tx: Tx, event_id: str, event: ClaimTaken) -> None:
        """Whoever took it in a group is asked for the proof, if the bot may write to them; the others have the screen,
        or the link in the answer to their press."""
        if event.group_id and await self._reachable(event.user_id):
            await self._desk.tell_person(
                tx, user_id=event.user_id, key=event_id, template="work_taken", claim_id=event.claim_id
            )

    async def submitted(self, tx: Tx, event_id: str, event: ClaimSubmitted) -> None:
        """One card for an order's proofs; a new one when the last was dealt with, for that is not where staff look."""
        key = claims_key(event.order_id)
        if await self._boosts.crowd.waiting_count(order_id=event.order_id) == 1:
            await self._desk.renew(tx, live_key=key, over=True)
        await self._desk.show_admins(tx, key=event_id, live_key=key, template="work_claims", order_id=event.order_id)

    async def approved(self, tx: Tx, event_id: str, event: ClaimApproved) -> None:
        """Reply guys hear of it with the money, if anything they did is paid."""
        await self._desk.refresh_admins(tx, live_key=claims_key(event.order_id))
        if not await self._paid(event.user_id, event.claim_id):
            await self._ended(tx, f"claim:{event.claim_id}:approved", event.user_id, event.claim_id, "approved")

    async def rejected(self, tx: Tx, event_id: str, event: ClaimRejected) -> None:
        await self._desk.refresh_admins(tx, live_key=claims_key(event.order_id))
        await self._ended(tx, event_id, event.user_id, event.claim_id, "rejected")

    async def expired(self, tx: Tx, event_id: str, event: ClaimExpired) -> None:
        if not event.given_up:
            await self._ended(tx, event_id, event.user_id, event.claim_id, "expired")

    async def _ended(self, tx: Tx, key: str, user_id: int, claim_id: int, state: str) -> None:
        if await self._reachable(user_id):
            await self._desk.tell_person(
                tx, user_id=user_id, key=key, template="work_ended", claim_id=claim_id, state=state
            )

    async def _reachable(self, user_id: int) -> bool:
        """Somebody who has agreed to the terms has started the bot."""
        try:
            return (await self._users.get(user_id=user_id)).terms_accepted
        except NotFound:
            return False

    async def _paid(self, user_id: int, claim_id: int) -> bool:
        try:
            if TASKS not in (await self._users.get(user_id=user_id)).rights:
                return False
        except NotFound:
            return False
        claim = await self._boosts.crowd.claim(claim_id=claim_id)
        return self._boosts.replies.pays(claim.metrics).minor > 0


class GroupPainter:
    """The templates of `GroupNotices`."""

    def __init__(self, boosts: Boosts, bot_username: Callable[[], str]) -> None:
        self._boosts = boosts
        self._bot_username = bot_username
        self.templates: Mapping[str, Callable[[Notice, Mapping[str, Any]], Awaitable[Screen | None]]] = {
            "group_post": self._post,
            "likes_post": self._likes,
            "group_joined": self._joined,
            "group_lost": self._lost,
            "work_taken": self._taken,
            "work_ended": self._ended,
            "work_claims": self._claims,
        }

    async def _post(self, notice: Notice, params: Mapping[str, Any]) -> Screen | None:
        one = await self._boosts.crowd.group_message(message_id=params["message"])
        closed = one.state != "open"
        if closed and notice.message_id is None:
            return None  # closed before it stood there
        return texts.group_post(
            post_id=one.post_id or 0,
            link=one.link.canonical,
            share=one.share,
            parts=[_part(part) for part in one.parts],
            closed=closed,
            bot_username=self._bot_username(),
        )

    async def _likes(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        one = await self._boosts.crowd.group_message(message_id=params["message"])
        return texts.likes_post(
            order_id=one.order_id,
            post_id=one.link.post_id,
            link=one.link.canonical,
            likes=one.share,
            correlation_id=one.correlation_id,
            at=one.created_at,
        )

    async def _joined(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return texts.group_joined(_group(await self._boosts.crowd.group(group_id=params["group_id"])))

    async def _lost(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        return texts.group_lost(_group(await self._boosts.crowd.group(group_id=params["group_id"])))

    async def _taken(self, notice: Notice, params: Mapping[str, Any]) -> Screen | None:
        one = await self._boosts.crowd.claim(claim_id=params["claim_id"])
        return texts.claim_taken(claim_text(one), until=one.expires_at) if one.state == "claimed" else None

    async def _ended(self, notice: Notice, params: Mapping[str, Any]) -> Screen | None:
        one = await self._boosts.crowd.claim(claim_id=params["claim_id"])
        return texts.claim_ended(claim_text(one)) if one.state == params["state"] else None

    async def _claims(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        order = await self._boosts.get_order(order_id=params["order_id"])
        waiting = 0 if params.get("over") else await self._boosts.crowd.waiting_count(order_id=order.id)
        return texts.claims_card(
            order_id=order.id,
            link=order.link.canonical,
            waiting=waiting,
            bot_username=self._bot_username(),
        )


class GroupReports:
    """Tells boosts what became of the messages it wanted in groups, in the transaction that records it."""

    def __init__(self, boosts: Boosts) -> None:
        self._boosts = boosts

    async def record(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        notice = await repository.load(tx.conn, int(call.payload["notice"]))
        if notice is None:
            return
        message_id, crowd = int(notice.params["message"]), self._boosts.crowd
        if not isinstance(outcome, Succeeded):
            gone = "words" in outcome.data  # Telegram said that the bot may not write there
            await crowd.message_failed(tx, message_id=message_id, reason=outcome.reason, gone=gone)
        elif outcome.data["message_id"] is not None:
            await crowd.message_sent(tx, message_id=message_id, shown_as=int(outcome.data["message_id"]))
        else:
            await crowd.message_failed(tx, message_id=message_id, reason="closed", gone=False)


def claim_text(one: ClaimView) -> texts.ClaimText:
    return texts.ClaimText(
        id=one.id,
        post_id=one.post_id,
        order_id=one.order_id,
        link=one.link.canonical,
        metrics=one.metrics,
        links=one.proofs,
        state=one.state,
        reason=one.reason,
        again=one.again,
        verified=one.verified,
        version=one.version,
    )


def _part(one: TaskPartView) -> texts.PartText:
    return texts.PartText(one.metric, one.wanted, one.taken, one.approved, one.verified, one.taken_verified)


def _group(one: GroupView) -> texts.GroupText:
    return texts.GroupText(
        id=one.id,
        chat_id=one.chat_id,
        title=one.title,
        role=one.role,
        state=one.state,
        posts=one.posts,
        claims=one.claims,
        approved=one.approved,
        last_sent=one.last_sent_at,
    )
