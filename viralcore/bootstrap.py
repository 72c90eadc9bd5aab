"""The composition root: builds everything in layer order, starts it, and stops it in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

import structlog
from pydantic import SecretStr
from starlette.routing import Route

from viralcore.admin import module as admin
from viralcore.boosts import module as boosts
from viralcore.bot import module as bot
from viralcore.core import migrate, runtime
from viralcore.core.clock import Clock, FileClock, SystemClock
from viralcore.core.crypto import Cipher
from viralcore.core.db import Database
from viralcore.core.effects import EffectKind
from viralcore.core.embedded import EmbeddedPostgres
from viralcore.core.errors import CannotStart
from viralcore.core.events import Subscription
from viralcore.core.http import HttpClients
from viralcore.core.inbox import Inbox
from viralcore.core.jobs import Job
from viralcore.core.leases import Leases
from viralcore.core.metrics import Metrics
from viralcore.core.nursery import Nursery
from viralcore.core.queue import RELEASE_JOB, QueueEngine
from viralcore.core.queue_figures import QueueFigures
from viralcore.core.registry import Registry
from viralcore.core.rekey import Rekey, Step
from viralcore.core.scheduler import Scheduler, last_alive
from viralcore.ledger import module as ledger
from viralcore.notifications import module as notifications
from viralcore.payments import module as payments
from viralcore.referrals import module as referrals
from viralcore.settings import Settings
from viralcore.users import module as users
from viralcore.web.server import WebServer
from viralcore.withdrawals import module as withdrawals

log = structlog.get_logger(__name__)
Role = Literal["all", "bot", "worker"]
GiveUp = Callable[[Exception], None]
Check = Callable[[], Awaitable[str | None]]
FINISH_SECONDS = 4.0
INBOX_KEPT = timedelta(days=2)


class _Module(Protocol):
    """What every module brings along to be registered."""

    @property
    def effects(self) -> tuple[EffectKind, ...]: ...

    @property
    def subscriptions(self) -> tuple[Subscription, ...]: ...

    @property
    def jobs(self) -> tuple[Job, ...]: ...


Doors = bot.Doors
"""For the command line, which knows no module."""


@dataclass(frozen=True, slots=True)
class Modules:
    """The business, without anything that runs by itself."""

    users: users.UsersModule
    ledger: ledger.LedgerModule
    payments: payments.Payments
    boosts: boosts.BoostsModule
    referrals: referrals.ReferralsModule
    withdrawals: withdrawals.Withdrawals
    admin: admin.AdminModule

    @property
    def business(self) -> tuple[_Module, ...]:
        """All of them, in layer order."""
        return (self.users, self.ledger, self.payments, self.boosts, self.referrals, self.withdrawals)


def clock_of(settings: Settings) -> Clock:
    """Business time: the wall clock, or in a sandbox the clock it turns."""
    return FileClock(settings.env.clock_file) if settings.env.clock_file is not None else SystemClock()


def _cipher(settings: Settings) -> Cipher | None:
    env = settings.env
    if not env.encryption_keys or env.fingerprint_key is None:
        return None
    return Cipher([key.get_secret_value() for key in env.encryption_keys], env.fingerprint_key.get_secret_value())


def _database(settings: Settings, clock: Clock, registry: Registry, *, size: int = 12) -> Database:
    if settings.env.database_url is None:
        raise ValueError("the database has no address yet")
    url = settings.env.database_url.get_secret_value()
    return Database(url, clock, registry, cipher=_cipher(settings), size=size)


def _modules(settings: Settings, db: Database, clock: Clock, http: HttpClients) -> Modules:
    """The modules in layer order."""
    people = users.build(db, clock, settings.users)
    books = ledger.build(db)
    money = payments.build(
        db=db, clock=clock, ledger=books.service, users=people.service, http=http, config=settings.payments
    )
    shop = boosts.build(
        db=db,
        config=settings.boosts,
        clients=http,
        ledger=books.service,
        users=people.service,
        payments=money.service,
    )
    brought = referrals.build(db=db, clock=clock, ledger=books.service, users=people.service, config=settings.referrals)
    payouts = withdrawals.build(
        db=db,
        clock=clock,
        ledger=books.service,
        users=people.service,
        live=money.service.naira_per_usd,
        http=http,
        config=settings.withdrawals,
        cipher=_cipher(settings),
        boosts=shop.service,
        referrals=brought.service,
    )
    return Modules(people, books, money, shop, brought, payouts, admin.build(db=db, users=people.service))


def _doors(modules: Modules, bot_username: Callable[[], str] = str) -> bot.Doors:
    return bot.Doors(
        users=modules.users.service,
        ledger=modules.ledger.service,
        payments=modules.payments.service,
        boosts=modules.boosts.service,
        referrals=modules.referrals.service,
        withdrawals=modules.withdrawals.service,
        held=modules.admin.held,
        bot_username=bot_username,
    )


@asynccontextmanager
async def doors(settings: Settings) -> AsyncIterator[bot.Doors]:
    """The doors alone, for the command line and the sandbox's check: nothing runs by itself, nobody is called."""
    clock, registry = clock_of(settings), Registry()
    http = HttpClients(clock, Metrics())
    db = _database(settings, clock, registry, size=2)
    try:
        modules = _modules(settings, db, clock, http)
        for each in modules.business:
            registry.subscribe(*each.subscriptions)
            registry.add_kinds(*each.effects)
        await db.start()
        yield _doors(modules)
    finally:
        await http.close()
        await db.stop()


