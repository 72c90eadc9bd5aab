"""The bot with its real modules and database, a phone instead of Telegram, and a hand on the plug."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import text
from telegram import Bot
from telegram._utils.types import ODVInput
from telegram.request import BaseRequest, RequestData

from tests.integration.payments import shop as till
from tests.support import boosts as panels
from tests.support import withdrawals as payouts
from tests.support.clock import FakeClock
from viralcore.admin import module as admin
from viralcore.boosts import module as boosts
from viralcore.bot import module as bot
from viralcore.bot.config import BotConfig
from viralcore.core.db import Database, Tx
from viralcore.core.effects import EffectCall, Unknown
from viralcore.core.http import HttpClients
from viralcore.core.inbox import InboxItem
from viralcore.core.nursery import Nursery
from viralcore.core.registry import Registry
from viralcore.ledger import module as ledger
from viralcore.ledger.api import CREDITS, Entry, house_account, user_account
from viralcore.payments import module as payments
from viralcore.referrals import module as referrals
from viralcore.referrals.config import ReferralsConfig
from viralcore.users import module as users
from viralcore.users.config import UsersConfig
from viralcore.withdrawals import module as withdrawals

SETTINGS = Path(__file__).parents[3] / "settings"
ADMINS, OWNER = -1_001_000, 1000
POST = "https://x.com/ada/status/18{:017d}"


class Killed(BaseException):
    """The process is gone: nobody catches this."""


class Plug:
    """Counts the steps of a handling (commits and Telegram calls); pulled before one of them, the process dies."""

    def __init__(self) -> None:
        self.taken = 0
        self.last: int | None = None

    def step(self) -> None:
        if self.last is not None and self.taken >= self.last:
            raise Killed
        self.taken += 1

    def rest(self, last: int | None = None) -> None:
        self.taken, self.last = 0, last


class Wired(Database):
    """A database that can be unplugged before a commit: what was done is then undone, as if it had not begun."""

    plug: Plug

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        async with super().transaction() as tx:
            yield tx
            self.plug.step()

    async def single(self, statement: Any, values: Mapping[str, Any]) -> Any:
        self.plug.step()
        return await super().single(statement, values)

    async def write(self, statement: bytes, values: Any) -> Any:
        self.plug.step()
        return await super().write(statement, values)


@dataclass
class Message:
    text: str
    buttons: dict[str, str]
    photo: bool


@dataclass
class Phone(BaseRequest):
    """Telegram, as far as it shows: what stands in each chat."""

    plug: Plug
    chats: dict[int, dict[int, Message]] = field(default_factory=dict)
    toasts: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: count(100))

    @property
    def read_timeout(self) -> float | None:
        return 5.0

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = None,
        write_timeout: ODVInput[float] = None,
        connect_timeout: ODVInput[float] = None,
        pool_timeout: ODVInput[float] = None,
    ) -> tuple[int, bytes]:
        name = url.rpartition("/")[2]
        if name != "editMessageReplyMarkup":  # taking buttons off is done beside the handling
            self.plug.step()
        given = dict(request_data.parameters) if request_data is not None else {}
        code, result = self._does(name, given)
        body = {"ok": code == 200, "result": result} if code == 200 else {"ok": False, "description": result}
        return code, json.dumps({**body, "error_code": code}).encode()

    def _does(self, name: str, given: dict[str, Any]) -> tuple[int, Any]:
        if name == "getMe":
            return 200, {"id": 1, "is_bot": True, "first_name": "V", "username": "shop_bot"}
        if name == "answerCallbackQuery":
            self.toasts.append(str(given.get("text", "")))
            return 200, True
        chat = self.chats.setdefault(int(given["chat_id"]), {})
        number = int(given["message_id"]) if "message_id" in given else next(self._numbers)
        old = chat.get(number)
        new = Message(_words(given, old), _buttons(given), name in {"sendPhoto", "editMessageMedia"})
        if name == "editMessageReplyMarkup" and old is not None:
            new = Message(old.text, {}, old.photo)
        elif name == "editMessageCaption":
            new.photo = True
        if name.startswith("edit") and old is None:
            return 400, "Bad Request: message to edit not found"
        if name.startswith("edit") and name != "editMessageMedia" and new == old:
            return 400, "Bad Request: message is not modified"
        if name == "editMessageText" and old is not None and old.photo:
            return 400, "Bad Request: there is no text in the message to edit"
        chat[number] = new
        return 200, _as_telegram(int(given["chat_id"]), number, new)


def _words(given: dict[str, Any], old: Message | None) -> str:
    media = given.get("media")
    if isinstance(media, str):
        media = json.loads(media)
    inner = media.get("caption") if isinstance(media, dict) else None
    return str(given.get("text") or given.get("caption") or inner or (old.text if old else ""))


def _buttons(given: dict[str, Any]) -> dict[str, str]:
    keyboard = given.get("reply_markup") or {}
    if isinstance(keyboard, str):
        keyboard = json.loads(keyboard)
    rows = keyboard.get("inline_keyboard", []) if isinstance(keyboard, dict) else []
    return {button["text"]: button.get("callback_data", "") for row in rows for button in row}


def _as_telegram(chat: int, number: int, shown: Message) -> dict[str, Any]:
    body: dict[str, Any] = {"message_id": number, "date": 1, "chat": {"id": chat, "type": "private"}}
    if shown.photo:
        size = {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}
        return {**body, "photo": [size], "caption": shown.text}
    return {**body, "text": shown.text}


class Town:
    """One shop, many people; `restart` is a new process on the same database."""

    def __init__(self, database: Database, clock: FakeClock, registry: Registry) -> None:
        self.plug = Plug()
        self.db = Wired(database.url, clock, registry)
        self.db.plug = self.plug
        self.clock = clock
        self.phone = Phone(self.plug)
        self.naira: Decimal | None = payouts.RATE
        self.nursery = Nursery()
        self._updates, self._people = count(1), count(5000)
        self.telegram = Bot("1:t", request=self.phone, get_updates_request=self.phone)
        config = UsersConfig.model_validate(tomllib.loads((SETTINGS / "users.toml").read_text()))
        people, books = users.build(self.db, clock, config).service, ledger.build(self.db).service
        self.chain = till.FakeChain(clock)
        self.money = payments.assemble(
            db=self.db,
            clock=clock,
            ledger=books,
            users=people,
            config=till.settings(),
            chains={"bsc": self.chain},
            first=till.FakePrices({"tether": Decimal("1.0003"), "binancecoin": Decimal(600)}),
            second=till.FakePrices({"BNBUSDT": Decimal("601.5")}),
        )
        self.boosts = boosts.build(
            db=self.db,
            config=panels.config(),
            clients=HttpClients(clock),
            ledger=books,
            users=people,
            payments=self.money.service,
            panels=[panels.FakePanel("smmflare")],
        )
        brought = referrals.build(
            db=self.db,
            clock=clock,
            ledger=books,
            users=people,
            config=ReferralsConfig.model_validate(tomllib.loads((SETTINGS / "referrals.toml").read_text())),
        )
        self.withdrawals = withdrawals.assemble(
            db=self.db,
            clock=clock,
            ledger=books,
            users=people,
            live=self._naira,
            config=payouts.settings(),
            cipher=payouts.CIPHER,
            payouts=payouts.FakePayouts(clock.now),
        )
        self.doors = bot.Doors(
            users=people,
            ledger=books,
            payments=self.money.service,
            boosts=self.boosts.service,
            withdrawals=self.withdrawals.service,
            referrals=brought.service,
            held=admin.build(db=self.db, users=people).held,
            bot_username=lambda: self.telegram.username,
        )
        self.bot = self._bot()
        for each in (self.money, self.boosts, self.withdrawals, self.bot):
            registry.add_kinds(*each.effects)

    async def _naira(self) -> Decimal | None:
        return self.naira

    def _bot(self) -> bot.BotModule:
        class NoInbox:
            def handle(self, *_: object, **__: object) -> None: ...

        return bot.build(
            db=self.db,
            clock=self.clock,
            bot=self.telegram,
            doors=self.doors,
            config=BotConfig.model_validate(tomllib.loads((SETTINGS / "bot.toml").read_text())),
            inbox=NoInbox(),  # type: ignore[arg-type]
            nursery=self.nursery,
            secret="s" * 32,
            admin_chat_id=ADMINS,
        )

    async def start(self) -> Town:
        await self.telegram.initialize()
        await self.money.parts.pricing.refresh()
        await self.money.parts.watcher.run()
        await self.doors.users.ensure_owners([OWNER])
        await self.restart()
        return self

    async def restart(self) -> None:
        self.plug.rest()
        self.bot = self._bot()
        await self.bot.dispatcher.ptb.initialize()
        await self.bot.dialogues.start()

    async def stop(self) -> None:
        await self.nursery.stop()
        await self.db.stop()

    async def person(self) -> Person:
        someone = Person(self, next(self._people))
        await someone.says("/start")
        await someone.presses("I agree")
        return someone

    def item(self, body: dict[str, Any]) -> InboxItem:
        number = next(self._updates)
        return InboxItem(number, "telegram", str(number), "", {"update_id": number, **body}, self.clock.now(), 0)

    async def handle(self, item: InboxItem) -> None:
        await self.bot.dispatcher.handle(item)

    async def one(self, statement: str, **values: Any) -> Any:
        async with self.db.read() as conn:
            return (await conn.execute(text(statement), values)).scalar_one()

    async def unknown_phase(self) -> int:
        """A phase nobody knows the outcome of."""
        someone = await self.person()
        await someone.gets_credits(1)
        await someone.says(someone.link())
        await someone.presses("Confirm")
        self.clock.advance(31 * 60)
        jobs = {job.name: job for job in self.boosts.jobs}
        await jobs["boosts.dispatch"].run()
        return await self.silence(attempt=1)

    async def silence(self, *, attempt: int) -> int:
        """The panels do not answer what was sent to them; returns a phase of which that is true now."""
        async with self.db.read() as conn:
            found = await conn.execute(
                text("SELECT id, key, payload FROM core.effects WHERE state = 'queued' AND key LIKE 'phase:%'")
            )
            rows = [row for row in found if row.payload["attempt"] == attempt]
        for row in rows:
            async with self.db.transaction() as tx:
                await tx.conn.execute(text("UPDATE core.effects SET state = 'unknown' WHERE id = :id"), {"id": row.id})
                call = EffectCall(row.id, row.key, 1, row.payload)
                await self.boosts.effects[0].on_outcome(tx, call, Unknown("read_timeout"))
        return int(rows[0].payload["phase_id"])


@dataclass
class Person:
    """Somebody with a private chat. What they do is a stored update; `says` and `presses` also have it handled."""

    town: Town
    id: int

    @property
    def who(self) -> dict[str, Any]:
        return {"id": self.id, "is_bot": False, "first_name": "Ada"}

    def line(self, words: str, chat: int | None = None) -> InboxItem:
        return self.town.item(
            {"message": {"message_id": 1, "date": 1, "chat": self._chat(chat), "from": self.who, "text": words}}
        )

    def reply(self, words: str, chat: int) -> InboxItem:
        """To what the bot asked last in a group."""
        said = self.town.phone.chats[chat].items()
        number, asked = max(
            ((number, one) for number, one in said if "Reply to this message" in one.text), key=lambda one: one[0]
        )
        item = self.line(words, chat)
        message = item.payload["message"]
        bot = {"id": self.town.bot.dispatcher._bot.id, "is_bot": True, "first_name": "V"}
        message["reply_to_message"] = {
            "message_id": number,
            "date": 1,
            "chat": message["chat"],
            "from": bot,
            "text": asked.text,
        }
        return item

    def press(self, data: str, message_id: int, chat: int | None = None) -> InboxItem:
        shown = {"message_id": message_id, "date": 1, "chat": self._chat(chat), "text": "x"}
        return self.town.item(
            {"callback_query": {"id": "q", "from": self.who, "chat_instance": "c", "data": data, "message": shown}}
        )

    def _chat(self, chat: int | None) -> dict[str, Any]:
        return {"id": chat or self.id, "type": "supergroup" if chat else "private"}

    async def home(self) -> tuple[int, Message]:
        number = await self.town.one("SELECT message_id FROM bot.homes WHERE chat_id = :id", id=self.id)
        return number, self.town.phone.chats[self.id][number]

    async def button(self, label: str) -> InboxItem:
        number, shown = await self.home()
        found = [data for name, data in shown.buttons.items() if label in name]
        assert found, f"no {label!r} among {list(shown.buttons)}"
        return self.press(found[0], number)

    async def says(self, words: str) -> None:
        await self.town.handle(self.line(words))

    async def presses(self, *labels: str) -> None:
        for label in labels:
            await self.town.handle(await self.button(label))

    async def gets_credits(self, posts: int) -> None:
        entries = (
            Entry(user_account(self.id, CREDITS, "t3"), posts, unit_cost=Decimal("1.50")),
            Entry(house_account("credits_sold", "t3"), -posts),
        )
        async with self.town.db.transaction() as tx:
            await self.town.doors.ledger.post(
                tx, key=f"gift:{self.id}", kind="adjustment", entries=entries, description="test"
            )

    async def gets_money(self, cents: int, account: str = "wallet") -> None:
        entries = (Entry(user_account(self.id, account), cents), Entry(house_account("fees"), -cents))
        async with self.town.db.transaction() as tx:
            await self.town.doors.ledger.post(
                tx, key=f"money:{self.id}:{account}", kind="adjustment", entries=entries, description="test"
            )

    def link(self) -> str:
        return POST.format(self.id)

    async def facts(self) -> dict[str, Any]:
        """All that must not depend on how often an update was handled: the screen, the question, the books."""
        _, shown = await self.home()
        question = await self.town.bot.dialogues.current(self.id, self.id, 10**9)
        asked = (question.name, sorted(question.data)) if question is not None else None
        return {
            "text": plain(shown.text),
            "buttons": [plain(label) for label in shown.buttons],
            "photo": shown.photo,
            "question": asked,
            "remembered": self.town.bot.dialogues.asked(self.id, self.id),
            "balances": [
                (one.account.name, one.account.asset, one.available)
                for one in await self.town.doors.ledger.balances(user_id=self.id)
            ],
            **{name: await self.town.one(query, id=self.id) for name, query in COUNTS.items()},
        }


COUNTS = {
    "invoices": "SELECT array_agg(state ORDER BY id) FROM payments.invoices WHERE user_id = :id",
    "quotes": "SELECT count(*) FROM payments.quotes q JOIN payments.invoices i ON i.id = q.invoice_id "
    "WHERE i.user_id = :id",
    "claims": "SELECT array_agg(invoice_id IS NOT NULL ORDER BY id) FROM payments.claims WHERE user_id = :id",
    "drafts": "SELECT array_agg(state ORDER BY id) FROM boosts.drafts WHERE user_id = :id",
    "orders": "SELECT array_agg(state ORDER BY id) FROM boosts.orders WHERE user_id = :id",
    "requests": "SELECT array_agg(state || answers::text ORDER BY id) FROM boosts.goods_requests WHERE user_id = :id",
    "terms": "SELECT count(*) FROM users.terms WHERE user_id = :id",
}


def plain(words: str) -> str:
    """Without what differs between people and invoices."""
    return re.sub(r"\d+(?:[.,…]\d+)*", "#", words)
