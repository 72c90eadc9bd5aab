"""Work that was given up and waits for an owner: the list, one of it, and what a press did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from viralcore.core.screen import Action, Button, Html, Screen, action, lines, markup
from viralcore.texts import wording
from viralcore.texts.actions import Go

PAGE = 20
SHORT, LONG = 60, 600
_QUEUES = {"inbox": "📨 message in", "delivery": "📣 news inside", "effect": "📤 task outside"}
_MEANS = {
    "inbox": "It came from outside and could not be handled. A retry handles it again; what was done already stays so.",
    "delivery": "Something happened, and one part of the shop could not take it in. A retry tells that part once more.",
    "effect": "It was not sent. A retry sends it under the same key.",
    "answered": (
        "It was tried, and what came of it is kept; only writing it down failed. A retry does that. Nothing is sent."
    ),
}


@action
@dataclass(frozen=True, slots=True)
class RetryHeld(Action):
    """Owner: let a piece of held work go on. `token`: its short name."""

    CODE: ClassVar[str] = "held_go"
    token: str


@dataclass(frozen=True, slots=True)
class HeldText:
    token: str
    queue: str
    what: str
    about: str
    attempts: int
    error: str
    since: datetime
    answered: bool
    reference: str


def listed(found: Sequence[HeldText], *, total: int, offset: int) -> Screen:
    """`offset`: how many stand on the pages before."""
    route = f"held:{offset}" if offset else "held"
    if not found:
        text = Html("⛔ <b>Held</b>\n\nNothing is held. Everything that was to be done is done or under way.")
        return Screen(text, (wording.back_home("admin"),), route=route)
    told = [
        markup(
            "<b>{n}.</b> {queue}: {what} · {at}\n{why}",
            n=number,
            queue=_QUEUES[one.queue],
            what=one.what,
            at=wording.moment(one.since),
            why=_cut(one.error, SHORT),
        )
        for number, one in enumerate(found, offset + 1)
    ]
    text = lines(
        markup("⛔ <b>Held</b> ({total})\n", total=total),
        Html("This failed in every attempt and waits. Mend the cause first, then press a number and Retry.\n"),
        *told,
    )
    numbers = [Button(str(number), Go(f"held1:{one.token}")) for number, one in enumerate(found, offset + 1)]
    pages = []
    if offset:
        pages.append(Button("⬅️ Earlier", Go(f"held:{max(0, offset - PAGE)}" if offset > PAGE else "held")))
    if offset + len(found) < total:
        pages.append(Button("➡️ More", Go(f"held:{offset + PAGE}")))
    rows = [tuple(numbers[first : first + 5]) for first in range(0, len(numbers), 5)]
    return Screen(text, (*rows, *((tuple(pages),) if pages else ()), wording.back_home("admin")), route=route)


def page(one: HeldText) -> Screen:
    text = lines(
        markup("⛔ <b>Held</b>: {queue}\n", queue=_QUEUES[one.queue]),
        markup("What: <code>{what}</code>", what=one.what),
        markup("About: <code>{about}</code>", about=_cut(one.about, 120)),
        markup("Since: {at}, attempts: {n}", at=wording.moment(one.since), n=one.attempts),
        markup("Why: {why}", why=_cut(one.error, LONG)),
        markup("Reference: <code>{reference}</code>", reference=one.reference) if one.reference else None,
        markup("\n{means}", means=_MEANS["answered" if one.answered else one.queue]),
    )
    rows = ((Button("🔁 Retry", RetryHeld(one.token)),), wording.back_home("held"))
    return Screen(text, rows, route=f"held1:{one.token}")


def retried() -> str:
    return "It is tried again. If it fails once more, it comes back here."


def gone() -> str:
    return "It is not held any more: it went on already."


def _cut(words: str, most: int) -> str:
    line = " ".join(words.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
