"""Control calls for rough handling and for whoever audits it: Postgres killed, all chats at once, the whole books."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.routing import Route

from viralcore.core.clock import monotonic
from viralcore.core.embedded import EmbeddedPostgres
from viralcore.sandbox.stage import Stage
from viralcore.sandbox.worlds.control import Body, NonsenseError, control, read

LONGEST_DOWN, LONGEST_WAIT = 30.0, 50.0
How = Literal["kill", "immediate", "fast"]


class PostgresBody(Body):
    """`how`: kill -9 of the server, an immediate shutdown, or a fast one; it is started again after `down_seconds`."""

    how: How = "kill"
    down_seconds: Annotated[float, Field(ge=0, le=LONGEST_DOWN, allow_inf_nan=False, strict=False)] = 0.0


class Cluster:
    """The sandbox's own Postgres, to be taken down and brought back at the same address."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres = postgres
        self._busy = asyncio.Lock()

    async def restart(self, how: How, down_seconds: float) -> None:
        """Returns when it answers again. Raises RuntimeError when it came back elsewhere: the bot would not find it."""
        async with self._busy:
            url = self._postgres.url
            await asyncio.to_thread(self._down, how)
            await asyncio.sleep(down_seconds)
            if await self._postgres.astart() != url:
                raise RuntimeError("the database came back at another address; choose a shorter DATA_DIR")

    def _down(self, how: How) -> None:
        if how == "kill":
            self._postgres.kill()
            return
        if how == "immediate" and self._postgres.pid is not None:
            os.kill(self._postgres.pid, signal.SIGQUIT)
        self._postgres.stop()


def ordeal_routes(stage: Stage) -> list[Route]:
    """Mounted under /sandbox with the other control calls."""
    calls = Ordeals(stage)
    return [
        control("/postgres", "POST", calls.postgres),
        control("/books", "GET", calls.books),
        control("/messages", "GET", calls.messages),
        control("/telegram", "GET", calls.telegram),
    ]


class Ordeals:
    """One method a call; each returns JSON or raises NonsenseError."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def postgres(self, request: Request) -> dict[str, Any]:
        body = await read(request, PostgresBody)
        if self._stage.cluster is None:
            raise NonsenseError("this sandbox has no database of its own", 409)
        began = monotonic()
        try:
            await self._stage.cluster.restart(body.how, body.down_seconds)
        except RuntimeError as error:
            raise NonsenseError(str(error), 504) from error
        return {"how": body.how, "seconds": round(monotonic() - began, 3)}

    async def books(self, _: Request) -> dict[str, Any]:
        """Everything the chains, the panels and the bank know, whether they have told us or not."""
        found = [world.books() for world in self._stage.worlds]
        transfers = [{**asdict(one), "amount": f"{one.amount:f}"} for books in found for one in books.transfers]
        return {
            "transfers": transfers,
            "orders": [asdict(one) for books in found for one in books.orders],
            "payments": [asdict(one) for books in found for one in books.payments],
        }

    async def messages(self, request: Request) -> list[dict[str, Any]]:
        """Messages of every chat changed after `after`, deleted ones too: as GET /chats/{chat_id}/messages shows them,
        with `chat_id` and `deleted`."""
        telegram = self._stage.telegram
        try:
            after, wait = int(request.query_params.get("after", 0)), float(request.query_params.get("wait", 0))
        except ValueError:
            raise NonsenseError("after and wait are numbers") from None
        deadline = monotonic() + min(max(wait, 0.0), LONGEST_WAIT)
        while True:
            found = [message for message in telegram.all_messages(after) if message.note is None]
            left = deadline - monotonic()
            if found or not left > 0:
                return [{**one.control(), "chat_id": one.chat_id, "deleted": one.deleted} for one in found]
            await telegram.changed.wait(left)

    async def telegram(self, _: Request) -> dict[str, Any]:
        """Figures: updates made for the bot and not confirmed by it yet, presses and those it never tried to answer."""
        telegram = self._stage.telegram
        queries = telegram.queries.values()
        return {
            "first_update": telegram.updates.first_id,
            "last_update": telegram.updates.last_id,
            "unconfirmed": telegram.updates.unconfirmed,
            "presses": len(queries),
            "unanswered": [
                {"chat_id": one.chat_id, "from": one.person, "message_id": one.message_id}
                for one in queries
                if one.answer is None and not one.late
            ],
            "floods": telegram.limits.refused,
            "worst_second": telegram.limits.worst_second,
        }
