"""overload: more than the bot can handle, for a minute; then twice what the throttle lets through.

First 10,000 people at the edge of the throttle (10 commands a minute each: 1,667 updates/s for 60 s). None of them is
over it, so every update that was handed out must be in the inbox, and every one in the inbox must have been answered
by exactly one screen: each screen's buttons carry the nonce of the update they answer. A typed line is answered by a
message of its own, so nothing is ever superseded. What does not fit into memory's window waits in the table.

Then a burst: 2,500 people type 20 commands each within 15 s, twice what a minute allows (3,333 updates/s). Half of it
is refused, and every refused person is told so once.

`overload_memory`: how much the process grew at most, in MB, over what it was when warm. Its bound is what the design
keeps in memory, whatever is offered: the inbox's window (4,000 updates of up to 8 KB as objects), one batch on its way
in, and for each of 10,000 people the throttle's and the lanes' memory of the last minute (3 KB): 62 MB; and a third on
top for the allocator. Without the window, the backlog alone would take more.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.harness import Result, absolute, compared
from tests.bench.pipeline import screens
from tests.bench.real_bot import USERS, RealBot, real_bot

ALLOWED = 10
SECONDS, PATIENCE = 60.0, 3.0
BURST_USERS, BURST_SECONDS = 2_500, 15.0
SCRIPT = ("/balance",)
MEMORY_MB = 82


@dataclass(frozen=True)
class Offer:
    """What became of one load. `handed`: updates the bot was given; `stored`: those in its inbox; `lost`: given and
    not there, or there and done without exactly one answer; `seconds`: until the last reply, None: not drained."""

    handed: int
    stored: int
    lost: int
    duplicates: int
    answered: int
    seconds: float | None
    told: Counter[int]


def offered(bot: RealBot, *, users: int, each: int, seconds: float) -> Offer:
    """Offer `each` commands of `users` people within `seconds` and wait until all are done, or patience is."""
    bot.begin(rate=users * each / seconds, seconds=seconds, script=SCRIPT, users=users)
    ends = time.monotonic() + seconds * PATIENCE
    drained = False
    while not drained and time.monotonic() < ends:
        time.sleep(0.5)
        report = bot.api.report()
        drained = not report["left"] and not report["waiting"] and _idle(bot, report)
    report, audit = bot.api.report(), bot.api.audit()
    return _judge(bot, report, audit, drained=drained)


def _idle(bot: RealBot, report: dict[str, Any]) -> bool:
    """Whether everything handed out is confirmed and nothing stored is pending."""
    if report["unconfirmed"]:
        return False
    return bot.rows("SELECT FROM core.inbox WHERE state = 'pending' LIMIT 1") == []


def _judge(bot: RealBot, report: dict[str, Any], audit: dict[str, Any], *, drained: bool) -> Offer:
    span = range(audit["first"], audit["last"] + 1)
    states = {int(number): state for number, state in bot.rows("SELECT external_id, state FROM core.inbox")}
    unanswered = set(audit["unanswered"])
    stored = [number for number in span if number in states]
    silent = sum(number in unanswered and states[number] != "pending" for number in stored)
    made_up = sum(number not in unanswered for number in span if number not in states)
    return Offer(
        handed=report["handed"],
        stored=len(stored),
        lost=silent + made_up,
        duplicates=report["duplicates"] + report["strays"],
        answered=report["replied"],
        seconds=report["last_reply"] if drained else None,
        told=Counter({int(chat): times for chat, times in audit["plain"]}),
    )


@contextmanager
def watched(bot: RealBot) -> Iterator[list[int]]:
    """The bot's memory in MB, twice a second."""
    seen, over = [bot.memory()[0]], threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            seen.append(bot.memory()[0])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def measure(wanted: Sequence[str]) -> list[Result]:
    usual = [screens()]
    with real_bot(throttled=True) as bot:
        bot.begin(in_flight=64, script=("/help", "go|balance"))  # warm, without touching anybody's ten commands
        bot.api.rate(2.0, 1.0)
        bot.api.drain()
        with watched(bot) as memory:
            edge = offered(bot, users=USERS, each=ALLOWED, seconds=SECONDS)
            burst = None
            if edge.seconds is not None:
                burst = offered(bot, users=BURST_USERS, each=2 * ALLOWED, seconds=BURST_SECONDS)
    usual.append(screens())
    return [*_edge(edge, usual), *_memory(memory), *_burst(burst)]


def _edge(edge: Offer, usual: Sequence[float]) -> list[Result]:
    """At the edge nobody is refused: what was handed out and is not in the inbox is lost."""
    lost = edge.lost + edge.duplicates + (edge.handed - edge.stored if edge.seconds is not None else 0)
    rate = edge.answered / edge.seconds if edge.seconds else edge.answered / (SECONDS * PATIENCE)
    # Nobody handles more than is offered: where the pipeline could take more, the offer is what there is to reach.
    reachable = [min(each, USERS * ALLOWED / SECONDS) for each in usual]
    drained = (edge.seconds or SECONDS * PATIENCE) / SECONDS
    return [
        compared("overload", [rate], reachable, "screens/s", baseline_name="bot_pipeline or the offer", goal=0.7),
        absolute("overload_lost", lost, "updates", better="lower", goal=0),
        absolute("overload_drained", drained, "x offer", better="lower", goal=2.0),
    ]


def _memory(seen: Sequence[int]) -> list[Result]:
    return [absolute("overload_memory", max(seen) - seen[0], "MB more", better="lower", goal=MEMORY_MB)]


def _burst(burst: Offer | None) -> list[Result]:
    name, unit = "overload_refused_answers", "a minute each"
    if burst is None:
        return [Result(name, 0.0, unit, "lower", False, goal=1.0)]
    refused = burst.handed - burst.stored
    told = burst.told.values()
    whole = refused > 0 and len(burst.told) == BURST_USERS and not burst.lost and not burst.duplicates
    mean = sum(told) / len(told) if told else 0.0
    return [Result(name, mean, unit, "lower", whole and set(told) == {1}, goal=1.0, span=(min(told), max(told)))]
