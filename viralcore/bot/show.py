"""Showing screens: one home message per private chat. A press edits it; typed input, or a change between text and
picture, sends a new one and takes the buttons off the old."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

import structlog
from telegram import Bot, InlineKeyboardMarkup, InputMediaPhoto
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, TelegramError

from viralcore.bot import repository
from viralcore.bot.lanes import lane
from viralcore.bot.repository import Glance, Home
from viralcore.bot.voice import Voice
from viralcore.core import ids
from viralcore.core import screen as screens
from viralcore.core.db import Database
from viralcore.core.nursery import Nursery
from viralcore.core.screen import Picture, Screen
from viralcore.texts.pictures.painting import paint

log = structlog.get_logger(__name__)
CAPTION_ROOM = 1000
"""Captions end at 1,024 characters; a screen that is longer goes without its picture."""


class Shower:
    """`secret`: makes nonces that cannot be guessed but come out the same when an update is handled again."""

    def __init__(self, db: Database, bot: Bot, nursery: Nursery, *, secret: str) -> None:
        self._db = db
        self._bot = bot
        self._nursery = nursery
        self._secret = secret
        self._voice = Voice(bot)
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._glances = db.together("bot.glances", self._look)
        self._redraws = db.together("bot.redraws", self._redrawn)
        self._puts = db.together("bot.homes", self._put_homes)

    def nonce(self, update_id: int) -> str:
        return ids.nonce(self._secret, update_id)

    async def home(self, chat_id: int) -> Home | None:
        async with self._db.read() as conn:
            return await repository.get_home(conn, chat_id)

    async def glance(self, chat_id: int, user_id: int) -> Glance:
        """What a chat shows, and what one person is asked there."""
        return await self._glances((chat_id, user_id))

    async def show(
        self,
        *,
        chat_id: int,
        screen: Screen,
        update_id: int,
        pressed: int | None,
        spent: str = "",
        fresh: bool = False,
    ) -> None:
        """Make `screen` what the chat shows. `pressed`: the message whose button was pressed; `spent`: the nonce of
        that button, when it was accepted; `fresh`: there is nothing to edit, as this update pressed no button and has
        drawn nothing in an earlier life. Raises Forbidden when the person blocked the bot."""
        screen = _fitting(screen)
        home = Home(
            chat_id,
            pressed or 0,
            self.nonce(update_id),
            spent,
            screen.route,
            update_id,
            digest(screen),
            picture_key(screen),
        )
        async with self._lock(chat_id):
            # Stored first: a button must never arrive before we know its nonce. What this very update has drawn before
            # a crash is drawn over, even when that was a message of its own.
            number = None if fresh else await self._redraws(home)
            if number is not None:
                home = replace(home, message_id=number)
                if await self._edit(home, screen, media=True):
                    return
            await self._send(home, screen)

    async def refresh(self, chat_id: int, route: str, render: Callable[[], Awaitable[Screen]]) -> bool:
        """Draw a route again in place, if the chat still shows it; the nonce stays, so no press goes stale."""
        async with self._lock(chat_id):
            home = await self.home(chat_id)
            if home is None or home.route != route:
                return False
            screen = _fitting(await render())
            if digest(screen) == home.digest:
                return False
            picture = picture_key(screen)
            if bool(home.picture) != bool(picture):
                look = digest(screen)
                await self._send(replace(home, route=screen.route, digest=look, picture=picture), screen)
                return True
            if not await self._edit(home, screen, media=picture != home.picture):
                return False
            async with self._db.transaction() as tx:
                await repository.redraw(tx.conn, home, route=screen.route, digest=digest(screen), picture=picture)
            return True

    def strip(self, chat_id: int, message_id: int) -> None:
        """Take the buttons off a message that is no longer the home: soon, behind everybody's answers. Best effort; a
        button that stays is answered with a fresh menu."""

        async def work() -> None:
            try:
                with lane("bulk"):
                    await self._voice.strip(chat_id, message_id)
            except TelegramError as error:
                log.debug("strip_failed", chat_id=chat_id, error=type(error).__name__)

        self._nursery.start("strip", work())

    async def _send(self, home: Home, screen: Screen) -> None:
        number, with_picture = await self._new_message(home.chat_id, screen, home.nonce)
        before = await self._puts(replace(home, message_id=number, picture=home.picture if with_picture else ""))
        if before is not None and before != number:
            self.strip(home.chat_id, before)

    async def _new_message(self, chat_id: int, screen: Screen, nonce: str) -> tuple[int, bool]:
        if screen.picture is not None:
            markup = keyboard(screen, nonce)
            for attempt in (1, 2):
                try:
                    photo = await self._photo(screen.picture)
                    sent = await self._bot.send_photo(
                        chat_id, photo, caption=screen.text, parse_mode=ParseMode.HTML, reply_markup=markup
                    )
                    await self._keep_photo(screen.picture, sent.photo[-1].file_id if sent.photo else None)
                    return sent.message_id, True
                except (BadRequest, OSError, KeyError) as error:
                    log.warning("picture_failed", kind=screen.picture.kind, error=str(error), attempt=attempt)
                    async with self._db.transaction() as tx:
                        await repository.drop_file_id(tx.conn, screen.picture)
        return await self._voice.say(chat_id, screen.text, screens.keyboard(screen, nonce)), False

    async def _edit(self, home: Home, screen: Screen, *, media: bool) -> bool:
        """Edit in place; False when that message can no longer be edited."""
        where: dict[str, Any] = {"chat_id": home.chat_id, "message_id": home.message_id}
        try:
            if screen.picture is None:
                rows = screens.keyboard(screen, home.nonce)
                await self._voice.edit(home.chat_id, home.message_id, screen.text, rows)
                return True
            markup = keyboard(screen, home.nonce)
            if media:
                photo = InputMediaPhoto(
                    await self._photo(screen.picture), caption=screen.text, parse_mode=ParseMode.HTML
                )
                sent = await self._bot.edit_message_media(photo, **where, reply_markup=markup)
                pictures = sent.photo if not isinstance(sent, bool) else ()
                await self._keep_photo(screen.picture, pictures[-1].file_id if pictures else None)
            else:
                await self._bot.edit_message_caption(
                    **where, caption=screen.text, parse_mode=ParseMode.HTML, reply_markup=markup
                )
        except BadRequest as error:
            if "not modified" in error.message.lower():
                return True
            log.info("edit_failed", chat_id=home.chat_id, error=error.message)
            return False
        return True

    async def _photo(self, picture: Picture) -> str | bytes:
        async with self._db.read() as conn:
            known = await repository.get_file_id(conn, picture)
        return known if known is not None else await asyncio.to_thread(paint, picture)

    async def _keep_photo(self, picture: Picture, file_id: str | None) -> None:
        if file_id is not None:
            async with self._db.transaction() as tx:
                await repository.put_file_id(tx.conn, picture, file_id)

    async def _look(self, places: Sequence[tuple[int, int]]) -> list[Glance]:
        return await repository.glances(self._db.rows, places)

    async def _redrawn(self, homes: Sequence[Home]) -> list[int | None]:
        # Not waited for: the update that drew it is pending until after this, and draws the same again.
        return await repository.redrawn(self._db.write_soon, homes)

    async def _put_homes(self, homes: Sequence[Home]) -> list[int | None]:
        return await repository.put_homes(self._db.write_soon, homes)

    def _lock(self, chat_id: int) -> asyncio.Lock:
        """A press and a refresh of the same chat must not draw over each other."""
        lock = self._locks.get(chat_id)
        if lock is None:
            lock = self._locks[chat_id] = asyncio.Lock()
        return lock


def keyboard(screen: Screen, nonce: str) -> InlineKeyboardMarkup | None:
    """The screen's buttons as Telegram's library wants them."""
    rows = screens.keyboard(screen, nonce)
    return InlineKeyboardMarkup.de_json({"inline_keyboard": rows}) if rows else None


def picture_key(screen: Screen) -> str:
    """Names the picture of a screen; empty without one."""
    return f"{screen.picture.kind}:{screen.picture.data}" if screen.picture is not None else ""


def digest(screen: Screen) -> str:
    """What a screen looks like, nonce aside: a redraw that changes nothing is not sent."""
    return hashlib.sha256(repr((screen.text, screen.rows, screen.picture)).encode()).hexdigest()[:32]


def _fitting(screen: Screen) -> Screen:
    return replace(screen, picture=None) if screen.picture and len(screen.text) > CAPTION_ROOM else screen


__all__ = ["Forbidden", "Shower", "digest", "keyboard"]
