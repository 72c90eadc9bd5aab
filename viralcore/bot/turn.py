"""One update being handled: who, where, with which key, and the doors it may knock at. And the table of handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from viralcore.admin.api import HeldWork
from viralcore.boosts.api import Boosts
from viralcore.bot.config import BotConfig
from viralcore.bot.dialogue import Dialogues, Question
from viralcore.bot.repository import Glance
from viralcore.core.clock import Clock
from viralcore.core.screen import Action, Html, Screen
from viralcore.ledger.api import Ledger
from viralcore.payments.api import Payments
from viralcore.referrals.api import Referrals
from viralcore.users.api import Users, UserView
from viralcore.withdrawals.api import Withdrawals


@dataclass(frozen=True, slots=True)
class Doors:
    """Everything a handler may call."""

    users: Users
    ledger: Ledger
    payments: Payments
    boosts: Boosts
    withdrawals: Withdrawals
    referrals: Referrals
    held: HeldWork
    bot_username: Callable[[], str]
    """Our own name, for links that lead to us; known once Telegram was asked for it."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a screen: all that drawing one needs."""

    doors: Doors
    config: BotConfig
    clock: Clock
    user: UserView


@dataclass(slots=True)
class Turn:
    """One press or line. `key`: the idempotency key for whatever it asks (the press's nonce, or ``u<update_id>``).

    A handler returns the Screen to show, or None when what it set on `toast` (and nothing else) is the answer; `reply`
    is a message in a group.
    """

    viewer: Viewer
    dialogues: Dialogues
    chat_id: int
    update_id: int
    key: str
    pressed: int | None = None
    private: bool = True
    toast: str = ""
    alert: bool = False
    reply: Html | None = None
    asking: bool = False
    silent: bool = False  # the home is right as it is
    fresh: bool = False  # this update has drawn nothing yet, in no earlier life either
    glance: Glance | None = None
    """What the chat showed and asked when this update began; None when nobody looked, or when it has changed since."""

    @property
    def doors(self) -> Doors:
        return self.viewer.doors

    @property
    def user(self) -> UserView:
        return self.viewer.user

    async def ask(self, question: str, **data: Any) -> None:
        """Take the next line typed as the answer to this question."""
        self.glance, self.asking = None, True
        await self.dialogues.ask(self.chat_id, self.user.id, self.update_id, question, **data)

    async def question(self) -> Question | None:
        """What this line may be the answer to; the same when the update is handled again."""
        if self.glance is not None:
            return self.dialogues.seen(self.glance.asked, self.update_id)
        return await self.dialogues.current(self.chat_id, self.user.id, self.update_id)

    async def close_question(self) -> bool:
        """Wait for no answer any longer; whether one was waited for."""
        glance, self.glance = self.glance, None
        if glance is not None and self.dialogues.nothing_to_close(
            glance.asked, self.chat_id, self.user.id, self.update_id
        ):
            self.glance = glance
            return False
        return await self.dialogues.close(self.chat_id, self.user.id, self.update_id)


Render = Callable[[Viewer, str], Awaitable[Screen]]
OnAction = Callable[[Turn, Any], Awaitable[Screen | None]]
OnCommand = Callable[[Turn, str], Awaitable[Screen | None]]
OnAnswer = Callable[[Turn, Mapping[str, Any], str], Awaitable[Screen | None]]
"""To a line, or to a photo: then the text is Telegram's id of it."""

LIVE_ROUTES = frozenset({"wcheck", "withdrawal", "invoice", "pay", "crypto", "claim", "order", "panel"})
"""What events change while somebody looks at it (`refresh` says which)."""

ROUTES: dict[str, Render] = {}
ON_LOOK: dict[str, OnCommand] = {}
ON_ACTION: dict[type[Action], OnAction] = {}
ON_COMMAND: dict[str, OnCommand] = {}
ON_ANSWER: dict[str, OnAnswer] = {}
ON_PHOTO: dict[str, OnAnswer] = {}
ON_OTHER: dict[str, OnAnswer] = {}
F = TypeVar("F", bound=Callable[..., Any])


def route(name: str) -> Callable[[F], F]:
    """Registers what draws ``name`` or ``name:argument``."""
    return _into(ROUTES, name)


def looking(name: str) -> Callable[[F], F]:
    """Registers what a press that leads to a route does beside drawing it: it opens a question there."""
    return _into(ON_LOOK, name)


def on(action: type[Action]) -> Callable[[F], F]:
    """Registers what a button does."""
    return _into(ON_ACTION, action)


def command(name: str) -> Callable[[F], F]:
    """Registers a slash command, without its slash."""
    return _into(ON_COMMAND, name)


def answer(question: str) -> Callable[[F], F]:
    """Registers who takes the answer to a question."""
    return _into(ON_ANSWER, question)


def photo(question: str) -> Callable[[F], F]:
    """Registers who takes a photo as the answer to a question."""
    return _into(ON_PHOTO, question)


def other(question: str) -> Callable[[F], F]:
    """Registers who is told that a file, a sticker or the like came as the answer to a question; its text is empty."""
    return _into(ON_OTHER, question)


def _into(table: dict[Any, Any], name: Any) -> Callable[[F], F]:
    def add(function: F) -> F:
        if name in table:
            raise ValueError(f"two handlers for {name!r}")
        table[name] = function
        return function

    return add


class UnknownRoute(Exception):
    """A route this version does not have, or one with an argument that makes no sense: an old or a forged button."""


def number(argument: str) -> int:
    """The id in a route. Raises UnknownRoute."""
    if not (argument.isascii() and argument.isdigit() and len(argument) <= 18):
        raise UnknownRoute(argument[:40])
    return int(argument)


async def render(viewer: Viewer, where: str) -> Screen:
    """Draw a route. Raises UnknownRoute, and what doors raise."""
    name, _, argument = where.partition(":")
    if name not in ROUTES:
        raise UnknownRoute(where[:40])
    return await ROUTES[name](viewer, argument)


async def take_answer(turn: Turn, question: Question, text: str) -> Screen | None:
    """Hand a typed line to whoever asked."""
    return await ON_ANSWER[question.name](turn, question.data, text)
