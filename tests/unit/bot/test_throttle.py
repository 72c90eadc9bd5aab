"""How much one person may do: sliding windows of business time, one polite answer, answers to questions free."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clock import FakeClock
from viralcore.bot.config import Throttle as Config
from viralcore.bot.throttle import Throttle

ADA, BOB, GROUP = 2001, 2002, -100500
HASH = "0x" + "ab" * 32


class Door:
    """A throttle with what it asks for and what it says."""

    def __init__(self, **config: int) -> None:
        self.clock = FakeClock()
        self.told: list[tuple[int, str | None]] = []
        self.asked: set[tuple[int, int]] = set()
        self.throttle = Throttle(
            Config(**config),
            self.clock,
            asked=lambda chat, user: (chat, user) in self.asked,
            tell=lambda chat, query: self.told.append((chat, query)),
        )

    def say(self, text: str, user: int = ADA, chat: int | None = None) -> bool:
        return self.throttle({"message": {"text": text, "from": {"id": user}, "chat": {"id": chat or user}}})

    def press(self, user: int = ADA, query: str = "q1") -> bool:
        return self.throttle({"callback_query": {"id": query, "from": {"id": user}, "message": {"chat": {"id": user}}}})


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.mark.parametrize(
    "text",
    [
        "/orders",
        "/BUY t3 10",
        "/buy@viralcore_bot t3 10",
        HASH,
        "https://x.com/ada/status/1",
        "t.me/channel/5",
        HASH[2:],
    ],
)
def test_ten_commands_or_pasted_things_a_minute(door: Door, text: str) -> None:
    assert [door.say(text) for _ in range(12)] == [True] * 10 + [False] * 2


def test_commands_links_and_hashes_share_one_window(door: Door) -> None:
    assert all(door.say(text) for text in ("/orders", HASH, "https://x.com/a/status/1") * 3)
    assert door.say("/balance")
    assert not door.say(HASH)


def test_sixty_presses_a_minute_beside_ten_commands(door: Door) -> None:
    assert all(door.press() for _ in range(60))
    assert not door.press()
    assert door.say("/orders")


@pytest.mark.parametrize("text", ["/start", "/menu", "/help", "/cancel", "/start ref_5", "/Cancel@viralcore_bot"])
def test_the_ways_out_do_not_count(door: Door, text: str) -> None:
    assert all(door.say("/orders") for _ in range(10))
    assert all(door.say(text) for _ in range(50))


def test_plain_lines_do_not_count(door: Door) -> None:
    assert all(door.say("hello") and door.say("25") for _ in range(50))


def test_an_answer_to_an_open_question_does_not_count(door: Door) -> None:
    door.asked.add((ADA, ADA))
    assert all(door.say(HASH) and door.say("https://x.com/a/status/1") for _ in range(20))
    assert [door.say("/orders") for _ in range(11)] == [True] * 10 + [False], "a command is no answer"


def test_a_question_in_another_chat_is_not_this_one(door: Door) -> None:
    door.asked.add((GROUP, ADA))
    assert [door.say(HASH) for _ in range(11)][-1] is False


def test_the_window_slides(door: Door) -> None:
    for _ in range(10):
        assert door.say("/orders")
        door.clock.advance(6)
    assert door.say("/orders"), "the first one is 60 seconds old"
    assert not door.say("/orders")
    door.clock.advance(6)
    assert door.say("/orders")


def test_a_refusal_does_not_make_the_window_longer(door: Door) -> None:
    assert [door.say("/orders") for _ in range(30)].count(True) == 10
    door.clock.advance(59)
    assert not door.say("/orders")
    door.clock.advance(1)
    assert [door.say("/orders") for _ in range(11)].count(True) == 10


def test_the_excess_gets_one_polite_answer_a_window(door: Door) -> None:
    for _ in range(100):
        door.press(query="q")
        door.say("/orders")
    assert len(door.told) == 1
    door.clock.advance(60)
    for _ in range(100):
        door.press(query="q")
    assert len(door.told) == 2


def test_a_press_is_answered_as_a_press(door: Door) -> None:
    for n in range(62):
        door.press(query=f"q{n}")
    assert door.told == [(ADA, "q60")]


def test_everybody_has_a_window_of_their_own(door: Door) -> None:
    assert [door.say("/orders", ADA) for _ in range(11)][-1] is False
    assert door.say("/orders", BOB)
    assert [door.say("/orders", BOB, GROUP) for _ in range(10)][-1] is False, "wherever they say it"
    assert door.told == [(ADA, None), (GROUP, None)]


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"message": {"photo": [], "from": {"id": ADA}, "chat": {"id": ADA}}},
        {"message": {"text": "/orders", "chat": {"id": GROUP}}},
        {"edited_message": {"text": "/orders", "from": {"id": ADA}, "chat": {"id": ADA}}},
        {"my_chat_member": {"from": {"id": ADA}, "chat": {"id": ADA}}},
    ],
)
def test_everything_else_is_let_in(door: Door, update: dict[str, Any]) -> None:
    assert all(door.throttle(update) for _ in range(100))


def test_a_press_on_a_message_telegram_no_longer_shows(door: Door) -> None:
    update = {"callback_query": {"id": "q", "from": {"id": ADA}, "message": None}}
    assert [door.throttle(update) for _ in range(61)][-1] is False
    assert door.told == [(ADA, "q")]


def test_the_numbers_are_settings() -> None:
    door = Door(window_seconds=10, commands=2, presses=3)
    assert [door.say("/orders") for _ in range(3)] == [True, True, False]
    assert [door.press() for _ in range(4)] == [True, True, True, False]
    door.clock.advance(10)
    assert door.say("/orders")
