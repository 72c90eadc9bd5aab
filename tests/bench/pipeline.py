"""bot_pipeline: the whole durable path of the real bot, 256 updates in flight, beside an aiogram echo.

An update comes by long polling, passes the throttle, is stored in the inbox and confirmed, handed to its worker, meets
its user, reads balance and posts from the database, draws the screen, notes it as the chat's home, and is answered.
People in turn type /balance and press Balance (10,000 of them, so 256 different chats are at work at once). What is
counted is screens; the bot's other calls (the toast of a press, the old home's buttons) are extra work of ours that
the echo does not have. After every round each update must have been answered exactly once.

To profile it see `real_bot`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.harness import Result, compared, pairs
from tests.bench.real_bot import real_bot
from tests.bench.transport import IN_FLIGHT, echo

SCRIPT = ("/balance", "go|balance")
SECONDS, WARM = 5.0, 3.0


def screens() -> float:
    """Screens a second of a bot that has just been started."""
    with real_bot() as bot:
        bot.begin(in_flight=IN_FLIGHT, script=SCRIPT)
        rate = bot.api.rate(SECONDS, WARM)
        bot.api.drain()
        assert bot.api.audit()["plain"] == [], "somebody was refused"
    return rate


def measure(wanted: Sequence[str]) -> list[Result]:
    mine, base = pairs(screens, lambda: echo("aiogram"))
    return [compared("bot_pipeline", mine, base, "screens/s", baseline_name="aiogram 3 echo", goal=1.0)]
