"""The real bot for the bench: `viralcore run` as operators start it, on a durable database with people in it.

Only what the bench must change is changed: addresses (the Bot API of `api_server`, nobody else), and two settings
files' numbers: the pace of sending, and where a line says so the throttle.

A profile of the bot under load: BENCH_PROFILE=/tmp/bot.prof .venv/bin/python -m tests.bench --only bot_pipeline
(cProfile, written when the bot ends; the last bot wins; read it with `python -m pstats`). Or, without slowing the bot:
while a line runs, `py-spy record --duration 5 --output /tmp/bot.svg --pid $(pgrep -f 'viralcore run')`.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.bot_load import ROOT, Api, bot_api, child
from tests.bench.load import FIRST_MESSAGE, FIRST_USER
from viralcore.core import migrate
from viralcore.core.crypto import new_key
from viralcore.core.embedded import EmbeddedPostgres

TOKEN = "424242:" + "A" * 35
USERS = 10_000
_PEOPLE = """
INSERT INTO users.people (id, first_name, username, language_code, created_at, updated_at)
SELECT %(first)s + n, 'U' || n, 'bench_' || n, 'en', now(), now() FROM generate_series(0, %(count)s - 1) n;
INSERT INTO users.terms (user_id, version, accepted_at)
SELECT %(first)s + n, '1', now() FROM generate_series(0, %(count)s - 1) n;
INSERT INTO bot.homes (chat_id, message_id, nonce, prev_nonce, route, update_id, digest, picture)
SELECT %(first)s + n, %(message)s, '00000000', '', 'home', 0, '', '' FROM generate_series(0, %(count)s - 1) n;
"""


@dataclass(frozen=True)
class RealBot:
    """A bot at work. `secret`: what its nonces are made of; `database`: where its books are."""

    api: Api
    process: subprocess.Popen[bytes]
    database: str
    secret: str
    log: Path

    def begin(self, **settings: Any) -> None:
        """Let people act: `load.Settings`, replies told apart by their nonces."""
        self.api.begin(**{"users": USERS, "secret": self.secret} | settings)

    def memory(self) -> tuple[int, int]:
        """MB in RAM: now, and at most since it started."""
        found = dict(line.split(":", 1) for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines())
        return tuple(int(found[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the bot's database."""
        with psycopg.connect(self.database) as connection:
            return connection.execute(statement.encode()).fetchall()


@contextlib.contextmanager
def database(folder: Path) -> Iterator[str]:
    """A durable Postgres of our own, migrated, with people who accepted the terms and have a home message."""
    server = EmbeddedPostgres(folder / "postgres", durable=True, pg_bin=os.environ.get("PG_BIN"))
    try:
        url = server.start()
        migrate.upgrade(url)
        with psycopg.connect(url, autocommit=True) as connection:
            values = {"first": FIRST_USER, "count": USERS, "message": FIRST_MESSAGE}
            psycopg.ClientCursor(connection).execute(_PEOPLE, values)
            connection.execute("VACUUM ANALYZE")
        yield url
    finally:
        server.stop()
        server.wipe()


def _settings(folder: Path, *, throttled: bool) -> Path:
    """The shipped settings, sending as fast as it can, and letting people through unless `throttled`."""
    made = folder / "settings"
    made.mkdir()
    for file in (ROOT / "settings").glob("*.toml"):
        (made / file.name).write_text(file.read_text())
    bot = (made / "bot.toml").read_text()
    bot = _put(bot, "per_second", "1000000")
    bot = _put(bot, "chat_gap_seconds", '"0"')
    if not throttled:
        bot = _put(_put(bot, "commands", "1000000"), "presses", "1000000")
    (made / "bot.toml").write_text(bot)
    return made


def _put(text: str, name: str, value: str) -> str:
    found, count = re.subn(rf"(?m)^{name} = \S+", f"{name} = {value}", text)
    if count != 1:
        raise ValueError(f"settings/bot.toml has no line for {name}")
    return found


def _web(*, webhook: bool) -> dict[str, str]:
    if not webhook:
        return {"HTTP_PORT": "0"}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    url = f"http://127.0.0.1:{port}/webhooks/telegram"
    return {"HTTP_PORT": port, "TELEGRAM_WEBHOOK_URL": url, "TELEGRAM_WEBHOOK_SECRET": secrets.token_urlsafe(16)}


def _command() -> list[str]:
    profile = os.environ.get("BENCH_PROFILE")
    watched = ["-m", "cProfile", "-o", profile] if profile else []
    return [sys.executable, *watched, "-m", "viralcore", "run"]


@contextlib.contextmanager
def real_bot(*, throttled: bool = False, webhook: bool = False, latency: float = 0.05) -> Iterator[RealBot]:
    """A bot that asks its Bot API for updates, or to be given them. Everything ends with us."""
    secret = secrets.token_urlsafe(32)
    with tempfile.TemporaryDirectory(prefix="viralcore-bench-") as name, bot_api(latency) as api:
        folder = Path(name)
        with database(folder) as url:
            kept = {each: os.environ[each] for each in ("PATH", "HOME", "LANG") if each in os.environ}
            told = {
                "ENVIRONMENT": "sandbox",
                "DATABASE_URL": url,
                "DATA_DIR": str(folder / "data"),
                "SETTINGS_DIR": str(_settings(folder, throttled=throttled)),
                "TELEGRAM_BOT_TOKEN": TOKEN,
                "TELEGRAM_API_BASE_URL": api.url,
                "ADMIN_IDS": "1000",
                "ENCRYPTION_KEYS": new_key(),
                "FINGERPRINT_KEY": secret,
                "BSC_DEPOSIT_ADDRESS": "0x8894E0a0c962CB723c1976a4421c95949bE2D4E3",
                **{f"{panel}_API_KEY": "bench" for panel in ("SMMFLARE", "PLUGSMMS", "SMMSTONE")},
                **_web(webhook=webhook),
            }
            log = folder / "bot.log"
            with child(_command(), log, kept | told) as process:
                bot = RealBot(api, process, url, secret, log)
                try:
                    api.until_polled(process)
                    yield bot
                except BaseException:
                    tail = log.read_text(errors="replace")[-3000:]
                    print(f"the bot's log ends with:\n{tail}", file=sys.stderr)  # noqa: T201 - why it broke
                    raise
