"""The owner and the second admin: they answer cards of sends without an outcome, from the panels' books."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict, deque
from random import Random
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from tests.chaos.record import Record
from tests.chaos.world import Message, Refused, World, buttons, labelled

OWNER, SECOND = 1000, 1001
PATIENCE = 12.0
PRESSES_A_MINUTE = 50
_QUESTION = "Reply to this message"
_ASKS = re.compile(r"ph_(?:yes|no)\|(\d+)\|(\d+)")
_UNKNOWN = """
SELECT p.id, p.attempt, a.panel, a.service, a.link, a.quantity,
    EXISTS (SELECT 1 FROM boosts.attempts s WHERE s.state = 'sending' AND (s.panel, s.service, s.link, s.quantity)
        = (a.panel, a.service, a.link, a.quantity)) AS another_under_way
FROM boosts.phases p JOIN boosts.attempts a ON a.phase_id = p.id AND a.number = p.attempt
WHERE p.state = 'unknown' ORDER BY p.id
"""
_CLAIMED = "SELECT panel_order FROM boosts.attempts WHERE panel = %s AND panel_order IS NOT NULL"


class Staff:
    """`database`: looked at, never written; the decisions go through the cards."""

    def __init__(self, world: World, record: Record, database: str, random: Random) -> None:
        self._world = world
        self._record = record
        self._database = database
        self._random = random
        self._pressed: defaultdict[int, deque[float]] = defaultdict(deque)
        self.unanswerable: set[int] = set()

    async def work(self, until: float) -> None:
        """During the storm: now and then a card or two."""
        while time.monotonic() < until:
            await asyncio.sleep(self._random.uniform(2, 5))
            try:
                await self.decide(most=2, doubtfully=True)
            except (Refused, httpx.HTTPError, psycopg.Error) as trouble:
                self._record.note("staff", f"could not: {type(trouble).__name__}")

    async def decide(self, *, most: int = 1000, doubtfully: bool = False) -> int:
        """Answer open cards; how many were answered."""
        done = 0
        for phase in (await self._unknown())[:most]:
            if phase["another_under_way"]:
                continue
            card = self._card(int(phase["id"]), int(phase["attempt"]))
            if card is None:
                continue
            if await self._answer(phase, card, doubtfully):
                done += 1
                self._record.count("cards")
        return done

    async def unknown(self) -> int:
        return len(await self._unknown())

    async def _unknown(self) -> list[dict[str, Any]]:
        return await self.ask(_UNKNOWN)

    async def ask(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Of the database, past the bot."""
        async with await psycopg.AsyncConnection.connect(
            self._database, row_factory=dict_row, connect_timeout=5
        ) as connection:
            return await (await connection.execute(statement, values)).fetchall()

    def _card(self, phase: int, attempt: int) -> Message | None:
        """The newest card with buttons for this very attempt."""
        for message in reversed(self._world.said(self._world.group)):
            for button in buttons(message):
                found = _ASKS.search(button["data"])
                if found and (int(found[1]), int(found[2])) == (phase, attempt):
                    return message
        return None

    async def _answer(self, phase: dict[str, Any], card: Message, doubtfully: bool) -> bool:
        claimed = {row["panel_order"] for row in await self.ask(_CLAIMED, phase["panel"])}
        placed = [
            str(order["order"])
            for order in await self._world.call("GET", f"/panels/{phase['panel']}/orders")
            if (str(order["service"]), order["link"], order["quantity"])
            == (phase["service"], phase["link"], phase["quantity"])
            and str(order["order"]) not in claimed
        ]
        if placed:
            return await self._placed(phase, card, placed[0], doubtfully)
        button = labelled(card, "It was not")
        if button is None:
            return False
        self._record.note("staff", f"phase {phase['id']} attempt {phase['attempt']} was not placed")
        who = [OWNER, SECOND] if doubtfully and self._random.random() < 0.3 else [OWNER]
        await asyncio.gather(*(self._press(one, card, button["data"]) for one in who))
        return await self._decided(phase)

    async def _placed(self, phase: dict[str, Any], card: Message, number: str, doubtfully: bool) -> bool:
        button = labelled(card, "It was placed")
        if button is None:
            return False
        self._record.note("staff", f"phase {phase['id']} attempt {phase['attempt']} was placed as {number}")
        newest = max(one["message_id"] for one in self._world.said(self._world.group))
        await self._press(OWNER, card, button["data"])
        if doubtfully and self._random.random() < 0.15:
            newest = await self._reply(newest, "no idea")
        await self._reply(newest, number)
        return await self._decided(phase)

    async def _reply(self, after: int, words: str) -> int:
        """To the bot's next question: nothing else is an answer in a group. Returns the question's id."""
        group, deadline = self._world.group, time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            asked = [one for one in self._world.said(group) if one["message_id"] > after and _QUESTION in one["text"]]
            if asked:
                await self._world.say(OWNER, words, group, reply_to=asked[-1]["message_id"])
                return int(asked[-1]["message_id"])
            await asyncio.sleep(0.1)
        return after

    async def _press(self, who: int, card: Message, data: str) -> None:
        """Never so often that the throttle would refuse it: that could not be told from what was lost."""
        pressed = self._pressed[who]
        if len(pressed) >= PRESSES_A_MINUTE:
            await asyncio.sleep(max(0.0, pressed.popleft() + 61 - time.monotonic()))
        pressed.append(time.monotonic())
        await self._world.press(who, card["message_id"], data, self._world.group)

    async def _decided(self, phase: dict[str, Any]) -> bool:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            still = await self._unknown()
            if not any((one["id"], one["attempt"]) == (phase["id"], phase["attempt"]) for one in still):
                return True
            await asyncio.sleep(0.2)
        return False
