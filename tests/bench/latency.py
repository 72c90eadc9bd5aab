"""bot_latency: 50 updates a second of mixed screens, at random distances: the slow ones beside the usual ones.

Our own handling time of one update runs from the moment the Bot API hands it out until the Bot API has the reply in its
hands: polling, inbox, workers, database, screen, lanes, and the way there and back. Telegram's time inside of it (a
press is answered with a toast before its screen is edited, should the bot wait for that) is taken off as it was spent.
The bot is warm: it has drawn every screen before.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from tests.bench.harness import PAIRS, Result, compared
from tests.bench.real_bot import RealBot, real_bot

SCREENS = ("home", "balance", "history", "credits", "help", "support", "orders", "plans", "terms", "menu")
SCRIPT = (*(f"go|{name}" for name in SCREENS), "/balance", "/menu", "/history", "/help", "/buy")
RATE, SECONDS, WARM = 50.0, 14.0, 4.0


def handling(bot: RealBot, seconds: float, seed: int) -> list[float]:
    """Milliseconds of every update in one stretch, in rising order; all were answered, once each."""
    bot.begin(rate=RATE, seconds=seconds, even=False, script=SCRIPT, seed=seed)
    while bot.api.report()["left"]:
        time.sleep(0.2)
    bot.api.drain()
    return sorted(own * 1000 for _, own in bot.api.audit()["own"])


def percentile(rising: Sequence[float], share: float) -> float:
    return rising[min(len(rising) - 1, int(len(rising) * share))]


def measure(wanted: Sequence[str]) -> list[Result]:
    slow, usual = [], []
    with real_bot() as bot:
        handling(bot, WARM, 0)
        for turn in range(PAIRS):
            found = handling(bot, SECONDS, 1 + turn)
            slow.append(percentile(found, 0.99))
            usual.append(statistics.median(found))
    return [compared("bot_latency", slow, usual, "ms p99", baseline_name="its p50", goal=6.0, better="lower")]
