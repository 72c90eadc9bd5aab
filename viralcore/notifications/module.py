"""Builds notifications from its dependencies."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from viralcore.boosts.api import Boosts
from viralcore.core.db import Database
from viralcore.core.effects import EffectKind
from viralcore.core.events import Subscription
from viralcore.core.jobs import Job
from viralcore.notifications.adapters.telegram import Bot, TelegramMessenger
from viralcore.notifications.api import Channel
from viralcore.notifications.config import NotificationsConfig
from viralcore.notifications.jobs import Showing, ShowingInGroup, jobs
from viralcore.notifications.panel_subscribers import panel_subscriptions
from viralcore.notifications.ports import Messenger
from viralcore.notifications.service import ledger
from viralcore.notifications.service.books import BooksTeller
from viralcore.notifications.service.courier import Courier
from viralcore.notifications.service.desk import KINDS, Desk
from viralcore.notifications.service.groups import GroupReports
from viralcore.notifications.service.painting import Painter
from viralcore.notifications.service.payouts import PayoutTeller
from viralcore.notifications.service.topics import MakingTopic, Topics
from viralcore.notifications.subscribers import Subscribers, subscriptions
from viralcore.payments.api import Payments
from viralcore.users.api import Users
from viralcore.withdrawals.api import Withdrawals


@dataclass(frozen=True, slots=True)
class NotificationsModule:
    """What bootstrap registers and hands on."""

    service: Desk
    effects: tuple[EffectKind, ...]
    subscriptions: tuple[Subscription, ...]
    jobs: tuple[Job, ...]


def build(
    *,
    db: Database,
    users: Users,
    payments: Payments,
    boosts: Boosts,
    withdrawals: Withdrawals | None = None,
    bot: Bot,
    bulk: Callable[[], AbstractContextManager[object]],
    admin_chat_id: int | None,
    enabled: bool,
    config: NotificationsConfig,
) -> NotificationsModule:
    """Over Telegram. `bulk`: the lane for messages nobody waits for (``lambda: lanes.lane("bulk")``).

    `admin_chat_id`, `enabled`: ADMIN_TELEGRAM_CHAT_ID (None: owners are told in private),
    ENABLE_TELEGRAM_NOTIFICATIONS (False: staff are told nothing); people are told in any case.
    """
    return assemble(
        db=db,
        users=users,
        payments=payments,
        boosts=boosts,
        withdrawals=withdrawals,
        messenger=TelegramMessenger(bot, bulk),
        bot_username=lambda: bot.username,
        admin_chat_id=admin_chat_id,
        staff_told=enabled,
        config=config,
    )


def assemble(
    *,
    db: Database,
    users: Users,
    payments: Payments,
    boosts: Boosts,
    withdrawals: Withdrawals | None = None,
    messenger: Messenger,
    bot_username: Callable[[], str],
    admin_chat_id: int | None,
    staff_told: bool = True,
    config: NotificationsConfig,
) -> NotificationsModule:
    """Over any messenger."""
    desk = Desk(db, config, users=users, admin_chat_id=admin_chat_id, staff_told=staff_told)
    painter = Painter(users=users, payments=payments, boosts=boosts, bot_username=bot_username)
    heard = subscriptions(Subscribers(desk, users=users, payments=payments, boosts=boosts))
    heard += (*panel_subscriptions(desk), ledger.subscription(desk))
    painter.templates = {**painter.templates, **ledger.templates}
    if withdrawals is not None:
        books = BooksTeller(desk, withdrawals=withdrawals, users=users)
        payouts = PayoutTeller(desk, withdrawals=withdrawals, users=users)
        painter.templates = {**painter.templates, **books.templates, **payouts.templates}
        heard += books.subscriptions() + payouts.subscriptions()
    topics = Topics(db, config, desk=desk, messenger=messenger)
    courier = Courier(
        db, config, desk=desk, painter=painter, messenger=messenger, topics=topics, users=users, boosts=boosts
    )
    at_once: dict[Channel, int] = {"telegram": config.parallelism, "admin_group": config.group_parallelism}
    in_groups: dict[Channel, int] = {"group": config.parallelism, "likes_group": config.group_parallelism}
    reports = GroupReports(boosts)
    return NotificationsModule(
        service=desk,
        effects=(
            MakingTopic(topics),
            *(
                Showing(KINDS[channel], courier, attempts=config.attempts, parallelism=most)
                for channel, most in at_once.items()
            ),
            *(
                ShowingInGroup(KINDS[channel], courier, reports, attempts=config.attempts, parallelism=most)
                for channel, most in in_groups.items()
            ),
        ),
        subscriptions=heard,
        jobs=jobs(desk),
    )
