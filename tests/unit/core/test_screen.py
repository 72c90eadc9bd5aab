"""Screens as data: the callback codec keeps what it was given, and takes nothing it did not write."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, fields
from typing import Any, ClassVar, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.core.screen import (
    ACTIONS,
    CALLBACK_LIMIT,
    Action,
    Button,
    Html,
    Press,
    Screen,
    StaleCallback,
    action,
    decode,
    encode,
    esc,
    keyboard,
    lines,
    markup,
)
from viralcore.texts import actions
from viralcore.texts.actions import Agree, AskLink, Buy, CancelInvoice, Go

NONCE = "n0nce_-8"
NONCES = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=8, max_size=8)
NUMBERS = st.integers(-(10**18) + 1, 10**18 - 1)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="|\x00"), max_size=20)


@st.composite
def any_action(draw: st.DrawFn) -> Action:
    cls = draw(st.sampled_from(sorted(ACTIONS.values(), key=lambda one: one.CODE)))
    hints = get_type_hints(cls)
    values = {field.name: draw(NUMBERS if hints[field.name] is int else WORDS) for field in fields(cls)}
    return cls(**values)


@given(any_action(), NONCES)
def test_what_is_written_is_read_back(act: Action, nonce: str) -> None:
    try:
        data = encode(act, nonce)
    except ValueError:
        assert sum(len(str(getattr(act, field.name)).encode()) + 1 for field in fields(act)) > 40
        return
    assert len(data.encode()) <= CALLBACK_LIMIT
    assert decode(data) == Press(nonce=nonce, action=act)


@given(st.text(max_size=80))
def test_whatever_is_sent_is_a_press_or_stale(data: str) -> None:
    try:
        press = decode(data)
    except StaleCallback:
        return
    assert press.action.CODE in ACTIONS


@given(any_action().filter(lambda act: bool(fields(act))), st.data())
def test_a_cut_callback_is_stale_or_another_press_in_full(act: Action, data: st.DataObject) -> None:
    """Cut anywhere before the last field, nothing is guessed."""
    try:
        whole = encode(act, NONCE)
    except ValueError:
        return
    with pytest.raises(StaleCallback):
        decode(whole[: data.draw(st.integers(0, whole.rindex("|")))])


@pytest.mark.parametrize(
    "data",
    [
        "",
        "A",
        "A" + NONCE,
        "B" + NONCE + "go|home",
        "a" + NONCE + "go|home",
        "A" + NONCE + "nope|1",
        "A" + NONCE + "go",
        "A" + NONCE + "go|home|again",
        "A" + NONCE + "link|",
        "A" + NONCE + "icancel|",
        "A" + NONCE + "icancel|one",
        "A" + NONCE + "icancel|1.5",
        "A" + NONCE + "icancel|+1",
        "A" + NONCE + "icancel| 1",
        "A" + NONCE + "icancel|1\n",
        "A" + NONCE + "icancel|0x1",
        "A" + NONCE + "icancel|١٢",
        "A" + NONCE + "icancel|1_000",
        "A" + NONCE + "icancel|" + "9" * 19,
        "A" + NONCE + "buy|t3",
        "A" + NONCE + "buy|t3|",
        "A" + NONCE + "go|" + "x" * 60,
        "A" + NONCE + "go|" + "ж" * 30,
        "plan_t3",
        '{"a": 1}',
    ],
)
def test_forged_cut_or_old_data_is_stale(data: str) -> None:
    with pytest.raises(StaleCallback):
        decode(data)


def test_over_64_bytes_is_refused_when_written() -> None:
    room = CALLBACK_LIMIT - len(encode(Go(""), NONCE))
    assert len(encode(Go("x" * room), NONCE)) == CALLBACK_LIMIT
    assert decode(encode(Go("x" * room), NONCE)).action == Go("x" * room)
    with pytest.raises(ValueError, match="over 64 bytes"):
        encode(Go("x" * (room + 1)), NONCE)
    with pytest.raises(ValueError, match="over 64 bytes"):
        encode(Go("ж" * (room // 2 + 1)), NONCE)


def test_a_field_cannot_smuggle_a_separator() -> None:
    with pytest.raises(ValueError, match="must not contain"):
        encode(Go("home|1"), NONCE)


@pytest.mark.parametrize("nonce", ["", "short", "n" * 9])
def test_a_nonce_has_its_length(nonce: str) -> None:
    with pytest.raises(ValueError, match="8 characters"):
        encode(AskLink(), nonce)


def test_a_double_tap_is_one_key_and_everything_else_another() -> None:
    key = Press(NONCE, Buy("t3", 10)).key
    assert key == decode(encode(Buy("t3", 10), NONCE)).key
    others = [Press(NONCE, Buy("t3", 11)), Press("other__1", Buy("t3", 10)), Press(NONCE, CancelInvoice(10))]
    assert len({key, *(press.key for press in others)}) == 4


def test_every_action_of_the_bot_is_registered_once() -> None:
    ours = {cls for _, cls in inspect.getmembers(actions, inspect.isclass) if issubclass(cls, Action)} - {Action}
    assert {cls for cls in ACTIONS.values() if cls.__module__ == actions.__name__} == ours
    assert all(ACTIONS[cls.CODE] is cls for cls in ours)
    assert decode(encode(Agree("2026-01"), NONCE)).action == Agree("2026-01")


def test_an_action_says_no_to_a_bad_code_a_taken_one_and_other_types() -> None:
    @dataclass(frozen=True, slots=True)
    class Loud(Action):
        CODE: ClassVar[str] = "Loud!"

    @dataclass(frozen=True, slots=True)
    class Second(Action):
        CODE: ClassVar[str] = "go"

    @dataclass(frozen=True, slots=True)
    class Listed(Action):
        CODE: ClassVar[str] = "listed"
        many: list[int]

    before = dict(ACTIONS)
    # The decorator reads annotations by name; `list[int]` must be visible to it.
    for cls, error in ((Loud, ValueError), (Second, ValueError), (Listed, TypeError)):
        with pytest.raises(error):
            action(cls)
    assert before == ACTIONS


@given(st.text())
def test_escaped_text_holds_no_markup(text: str) -> None:
    escaped = esc(text)
    assert not set("<>\"'") & set(escaped)
    assert isinstance(escaped, Html)


@pytest.mark.parametrize("value", ["<b>", "a & b", "{0}", "{name}", '"', "'", 7])
def test_values_are_escaped_and_never_filled_in_again(value: Any) -> None:
    assert markup("<b>{name}</b>", name=value) == f"<b>{esc(value)}</b>"


def test_html_is_taken_as_it_is() -> None:
    assert markup("{a}{b}", a=Html("<i>x</i>"), b="<i>") == "<i>x</i>&lt;i&gt;"


def test_lines_leave_out_what_is_none() -> None:
    assert lines(Html("a"), None, Html(""), Html("b")) == "a\n\nb"
    assert lines() == ""


def test_buttons_are_written_as_telegram_reads_them() -> None:
    go, url, copy = Button("Go", Go("home")), Button("Chat", url="https://t.me/x"), Button("Copy", copy="15.0034")
    assert keyboard(Screen(Html("x"), ((go, url), (copy,))), "n" * 8) == [
        [{"text": "Go", "callback_data": encode(Go("home"), "n" * 8)}, {"text": "Chat", "url": "https://t.me/x"}],
        [{"text": "Copy", "copy_text": {"text": "15.0034"}}],
    ]
    assert keyboard(Screen(Html("x")), "n" * 8) == []
    with pytest.raises(ValueError, match="does nothing"):
        keyboard(Screen(Html("x"), ((Button("Nothing"),),)), "n" * 8)
