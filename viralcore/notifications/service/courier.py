"""The courier: shows one notice as it is now, and records what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from viralcore.boosts.api import Boosts
from viralcore.core.db import Database, Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Refused, Succeeded
from viralcore.core.errors import NotFound
from viralcore.core.screen import Screen
from viralcore.notifications import repository
from viralcore.notifications.config import NotificationsConfig
from viralcore.notifications.domain import GONE, UNREACHABLE, Notice, digest, nonce_of
from viralcore.notifications.ports import (
    Answer,
    Blocked,
    Gone,
    Messenger,
    Moved,
    NoTopic,
    Rejected,
    Shown,
    Silent,
    Unsent,
    Wait,
)
from viralcore.notifications.service.desk import Desk
from viralcore.notifications.service.painting import Painter
from viralcore.notifications.service.topics import Held, Topics
from viralcore.users.api import Users

log = structlog.get_logger(__name__)


class Courier:
    def __init__(
        self,
        db: Database,
        config: NotificationsConfig,
        *,
        desk: Desk,
        painter: Painter,
        messenger: Messenger,
        topics: Topics,
        users: Users,
        boosts: Boosts,
    ) -> None:
        self._db = db
        self._config = config
        self._desk = desk
        self._painter = painter
        self._messenger = messenger
        self._topics = topics
        self._users = users
        self._boosts = boosts

    async def carry(self, call: EffectCall) -> Outcome | Later:
        """Send or edit. Whatever changed since it was queued is in it, so earlier wishes are fulfilled as well."""
        async with self._db.read() as conn:
            notice = await repository.load(conn, int(call.payload["notice"]))
        if notice is None:
            return Refused("forgotten")
        if self._too_old(notice):
            return Refused("too_old")
        if await self._unreachable(notice):
            return Refused(UNREACHABLE)
        try:
            screen = await self._painter.paint(notice)
        except NotFound as missing:
            return Refused(f"nothing_there:{missing.fields.get('what', '')}")
        if screen is None:
            return Succeeded(_result(notice, notice.message_id, None))
        look = digest(screen)
        if notice.message_id is not None and look == notice.digest:
            return Succeeded(_result(notice, notice.message_id, None))
        answer = await self._ask(notice, screen)
        if isinstance(answer, Moved):
            answer = await self._follow(notice, answer.chat_id, screen)
        if isinstance(answer, Held):
            return Succeeded({"held": answer.kind})
        return self._judge(call, notice, answer, look)

    async def _ask(self, notice: Notice, screen: Screen) -> Answer | Held:
        nonce = nonce_of(notice.id)
        if notice.message_id is None:
            return await self._send(notice, screen)
        chat_id = notice.chat_id
        answer = await self._messenger.edit(chat_id=chat_id, message_id=notice.message_id, screen=screen, nonce=nonce)
        if isinstance(answer, Gone) and notice.for_staff:
            # Somebody tidied the chat up. What staff must know or decide stands there all the same.
            return await self._send(notice, screen)
        return answer

    async def _send(self, notice: Notice, screen: Screen) -> Answer | Held:
        """A new message, where cards of its kind stand. A topic that is gone is made anew, once."""
        chat_id, nonce = notice.chat_id, nonce_of(notice.id)
        place = await self._topics.place(notice)
        for _ in range(2):
            if isinstance(place, Held):
                return place
            answer = await self._messenger.send(chat_id=chat_id, screen=screen, nonce=nonce, thread_id=place)
            if place is None or not isinstance(answer, NoTopic):
                return answer
            await self._topics.not_there(notice, place, closed=answer.closed)
            place = None if answer.closed else await self._topics.place(notice)
        return place if isinstance(place, Held) else answer

    async def _follow(self, notice: Notice, chat_id: int, screen: Screen) -> Answer | Held:
        """The group became a supergroup: remember where it is now, and send it there."""
        async with self._db.transaction() as tx:
            await repository.moved(tx.conn, old_id=notice.chat_id, new_id=chat_id, now=tx.now)
            if notice.channel in ("group", "likes_group"):
                await self._boosts.crowd.group_migrated(tx, old_chat_id=notice.chat_id, new_chat_id=chat_id)
        hint = "set ADMIN_TELEGRAM_CHAT_ID to the new id" if notice.channel == "admin_group" else ""
        log.warning("chat_moved", old_id=notice.chat_id, new_id=chat_id, hint=hint)
        return await self._send(replace(notice, chat_id=chat_id), screen)

    def _judge(self, call: EffectCall, notice: Notice, answer: Answer, look: str) -> Outcome | Later:
        match answer:
            case Shown(message_id):
                return Succeeded(_result(notice, message_id, look))
            case Wait(seconds):
                return Later(seconds, "flood")
            case Unsent(reason):
                return Later(self._config.unsent_seconds, reason)
            case Silent(reason):
                return Later(self._config.delay(call.attempt), reason, counts=True)
            case Blocked(reason):
                return Refused(UNREACHABLE if notice.user_id is not None else reason, {"words": reason})
            case Gone():
                return Refused(GONE)
            case NoTopic():
                return Later(self._config.unsent_seconds, "no_topic", counts=True)
            case Rejected(reason):
                return Refused(reason)
            case Moved():
                return Later(self._config.unsent_seconds, "moved_again", counts=True)

    async def record(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        """What became of it; when something new is to be shown by now, the next effect."""
        notice_id = int(call.payload["notice"])
        if isinstance(outcome, Succeeded) and "held" in outcome.data:
            notice = await repository.load(tx.conn, notice_id)
            if notice is not None:
                await self._topics.hold(tx, notice, outcome.data["held"])
            return
        if isinstance(outcome, Succeeded):
            newer = await repository.shown(
                tx.conn,
                notice_id,
                revision=outcome.data["revision"],
                attempts=call.attempt,
                message_id=outcome.data["message_id"],
                digest=outcome.data["digest"],
                now=tx.now,
            )
        else:
            newer = await self._failed(tx, call, notice_id, outcome.reason, str(outcome.data.get("last", "")))
        if newer is not None:
            await self._desk.queue(tx, notice_id, newer)

    async def _failed(self, tx: Tx, call: EffectCall, notice_id: int, reason: str, last: str) -> int | None:
        notice = await repository.load(tx.conn, notice_id)
        if notice is None:
            return None
        error = f"{reason}: {last}" if last else reason
        if reason == UNREACHABLE and notice.user_id is not None:
            await self._users.set_unreachable(tx, user_id=notice.user_id, unreachable=True)
            log.info("person_unreachable", user_id=notice.user_id)
        else:
            log.error("notice_not_sent", notice_id=notice_id, template=notice.template, reason=error)
        return await repository.not_shown(
            tx.conn,
            notice_id,
            revision=int(call.payload["revision"]),
            attempts=call.attempt,
            state="unreachable" if reason == UNREACHABLE else "failed",
            error=error,
        )

    def _too_old(self, notice: Notice) -> bool:
        """Only what was never shown: a live message is as young as its last change."""
        age = self._db.clock.now() - notice.created_at
        return notice.message_id is None and notice.wanted == 1 and age > timedelta(hours=self._config.give_up_hours)

    async def _unreachable(self, notice: Notice) -> bool:
        if notice.user_id is None:
            return False
        try:
            return (await self._users.get(user_id=notice.user_id)).unreachable
        except NotFound:
            return False


def _result(notice: Notice, message_id: int | None, look: str | None) -> dict[str, Any]:
    return {"revision": notice.wanted, "message_id": message_id, "digest": look}
