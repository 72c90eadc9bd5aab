"""`viralcore sandbox`: database, simulators and page live here; the bot is a child that may die."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random, SystemRandom

from starlette.applications import Starlette

from viralcore.core.crypto import new_key
from viralcore.core.embedded import EmbeddedPostgres
from viralcore.core.migrate import upgrade
from viralcore.core.nursery import Nursery
from viralcore.sandbox.check import problems
from viralcore.sandbox.child import Child
from viralcore.sandbox.clock import TurnedClock
from viralcore.sandbox.console import Say
from viralcore.sandbox.control import control_routes
from viralcore.sandbox.demo import play
from viralcore.sandbox.ordeals import Cluster
from viralcore.sandbox.pages import page_routes
from viralcore.sandbox.quiet import Quiet
from viralcore.sandbox.servers import PortTakenError, Servers, held_port
from viralcore.sandbox.stage import ADA_ID, ADMIN_GROUP, LIKES_GROUP, OWNER_ID, SECOND_ADMIN_ID, Stage
from viralcore.sandbox.telegram.app import TelegramApp
from viralcore.sandbox.telegram.inbound import Inbound
from viralcore.sandbox.telegram.model import Group, Person
from viralcore.sandbox.telegram.state import Telegram
from viralcore.sandbox.world import HostsWorld, World
from viralcore.sandbox.worlds.aptos import AptosWorld
from viralcore.sandbox.worlds.bsc import BscWorld
from viralcore.sandbox.worlds.flutterwave import FlutterwaveWorld
from viralcore.sandbox.worlds.panels import PanelsWorld
from viralcore.sandbox.worlds.prices import PricesWorld
from viralcore.sandbox.worlds.solana import SolanaWorld
from viralcore.sandbox.worlds.tron import TronWorld

ROOT = Path(__file__).resolve().parents[2]
BOT = (sys.executable, "-m", "viralcore", "run")
READY_WITHIN, WELL, NOT_WELL = 60.0, 0, 1
_PACE = re.compile(r"(?m)^(requests_per_second\s*=\s*)\d+")
QUICK = 1000
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "PG_BIN", "VIRTUAL_ENV", "PYTHONPATH", "SETTINGS_DIR", "LOG_LEVEL")


def main(*, port: int, demo: float | None) -> int:
    """Run the sandbox until it is told to stop. `demo`: play the story, with so many seconds between its steps.
    Returns the exit code."""
    say = Say()
    try:
        return asyncio.run(_run(port, demo, say))
    except PortTakenError:
        say.trouble(
            f"Port {port} is taken, perhaps by another sandbox.",
            f"Stop that one, or choose another port:  SANDBOX_PORT={port + 1} make sandbox",
        )
        return NOT_WELL


async def _run(port: int, demo: float | None, say: Say) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    folder = fresh_folder(Path(os.environ.get("DATA_DIR") or ROOT / ".data") / "sandbox")
    async with Supervisor(folder, say) as supervisor:
        starting = asyncio.ensure_future(supervisor.start(port))
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            starting.cancel()
            return WELL
        page = starting.result()
        say.welcome(page, supervisor.bot_log)
        if demo is not None:
            supervisor.nursery.start("sandbox.demo", play(page, say, demo, supervisor.caption))
        await stopping
        say.line("stopping ...")
    return WELL


def fresh_folder(folder: Path) -> Path:
    """An empty folder of our own; what an earlier sandbox left in it is gone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    leftover = EmbeddedPostgres(folder)
    leftover.wipe()
    for path in folder.iterdir():
        if path.name == "postgres.lock":
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return folder.resolve()


