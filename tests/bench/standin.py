"""The whole bot as a process of its own, beside a Bot API that answers at once: for memory and cold starts.

The bot is `viralcore run` as operators start it, with its embedded Postgres; only the addresses of others differ.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from viralcore.core.crypto import new_key

ROOT = Path(__file__).parents[2]
TOKEN = "424242:" + "A" * 35
OWNER = 1000
STOP_WITHIN = 15.0


def start_command(update_id: int, user_id: int) -> dict[str, Any]:
    """/start as Telegram tells of it."""
    person = {"id": user_id, "is_bot": False, "first_name": f"Ada {user_id}", "language_code": "en"}
    chat = {"id": user_id, "type": "private", "first_name": person["first_name"]}
    entities = [{"offset": 0, "length": 6, "type": "bot_command"}]
    message = {"message_id": update_id, "from": person, "chat": chat, "date": int(time.time()), "text": "/start"}
    return {"update_id": update_id, "message": {**message, "entities": entities}}


@dataclass
class BotApi:
    """Gives out the updates it was handed and answers every call. `answered`: when each chat was first written to."""

    updates: list[dict[str, Any]] = field(default_factory=list)
    answered: dict[int, float] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _sent: int = 0

    def give(self, updates: Sequence[dict[str, Any]]) -> None:
        self.updates.extend(updates)
        self._news.set()

    async def call(self, request: web.Request) -> web.Response:
        form = await request.json() if request.content_type == "application/json" else await request.post()
        method = request.match_info["method"]
        if method == "getUpdates":
            return _ok(await self._batch(int(str(form.get("offset", 0)))))
        if method.startswith(("send", "edit")):
            chat_id = int(str(form["chat_id"]))
            self.answered.setdefault(chat_id, time.monotonic())
            self._sent += 1
            chat = {"id": chat_id, "type": "private", "first_name": "Ada"}
            return _ok({"message_id": self._sent, "date": int(time.time()), "chat": chat, "text": "seen"})
        if method == "getMe":
            return _ok({"id": 424242, "is_bot": True, "first_name": "viralcore", "username": "viralcore_bot"})
        return _ok({"url": ""} if method == "getWebhookInfo" else True)

    async def _batch(self, offset: int) -> list[dict[str, Any]]:
        """Up to 100, kept until confirmed by offset; waits a little when there is none."""
        while self.updates and self.updates[0]["update_id"] < offset:
            self.updates.pop(0)
        if not self.updates:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), 5.0)
            except TimeoutError:
                return []
        return self.updates[:100]


def _ok(result: Any) -> web.Response:
    return web.Response(text=json.dumps({"ok": True, "result": result}), content_type="application/json")


@dataclass
class Stand:
    """Where one bot lives: its folder, its Bot API, and what it is told."""

    folder: Path
    api: BotApi
    environment: dict[str, str]

    async def spawn(self, *command: str) -> asyncio.subprocess.Process:
        with (self.folder / "bot.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, *(command or ("-m", "viralcore", "run"))),
                env=self.environment,
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def answers(self, chat_id: int, process: asyncio.subprocess.Process, within: float = 60.0) -> float:
        """Wait for the first message to a chat; returns when it came."""
        deadline = time.monotonic() + within
        while chat_id not in self.api.answered:
            if process.returncode is not None or time.monotonic() > deadline:
                raise RuntimeError("the bot did not answer; its log ends with:\n" + self.log_tail())
            await asyncio.sleep(0.002)
        return self.api.answered[chat_id]

    def log_tail(self) -> str:
        return (self.folder / "bot.log").read_text(errors="replace")[-2000:]


async def stop(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, as systemd would, and SIGKILL when that was not enough."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_WITHIN)
    except TimeoutError:
        process.kill()
        await process.wait()


@asynccontextmanager
async def stand(*, pace: int | None = None) -> AsyncIterator[Stand]:
    """A folder, a Bot API on loopback, and an environment. `pace`: messages a second instead of Telegram's 30."""
    api = BotApi()
    app = web.Application()
    app.router.add_route("*", "/bot{token}/{method}", api.call)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=1.0)
    await site.start()
    port = runner.addresses[0][1]
    with tempfile.TemporaryDirectory(prefix="viralcore-bench-") as name:
        folder = Path(name)
        try:
            yield Stand(folder, api, _environment(folder, f"http://127.0.0.1:{port}", pace))
        finally:
            await runner.cleanup()
            _remove_cluster(folder)


def _environment(folder: Path, api_url: str, pace: int | None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PG_BIN") if name in os.environ}
    settings = ROOT / "settings"
    if pace is not None:
        settings = folder / "settings"
        settings.mkdir()
        for file in (ROOT / "settings").glob("*.toml"):
            text = file.read_text()
            (settings / file.name).write_text(text.replace("per_second = 30", f"per_second = {pace}"))
    return {
        **kept,
        "ENVIRONMENT": "sandbox",  # it alone may talk to loopback; whoever is not named is a closed door
        "SETTINGS_DIR": str(settings),
        "DATA_DIR": str(folder / "data"),
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_BASE_URL": api_url,
        "ADMIN_IDS": str(OWNER),
        "ENCRYPTION_KEYS": new_key(),
        "FINGERPRINT_KEY": secrets.token_urlsafe(32),
        "BSC_DEPOSIT_ADDRESS": "0x8894E0a0c962CB723c1976a4421c95949bE2D4E3",
        **{f"{name}_API_KEY": "bench" for name in ("SMMFLARE", "PLUGSMMS", "SMMSTONE")},
        "HTTP_PORT": "0",
    }


def _remove_cluster(folder: Path) -> None:
    """For root the cluster lies elsewhere, behind a link (core/embedded.py)."""
    from viralcore.core.embedded import EmbeddedPostgres

    EmbeddedPostgres(folder / "data" / "postgres").wipe()


async def resident(process: asyncio.subprocess.Process) -> int:
    """Bytes of memory that are this process's alone and in RAM."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(line.split()[1]) * 1024


async def get(url: str) -> str:
    async with aiohttp.ClientSession(trust_env=False) as session, session.get(url) as answer:
        return await answer.text()
