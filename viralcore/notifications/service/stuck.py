"""The card of an order at a panel that does not end, as it stands at this moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from viralcore.boosts.api import Boosts
from viralcore.core.screen import Screen
from viralcore.notifications.domain import Notice
from viralcore.texts import stuck
from viralcore.texts.cards import PersonText


class StuckPainter:
    """`bot_username`: our own name, for the button that leads into the private chat."""

    def __init__(
        self, boosts: Boosts, person: Callable[[int], Awaitable[PersonText]], bot_username: Callable[[], str]
    ) -> None:
        self._boosts = boosts
        self._person = person
        self._bot_username = bot_username

    async def paint(self, notice: Notice, params: Mapping[str, Any]) -> Screen:
        door = self._boosts.panel_care.stuck
        one = await door.get(phase_id=params["phase_id"])
        how = str(params.get("how", "elsewhere" if params.get("superseded") else ""))
        if one.state == "sent" and not how:
            others = max(0, await door.count() - 1)
            return stuck.card(one, others=others, bot_username=self._bot_username())
        actor = params.get("actor")
        return stuck.decided_card(one, who=None if actor is None else await self._person(actor), how=how)