async def rotate_keys(settings: Settings, told: Callable[[Step], None]) -> tuple[Step, ...]:
    """Put everything encrypted under the first of ENCRYPTION_KEYS. Raises CannotStart without keys."""
    cipher = _cipher(settings)
    if cipher is None:
        raise CannotStart("ENCRYPTION_KEYS and FINGERPRINT_KEY are needed: a new key first, the old ones behind it.")
    # As the login user: the bot's own role may not write everywhere a sealed value stands.
    url = settings.env.database_url.get_secret_value() if settings.env.database_url is not None else ""
    db = Database(url, clock_of(settings), Registry(), role=None, size=2)
    try:
        await db.start()
        return await Rekey(db, cipher, told).run()
    finally:
        await db.stop()


async def run(settings: Settings, *, role: Role = "all", postgres: EmbeddedPostgres | None = None) -> None:
    """Run until SIGTERM or SIGINT, then finish or hand back everything within 10 seconds. Raises TokenRefusedError.

    `postgres`: our own one, when it has been told to begin already.
    """
    stop, fatal = asyncio.Event(), asyncio.Queue[Exception]()

    def give_up(error: Exception) -> None:
        fatal.put_nowait(error)
        stop.set()

    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    async with AsyncExitStack() as stack:
        ready = await _with_database(settings, stack, postgres)
        await _serve(_build(ready, stack, give_up), role, stack, stop)
        log.info("stopping")
    log.info("stopped")
    with contextlib.suppress(asyncio.QueueEmpty):
        raise fatal.get_nowait()


async def _with_database(settings: Settings, stack: AsyncExitStack, postgres: EmbeddedPostgres | None) -> Settings:
    """Settings with a database that is running and, when it is our own, up to date."""
    if settings.env.database_url is not None:
        return settings
    own = postgres or EmbeddedPostgres.of(settings.env.data_dir, pg_bin=settings.env.pg_bin)
    stack.push_async_callback(own.astop)
    url = await own.astart()
    await asyncio.to_thread(migrate.upgrade, url)
    return settings.with_database(url)


@dataclass(frozen=True, slots=True)
class _Process:
    """Everything one process is made of, built and not yet started."""

    settings: Settings
    clock: Clock
    nursery: Nursery
    metrics: Metrics
    db: Database
    modules: Modules
    inbox: Inbox
    line: bot.Line
    talk: bot.BotModule
    engine: QueueEngine
    scheduler: Scheduler
    hooks: tuple[Route, ...]


