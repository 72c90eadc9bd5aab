"""Builds the bot from its dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats
from telegram.constants import ParseMode
from telegram.error import TelegramError

from viralcore.bot import refresh, sheets
from viralcore.bot.admin import (
    cards,
    groups,
    held,
    panel,
    panels,
    payments,
    payout_desk,
    receipts,
    reconciliation,
    stuck,
)
from viralcore.bot.admin import custom as custom_plans
from viralcore.bot.admin import orders as staff_orders
from viralcore.bot.admin import replies as admin_replies
from viralcore.bot.admin import withdrawals as decisions
from viralcore.bot.config import BotConfig
from viralcore.bot.countdown import Ticker
from viralcore.bot.dialogue import Dialogues
from viralcore.bot.dispatch import Dispatcher
from viralcore.bot.intake import TokenRefusedError
from viralcore.bot.line import Line, bad_weather
from viralcore.bot.measure import measured
from viralcore.bot.show import Shower
from viralcore.bot.throttle import Throttle
from viralcore.bot.turn import Doors
from viralcore.bot.user import (
    account,
    affiliate,
    boost,
    crowd,
    custom,
    follow,
    goods,
    invoices,
    pay,
    replies,
    shop,
    start,
    topup,
    withdraw,
    withdrawals,
)
from viralcore.core.clock import Clock
from viralcore.core.db import Database
from viralcore.core.effects import EffectKind
from viralcore.core.events import Subscription
from viralcore.core.inbox import Inbox
from viralcore.core.jobs import Job
from viralcore.core.metrics import Metrics
from viralcore.core.nursery import Nursery
from viralcore.texts import home

log = structlog.get_logger(__name__)
__all__ = ["BotModule", "Doors", "Line", "TokenRefusedError", "build"]
HANDLERS = (
    account,
    admin_replies,
    affiliate,
    boost,
    cards,
    crowd,
    custom,
    custom_plans,
    follow,
    goods,
    groups,
    held,
    invoices,
    panel,
    panels,
    pay,
    payments,
    receipts,
    reconciliation,
    replies,
    shop,
    staff_orders,
    start,
    stuck,
    topup,
    withdraw,
    withdrawals,
    decisions,
    payout_desk,
)
"""Importing them fills the tables in `turn`."""


@dataclass(frozen=True, slots=True)
class BotModule:
    """What bootstrap registers, and what it calls at start and stop."""

    dispatcher: Dispatcher
    dialogues: Dialogues
    throttle: Throttle
    effects: tuple[EffectKind, ...]
    subscriptions: tuple[Subscription, ...]
    jobs: tuple[Job, ...]

    async def introduce(self, bot: Bot) -> None:
        """Tell Telegram our commands. Best effort: the bot works without."""
        commands = [BotCommand(name, about) for name, about in home.COMMANDS]
        try:
            await bot.set_my_commands(commands, scope=BotCommandScopeAllPrivateChats())
        except TelegramError as error:
            log.warning("commands_not_set", error=error.message)

    async def resume(self, clock: Clock, slept: timedelta) -> None:
        """Remember open questions, and how long we were away."""
        await self.dialogues.start()
        self.dispatcher.sleep_ended(clock.now(), slept)


def build(
    *,
    db: Database,
    clock: Clock,
    bot: Bot,
    doors: Doors,
    config: BotConfig,
    inbox: Inbox,
    nursery: Nursery,
    secret: str,
    admin_chat_id: int | None,
    metrics: Metrics | None = None,
) -> BotModule:
    """`secret`: makes nonces. Handlers are bound to the inbox here."""
    shower = Shower(db, bot, nursery, secret=secret)
    dialogues = Dialogues(db, clock, minutes=config.dialogue_minutes)
    dispatcher = Dispatcher(
        db=db,
        bot=bot,
        doors=doors,
        shower=shower,
        dialogues=dialogues,
        config=config,
        clock=clock,
        admin_chat_id=admin_chat_id,
    )
    handle = measured(dispatcher.handle, metrics) if metrics is not None else dispatcher.handle
    inbox.handle("telegram", handle, dispatcher.on_held, passing=bad_weather)
    words = home.slow_down(commands=config.throttle.commands, presses=config.throttle.presses)

    async def tell(chat_id: int, query_id: str | None) -> None:
        try:
            if query_id is not None:
                await bot.answer_callback_query(query_id, words, show_alert=True)
            else:
                await bot.send_message(chat_id, words, parse_mode=ParseMode.HTML)
        except TelegramError as error:
            log.info("slow_down_not_told", error=error.message)

    def told(chat_id: int, query_id: str | None) -> None:
        nursery.start("slow_down", tell(chat_id, query_id))

    throttle = Throttle(config.throttle, clock, asked=dialogues.asked, tell=told)
    return BotModule(
        dispatcher=dispatcher,
        dialogues=dialogues,
        throttle=throttle,
        effects=(refresh.Refresh(shower, doors, config, clock), sheets.Sheet(bot, doors, clock)),
        subscriptions=(*refresh.subscriptions(), *sheets.subscriptions()),
        jobs=(
            Job("bot.dialogues", 3600, dialogues.prune, order=500),
            Ticker(db, clock, doors.payments, config.countdown).job(),
        ),
    )
