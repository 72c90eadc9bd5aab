"""From a stored update to an answer: decode, meet the person, find the handler, show what it returns.

python-telegram-bot decodes and routes by kind of update; which handler a press or a line goes to is in `turn`'s tables.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from telegram import Bot, Message, Update
from telegram import User as TelegramUser
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    ChatMemberHandler,
    ContextTypes,
    MessageHandler,
    TypeHandler,
    filters,
)

from viralcore.bot.config import BotConfig
from viralcore.bot.conversation import Conversation
from viralcore.bot.decode import decoded
from viralcore.bot.dialogue import Dialogues
from viralcore.bot.groups import GroupWatch
from viralcore.bot.show import Shower, keyboard
from viralcore.bot.turn import LIVE_ROUTES, ON_ACTION, Doors, Turn, UnknownRoute, Viewer, render
from viralcore.bot.voice import Voice
from viralcore.core.clock import Clock
from viralcore.core.db import Database
from viralcore.core.errors import DomainError
from viralcore.core.inbox import InboxItem
from viralcore.core.log import correlation_id
from viralcore.core.screen import Action, Html, Press, Screen, StaleCallback, decode
from viralcore.texts import errors, home, shop, staff
from viralcore.texts.actions import STAFF_CARD, Agree, Go
from viralcore.texts.crowd_actions import IN_GROUPS
from viralcore.users.api import Blocked, NotAllowed, Profile, SessionExpired, UserView

log = structlog.get_logger(__name__)
PTB = Application[Any, Any, Any, Any, Any, Any]
_ABOUT_GROUPS = filters.StatusUpdate.MIGRATE | filters.StatusUpdate.NEW_CHAT_TITLE
_failure: ContextVar[list[BaseException] | None] = ContextVar("failure", default=None)


class Dispatcher:
    """Handles stored updates. `asleep_until`: updates stored before this moment may be old presses (see `on_press`)."""

    def __init__(
        self,
        *,
        db: Database,
        bot: Bot,
        doors: Doors,
        shower: Shower,
        dialogues: Dialogues,
        config: BotConfig,
        clock: Clock,
        admin_chat_id: int | None,
    ) -> None:
        self._db = db
        self._bot = bot
        self._doors = doors
        self._shower = shower
        self._dialogues = dialogues
        self._config = config
        self._clock = clock
        self._admin_chat_id = admin_chat_id
        self._talk = Conversation(config, shower)
        self._voice = Voice(bot)
        self._groups = GroupWatch(db, doors.boosts.crowd, admin_chat_id=admin_chat_id)
        self.ptb = self._application(bot)
        self.old: Callable[[InboxItem], bool] = lambda item: False
        self._item: ContextVar[InboxItem | None] = ContextVar("item", default=None)

    def _application(self, bot: Bot) -> PTB:
        built: Any = ApplicationBuilder().bot(bot).updater(None).job_queue(None).build()
        private = filters.ChatType.PRIVATE
        built.add_handler(CallbackQueryHandler(self.on_press))
        built.add_handler(MessageHandler(private & filters.UpdateType.EDITED_MESSAGE, self.on_edited))
        built.add_handler(MessageHandler(private & filters.UpdateType.MESSAGE, self.on_private))
        built.add_handler(MessageHandler(filters.ChatType.GROUPS & _ABOUT_GROUPS, self.on_note))
        built.add_handler(MessageHandler(filters.ChatType.GROUPS & filters.UpdateType.MESSAGE, self.on_group))
        built.add_handler(ChatMemberHandler(self.on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
        built.add_handler(TypeHandler(Update, self.on_other))
        built.add_error_handler(self._keep_failure)
        return built  # type: ignore[no-any-return]

    async def _keep_failure(self, _: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        kept = _failure.get()
        if kept is not None and context.error is not None:
            kept.append(context.error)

    async def handle(self, item: InboxItem) -> None:
        """The inbox's handler. Raises what broke, so that the inbox tries again and in the end calls `on_held`."""
        update = decoded(item.payload, self._bot)
        if update is None:
            return
        kept: list[BaseException] = []
        token, item_token = _failure.set(kept), self._item.set(item)
        try:
            await self.ptb.process_update(update)
        finally:
            _failure.reset(token)
            self._item.reset(item_token)
        for error in kept:
            if isinstance(error, Forbidden):
                await self._gone(update)
            else:
                raise error

    async def on_held(self, item: InboxItem, reason: str) -> None:
        """An update that failed for good: the person gets one sentence and a reference, never a traceback."""
        update = decoded(item.payload, self._bot)
        if update is None or update.effective_chat is None or update.effective_chat.type != "private":
            return
        screen = home.refused(errors.trouble(correlation_id.get()))
        try:
            await self._shower.show(
                chat_id=update.effective_chat.id, screen=screen, update_id=update.update_id, pressed=None
            )
        except Forbidden:
            await self._gone(update)

    # --- presses ----------------------------------------------------------------------------------------------------

    async def on_press(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        if query is None or query.message is None:
            return
        chat_id, message_id = query.message.chat.id, query.message.message_id
        private = query.message.chat.type == "private"
        user = await self._meet(update, query.from_user, None)
        turn = await self._turn(user, chat_id, update.update_id, private=private, pressed=message_id)
        try:
            press = decode(query.data or "")
        except StaleCallback:
            await self._out_of_date(turn, query.id)
            return
        turn.private = private and not self._on_card(turn, press)
        # In a group many people press one card: what each of them asks is theirs.
        turn.key = press.key if turn.private else f"{press.key}:{user.id}"
        if await self._stale(turn, press):
            if user.staff or not _for_staff(press.action):
                await self._out_of_date(turn, query.id)
            else:
                turn.private = False
                await self._guarded(turn, _refused())
                await self._answer(query.id, turn)
            return
        screen = await self._guarded(turn, self._act(turn, press))
        await self._answer(query.id, turn)
        await self._finish(turn, screen, spent=press.nonce)

    @staticmethod
    def _on_card(turn: Turn, press: Press) -> bool:
        """Whether this stands on a staff card in a private chat: without an admin group owners have them there. It is
        pressed as in the group, and the chat's home stays what it is. A forged one looks the same, and is refused by
        the use case as it is there."""
        shown = turn.glance.home if turn.glance is not None else None
        at_home = shown is not None and press.nonce in (shown.nonce, shown.prev_nonce)
        return not at_home and type(press.action) in STAFF_CARD

    async def _stale(self, turn: Turn, press: Press) -> bool:
        """Looking is always fine, staff cards carry their own state; anything else must come from the current home.
        Screens belong to private chats: in a group nothing else can be pressed."""
        action = type(press.action)
        if not turn.private:
            return action not in STAFF_CARD and action not in IN_GROUPS
        if action is Go:
            return False
        item = self._item.get()
        if item is not None and self.old(item):
            return True
        shown = turn.glance.home if turn.glance is not None else None
        if shown is None:
            return True
        # The nonce says it all: one screen may stand in two messages, when it had to be sent anew.
        if press.nonce == shown.nonce:
            return False
        if press.nonce != shown.prev_nonce:
            return True
        if shown.update_id != turn.update_id:
            # A double tap: the first one has redrawn the screen. The use case would replay; there is nothing to show.
            turn.silent = True
            turn.toast = home.ALREADY_DONE
        return False

    async def _act(self, turn: Turn, press: Press) -> Screen | None:
        if turn.silent:
            return None
        if turn.private:
            gate = self._gate(turn.user, agreeing=isinstance(press.action, Agree))
            if gate is not None:
                return gate
        elif turn.user.blocked:
            raise Blocked()  # rights are the use case's to check, and no terms stand before them
        if not isinstance(press.action, (*STAFF_CARD, *IN_GROUPS)):
            await turn.close_question()
        return await ON_ACTION[type(press.action)](turn, press.action)

    async def _out_of_date(self, turn: Turn, query_id: str) -> None:
        turn.toast = home.OUT_OF_DATE if turn.private else home.CARD_OUT_OF_DATE
        await self._answer(query_id, turn)
        if turn.private:
            screen = self._gate(turn.user) or await self._talk.fresh(turn.viewer)
            pressed, turn.pressed = turn.pressed, None
            shown = await self._shower.home(turn.chat_id)
            if pressed is not None and (shown is None or shown.message_id != pressed):
                self._shower.strip(turn.chat_id, pressed)
            await self._finish(turn, screen)

    async def _answer(self, query_id: str, turn: Turn) -> None:
        try:
            await self._voice.toast(query_id, turn.toast, alert=turn.alert)
        except BadRequest as error:  # answered before a crash, or too old: the screen still tells
            log.info("callback_not_answered", reason=error.message)

    # --- lines ------------------------------------------------------------------------------------------------------

    async def on_private(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.message
        if message is None or message.from_user is None:
            return
        text = message.text
        payload = text.split(maxsplit=1)[1] if text and text.startswith("/start ") and len(text.split()) > 1 else None
        user = await self._meet(update, message.from_user, payload)
        turn = await self._turn(user, message.chat.id, update.update_id, private=True)
        photo = message.photo[-1].file_id if message.photo else None
        screen = await self._guarded(turn, self._line(turn, text, photo))
        await self._finish(turn, screen)

    async def _line(self, turn: Turn, text: str | None, photo: str | None) -> Screen | None:
        gate = self._gate(turn.user)
        if gate is not None and not self._may_pass(turn.user, text):
            known = turn.user.blocked or _command(text) in {"/start", "/terms"}
            return gate if known else shop.with_note(home.AGREE_FIRST, gate)
        if photo is not None:
            return await self._talk.photo(turn, photo)
        return await self._talk.line(turn, text)

    async def on_edited(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.edited_message
        if message is None or message.from_user is None:
            return
        user = await self._meet(update, message.from_user, None)
        turn = await self._turn(user, message.chat.id, update.update_id, private=True)
        await self._finish(turn, self._gate(user) or home.edited())

    async def on_group(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """In groups only commands and answers to our questions are heard, and only the admin group's do anything."""
        message = update.message
        if message is None or message.from_user is None or message.from_user.is_bot or not message.text:
            return
        replies_to = self._question_in(message.reply_to_message)
        if replies_to is None and not await self._heard_in_group(message, message.from_user.id, update.update_id):
            return
        if message.chat.id != self._admin_chat_id:
            await self._say(message, home.group_only_private(bot_username=self._doors.bot_username()))
            return
        user = await self._meet(update, message.from_user, None)
        turn = await self._turn(user, message.chat.id, update.update_id, private=False)
        screen = await self._guarded(turn, self._talk.group_line(turn, message.text, replies_to))
        if screen is not None:
            await self._say(message, screen)
        elif turn.reply is not None:
            await self._reply(turn, turn.reply, message.message_id)

    def _question_in(self, message: Message | None) -> int | None:
        """The id of a message in which we asked something, open or over."""
        ours = message is not None and message.from_user is not None and message.from_user.id == self._bot.id
        return message.message_id if ours and message is not None and staff.asks(message.text or "") else None

    async def _heard_in_group(self, message: Message, user_id: int, update_id: int) -> bool:
        text = message.text or ""
        if text.startswith("/"):
            return _for_us(text, self._doors.bot_username())
        # Asked of the table, not of memory: a crash may lie between the first handling of an answer and this one.
        return message.chat.id == self._admin_chat_id and (
            await self._dialogues.current(message.chat.id, user_id, update_id) is not None
        )

    async def _reply(self, turn: Turn, words: Html, to: int) -> None:
        """In a group. A question is answered by a reply to this message."""
        sent = await self._bot.send_message(
            turn.chat_id,
            staff.asking(words) if turn.asking else words,
            parse_mode=ParseMode.HTML,
            reply_to_message_id=to,
            allow_sending_without_reply=True,
        )
        if turn.asking:
            await self._dialogues.stands_in(turn.chat_id, turn.user.id, turn.update_id, sent.message_id)

    async def on_membership(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A person blocked the bot or came back, or the bot came to a group or left it."""
        change = update.my_chat_member
        if change is None:
            return
        if change.chat.type != "private":
            await self._groups.moved(change)
            return
        gone = change.new_chat_member.status in {"kicked", "left"}
        user = await self._meet(update, change.from_user, None)
        if user.unreachable != gone:
            async with self._db.transaction() as tx:
                await self._doors.users.set_unreachable(tx, user_id=change.chat.id, unreachable=gone)

    async def on_note(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A group has another title or another id."""
        if update.message is not None:
            await self._groups.noted(update.message)

    async def on_other(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Whatever else Telegram may send is confirmed and ignored."""
        log.debug("update_ignored", update_id=update.update_id)

    # --- what all of them share -------------------------------------------------------------------------------------

    async def _meet(self, update: Update, person: TelegramUser, payload: str | None) -> UserView:
        profile = Profile(person.id, person.first_name, person.username, person.language_code)
        user = await self._doors.users.meet(key=f"u{update.update_id}", profile=profile, start_payload=payload)
        chat = update.effective_chat
        if not user.unreachable or update.my_chat_member is not None or chat is None or chat.type != "private":
            return user
        # They write to us, so they can be written to: the update that said they are back may never have come.
        async with self._db.transaction() as tx:
            await self._doors.users.set_unreachable(tx, user_id=user.id, unreachable=False)
        return replace(user, unreachable=False)

    async def _turn(
        self, user: UserView, chat_id: int, update_id: int, *, private: bool, pressed: int | None = None
    ) -> Turn:
        viewer = Viewer(self._doors, self._config, self._clock, user)
        turn = Turn(viewer, self._dialogues, chat_id, update_id, f"u{update_id}", pressed=pressed, private=private)
        if private:
            turn.glance = await self._shower.glance(chat_id, user.id)
            home = turn.glance.home
            turn.fresh = home is None or home.update_id != update_id
        return turn

    def _gate(self, user: UserView, *, agreeing: bool = False) -> Screen | None:
        """What stands before everything else: a block, then the terms."""
        if user.blocked:
            return home.blocked(contact=self._config.support_contact)
        if not user.terms_accepted and not agreeing:
            version = self._doors.users.terms_version()
            return home.terms(version=version, accepted=False, first_name=user.first_name)
        return None

    @staticmethod
    def _may_pass(user: UserView, text: str | None) -> bool:
        """Help and support are for everybody, before the terms and behind a block."""
        return not user.blocked and _command(text) in {"/help", "/support"}

    async def _guarded(self, turn: Turn, work: Any) -> Screen | None:
        """Run a handler; a refusal becomes its words, and a refused right also an audit row."""
        try:
            screen: Screen | None = await work
        except DomainError as error:
            if isinstance(error, NotAllowed | SessionExpired):
                right = str(error.fields.get("right", ""))
                await self._doors.users.record_refusal(actor=turn.user.id, right=right, doing=turn.key)
            words = errors.words(error)
            if not turn.private:
                turn.toast, turn.alert, turn.reply = str(words), True, words
                return None
            return home.refused(words)
        except UnknownRoute:
            return await self._talk.fresh(turn.viewer)
        return screen

    async def _finish(self, turn: Turn, screen: Screen | None, *, spent: str = "") -> None:
        if turn.private and screen is not None:
            await self._shower.show(
                chat_id=turn.chat_id,
                screen=screen,
                update_id=turn.update_id,
                pressed=turn.pressed,
                spent=spent,
                fresh=turn.fresh and turn.pressed is None,
            )
            await self._catch_up(turn, screen.route)
        elif not turn.private and turn.pressed is not None and turn.reply is not None and not turn.alert:
            await self._reply(turn, turn.reply, turn.pressed)

    async def _catch_up(self, turn: Turn, where: str) -> None:
        """What happened between reading and showing found no home that showed it, and redrew nothing: look again."""
        if where.partition(":")[0] not in LIVE_ROUTES:
            return
        try:
            await self._shower.refresh(turn.chat_id, where, lambda: render(turn.viewer, where))
        except (DomainError, UnknownRoute) as error:
            log.info("not_caught_up", route=where, reason=type(error).__name__)

    async def _say(self, message: Message, screen: Screen) -> None:
        """As an answer to that message, so that it stands in the same topic."""
        await self._bot.send_message(
            message.chat.id,
            screen.text,
            parse_mode=ParseMode.HTML,
            reply_markup=keyboard(screen, "0" * 8),
            reply_to_message_id=message.message_id,
            allow_sending_without_reply=True,
        )

    async def _gone(self, update: Update) -> None:
        if update.effective_user is None:
            return
        async with self._db.transaction() as tx:
            await self._doors.users.set_unreachable(tx, user_id=update.effective_user.id, unreachable=True)

    def sleep_ended(self, woke: datetime, slept: timedelta) -> None:
        """After a long downtime, presses that waited at Telegram meanwhile are as old as it may have been."""
        if slept >= timedelta(minutes=self._config.stale_press_minutes):
            limit = woke + timedelta(seconds=5)
            self.old = lambda item: item.received_at <= limit


def _for_staff(action: Action) -> bool:
    """Whether only staff have anything to do with it: whatever is answered from `bot/admin`."""
    handler = ON_ACTION.get(type(action))
    return handler is not None and handler.__module__.startswith("viralcore.bot.admin.")


async def _refused() -> None:
    raise NotAllowed(right="staff")


def _for_us(text: str, username: str) -> bool:
    """Whether a command in a group is not another bot's."""
    _, at, whom = text.split(maxsplit=1)[0].partition("@")
    return not at or whom.lower() == username.lower()


def _command(text: str | None) -> str:
    """The command a line begins with, slash included; empty when it is none."""
    first = text.split(maxsplit=1)[0] if text and text.strip() else ""
    return first.split("@", 1)[0].lower() if first.startswith("/") else ""