def _build(settings: Settings, stack: AsyncExitStack, give_up: GiveUp) -> _Process:
    """Build in layer order; register everything before anything runs."""
    env, clock = settings.env, clock_of(settings)
    nursery, metrics, registry = Nursery(), Metrics(), Registry()
    http = HttpClients(clock, metrics)
    db = _database(settings, clock, registry)
    stack.push_async_callback(db.stop)
    stack.push_async_callback(nursery.stop, 1.0)
    stack.push_async_callback(http.close)
    modules = _modules(settings, db, clock, http)
    inbox = Inbox(db, nursery, metrics=metrics)
    hooks = (modules.payments.listen(inbox, metrics),)
    line = _line(settings, metrics, nursery, inbox, give_up)
    notices = notifications.build(
        db=db,
        users=modules.users.service,
        payments=modules.payments.service,
        boosts=modules.boosts.service,
        withdrawals=modules.withdrawals.service,
        bot=line.bot,
        bulk=line.bulk,
        admin_chat_id=env.admin_telegram_chat_id,
        enabled=env.enable_telegram_notifications and not env.disable_notifications,
        config=settings.notifications,
    )
    talk = bot.build(
        db=db,
        clock=clock,
        bot=line.bot,
        doors=_doors(modules, lambda: line.bot.username),
        config=settings.bot,
        inbox=inbox,
        nursery=nursery,
        secret=_promised(env.fingerprint_key),
        admin_chat_id=env.admin_telegram_chat_id,
        metrics=metrics,
    )
    line.throttle = talk.throttle
    engine = QueueEngine(db, nursery)
    scheduler = Scheduler(db, clock, nursery, Leases(db), metrics=metrics)
    for each in (*modules.business, notices, talk):
        registry.subscribe(*each.subscriptions)
        registry.add_kinds(*each.effects)
        scheduler.add(each.jobs)
    scheduler.add([*engine.jobs, _prune(inbox, clock)])
    db.on_due = lambda: scheduler.wake(RELEASE_JOB)
    _measure(metrics, inbox, line, engine, scheduler)
    _figures(metrics, modules, db)
    registry.recorded = lambda name: metrics.events.labels(event=name).inc()
    return _Process(settings, clock, nursery, metrics, db, modules, inbox, line, talk, engine, scheduler, hooks)


def _line(settings: Settings, metrics: Metrics, nursery: Nursery, inbox: Inbox, give_up: GiveUp) -> bot.Line:
    env = settings.env
    return bot.Line(
        token=_promised(env.telegram_bot_token),
        api_base_url=env.telegram_api_base_url,
        pace=settings.bot.pace,
        metrics=metrics,
        nursery=nursery,
        inbox=inbox,
        webhook_url=env.telegram_webhook_url,
        webhook_secret=env.telegram_webhook_secret.get_secret_value() if env.telegram_webhook_secret else None,
        on_fatal=give_up,
    )


def _promised(secret: SecretStr | None) -> str:
    """A secret that `settings.load(needs="run")` refuses to be without."""
    if secret is None:
        raise ValueError("settings were loaded for another command")
    return secret.get_secret_value()


