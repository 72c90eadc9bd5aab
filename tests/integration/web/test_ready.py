"""/ready over a real process: Postgres, the queue and Telegram are taken away; each is told, each comes back alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.house import house

pytestmark = pytest.mark.timeout(240)


def says(part: str, words: str) -> Callable[[dict[str, str] | None], bool]:
    return lambda seen: seen is not None and words in seen.get(part, "")


async def test_what_is_gone_is_told_and_comes_back_by_itself() -> None:
    async with house() as home:
        await home.start()
        assert (await home.http.get("/health")).status_code == 200

        home.postgres.stop()
        await home.until(home.problems, says("postgres", "Postgres cannot be reached"))
        await home.until(home.problems, says("queue", "not being fetched"))
        assert (await home.http.get("/health")).json() == {"status": "ok"}
        assert (await home.http.get("/metrics")).status_code == 200
        await home.postgres.astart()
        await home.until(home.problems, {})

        home.rows("ALTER SCHEMA queue RENAME TO gone")
        await home.until(home.problems, {"queue": "jobs are not being fetched"})
        home.rows("ALTER SCHEMA gone RENAME TO queue")
        await home.until(home.problems, {})

        home.moody.mood = "500"
        home.newcomer()  # ends the poll that is under way
        await home.until(home.problems, {"telegram": "Telegram answers with status 500"})
        home.moody.mood = "close"
        await home.until(home.problems, {"telegram": "Telegram cannot be reached"})
        home.moody.mood = ""
        await home.until(home.problems, {})
        assert home.bot is not None
        assert home.bot.returncode is None
