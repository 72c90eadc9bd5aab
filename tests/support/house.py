"""The real bot as a process, with a real Postgres and the simulated Telegram, each of which can be taken away."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.database import TUNING
from viralcore.core import migrate
from viralcore.core.clock import SystemClock
from viralcore.core.crypto import new_key
from viralcore.core.embedded import EmbeddedPostgres
from viralcore.core.nursery import Nursery
from viralcore.sandbox.servers import Servers, free_port
from viralcore.sandbox.telegram.app import TelegramApp
from viralcore.sandbox.telegram.inbound import Inbound
from viralcore.sandbox.telegram.model import Person
from viralcore.sandbox.telegram.state import Telegram
from viralcore.sandbox.worlds.faults import TRANSPORT, Wire, cut

ROOT = Path(__file__).parents[2]
WITHIN = 60.0
SECRET = "a-secret_token-of-the-house"


class Moody:
    """In front of the simulated Telegram. `mood`: empty, ``500`` or ``close``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.mood = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.mood == "500":
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b"<html>oops</html>"})
        elif self.mood == "close" and scope.get(TRANSPORT) is not None:
            await cut(Request(scope))
        else:
            await self._app(scope, receive, send)


@dataclass
class House:
    """Everything around one bot."""

    folder: Path
    postgres: EmbeddedPostgres
    telegram: Telegram
    inbound: Inbound
    moody: Moody
    environment: dict[str, str]
    port: int
    http: httpx.AsyncClient
    bot: asyncio.subprocess.Process | None = None
    _folk: list[int] = field(default_factory=list)

    @property
    def webhook_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhooks/telegram"

    async def start(self, **more: str) -> None:
        """Start the bot; returns when it is ready."""
        await self.spawn(**more)
        await self.until(self.problems, {})

    async def spawn(self, **more: str) -> asyncio.subprocess.Process:
        with (self.folder / "bot.log").open("ab") as log:
            self.bot = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "viralcore", "run"),
                env={**self.environment, **more},
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self.bot

    async def stop(self, how: int = signal.SIGTERM) -> None:
        if self.bot is not None and self.bot.returncode is None:
            self.bot.send_signal(how)
            await asyncio.wait_for(self.bot.wait(), 20.0)

    def log(self) -> str:
        return (self.folder / "bot.log").read_text(errors="replace")

    async def problems(self) -> dict[str, str] | None:
        """What /ready says; empty when it is ready, None when nobody answers."""
        try:
            answer = await self.http.get("/ready")
        except httpx.HTTPError:
            return None
        body = answer.json()
        assert (answer.status_code == 200) == body["ready"] == (not body["problems"])
        found: dict[str, str] = body["problems"]
        return found

    async def until(self, look: Callable[[], Awaitable[Any]], wanted: Any, within: float = WITHIN) -> None:
        """Look until it shows what is wanted, or fits it when that is a function."""
        deadline = time.monotonic() + within
        while True:
            seen = await look()
            if wanted(seen) if callable(wanted) else seen == wanted:
                return
            ended = self.bot is not None and self.bot.returncode is not None
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"still {seen!r}; the log ends with\n{self.log()[-3000:]}")
            await asyncio.sleep(0.1)

    def newcomer(self) -> int:
        """Somebody new writes /start; returns who."""
        who = 50_001 + len(self._folk)
        self._folk.append(who)
        self.inbound.upsert_person(Person(who, f"Guest {who}"))
        self.inbound.write(who, who, text="/start")
        return who

    def answers(self, who: int) -> int:
        """How many messages the bot wrote to somebody."""
        return sum(1 for message in self.telegram.messages(who) if message.sender == self.telegram.bot.id)

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description is not None else []


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """A house whose bot has not been started yet; everything ends with it."""
    nursery, folder = Nursery(), Path(tempfile.mkdtemp(prefix="viralcore-house-"))
    servers = Servers(nursery)
    postgres = EmbeddedPostgres(folder / "pg", durable=False, tuning=TUNING, pg_bin=os.environ.get("PG_BIN"))
    try:
        migrate.upgrade(await postgres.astart())
        telegram = Telegram(now=SystemClock().now, nursery=nursery)
        moody = Moody(TelegramApp(telegram).app)
        port = free_port()
        environment = _environment(folder, postgres.url, telegram.bot.token, servers.serve("tg", Wire(moody)), port)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as http:
            made = House(folder, postgres, telegram, Inbound(telegram), moody, environment, port, http)
            try:
                yield made
            finally:
                await made.stop(signal.SIGKILL)
    finally:
        servers.stop()
        await nursery.stop(3.0)
        postgres.stop()
        postgres.wipe()
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path, database: str, token: str, api: str, port: int) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONUNBUFFERED": "1",
        "ENVIRONMENT": "sandbox",
        "DATA_DIR": str(folder),
        "SETTINGS_DIR": str(ROOT / "settings"),
        "DATABASE_URL": database,
        "TELEGRAM_BOT_TOKEN": token,
        "TELEGRAM_API_BASE_URL": api,
        "ADMIN_IDS": "1000",
        "HTTP_PORT": str(port),
        "ENCRYPTION_KEYS": new_key(),
        "FINGERPRINT_KEY": secrets.token_urlsafe(32),
    }
