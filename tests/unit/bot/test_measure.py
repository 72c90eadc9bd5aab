"""Every update counts as one kind, and a handling that fails took its time, too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.scrape import parsed, value
from viralcore.bot.measure import kind_of, measured
from viralcore.core.inbox import InboxItem
from viralcore.core.metrics import Metrics

PRIVATE, GROUP = {"id": 7, "type": "private"}, {"id": -7, "type": "supergroup"}


@pytest.mark.parametrize(
    ("update", "kind"),
    [
        ({"callback_query": {"message": {"chat": PRIVATE}}}, "press"),
        ({"callback_query": {"message": {"chat": GROUP}}}, "press"),
        ({"message": {"chat": PRIVATE, "text": "/start"}}, "line"),
        ({"edited_message": {"chat": PRIVATE}}, "line"),
        ({"message": {"chat": GROUP, "text": "hello"}}, "group"),
        ({"my_chat_member": {"chat": PRIVATE}}, "other"),
        ({"message": None}, "other"),
        ({}, "other"),
    ],
)
def test_the_kind_of_an_update(update: dict[str, Any], kind: str) -> None:
    assert kind_of({"update_id": 1, **update}) == kind


async def test_handling_is_measured_however_it_ends() -> None:
    metrics = Metrics()

    async def handler(item: InboxItem) -> None:
        if item.id == 2:
            raise RuntimeError

    handle = measured(handler, metrics)
    for number, payload in enumerate(({"message": {"chat": PRIVATE}}, {"callback_query": {}}, ["nonsense"]), start=1):
        item = InboxItem(number, "telegram", str(number), "7", payload, datetime.now(UTC), 0)
        if number == 2:
            with pytest.raises(RuntimeError):
                await handle(item)
        else:
            await handle(item)
    told = parsed((await metrics.render()).decode())
    assert [
        value(told, "viralcore_handling_seconds_count", kind=kind) for kind in ("press", "line", "group", "other")
    ] == [
        1,
        1,
        0,
        1,
    ]
