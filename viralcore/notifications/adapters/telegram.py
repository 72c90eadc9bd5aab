"""The messenger over python-telegram-bot: our screens as its types, its errors as our answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import structlog
from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions, Message
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from viralcore.core.errors import OpenTransaction
from viralcore.core.screen import Screen, keyboard
from viralcore.notifications.ports import (
    Answer,
    Blocked,
    Gone,
    Moved,
    NoTopic,
    Rejected,
    Shown,
    Silent,
    TopicAnswer,
    TopicMade,
    Unsent,
    Wait,
)

__all__ = ["Bot", "TelegramMessenger"]

log = structlog.get_logger(__name__)

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_GONE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "there is no text in the message",
)
_NO_TOPIC = (
    "message thread not found",
    "thread is not a forum topic",
    "invalid message thread identifier",
    "topic_deleted",
    "topic_id_invalid",
)
_CLOSED = "topic_closed"
_NO_CHAT = ("chat not found", "user not found", "peer_id_invalid")


class TelegramMessenger:
    """Implements `Messenger`. `bulk`: entered around each call, so that people who wait come first."""

    def __init__(self, bot: Bot, bulk: Callable[[], AbstractContextManager[object]]) -> None:
        self._bot = bot
        self._bulk = bulk

    async def send(self, *, chat_id: int, screen: Screen, nonce: str, thread_id: int | None = None) -> Answer:
        if screen.picture is not None:
            answer = await self._send_photo(chat_id, screen, nonce, thread_id)
            if not isinstance(answer, Rejected):
                return answer
            log.warning("photo_not_sent", reason=answer.reason)  # the words say it all without

        async def go() -> Message:
            return await self._bot.send_message(
                chat_id,
                str(screen.text),
                parse_mode=ParseMode.HTML,
                reply_markup=_keyboard(screen, nonce),
                link_preview_options=_NO_PREVIEW,
                message_thread_id=thread_id,
            )

        return _of_topic(await self._ask(go))

    async def is_forum(self, *, chat_id: int) -> bool:
        try:
            with self._bulk():
                return bool((await self._bot.get_chat(chat_id)).is_forum)
        except TelegramError as error:
            log.info("forum_not_known", chat_id=chat_id, reason=type(error).__name__)
            return False

    async def make_topic(self, *, chat_id: int, name: str) -> TopicAnswer:
        try:
            with self._bulk():
                return TopicMade((await self._bot.create_forum_topic(chat_id, name)).message_thread_id)
        except TelegramError as error:
            return answer_to(error)

    async def _send_photo(self, chat_id: int, screen: Screen, nonce: str, thread_id: int | None) -> Answer:
        """A picture somebody sent us, by its id at Telegram."""
        file_id = screen.picture.data if screen.picture is not None else ""

        async def go() -> Message:
            return await self._bot.send_photo(
                chat_id,
                file_id,
                caption=str(screen.text),
                parse_mode=ParseMode.HTML,
                reply_markup=_keyboard(screen, nonce),
                message_thread_id=thread_id,
            )

        return _of_topic(await self._ask(go))

    async def edit(self, *, chat_id: int, message_id: int, screen: Screen, nonce: str) -> Answer:
        async def caption() -> int:
            await self._bot.edit_message_caption(
                chat_id=chat_id,
                message_id=message_id,
                caption=str(screen.text),
                parse_mode=ParseMode.HTML,
                reply_markup=_keyboard(screen, nonce),
            )
            return message_id

        async def go() -> int:
            await self._bot.edit_message_text(
                str(screen.text),
                chat_id=chat_id,
                message_id=message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=_keyboard(screen, nonce),
                link_preview_options=_NO_PREVIEW,
            )
            return message_id

        answer = await self._ask(go if screen.picture is None else caption)
        if screen.picture is not None and isinstance(answer, Rejected) and "no caption" in answer.reason.lower():
            answer = await self._ask(go)  # its picture could not be sent
        if isinstance(answer, Rejected):
            reason = answer.reason.lower()
            if "message is not modified" in reason:
                return Shown(message_id)
            if any(words in reason for words in _GONE):
                return Gone()
        return answer

    async def _ask(self, go: Callable[[], Awaitable[Message | int]]) -> Answer:
        try:
            with self._bulk():
                done = await go()
        except TelegramError as error:
            if isinstance(error, OpenTransaction):
                raise
            return answer_to(error)
        return Shown(done if isinstance(done, int) else done.message_id)


def _of_topic(answer: Answer) -> Answer:
    """A refusal that is about the topic it was sent to."""
    if isinstance(answer, Rejected):
        reason = answer.reason.lower()
        if _CLOSED in reason:
            return NoTopic(closed=True)
        if any(words in reason for words in _NO_TOPIC):
            return NoTopic()
    return answer


def answer_to(error: TelegramError) -> Answer:
    """What an error of PTB means. BadRequest and TimedOut are NetworkErrors there, so the order matters."""
    if isinstance(error, RetryAfter):
        after = error.retry_after
        return Wait(after.total_seconds() if isinstance(after, timedelta) else float(after))
    if isinstance(error, ChatMigrated):
        return Moved(error.new_chat_id)
    if isinstance(error, Forbidden):
        return Blocked(error.message)
    if isinstance(error, BadRequest):
        unknown = any(words in error.message.lower() for words in _NO_CHAT)
        return Blocked(error.message) if unknown else Rejected(error.message)
    if isinstance(error, InvalidToken | Conflict):
        return Unsent(type(error).__name__)
    if isinstance(error, TimedOut):
        return Unsent("connect_timeout") if "nothing was sent" in error.message else Silent("timed_out")
    if isinstance(error, NetworkError):
        return Unsent("not_connected") if "nothing was sent" in error.message else Silent("network_error")
    return Silent(type(error).__name__)


def _keyboard(screen: Screen, nonce: str) -> InlineKeyboardMarkup | None:
    """None when there are no buttons, which takes those of an edited message away."""
    rows = keyboard(screen, nonce)
    return InlineKeyboardMarkup.de_json({"inline_keyboard": rows}) if rows else None
