"""What an owner types about a custom plan, read line by line: every mistake is told at once, beside its line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from viralcore.boosts.api import CustomSpec
from viralcore.core.money import parse_decimal

WORDS: Mapping[str, str] = {
    "name": "name",
    "title": "name",
    "likes": "likes",
    "reposts": "reposts",
    "retweets": "reposts",
    "comments": "comments",
    "replies": "comments",
    "views": "views",
    "posts": "posts",
    "price": "price",
    "offer": "offer",
    "until": "until",
    "expires": "until",
    "reason": "reason",
}
_WHOLE = re.compile(r"[0-9][0-9, ]{0,11}")
_CHANGE = re.compile(r"([+-])\s*([0-9]{1,9})")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ T]([0-9]{2}):([0-9]{2}))?")
NEVER = frozenset({"never", "none", "no", "-"})


@dataclass(frozen=True, slots=True)
class Form:
    """`give`: posts given at once (below 0: taken back)."""

    spec: CustomSpec
    give: int
    reason: str


class FormProblems(Exception):
    """`problems`: a code and the line it is about, in the order typed."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


def read(text: str, now: datetime, base: CustomSpec | None = None) -> Form:
    """`base`: the plan that is changed; None: a new one. Raises FormProblems."""
    problems: list[tuple[str, str]] = []
    given = _lines(text, problems)
    values = {word: _value(word, value, now, problems, new=base is None) for word, value in given.items()}
    if problems:
        raise FormProblems(problems)
    spec = _spec(base or CustomSpec(title=""), values)
    give = int(values.get("posts", 0))  # type: ignore[call-overload]
    if base is None:
        spec, give = _new(spec, give, values, problems)
    elif spec == base and not give:
        problems.append(("nothing", ""))
    reason = str(values.get("reason", ""))
    if not reason:
        problems.append(("missing_reason", ""))
    if problems:
        raise FormProblems(problems)
    return Form(spec, give, reason)


def _lines(text: str, problems: list[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in filter(None, (each.strip() for each in text.replace("\x00", "").splitlines())):
        name, colon, value = line.partition(":")
        word = WORDS.get(name.strip().lower())
        if not colon:
            problems.append(("no_colon", line))
        elif word is None:
            problems.append(("unknown", line))
        elif word in found:
            problems.append(("twice", line))
        else:
            found[word] = " ".join(value.split())
    return found


def _value(word: str, typed: str, now: datetime, problems: list[tuple[str, str]], *, new: bool) -> object:
    """What was meant; what cannot be read is added to the problems."""
    code: str
    if word in {"name", "reason"}:
        return typed
    if word == "price":
        price, code = _price(typed), "price"
        if price is not None:
            return price
    elif word == "until":
        at = None if typed.lower() in NEVER else _moment(typed)
        if typed.lower() in NEVER or (at is not None and at > now):
            return at
        code = "until" if at is None else "past"
    elif word == "posts" and not new:
        change, code = _CHANGE.fullmatch(typed), "change"
        if change is not None:
            return int(change[1] + change[2])
    else:
        code = "posts" if word == "posts" else "number"
        if _WHOLE.fullmatch(typed):
            return int(re.sub(r"[^0-9]", "", typed))
    problems.append((code, f"{word}: {typed}"))
    return None


def _price(typed: str) -> Decimal | None:
    try:
        found = parse_decimal(typed.lstrip("$").removesuffix("USD").strip().replace(",", ""))
    except ValueError:
        return None
    return found if found >= 0 else None


def _moment(typed: str) -> datetime | None:
    """A day is meant to its end."""
    found = _DAY.fullmatch(typed)
    if found is None:
        return None
    year, month, day, hour, minute = (None if part is None else int(part) for part in found.groups())
    try:
        return datetime(
            year or 0, month or 0, day or 0, 23 if hour is None else hour, 59 if minute is None else minute, tzinfo=UTC
        )
    except ValueError:
        return None


def _spec(base: CustomSpec, values: Mapping[str, object]) -> CustomSpec:
    named = {"name": "title", "offer": "preset", "until": "expires_at"}
    changes = {named.get(word, word): value for word, value in values.items() if word not in {"posts", "reason"}}
    return replace(base, **changes)  # type: ignore[arg-type]


def _new(
    spec: CustomSpec, posts: int, values: Mapping[str, object], problems: list[tuple[str, str]]
) -> tuple[CustomSpec, int]:
    """With a price, the posts are what is offered; without, they are given."""
    if not spec.title:
        problems.append(("missing_name", ""))
    if not posts:
        problems.append(("missing_posts", ""))
    if spec.price:
        return replace(spec, preset=spec.preset or posts), 0
    return replace(spec, preset=0), posts
