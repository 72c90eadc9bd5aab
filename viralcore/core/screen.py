"""Screens, buttons, actions and the callback codec as plain data, so that bot and notifications speak one language.

A screen function (in `texts`) is pure: it returns a `Screen` whose buttons carry typed `Action`s. The nonce that makes
a callback unique to one shown screen is added only when the screen is sent (`encode`).
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, fields
from typing import ClassVar, TypeVar, get_type_hints


class Html(str):
    """Text that is already valid Telegram HTML. Made by `esc`, by `markup`, or from a literal in `texts`."""

    __slots__ = ()


CALLBACK_LIMIT = 64
VERSION = "A"
NONCE_LENGTH = 8
_CODE = re.compile(r"^[a-z][a-z0-9_]{0,11}$")


def esc(value: object) -> Html:
    """Escape anything that came from a person or a database for Telegram HTML."""
    return Html(html.escape(str(value), quote=True))


def markup(template: str, **values: object) -> Html:
    """Fill a literal template; values that are not Html are escaped, so a user named ``<b>`` sees their name."""
    safe = {name: value if isinstance(value, Html) else esc(value) for name, value in values.items()}
    return Html(template.format(**safe))


def lines(*parts: Html | None) -> Html:
    """Join paragraphs or lines with a line break, leaving out what is None."""
    return Html("\n".join(part for part in parts if part is not None))


@dataclass(frozen=True, slots=True)
class Action:
    """What a button does. Subclasses are frozen dataclasses with int and str fields and a short unique `CODE`."""

    CODE: ClassVar[str] = ""


ACTIONS: dict[str, type[Action]] = {}
A = TypeVar("A", bound=type[Action])


def action(cls: A) -> A:
    """Class decorator: registers an Action under its CODE, refusing duplicates and unsupported field types."""
    if not _CODE.match(cls.CODE):
        raise ValueError(f"{cls.__name__}: CODE must match {_CODE.pattern}")
    if cls.CODE in ACTIONS and ACTIONS[cls.CODE].__qualname__ != cls.__qualname__:
        raise ValueError(f"{cls.__name__}: CODE {cls.CODE!r} belongs to {ACTIONS[cls.CODE].__name__}")
    hints = get_type_hints(cls)
    wrong = [field.name for field in fields(cls) if hints[field.name] not in (int, str)]
    if wrong:
        raise TypeError(f"{cls.__name__}: only int and str fields, not {wrong}")
    ACTIONS[cls.CODE] = cls
    return cls


_SHAPES: dict[type[Action], tuple[tuple[str, type], ...]] = {}


def _shape(cls: type[Action]) -> tuple[tuple[str, type], ...]:
    """The fields of an action and their types, in order; asking the class each time costs more than the rest."""
    if cls not in _SHAPES:
        hints = get_type_hints(cls)
        _SHAPES[cls] = tuple((field.name, hints[field.name]) for field in fields(cls))
    return _SHAPES[cls]


@dataclass(frozen=True, slots=True)
class Button:
    """One inline button: exactly one of `action`, `url`, `copy` is set."""

    label: str
    action: Action | None = None
    url: str | None = None
    copy: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture by recipe: `kind` names a painter (``asset``, ``qr``), `data` its input; both are the file_id's key."""

    kind: str
    data: str


@dataclass(frozen=True, slots=True)
class Screen:
    """What a person sees: HTML text (a caption when there is a picture), rows of buttons.

    `route` names what is shown (``invoice:12``) so that an event can redraw it in place; empty when it never is.
    """

    text: Html
    rows: tuple[tuple[Button, ...], ...] = ()
    picture: Picture | None = None
    route: str = ""


class StaleCallback(Exception):
    """Callback data this version did not write, or that was cut or forged."""


@dataclass(frozen=True, slots=True)
class Press:
    """A decoded callback: the nonce of the screen it was pressed on and the typed action."""

    nonce: str
    action: Action

    @property
    def key(self) -> str:
        """The idempotency key of this press: a double tap on one screen is one key."""
        values = ":".join(str(getattr(self.action, name)) for name, _ in _shape(type(self.action)))
        return f"n{self.nonce}:{self.action.CODE}:{values}"


def encode(act: Action, nonce: str) -> str:
    """Callback data: version letter, nonce, code, fields. Raises ValueError past 64 bytes or on a field with ``|``."""
    if len(nonce) != NONCE_LENGTH:
        raise ValueError("a nonce has 8 characters")
    values = [str(getattr(act, name)) for name, _ in _shape(type(act))]
    if any("|" in value or "\x00" in value for value in values):
        raise ValueError("callback fields must not contain | or NUL")
    data = "|".join([f"{VERSION}{nonce}{act.CODE}", *values])
    if len(data.encode()) > CALLBACK_LIMIT:
        raise ValueError(f"callback data of {act.CODE} is over {CALLBACK_LIMIT} bytes")
    return data


def keyboard(screen: Screen, nonce: str) -> list[list[dict[str, object]]]:
    """The buttons of a screen as the Bot API writes an inline keyboard; empty when there are none."""
    return [[_key(button, nonce) for button in row] for row in screen.rows]


def _key(button: Button, nonce: str) -> dict[str, object]:
    if button.url is not None:
        return {"text": button.label, "url": button.url}
    if button.copy is not None:
        return {"text": button.label, "copy_text": {"text": button.copy}}
    if button.action is None:
        raise ValueError(f"the button {button.label!r} does nothing")
    return {"text": button.label, "callback_data": encode(button.action, nonce)}


def decode(data: str) -> Press:
    """Read callback data back. Raises StaleCallback on another version, an unknown code or fields that do not fit."""
    head, *values = data.split("|")
    if len(data.encode()) > CALLBACK_LIMIT or not head.startswith(VERSION) or len(head) <= 1 + NONCE_LENGTH:
        raise StaleCallback(data[:CALLBACK_LIMIT])
    if "\x00" in data:  # forged: no text of ours has it, and no database takes it
        raise StaleCallback(repr(data))
    nonce, code = head[1 : 1 + NONCE_LENGTH], head[1 + NONCE_LENGTH :]
    cls = ACTIONS.get(code)
    if cls is None or len(_shape(cls)) != len(values):
        raise StaleCallback(data)
    arguments: dict[str, int | str] = {}
    for (name, kind), value in zip(_shape(cls), values, strict=True):
        if kind is int:
            if not re.fullmatch(r"-?[0-9]{1,18}", value):
                raise StaleCallback(data)
            arguments[name] = int(value)
        else:
            arguments[name] = value
    return Press(nonce=nonce, action=cls(**arguments))