async def _serve(process: _Process, role: Role, stack: AsyncExitStack, stop: asyncio.Event) -> None:
    """Start in layer order and wait for the end; `stack` stops it all in reverse."""
    env, db, line, talk = process.settings.env, process.db, process.line, process.talk
    await db.start()
    await db.bind_environment(env.environment)
    await process.modules.users.service.ensure_owners(env.admin_ids)
    await process.modules.boosts.service.crowd.ensure_likes_group()
    last = await last_alive(db)
    slept = process.clock.now() - last if last is not None else timedelta(0)
    web = WebServer(
        process.nursery,
        process.metrics,
        host=env.http_host,
        port=env.http_port,
        routes=(*line.routes, *process.hooks) if role != "worker" else (),
        checks={"postgres": _database_check(db), "queue": _queue_check(process.engine, role), "telegram": line.check},
    )
    await web.start()
    stack.push_async_callback(web.stop)
    if not await _connected(process, stop):
        return
    stack.push_async_callback(line.close)
    at_work: list[Callable[[float], Awaitable[object]]] = []
    stack.push_async_callback(_finish, at_work)
    if role != "bot":
        await process.engine.start()
        at_work.append(process.engine.stop)
        await process.scheduler.start()
        at_work.append(process.scheduler.stop)
    if role != "worker":
        await talk.dispatcher.ptb.initialize()
        await talk.introduce(line.bot)
        await talk.resume(process.clock, slept)
        await process.inbox.start()
        at_work.append(process.inbox.stop)
        await line.open()
        stack.push_async_callback(line.close_intake)
    else:
        line.watch()
    log.info("running", role=role, bot=line.bot.username, http_port=web.port)
    runtime.started()
    await stop.wait()


async def _finish(at_work: Sequence[Callable[[float], Awaitable[object]]]) -> None:
    """Let what is under way finish for a while, all kinds side by side: their times must not add up to ours."""
    for error in await asyncio.gather(*(stop(FINISH_SECONDS) for stop in at_work), return_exceptions=True):
        if isinstance(error, Exception):
            log.error("not_stopped_well", exc_info=error)


async def _connected(process: _Process, stop: asyncio.Event) -> bool:
    """Wait for Telegram, or for the order to stop. Raises TokenRefusedError."""
    connecting = process.nursery.start("telegram.connect", process.line.connect())
    stopping = process.nursery.start("stop", stop.wait())
    await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not connecting.done():
        connecting.cancel()
        return False
    connecting.result()
    return not stop.is_set()


def _measure(metrics: Metrics, inbox: Inbox, line: bot.Line, engine: QueueEngine, scheduler: Scheduler) -> None:
    metrics.backlog_of("inbox", inbox.backlog)
    metrics.backlog_of("lanes", line.lanes.backlog)
    metrics.backlog_of("deliveries", engine.deliveries.backlog)
    metrics.backlog_of("effects", engine.effects.backlog)
    metrics.backlog_of("jobs", scheduler.backlog)
    metrics.due_from(scheduler.next_due)
    metrics.settled_from(scheduler.settled_offset)
    engine.deliveries.counted = lambda who, how: metrics.deliveries.labels(subscriber=who, outcome=how).inc()
    engine.effects.counted = lambda kind, how: metrics.effects.labels(kind=kind, outcome=how).inc()


def _figures(metrics: Metrics, modules: Modules, db: Database) -> None:
    """Numbers that a kill must not lose: each module reads its own tables."""
    metrics.figures.add("queue", QueueFigures(db).read)
    metrics.figures.add("ledger", modules.ledger.figures)
    metrics.figures.add("payments", modules.payments.figures)
    metrics.figures.add("boosts", modules.boosts.figures)
    metrics.figures.add("withdrawals", modules.withdrawals.figures)
    metrics.figures.add("referrals", modules.referrals.figures)


def _prune(inbox: Inbox, clock: Clock) -> Job:
    async def prune() -> None:
        await inbox.prune(before=clock.now() - INBOX_KEPT)

    return Job("core.inbox_prune", 86400, prune, order=900)


def _database_check(db: Database) -> Check:
    async def check() -> str | None:
        try:
            await db.start()
        except Exception as error:  # whatever it is, it is the reason why we are not ready
            return f"Postgres cannot be reached ({type(error).__name__})"
        return None

    return check


def _queue_check(engine: QueueEngine, role: Role) -> Check:
    async def check() -> str | None:
        return None if role == "bot" or engine.alive else "jobs are not being fetched"

    return check
