"""Topics: where a card of the admin group stands when that group is a forum, and how a topic comes to be.

A topic is asked for once: the row says so, with the number it is asked for with, before Telegram hears of it, and the
cards that are to stand in it wait for the answer. Yes: they go there. No, or no answer: they go to General, staff are
told, and the next card after a while asks again, with another number.

No answer (we died between the call and its record, or the line did) may leave a topic nobody knows the number of:
Telegram has no list of topics to look it up in, and does not tell a bot what it did itself. It is empty, staff are told
to delete it, and no card is ever lost in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import structlog

from viralcore.core.db import Database, Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Refused, Silence, Succeeded, Unknown
from viralcore.notifications import repository
from viralcore.notifications.config import NotificationsConfig
from viralcore.notifications.domain import SUPERGROUPS, Notice, Topic, topic_of
from viralcore.notifications.ports import Messenger, Silent, TopicMade, Unsent, Wait
from viralcore.notifications.service.desk import Desk
from viralcore.texts.topics import topic_name

log = structlog.get_logger(__name__)

MAKING = "notifications.topic"
Trouble = Literal["no_right", "refused", "unknown", "closed"]


@dataclass(frozen=True, slots=True)
class Held:
    """Its topic is being made; what became of that goes on with it."""

    kind: str


Place = int | None | Held
"""A topic's number, None for General (or a group without topics), or not yet."""


class Topics:
    def __init__(self, db: Database, config: NotificationsConfig, *, desk: Desk, messenger: Messenger) -> None:
        self._db = db
        self._config = config
        self._desk = desk
        self._messenger = messenger

    # --- where a card goes -------------------------------------------------------------------------------------------

    async def place(self, notice: Notice) -> Place:
        """Where a new message of this notice is to stand."""
        kind = topic_of(notice.template) if notice.channel == "admin_group" else None
        if kind is None or notice.chat_id > SUPERGROUPS:
            return None
        async with self._db.read() as conn:
            known = await repository.topic(conn, notice.chat_id, kind)
        if known is not None and known.state == "open":
            return known.thread_id
        if known is not None and known.state == "wanted":
            return Held(kind)
        if self._too_soon(known) or not await self._messenger.is_forum(chat_id=notice.chat_id):
            return None
        async with self._db.transaction() as tx:
            await self._want(tx, notice.chat_id, kind, seen=0 if known is None else known.generation)
        return Held(kind)

    async def not_there(self, notice: Notice, thread_id: int, *, closed: bool) -> None:
        """Telegram would not put a card there: forget the topic, or say that it is closed."""
        kind = topic_of(notice.template) or ""
        log.warning("topic_not_there", kind=kind, thread_id=thread_id, closed=closed)
        async with self._db.transaction() as tx:
            if closed:
                await self._tell(tx, notice.chat_id, "closed", kind)
            else:
                await repository.lose_topic(tx.conn, notice.chat_id, kind, thread_id=thread_id, now=tx.now)

    async def hold(self, tx: Tx, notice: Notice, kind: str) -> None:
        """Let a notice wait, or go on at once when its topic was decided on meanwhile."""
        known = await repository.topic(tx.conn, notice.chat_id, kind, lock=True)
        if known is not None and known.state == "wanted":
            await repository.wait_for_topic(tx.conn, notice.id, kind)
        else:
            wanted = await repository.wanted(tx.conn, notice.id)
            if wanted is not None:
                await self._go_on(tx, notice.id, wanted, 0 if known is None else known.generation)

    def _too_soon(self, known: Topic | None) -> bool:
        if known is None or known.state not in ("refused", "unknown"):
            return False
        return self._db.clock.now() < known.at + timedelta(minutes=self._config.topic_retry_minutes)

    async def _want(self, tx: Tx, chat_id: int, kind: str, *, seen: int) -> None:
        generation = await repository.want_topic(tx.conn, chat_id, kind, seen=seen, now=tx.now)
        if generation is not None:
            facts = {"chat_id": chat_id, "kind": kind, "generation": generation}
            key = f"{chat_id}:{kind}:{generation}"
            tx.effect(kind=MAKING, key=key, payload=facts, ref=f"topic:{chat_id}:{kind}")

    # --- how it comes to be ------------------------------------------------------------------------------------------

    async def make(self, call: EffectCall) -> Outcome | Later:
        answer = await self._messenger.make_topic(
            chat_id=call.payload["chat_id"], name=topic_name(call.payload["kind"])
        )
        match answer:
            case TopicMade(thread_id):
                return Succeeded({"thread_id": thread_id})
            case Wait(seconds):
                return Later(seconds, "flood")
            case Unsent(reason):
                return Later(self._config.unsent_seconds, reason)
            case Silent(reason):
                return Unknown(reason)
            case _:
                return Refused(str(getattr(answer, "reason", type(answer).__name__)))

    async def made(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        """What became of it; the cards that waited go there, or to General."""
        chat_id, kind, generation = (call.payload[name] for name in ("chat_id", "kind", "generation"))
        reason = "" if isinstance(outcome, Succeeded) else outcome.reason
        state = {Succeeded: "open", Refused: "refused", Unknown: "unknown"}[type(outcome)]
        if not await repository.end_topic(
            tx.conn,
            chat_id,
            kind,
            generation=generation,
            state=state,
            thread_id=outcome.data["thread_id"] if isinstance(outcome, Succeeded) else None,
            reason=reason,
            now=tx.now,
        ):
            log.error("topic_not_asked_for", chat_id=chat_id, kind=kind, generation=generation, outcome=state)
            return
        if isinstance(outcome, Unknown):
            await self._tell(tx, chat_id, "unknown", kind, generation)
        elif isinstance(outcome, Refused) and "not a forum" not in reason.lower():
            await self._tell(tx, chat_id, "no_right" if "not enough rights" in reason.lower() else "refused", kind)
        for notice_id, wanted in await repository.go_on(tx.conn, kind):
            await self._go_on(tx, notice_id, wanted, generation)

    async def _go_on(self, tx: Tx, notice_id: int, wanted: int, generation: int) -> None:
        await self._desk.queue(tx, notice_id, wanted, again=f"topic{generation}")

    async def _tell(self, tx: Tx, chat_id: int, what: Trouble, kind: str, generation: int = 0) -> None:
        """Once, until topics can be made again; of each that may stand there twice."""
        made = await repository.topics_made(tx.conn, chat_id)
        key = f"topics:{chat_id}:{what}:{made}" + (f":{kind}:{generation}" if generation else "")
        await self._desk.tell_admins(tx, key=key, template="topic_trouble", what=what, kind=kind)


class MakingTopic:
    """Asks Telegram for a topic. Implements `core.effects.EffectKind`: never asked twice by itself."""

    name = MAKING
    silence: Silence = "once"
    max_attempts = 1
    parallelism = 1
    urgent = False

    def __init__(self, topics: Topics) -> None:
        self._topics = topics

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        """A handful of calls in the life of a group."""
        return nullcontext()

    async def call(self, call: EffectCall) -> Outcome | Later:
        return await self._topics.make(call)

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        await self._topics.made(tx, call, outcome)
