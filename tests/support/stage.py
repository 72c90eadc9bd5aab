"""A sandbox without the shop: real simulators, control API and page on loopback, and a toy bot in this process."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from viralcore.core.nursery import Nursery
from viralcore.sandbox.clock import TurnedClock
from viralcore.sandbox.control import control_routes
from viralcore.sandbox.pages import page_routes
from viralcore.sandbox.quiet import Quiet
from viralcore.sandbox.servers import Servers
from viralcore.sandbox.stage import ADMIN_GROUP, OWNER_ID, SECOND_ADMIN_ID, Stage
from viralcore.sandbox.telegram.app import TelegramApp
from viralcore.sandbox.telegram.inbound import Inbound
from viralcore.sandbox.telegram.model import Group, Person
from viralcore.sandbox.telegram.state import Telegram
from viralcore.sandbox.world import World
from viralcore.sandbox.worlds.aptos import AptosWorld
from viralcore.sandbox.worlds.bsc import BscWorld
from viralcore.sandbox.worlds.flutterwave import WEBHOOK_PATH, FlutterwaveWorld
from viralcore.sandbox.worlds.panels import PanelsWorld
from viralcore.sandbox.worlds.prices import PricesWorld
from viralcore.sandbox.worlds.solana import SolanaWorld
from viralcore.sandbox.worlds.tron import TronWorld

TERMS = (
    "<b>Welcome to viralcore, {name}!</b>\n\nBuy engagement for your posts on <a href='https://x.com'>X</a> and "
    "Telegram, and watch it being delivered.\n\n<blockquote>Terms of use, in short: be lawful, be kind.</blockquote>"
)
PAYMENT = (
    "<b>Invoice 12 · X Tier 3 × 10</b>\nPay <code>{amount}</code> {asset} on <b>{network}</b> to\n"
    "<code>{address}</code>\n\n"
    "⏳ 19 min left. /cancel ends it."
)


@dataclass
class ToyBot:
    """Talks to the simulated Telegram as a real bot would, over HTTP, and dies when told to."""

    base: str
    address: str
    clock: TurnedClock
    asks: tuple[str, str, str] = ("15.0034", "USDT", "BSC")
    starts: int = 1
    pid: int | None = 4242
    down: bool = False
    hooks: list[bytes] = field(default_factory=list)

    def kill(self) -> int | None:
        dead, self.pid = self.pid, (self.pid or 0) + 1
        self.starts += 1
        return dead

    async def ready(self, seconds: float) -> bool:
        await asyncio.sleep(min(seconds, 0.01))
        return not self.down

    def tail(self) -> list[str]:
        return ["the last words"]

    async def metrics(self, *names: str) -> str | None:
        settled = f"viralcore_clock_settled_offset_seconds {self.clock.offset()}"
        return None if self.down else f'{settled}\nviralcore_backlog{{kind="inbox"}} 0.0\n'

    async def take_hook(self, request: Request) -> Response:
        self.hooks.append(await request.body())
        return Response()

    async def run(self) -> None:
        async with httpx.AsyncClient(base_url=self.base, timeout=60, trust_env=False) as http:
            offset = 0
            while True:
                answer = (await http.post("/getUpdates", json={"offset": offset, "timeout": 20})).json()
                for update in answer.get("result", ()):
                    offset = update["update_id"] + 1
                    await self._handle(http, update)

    async def _handle(self, http: httpx.AsyncClient, update: dict[str, Any]) -> None:
        if "callback_query" in update:
            await self._pressed(http, update["callback_query"])
            return
        message = update.get("message")
        if message is None or "text" not in message:
            return
        chat = message["chat"]["id"]
        await http.post("/sendChatAction", json={"chat_id": chat, "action": "typing"})
        if message["text"].startswith("/start"):
            rows = [[{"text": "✅ I agree", "callback_data": "agree"}], [{"text": "Terms", "url": "https://e.org/t"}]]
            text = TERMS.format(name=message["from"]["first_name"])
            await self._send(http, chat, text, rows)
        else:
            await self._send(http, chat, f"You said: {message['text'][:100]}".replace("<", "&lt;"), [])

    async def _pressed(self, http: httpx.AsyncClient, query: dict[str, Any]) -> None:
        toast = {"callback_query_id": query["id"], "text": "Welcome aboard" if query["data"] == "agree" else "Nothing"}
        await http.post("/answerCallbackQuery", json={**toast, "show_alert": query["data"] == "why"})
        chat, message_id = query["message"]["chat"]["id"], query["message"]["message_id"]
        amount, asset, network = self.asks
        rows = [
            [
                {"text": "Copy amount", "copy_text": {"text": amount}},
                {"text": "Copy address", "copy_text": {"text": self.address}},
            ],
            [{"text": "Why?", "callback_data": "why"}, {"text": "⬅️ Back", "callback_data": "back"}],
        ]
        body = {"chat_id": chat, "message_id": message_id, "parse_mode": "HTML"}
        text = PAYMENT.format(amount=amount, asset=asset, network=network, address=self.address)
        await http.post("/editMessageText", json={**body, "text": text, "reply_markup": {"inline_keyboard": rows}})
        if query["data"] == "agree":
            photo = {"photo": ("qr.png", picture(), "image/png")}
            await http.post("/sendPhoto", data={"chat_id": str(chat), "caption": "A picture"}, files=photo)

    async def _send(self, http: httpx.AsyncClient, chat: int, text: str, rows: list[Any]) -> None:
        body = {"chat_id": chat, "text": text, "parse_mode": "HTML", "reply_markup": {"inline_keyboard": rows}}
        await http.post("/sendMessage", json=body)


def picture(width: int = 320, height: int = 180) -> bytes:
    """A small PNG."""
    target = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(target, "PNG")
    return target.getvalue()


@dataclass
class Set:
    """A running sandbox without the shop."""

    url: str
    stage: Stage
    bot: ToyBot
    http: httpx.AsyncClient
    bank: FlutterwaveWorld


@asynccontextmanager
async def toy_sandbox(*, bot_runs: bool = True) -> AsyncIterator[Set]:
    """Everything but the shop, for one test."""
    nursery = Nursery()
    servers = Servers(nursery)
    with tempfile.TemporaryDirectory() as folder:
        clock = TurnedClock(Path(folder) / "clock")
        telegram = Telegram(now=clock.now, nursery=nursery)
        rng = Random(7)
        bsc = BscWorld(clock.now, rng)
        base = servers.serve("telegram", TelegramApp(telegram).app)
        bot = ToyBot(f"{base}/bot{telegram.bot.token}", bsc.address, clock)
        hooks = servers.serve("hooks", Starlette(routes=[Route(WEBHOOK_PATH, bot.take_hook, methods=["POST"])]))
        bank = FlutterwaveWorld(clock.now, rng, nursery=nursery, bot=hooks)
        worlds: list[World] = [bsc, PanelsWorld(clock.now, rng), PricesWorld(clock.now, rng), bank]
        worlds += [SolanaWorld(clock.now, rng), TronWorld(clock.now, rng), AptosWorld(clock.now, rng)]
        quiet = Quiet(clock=clock, metrics=bot.metrics, unconfirmed=lambda: telegram.updates.unconfirmed, worlds=worlds)

        async def check() -> list[str]:
            return []

        stage = Stage(
            clock=clock,
            telegram=telegram,
            inbound=Inbound(telegram),
            worlds=worlds,
            bot=bot,
            quiet=quiet,
            check=check,
        )
        stage.inbound.upsert_person(Person(OWNER_ID, "Olu", "olu_owner"))
        stage.inbound.upsert_person(Person(SECOND_ADMIN_ID, "Sade"))
        stage.inbound.add_group(Group(ADMIN_GROUP, "Shop admins", {OWNER_ID, SECOND_ADMIN_ID}))
        url = servers.serve("page", Starlette(routes=[*control_routes(stage), *page_routes(stage)]))
        if bot_runs:
            nursery.start("toy_bot", bot.run())
        try:
            async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
                yield Set(url, stage, bot, http, bank)
        finally:
            servers.stop()
            await nursery.stop(3.0)
