"""Who writes to the bot, when, and whether everybody was answered: the load inside the bench's Bot API."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

from viralcore.core.ids import nonce

FIRST_USER = 100_000
FIRST_UPDATE = 1_000
FIRST_MESSAGE = 1
"""Every chat begins with one message of the bot's."""
TICK = 0.002


@dataclass(frozen=True)
class Settings:
    """`script`: what people do, in turn: ``go|route`` is pressed on the chat's newest message, all else is typed.
    `rate` None: closed loop. `seconds`: how long an open loop offers its updates. `even`: at equal distances, else at
    random ones. `secret`: the bot's, when replies are to be told apart by their nonces. `seed`: of random distances."""

    users: int = 10_000
    script: tuple[str, ...] = ("/balance",)
    in_flight: int = 256
    rate: float | None = None
    seconds: float = 0.0
    even: bool = True
    secret: str | None = None
    seed: int = 1


class _Sent:
    """One update on its way. `toast`: how long the answer to its press was kept back, once that is over."""

    __slots__ = ("answers", "at", "kind", "own", "toast")

    def __init__(self, at: float, kind: str) -> None:
        self.at = at
        self.kind = kind
        self.answers = 0
        self.own = 0.0
        self.toast = 0.0


class Load:
    """Makes updates, hands them out, and keeps the books of replies. `after`: an earlier load whose update and message
    ids this one goes on from (the bot knows them)."""

    def __init__(self, settings: Settings, *, after: Load | None = None) -> None:
        self.settings = settings
        self._next: int = after._next if after is not None else FIRST_UPDATE
        self._messages: dict[int, int] = after._messages if after is not None else {}
        self._newest: dict[int, int] = after._newest if after is not None else {}
        self._turn: int = after._turn if after is not None else 0
        self._due = settings.in_flight if settings.rate is None else 0
        self._made = 0
        self._unconfirmed: deque[tuple[int, bytes]] = deque()
        self._handed: dict[int, _Sent] = {}
        self._by_nonce: dict[bytes, int] = {}
        self._by_chat: dict[int, deque[int]] = {}
        self._plain: Counter[int] = Counter()
        self.replied_count = self.duplicates = self.strays = 0
        self._began = self._last_reply = perf_counter()
        self._pump: Callable[[], None] = lambda: None
        self._timer: asyncio.TimerHandle | None = None
        self._moments = random.Random(settings.seed)
        self._next_at = self._began
        self._left = round((settings.rate or 0) * settings.seconds)

    # --- making updates -----------------------------------------------------------------------------------------

    def run(self, pump: Callable[[], None]) -> None:
        """Begin; `pump` is called whenever an update has become due."""
        self._pump = pump
        if self.settings.rate is not None:
            self._tick()
        pump()

    def stop(self) -> None:
        """Nothing becomes due any more."""
        self._due = self._left = 0
        self.settings = Settings(**{**self.settings.__dict__, "in_flight": 0, "rate": None})
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        rate, now = self.settings.rate, perf_counter()
        if rate is None:
            return
        while self._next_at <= now and self._left:
            self._next_at += 1 / rate if self.settings.even else self._moments.expovariate(rate)
            self._due += 1
            self._left -= 1
        if self._left:
            self._timer = asyncio.get_running_loop().call_later(max(TICK, self._next_at - now), self._tick)
        self._pump()

    def take(self, most: int) -> list[bytes]:
        """Up to `most` updates: those handed out and never confirmed first, as Telegram does."""
        while self._due > 0 and len(self._unconfirmed) < most:
            self._due -= 1
            self._unconfirmed.append(self._make())
        return [body for _, (_, body) in zip(range(most), self._unconfirmed, strict=False)]

    def take_one(self) -> bytes | None:
        """The next update, for somebody who keeps it until it is confirmed; None when none is due."""
        if self._due <= 0:
            return None
        self._due -= 1
        return self._make()[1]

    def confirm(self, offset: int) -> None:
        while self._unconfirmed and self._unconfirmed[0][0] < offset:
            self._unconfirmed.popleft()

    def _make(self) -> tuple[int, bytes]:
        settings, number = self.settings, self._next
        self._next += 1
        self._made += 1
        index = self._turn % settings.users
        kind = settings.script[(self._turn + self._turn // settings.users) % len(settings.script)]
        self._turn += 1
        user = FIRST_USER + index
        who = b'{"id":%d,"is_bot":false,"first_name":"U%d","username":"bench_%d","language_code":"en"}' % (user, index, index)  # fmt: skip  # noqa: E501
        chat = b'{"id":%d,"type":"private","first_name":"U%d","username":"bench_%d"}' % (user, index, index)
        self._handed[number] = _Sent(perf_counter(), kind)
        if settings.secret is not None:
            self._by_nonce[nonce(settings.secret, number).encode()] = number
        else:
            self._by_chat.setdefault(user, deque()).append(number)
        if not kind.startswith("go|"):
            command = b',"entities":[{"type":"bot_command","offset":0,"length":%d}]' % len(kind)
            return number, (
                b'{"update_id":%d,"message":{"message_id":%d,"from":%b,"chat":%b,"date":1780000000,"text":"%b"%b}}'
                % (number, self._next_message(user), who, chat, kind.encode(), command if kind[0] == "/" else b"")
            )
        return number, (
            b'{"update_id":%d,"callback_query":{"id":"%d","from":%b,"chat_instance":"1","data":"A00000000%b","message":'
            b'{"message_id":%d,"from":{"id":42,"is_bot":true,"first_name":"Bench","username":"bench_bot"},"chat":%b,'
            b'"date":1780000000,"text":"..."}}}'
            % (number, number, who, kind.encode(), self._newest.get(user, FIRST_MESSAGE), chat)
        )

    # --- the books ----------------------------------------------------------------------------------------------

    def _next_message(self, chat: int) -> int:
        """Message ids grow within a chat; people's own lines take ids, too."""
        self._messages[chat] = number = self._messages.get(chat, FIRST_MESSAGE) + 1
        return number

    def shown(self, chat: int, *, new: bool) -> int:
        """The id of the message the bot makes or edits now: people press its newest one."""
        if new:
            self._newest[chat] = self._next_message(chat)
        return self._newest.get(chat, FIRST_MESSAGE)

    def toasted(self, number: int) -> Callable[[float], None] | None:
        """A press is being answered: what that takes is Telegram's time, if the bot waits for it."""
        sent = self._handed.get(number)
        return partial(self._toast_over, sent, perf_counter()) if sent is not None else None

    @staticmethod
    def _toast_over(sent: _Sent, asked: float, now: float) -> None:
        if not sent.answers:
            sent.toast = now - asked

    def replied(self, chat: int, mark: bytes | None) -> Callable[[float], None] | None:
        """A message was made or edited: whose answer is it? What is returned is called when the answer leaves."""
        if self.settings.secret is not None and mark is None:
            if chat >= FIRST_USER:  # what owners are told is nobody's answer
                self._plain[chat] += 1  # words without a screen: the throttle's one polite sentence
            return None
        number = self._by_nonce.get(mark) if mark is not None and self.settings.secret else self._oldest(chat)
        sent = self._handed.get(number) if number is not None else None
        if sent is None:
            self.strays += 1
            return None
        self._last_reply = perf_counter()
        sent.answers += 1
        if sent.answers > 1:
            self.duplicates += 1
            return None
        sent.own = self._last_reply - sent.at - sent.toast
        return self._answered

    def _oldest(self, chat: int) -> int | None:
        waiting = self._by_chat.get(chat)
        return waiting.popleft() if waiting else None

    def _answered(self, _: float) -> None:
        self.replied_count += 1
        if self.settings.rate is None and self.settings.in_flight:
            self._due += 1

    def report(self) -> dict[str, Any]:
        """Where it stands."""
        now = perf_counter()
        return {
            "at": now,
            "handed": self._made,
            "waiting": self._due,
            "replied": self.replied_count,
            "duplicates": self.duplicates,
            "strays": self.strays,
            "last_reply": self._last_reply - self._began,
            "seconds": now - self._began,
            "left": self._left,
            "unconfirmed": len(self._unconfirmed),
        }

    def audit(self) -> dict[str, Any]:
        """Everything: own handling time of each answered update in the order they were handed out, who was never
        answered, and how often each chat was told in words."""
        done = [(sent.kind, sent.own) for sent in self._handed.values() if sent.answers]
        return {
            "own": done,
            "unanswered": [number for number, sent in self._handed.items() if not sent.answers],
            "plain": list(self._plain.items()),
            "first": min(self._handed, default=0),
            "last": max(self._handed, default=0),
        }
