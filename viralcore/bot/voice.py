"""The three calls nearly every answer is made of, without the objects nobody looks at.

python-telegram-bot turns a keyboard into a hundred objects to write it as JSON, and Telegram's answer into another
hundred to tell us one number. These go through the same Bot's transport (its lanes, its errors) as plain data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telegram import Bot
from telegram.constants import ParseMode
from telegram.request import RequestData
from telegram.request._requestparameter import RequestParameter

Rows = Sequence[Sequence[Mapping[str, object]]]


class Voice:
    """Raises what the Bot's own methods raise."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def say(self, chat_id: int, text: str, rows: Rows) -> int:
        """A new message; returns its number."""
        sent = await self._call("sendMessage", chat_id=chat_id, text=text, **_dressed(rows))
        return int(sent["message_id"])

    async def edit(self, chat_id: int, message_id: int, text: str, rows: Rows) -> None:
        """Other words and other buttons in a message; no rows take its buttons off."""
        await self._call("editMessageText", chat_id=chat_id, message_id=message_id, text=text, **_dressed(rows))

    async def strip(self, chat_id: int, message_id: int) -> None:
        """Take the buttons off a message."""
        await self._call("editMessageReplyMarkup", chat_id=chat_id, message_id=message_id)

    async def toast(self, query_id: str, words: str, *, alert: bool) -> None:
        """The answer to a press; without words it only ends the waiting."""
        said = {"text": words[:200], "show_alert": alert} if words else {}
        await self._call("answerCallbackQuery", callback_query_id=query_id, **said)

    async def _call(self, method: str, **parameters: Any) -> Any:
        data = RequestData([RequestParameter(name, value, None) for name, value in parameters.items()])
        return await self._bot.request.post(f"{self._bot.base_url}/{method}", data)


def _dressed(rows: Rows) -> dict[str, Any]:
    """How a screen is written, and its buttons if it has any."""
    look: dict[str, Any] = {"parse_mode": ParseMode.HTML.value}
    if rows:
        look["reply_markup"] = {"inline_keyboard": rows}
    return look