class Supervisor:
    """Builds everything in order, and takes it down in reverse when left.

    `bot`: the command that runs the bot. `migrate`: makes the tables in the database of this URL, here rather than in a
    process of its own, which would load the whole program first. `rng`: what the simulators draw their hashes and
    counts from.
    """

    def __init__(
        self,
        folder: Path,
        say: Say,
        *,
        bot: Sequence[str] = BOT,
        migrate: Callable[[str], None] = upgrade,
        rng: Random | None = None,
    ) -> None:
        self._folder = folder
        self._say = say
        self._bot = bot
        self._migrate = migrate
        self._rng = rng or SystemRandom()
        self._exits = AsyncExitStack()
        self.nursery = Nursery()
        self.bot_log = folder / "bot.log"
        self.database_url = ""
        self._stage: Stage | None = None

    async def __aenter__(self) -> Supervisor:
        self._exits.push_async_callback(self.nursery.stop, 3.0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    def caption(self, words: str) -> None:
        """Show a sentence of the demo on the page."""
        if self._stage is not None:
            self._stage.caption = words

    async def start(self, port: int) -> str:
        """Bring everything up; returns the address of the page. Raises PortTakenError."""
        servers = Servers(self.nursery)
        self._exits.callback(servers.stop)
        postgres = EmbeddedPostgres(self._folder, durable=False, pg_bin=os.environ.get("PG_BIN"))
        clock = TurnedClock(self._folder / "clock")
        pace = float(os.environ.get("SANDBOX_TELEGRAM_PACE") or 1)
        telegram = Telegram(now=clock.now, nursery=self.nursery, pace=pace)
        rng = self._rng
        holder = held_port()
        http_port = int(holder.getsockname()[1])
        if sys.platform == "linux":
            self._exits.callback(holder.close)
        else:
            holder.close()
        bot_url = f"http://127.0.0.1:{http_port}"
        worlds: list[World] = [
            BscWorld(clock.now, rng),
            SolanaWorld(clock.now, rng),
            TronWorld(clock.now, rng),
            AptosWorld(clock.now, rng),
            PanelsWorld(clock.now, rng),
            PricesWorld(clock.now, rng),
            FlutterwaveWorld(clock.now, rng, nursery=self.nursery, bot=bot_url),
        ]
        page_app = Starlette()
        page = servers.serve("page", page_app, port)

        self._exits.push_async_callback(postgres.astop)
        self.database_url = await postgres.astart()
        environment = bot_environment(clock, telegram, self.database_url, http_port, self._folder)
        environment["TELEGRAM_API_BASE_URL"] = servers.serve("telegram", TelegramApp(telegram).app)
        for world in worlds:
            environment.update(serve(servers, world))
        child = Child(
            self._bot,
            environment=environment,
            folder=ROOT,
            log_path=self.bot_log,
            base_url=bot_url,
            nursery=self.nursery,
            say=self._say.line,
        )
        self._exits.push_async_callback(child.stop)
        stage = self._stage = build_stage(clock, telegram, worlds, child, environment)
        stage.cluster = Cluster(postgres)
        page_app.router.routes.extend([*control_routes(stage), *page_routes(stage)])
        first_people(stage.inbound)
        await asyncio.to_thread(self._migrate, self.database_url)
        await child.start()
        if not await child.ready(READY_WITHIN):
            self._say.trouble("The bot does not get ready; its log ends with:", *child.tail())
        return page


def serve(servers: Servers, world: World) -> Mapping[str, str]:
    """Put a world on a port, or on as many as it has hosts. Returns what the bot must be told."""
    if isinstance(world, HostsWorld):
        return world.environment_of([servers.serve(f"{world.name}{n}", app) for n, app in enumerate(world.apps)])
    return world.environment(servers.serve(world.name, world.app))


def build_stage(
    clock: TurnedClock,
    telegram: Telegram,
    worlds: Sequence[World],
    child: Child,
    environment: Mapping[str, str],
) -> Stage:
    """Everything the control API and the page act upon."""
    quiet = Quiet(clock=clock, metrics=child.metrics, unconfirmed=lambda: telegram.updates.unconfirmed, worlds=worlds)

    async def check() -> list[str]:
        return await problems(environment, [world.books() for world in worlds])

    return Stage(
        clock=clock,
        telegram=telegram,
        inbound=Inbound(telegram),
        worlds=worlds,
        bot=child,
        quiet=quiet,
        check=check,
    )


def first_people(inbound: Inbound) -> None:
    """The owner, the second admin and the two groups every shop has; Ada, the first to walk in."""
    inbound.upsert_person(Person(OWNER_ID, "Olu", "olu_owner"))
    inbound.upsert_person(Person(SECOND_ADMIN_ID, "Sade", "sade_admin"))
    for chat_id, title in ((ADMIN_GROUP, "Shop admins"), (LIKES_GROUP, "Likes group")):
        inbound.add_group(Group(chat_id, title, {OWNER_ID, SECOND_ADMIN_ID}))
    inbound.upsert_person(Person(ADA_ID, "Ada", "ada"))


def unhurried(settings: Path, folder: Path) -> Path:
    """A copy of the settings in which nodes and the bank are asked as fast as they answer.

    The paces in them keep the limits of real providers. A simulator has none, and each hop of a turned clock would wait
    them out: for Tron's three questions a second alone it takes three seconds.
    """
    if not settings.is_dir():
        return settings  # the bot says what is wrong with it
    copy = folder / "settings"
    shutil.copytree(settings, copy, dirs_exist_ok=True)
    payments = copy / "payments.toml"
    if payments.is_file():
        payments.write_text(_PACE.sub(rf"\g<1>{QUICK}", payments.read_text()))
    return copy


def bot_environment(
    clock: TurnedClock, telegram: Telegram, database_url: str, http_port: int, folder: Path
) -> dict[str, str]:
    """What the bot is told; the addresses of the simulators are added to it."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "SETTINGS_DIR": str(unhurried(Path(kept.get("SETTINGS_DIR") or ROOT / "settings"), folder)),
        "PYTHONUNBUFFERED": "1",
        "ENVIRONMENT": "sandbox",
        "DATA_DIR": str(folder),
        "DATABASE_URL": database_url,
        "CLOCK_FILE": str(clock.path),
        "TELEGRAM_BOT_TOKEN": telegram.bot.token,
        "ADMIN_IDS": f"{OWNER_ID},{SECOND_ADMIN_ID}",
        "ADMIN_TELEGRAM_CHAT_ID": str(ADMIN_GROUP),
        "ADMIN_LIKES_GROUP_ENABLED": "true",
        "ADMIN_LIKES_GROUP_CHAT_ID": str(LIKES_GROUP),
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(http_port),
        "LOG_FORMAT": "json",
        "ENCRYPTION_KEYS": new_key(),
        "FINGERPRINT_KEY": secrets.token_urlsafe(32),
    }
