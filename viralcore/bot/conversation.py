"""What a typed line means: a command, an answer, a link, a hash, or nothing we know."""

from __future__ import annotations

import re

from viralcore.bot.config import BotConfig
from viralcore.bot.dialogue import HASH, LINKS, PROSE
from viralcore.bot.show import Shower
from viralcore.bot.turn import ON_COMMAND, ON_OTHER, ON_PHOTO, Turn, Viewer, render, take_answer
from viralcore.bot.user.boost import links
from viralcore.bot.user.pay import cancel_shown, open_invoice_shown, paste
from viralcore.bot.user.replies import unasked
from viralcore.core.screen import Screen
from viralcore.payments.api import BadHash
from viralcore.texts import errors, home, staff

_LINK = re.compile(r"(?:https?://|www\.)\S|\b(?:x|twitter|t|telegram)\.(?:com|me|dog)/\S", re.IGNORECASE)
_POST = re.compile(r"\b(?:x|twitter|t|telegram)\.(?:com|me|dog)/\S", re.IGNORECASE)
_ON_POST = re.compile(r"\b(?:x|twitter|t|telegram)\.(?:com|me|dog)/\S+", re.IGNORECASE)
_EXPLORER = re.compile(r"/(?:tx|txn|transaction)/", re.IGNORECASE)
_HASH = re.compile(
    r"(?<![0-9a-zA-Z])(?:0[xX])?[0-9a-fA-F]{64}(?![0-9a-zA-Z])"
    r"|^\s*[1-9A-HJ-NP-Za-km-z]{80,90}\s*$|^\s*0x[0-9a-fA-F]{40}\s*$"
)


def looks_like_hash(text: str) -> bool:
    """A transaction hash, an explorer's page of one, or an address taken for one. Judged by payments, which says what
    is wrong with it; this only decides whom to ask. Somebody on X may be called ``tx``."""
    return bool(_HASH.search(text) or _EXPLORER.search(_ON_POST.sub("", text)))


def looks_like_link(text: str) -> bool:
    return bool(_LINK.search(text))


class Conversation:
    """Decides what a line means. Pasted hashes and links are always taken as such, whatever question is
    open, unless it wants prose."""

    def __init__(self, config: BotConfig, shower: Shower) -> None:
        self._config = config
        self._shower = shower

    async def fresh(self, viewer: Viewer) -> Screen:
        """The main menu: the way on from a menu that is out of date."""
        return await render(viewer, "home")

    async def line(self, turn: Turn, text: str | None) -> Screen | None:
        """A message in a private chat."""
        if text is None:
            return await self._neither(turn)
        if len(text) > self._config.max_text:
            return home.too_long()
        if text.startswith("/"):
            return await self._command(turn, text)
        return await self._free(turn, text)

    async def photo(self, turn: Turn, file_id: str) -> Screen | None:
        """A picture in a private chat: an answer, or nothing we know what to do with."""
        question = await turn.question()
        if question is None or question.name not in ON_PHOTO:
            return home.unasked_photo()
        await turn.close_question()
        return await ON_PHOTO[question.name](turn, question.data, file_id)

    async def _neither(self, turn: Turn) -> Screen | None:
        """A file, a sticker, a voice message: who waits for a photo says how to send one, and goes on waiting."""
        question = await turn.question()
        if question is None or question.name not in ON_OTHER:
            return home.only_text()
        return await ON_OTHER[question.name](turn, question.data, "")

    async def _command(self, turn: Turn, text: str) -> Screen | None:
        first, _, arguments = text.partition(" ") if "\n" not in text.split(" ")[0] else text.partition("\n")
        name = first[1:].split("@", 1)[0].lower()
        if name == "cancel":
            return await self._cancel(turn)
        handler = ON_COMMAND.get(name)
        if handler is None:
            return home.unknown_command(first)
        await turn.close_question()
        return await handler(turn, arguments.strip())

    async def _free(self, turn: Turn, text: str) -> Screen | None:
        question = await turn.question()
        asked = question.name if question is not None else ""
        if question is not None and asked in PROSE:
            await turn.close_question()
            return await take_answer(turn, question, text)
        if looks_like_hash(text) and asked != HASH:
            return await self._paste(turn, text)
        if asked not in LINKS and (_POST.search(text) if asked == HASH else looks_like_link(text)):
            await turn.close_question()
            return await links(turn, text)
        if question is None:
            return unasked(turn, text) or home.not_understood()
        await turn.close_question()
        return await take_answer(turn, question, text)

    async def _paste(self, turn: Turn, text: str) -> Screen:
        try:
            return await paste(turn, text)
        except BadHash as error:
            return home.refused(errors.words(error))

    async def _cancel(self, turn: Turn) -> Screen:
        """Ends the open question; on an invoice screen it cancels that invoice."""
        if await turn.close_question():
            return home.stopped()
        shown = await self._shower.home(turn.chat_id)
        invoice_id = await open_invoice_shown(turn, shown.route) if shown is not None else None
        return await cancel_shown(turn, invoice_id) if invoice_id is not None else home.nothing_to_cancel()

    async def group_line(self, turn: Turn, text: str, replies_to: int | None = None) -> Screen | None:
        """A command or an answer in the admin group; the words go into `turn.reply`. Commands that people have in
        private get the way there; those we do not know may be another bot's. Several questions may stand in a group:
        an answer is a reply to the one that is open (`replies_to`), and talk beside it is nobody's answer."""
        name = text.split(maxsplit=1)[0][1:].split("@", 1)[0].lower() if text.startswith("/") else ""
        if name == "cancel":
            if await turn.close_question():
                turn.reply = staff.stopped()
            return None
        if name == "admin":
            return await ON_COMMAND["admin"](turn, "")
        if text.startswith("/"):
            known = name in ON_COMMAND or "@" in text.split(maxsplit=1)[0]
            return home.group_only_private(bot_username=turn.doors.bot_username()) if known else None
        question = await turn.question()
        if question is None or (question.message is not None and replies_to != question.message):
            if replies_to is not None:
                turn.reply = staff.question_is_over()
            return None
        if len(text) > self._config.max_text:
            turn.reply = home.too_long().text
            return None
        await turn.close_question()
        return await take_answer(turn, question, text)
