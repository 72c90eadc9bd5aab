"""Our line to Telegram: transport, lanes, the Bot everybody shares, and one of the two ways in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import structlog
from starlette.routing import Route
from telegram import Bot
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter, TelegramError

from viralcore.bot.config import Pace
from viralcore.bot.intake import Polling, TokenRefusedError, Webhook
from viralcore.bot.laned import LanedRequest
from viralcore.bot.lanes import Lanes, lane
from viralcore.bot.pulse import Pulse, words
from viralcore.bot.transport import PooledRequest
from viralcore.core.inbox import Inbox
from viralcore.core.metrics import Metrics
from viralcore.core.nursery import Nursery

log = structlog.get_logger(__name__)
ThrottleCall = Callable[[Mapping[str, Any]], bool]
LONGEST_PAUSE = 10.0
WATCH_SECONDS = 10.0


def bad_weather(error: BaseException) -> bool:
    """Telegram is away or wants us to wait: what we were doing is not to blame. (To PTB a BadRequest is one, too.)"""
    return isinstance(error, NetworkError | RetryAfter) and not isinstance(error, BadRequest)


class Line:
    """`webhook_url` None: long polling. `on_fatal` is told when Telegram refuses the token."""

    def __init__(
        self,
        *,
        token: str,
        api_base_url: str,
        pace: Pace,
        metrics: Metrics,
        nursery: Nursery,
        inbox: Inbox,
        webhook_url: str | None,
        webhook_secret: str | None,
        on_fatal: Callable[[Exception], None],
    ) -> None:
        self._api_url = f"{api_base_url}/bot{token}"
        self._nursery = nursery
        self._inbox = inbox
        self._metrics = metrics
        self._webhook_url = webhook_url
        self._on_fatal = on_fatal
        self._main = PooledRequest(metrics=metrics)
        self._polls = PooledRequest(connections=4, metrics=metrics)
        self.lanes = Lanes(
            per_second=pace.per_second,
            chat_gap=float(pace.chat_gap_seconds),
            per_minute=pace.group_per_minute,
            metrics=metrics,
        )
        self.bot = Bot(
            token,
            base_url=f"{api_base_url}/bot",
            base_file_url=f"{api_base_url}/file/bot",
            request=LanedRequest(self._main, self.lanes),
            get_updates_request=PooledRequest(connections=1),
        )
        self.throttle: ThrottleCall | None = None
        self._polling: Polling | None = None
        self._webhook = (
            Webhook(webhook_secret or "", inbox, throttle=self._admit, metrics=metrics) if webhook_url else None
        )
        self.pulse = Pulse()

    def _admit(self, update: Mapping[str, Any]) -> bool:
        return self.throttle is None or self.throttle(update)

    @property
    def routes(self) -> tuple[Route, ...]:
        """What the web server must serve: the webhook, if that is the way in."""
        return (self._webhook.route,) if self._webhook is not None else ()

    @staticmethod
    def bulk() -> AbstractContextManager[None]:
        """Messages sent inside wait behind people's answers."""
        return lane("bulk")

    async def connect(self) -> None:
        """Wait until Telegram knows us. Raises TokenRefusedError."""
        pause = 0.5
        while True:
            try:
                await self.bot.initialize()
                break
            except InvalidToken:
                raise TokenRefusedError from None
            except TelegramError as error:
                log.warning("telegram_unreachable", error=error.message, again_in=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        await self._polls.initialize()
        self.pulse.well()

    async def open(self) -> None:
        """Begin to take updates in."""
        if self._webhook is not None and self._webhook_url is not None:
            self.pulse.ill("the webhook is not set yet", at_once=True)
            self._nursery.keep("telegram-webhook", self._keep_webhook)
            return
        self._polling = Polling(
            self._polls,
            self._api_url,
            self._inbox,
            self._nursery,
            throttle=self._admit,
            on_fatal=self._on_fatal,
            metrics=self._metrics,
            pulse=self.pulse,
        )
        await self._polling.start()

    def watch(self) -> None:
        """For a process that takes no updates in: see to it that `check` knows whether Telegram is there."""
        self._nursery.keep("telegram-watch", self._keep_asking)

    async def check(self) -> str | None:
        """For /ready: why Telegram is not there, or None."""
        return self.pulse.trouble()

    async def _keep_webhook(self) -> None:
        """Set it, until that works; then look now and then whether it is still ours."""
        webhook, url = self._webhook, self._webhook_url
        if webhook is None or url is None:
            return
        await self._patiently(lambda: webhook.register(self._polls, self._api_url, url))
        self.pulse.well()
        log.info("telegram_webhook_set")
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                lost = await webhook.look(self._polls, self._api_url, url)
            except TelegramError as error:
                self._unheard(error)
                continue
            if lost is None:
                self.pulse.well()
            else:
                log.error("telegram_webhook_lost", reason=lost)
                self.pulse.ill(lost, at_once=True)

    async def _keep_asking(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self.bot.get_me()
            except TelegramError as error:
                self._unheard(error)
            else:
                self.pulse.well()

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        pause = 0.5
        while True:
            try:
                await step()
                return
            except TokenRefusedError as error:
                self._on_fatal(error)
                return
            except TelegramError as error:
                log.warning("telegram_webhook_not_set", error=error.message, again_in=pause)
                self.pulse.ill(f"the webhook cannot be set: {error.message}", at_once=True)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _unheard(self, error: TelegramError) -> None:
        log.warning("telegram_does_not_answer", error=error.message)
        self.pulse.ill(words(type(error).__name__))

    async def close_intake(self) -> None:
        if self._polling is not None:
            await self._polling.stop()

    async def close(self) -> None:
        try:
            async with asyncio.timeout(1.5):
                await self.lanes.idle()
        except TimeoutError:
            log.warning("lanes_not_empty", waiting=self.lanes.depth)
        await self.bot.shutdown()
        await self._polls.shutdown()
