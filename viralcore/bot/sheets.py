"""Lists as files, sent in private to whoever in staff asked: an event stores an effect, which writes and sends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from telegram import Bot
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, RetryAfter

from viralcore.boosts.events import ReplyExportAsked
from viralcore.bot.admin.finance_views import Faces
from viralcore.bot.admin.replies import guy_text
from viralcore.bot.lanes import lane
from viralcore.bot.turn import Doors
from viralcore.core.clock import Clock
from viralcore.core.db import Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Refused, Silence, Succeeded
from viralcore.core.errors import DomainError
from viralcore.core.events import Event, Subscription
from viralcore.core.spreadsheets import Cell, as_csv, as_xlsx
from viralcore.texts import reply_staff

log = structlog.get_logger(__name__)
KIND = "bot.sheet"
PAGE = 500


class Sheet:
    """`repeat`: a list that came twice does no harm."""

    name = KIND
    silence: Silence = "repeat"
    max_attempts = 3
    urgent = False
    parallelism = 1

    def __init__(self, bot: Bot, doors: Doors, clock: Clock) -> None:
        self._bot = bot
        self._doors = doors
        self._clock = clock

    @asynccontextmanager
    async def slot(self, payload: Mapping[str, Any]) -> AsyncIterator[object]:
        yield None

    async def call(self, call: EffectCall) -> Outcome | Later:
        chat_id = int(call.payload["chat_id"])
        try:
            rows = await self._reply_guys()
            today = self._clock.now().date()
            form = "xlsx" if call.payload.get("form") == "xlsx" else "csv"
            # a long list takes its time, and nobody waits for it
            written = await asyncio.to_thread(_written, rows, form)
            with lane("bulk"):
                await self._bot.send_document(
                    chat_id,
                    written,
                    filename=f"reply-guys-{today:%Y-%m-%d}.{form}",
                    caption=reply_staff.sheet_caption(people=len(rows) - 1, at=today),
                    parse_mode=ParseMode.HTML,
                )
        except RetryAfter as error:
            seconds = error.retry_after
            return Later(float(seconds if isinstance(seconds, int) else seconds.total_seconds()))
        except (Forbidden, BadRequest, DomainError) as error:
            return Refused(type(error).__name__)
        return Succeeded({"rows": len(rows)})

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        if isinstance(outcome, Refused):
            log.info("sheet_refused", reason=outcome.reason)

    async def _reply_guys(self) -> list[list[Cell]]:
        found: list[reply_staff.GuyText] = []
        while True:
            page = await self._doors.boosts.replies.earners(offset=len(found), limit=PAGE)
            faces = await Faces.of(self._doors.users, [one.user_id for one in page.rows])
            found += [guy_text(one, faces) for one in page.rows]
            if not page.rows or len(found) >= page.people:
                return reply_staff.sheet(found)


def _written(rows: Sequence[Sequence[Cell]], form: str) -> bytes:
    return as_xlsx(rows, title="Reply guys") if form == "xlsx" else as_csv(rows)


async def asked(tx: Tx, event_id: str, event: Event) -> None:
    """Private chats have the person's id."""
    if not isinstance(event, ReplyExportAsked):
        raise TypeError(f"bot.sheet hears ReplyExportAsked, not {type(event).__name__}")
    tx.effect(kind=KIND, key=event_id, payload={"chat_id": event.actor, "form": event.form})


def subscriptions() -> tuple[Subscription, ...]:
    return (Subscription(ReplyExportAsked, "bot.sheet.reply_guys", asked),)
