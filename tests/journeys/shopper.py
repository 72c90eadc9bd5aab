"""People who talk to the shop over the control API, one at a time or many at once: a chat gets one message a second, so
cases that do not belong together are played by different people."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

from tests.support.sandbox import Message, Sandbox, button, copies

T = TypeVar("T")
R = TypeVar("R")
_numbers = count(4000)
TITLES = {"/orders": "My Orders", "/balance": "My Balance"}
TRACES = ("Traceback", "Error", "Exception", "psycopg", "sqlalchemy", "Something went wrong")


@dataclass
class Shopper:
    """One person in a private chat with the shop."""

    sandbox: Sandbox
    id: int

    def seq(self) -> int:
        return self.sandbox.seq(self.id)

    def say(self, text: str, **more: Any) -> int:
        return self.sandbox.say(self.id, text, **more)

    def ask(self, text: str, **more: Any) -> Message:
        """Write a line and read the answer. Of a screen with a title the title is waited for: a notice of what was done
        before may come between."""
        return self.answer_to(self.say(text, **more), TITLES.get(text, ""))

    def answer_to(self, message_id: int, title: str = "") -> Message:
        """The first message of the shop below that one, with the title (or of the terms, which come before all)."""

        def fits(m: Message) -> bool:
            said = m["message_id"] > message_id and m["from"] != self.id
            return said and (title in m["text"] or "terms" in m["text"].lower())

        later = self.sandbox.wait_for(self.id, fits)
        return min(filter(fits, self.sandbox.messages(self.id)), key=lambda m: int(m["message_id"]), default=later)

    def tap(self, label: str, message: Message | None = None) -> dict[str, Any] | None:
        """Press a button, on the newest message that has it or on a given one; returns the answer to the press."""
        where = message["message_id"] if message is not None else None
        return self.sandbox.press(self.id, label, message_id=where)

    def forge(self, data: str, message: Message) -> dict[str, Any] | None:
        """Press a button that is not there."""
        body = {"from_id": self.id, "message_id": message["message_id"], "button": data}
        answer: dict[str, Any] | None = self.sandbox.call("POST", f"/chats/{self.id}/press", **body)["answer"]
        return answer

    def go(self, *labels: str, until: str = "") -> Message:
        """Press one button after another; the screen the last one leads to. `until`: words of that screen, where the
        shop may say something else meanwhile."""
        shown: Message = {}
        for number, label in enumerate(labels, 1):
            before, words = self.seq(), until if number == len(labels) else ""
            self.tap(label)
            shown = self.see(self._screen(words), before)
        return shown

    def _screen(self, words: str) -> Callable[[Message], bool]:
        return lambda m: m["from"] != self.id and bool(m["buttons"]) and words in m["text"]

    def see(self, fits: Any, after: int = 0, seconds: float = 30.0) -> Message:
        return self.sandbox.wait_for(self.id, fits, after=after, seconds=seconds)

    def home(self) -> Message:
        """The newest message with buttons."""
        return max((m for m in self.sandbox.messages(self.id) if m["buttons"]), key=lambda m: int(m["message_id"]))

    def texts(self) -> str:
        """All the shop has said here."""
        return "\n---\n".join(m["text"] for m in self.sandbox.messages(self.id) if m["from"] != self.id)

    def invoice(self, quantity: int, plan: str = "t3") -> int:
        """Open an invoice; its number."""
        return invoice_number(self.ask(f"/buy {plan} {quantity}"))

    def quote(self, quantity: int, plan: str = "t3", coin: str = "USDT") -> tuple[str, str]:
        """Buy as far as the payment screen; the amount and the address to copy."""
        self.invoice(quantity, plan)
        self.go("Crypto", coin, "BSC")
        amount, address = copies(self.see(lambda m: len(copies(m)) == 2))
        return amount, address


class Crowd:
    """People who have accepted the terms, made in one go; each case takes some who are still fresh."""

    def __init__(self, sandbox: Sandbox, size: int) -> None:
        self.sandbox = sandbox
        self._fresh = newcomers(sandbox, size)

    def take(self, number: int) -> list[Shopper]:
        taken, self._fresh = self._fresh[:number], self._fresh[number:]
        assert len(taken) == number, "make the crowd larger"
        return taken


def newcomers(sandbox: Sandbox, number: int, names: Sequence[str] = ()) -> list[Shopper]:
    """People who have accepted the terms."""
    people = [Shopper(sandbox, next(_numbers)) for _ in range(number)]
    for position, person in enumerate(people):
        sandbox.person(person.id, names[position] if position < len(names) else f"Guest {person.id}")

    def join(person: Shopper) -> None:
        person.say("/start")
        person.see(lambda m: button(m, "I agree") is not None, seconds=60)
        person.tap("I agree")
        person.see(lambda m: button(m, "Service Menu") is not None)

    together(join, people)
    return people


def pass_time(sandbox: Sandbox, seconds: float) -> None:
    """Turn the clock, and wait until everything that this brought is done: a slow machine arrives before it is."""
    sandbox.skip(seconds)
    sandbox.calm()


def together(do: Callable[[T], R], cases: Iterable[T]) -> list[R]:
    """Everybody at once: a chat is slow, many chats are not."""
    with ThreadPoolExecutor(12) as pool:
        return list(pool.map(do, cases))


def ask_all(lines: Iterable[tuple[Shopper, str]]) -> list[Message]:
    """Everybody writes at once; their answers."""
    return together(lambda line: line[0].ask(line[1]), list(lines))


def invoice_number(message: Message) -> int:
    found = re.search(r"Invoice #(\d+)", message["text"])
    assert found, message["text"]
    return int(found.group(1))


def data_of(message: Message, label: str) -> str:
    """The callback data behind a button."""
    whole = button(message, label)
    return next(str(b["data"]) for row in message["buttons"] for b in row if b["text"] == whole)


def nonce_of(message: Message) -> str:
    """The nonce its buttons carry."""
    return next(str(b["data"])[1:9] for row in message["buttons"] for b in row if b["data"])


def polite(message: Message, *words: str) -> None:
    """One clear message: it says these words, shows no trace of our insides, and has a way on."""
    text = message["text"]
    assert all(word in text for word in words), f"{words} missing in:\n{text}"
    assert not [trace for trace in TRACES if trace in text], text
    assert message["buttons"], f"no way on:\n{json.dumps(message)[:500]}"
