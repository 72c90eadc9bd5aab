"""Echo bots, 256 updates in flight, a Bot API that takes 50 ms: our transport beside the stock one, and beside aiogram.

All three decode each update, route it and reply through their Bot; each is a process of its own and begins anew for
every measurement. aiogram is stock in everything but its connection limit; ours runs as the product does (`ptb_echo`).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.bot_load import ROOT, bot_api, child
from tests.bench.harness import PAIRS, Result, compared

IN_FLIGHT = 256
SECONDS = 4.0
WARM = {"ours": 2.0, "aiogram": 2.0, "stock": 8.0}
"""Stock PTB stumbles over opening its connections for six seconds and runs ten times faster afterwards: not counted
against it."""
ECHO = {
    "ours": [sys.executable, "-m", "tests.bench.ptb_echo", "ours"],
    "stock": [sys.executable, "-m", "tests.bench.ptb_echo", "stock"],
    "aiogram": [str(ROOT / ".venv-bench/bin/python"), "tests/bench/aiogram_echo.py"],
}


def echo(kind: str) -> float:
    """Replies a second of one echo bot. Nobody may be answered twice."""
    with tempfile.TemporaryDirectory(prefix="viralcore-bench-") as folder, bot_api() as api:
        log = Path(folder) / "log"
        with child([*ECHO[kind], api.url], log) as process:
            try:
                api.until_polled(process)
                api.begin(in_flight=IN_FLIGHT, script=["hello"])
                rate = api.rate(SECONDS, WARM[kind])
                found = api.report()
                assert found["duplicates"] == found["strays"] == 0, found
            except BaseException:
                print(log.read_text()[-3000:], file=sys.stderr)  # noqa: T201 - why it broke
                raise
    return rate


LINES = {
    "bot_transport": ("stock", "PTB's stock transport", 8.0),
    "bot_transport_aiogram": ("aiogram", "aiogram 3 echo", 1.5),
}


def measure(wanted: Sequence[str]) -> list[Result]:
    """Ours stands beside all its baselines in every round; every second round runs the other way round."""
    asked = [name for name in LINES if name in wanted]
    kinds = ["ours", *(LINES[name][0] for name in asked)]
    figures: dict[str, list[float]] = {kind: [] for kind in kinds}
    for turn in range(PAIRS):
        for kind in reversed(kinds) if turn % 2 else kinds:
            figures[kind].append(echo(kind))
    return [
        compared(name, figures["ours"], figures[theirs], "replies/s", baseline_name=label, goal=goal)
        for name, (theirs, label, goal) in LINES.items()
        if name in asked
    ]
