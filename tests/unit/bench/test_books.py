"""The bench's books see what they are there for: a reply too many, one made up, one missing, an update lost."""

from __future__ import annotations

import json
from typing import Any

from tests.bench.api_server import _CHAT, _NONCE
from tests.bench.load import FIRST_UPDATE, FIRST_USER, Load, Settings
from tests.bench.overload import _judge
from viralcore.core.ids import nonce

SECRET = "s" * 32


class Stored:
    """A bot with these rows in its inbox."""

    def __init__(self, rows: dict[int, str]) -> None:
        self._rows = rows

    def rows(self, statement: str) -> list[tuple[str, str]]:
        return [(str(number), state) for number, state in self._rows.items()]


def acted(count: int, **settings: Any) -> Load:
    load = Load(Settings(in_flight=count, **settings))
    assert len(load.take(100)) == count
    return load


def mark(index: int) -> bytes:
    return nonce(SECRET, FIRST_UPDATE + index).encode()


def judged(load: Load, rows: dict[int, str]) -> tuple[int, int]:
    found = _judge(Stored(rows), load.report(), load.audit(), drained=True)  # type: ignore[arg-type]
    return found.lost, found.duplicates


def test_replies_are_told_apart_by_their_nonces() -> None:
    load = acted(3, secret=SECRET)
    for index in (0, 0, 2, 7):
        if (done := load.replied(FIRST_USER + index, mark(index))) is not None:
            done(0.0)
    load.replied(FIRST_USER + 1, None)
    report, audit = load.report(), load.audit()
    assert (report["replied"], report["duplicates"], report["strays"]) == (2, 1, 1)
    assert audit["unanswered"] == [FIRST_UPDATE + 1]
    assert audit["plain"] == [(FIRST_USER + 1, 1)]


def test_without_a_secret_by_their_chats() -> None:
    load = acted(2)
    first = load.replied(FIRST_USER, None)
    assert first is not None
    assert load.replied(FIRST_USER, None) is None
    first(0.0)
    assert (load.report()["replied"], load.report()["strays"]) == (1, 1)


def test_a_closed_loop_goes_on_with_every_answer_and_confirms_by_offset() -> None:
    load = acted(2)
    load.confirm(FIRST_UPDATE + 1)
    assert [json.loads(body)["update_id"] for body in load.take(100)] == [FIRST_UPDATE + 1]
    done = load.replied(FIRST_USER, None)
    assert done is not None
    done(0.0)
    assert [json.loads(body)["update_id"] for body in load.take(100)] == [FIRST_UPDATE + 1, FIRST_UPDATE + 2]


def test_what_is_lost() -> None:
    load = acted(2, secret=SECRET)
    load.replied(FIRST_USER, mark(0))
    numbers = (FIRST_UPDATE, FIRST_UPDATE + 1)
    assert judged(load, dict.fromkeys(numbers, "handled")) == (1, 0)
    assert judged(load, {numbers[0]: "handled", numbers[1]: "pending"}) == (0, 0)
    assert judged(load, {numbers[1]: "pending"}) == (1, 0)
    load.replied(FIRST_USER + 1, mark(1))
    assert judged(load, dict.fromkeys(numbers, "handled")) == (0, 0)
    load.replied(FIRST_USER + 1, mark(1))
    assert judged(load, dict.fromkeys(numbers, "handled")) == (0, 1)


def test_every_library_s_way_to_say_a_chat_and_a_button() -> None:
    quoted = b"text=x&reply_markup=%7B%22inline_keyboard%22%3A+%5B%5B%7B%22callback_data%22%3A+%22A0aB1cD2ego%7Cx%22"
    nested = rb'{"chat_id": 7, "reply_markup": "{\"inline_keyboard\": [[{\"callback_data\": \"A0aB1cD2ego|x\"}]]}"}'
    plain = b'{"from_chat_id":9,"chat_id":7,"reply_markup":{"inline_keyboard":[[{"callback_data":"A0aB1cD2ego|x"}]]}}'
    for body in (b"chat_id=7&" + quoted, nested, plain):
        chat, button = _CHAT.search(body), _NONCE.search(body)
        assert chat is not None
        assert button is not None
        assert (chat[1], button[1]) == (b"7", b"0aB1cD2e")
    form = b'--x\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\n7\r\n--x--'
    found = _CHAT.search(form)
    assert found is not None
    assert found[1] == b"7"
