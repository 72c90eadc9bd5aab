"""What staff are told when the nightly check finds books that do not agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.core.db import Tx
from viralcore.core.events import Event, Subscription
from viralcore.core.screen import Screen
from viralcore.ledger.events import LedgerProblemFound
from viralcore.notifications.domain import Notice
from viralcore.notifications.service.desk import Desk
from viralcore.texts import ledger_cards


def subscription(desk: Desk) -> Subscription:
    """Its name is stored with deliveries: it never changes."""

    async def heard(tx: Tx, event_id: str, event: Event) -> None:
        if isinstance(event, LedgerProblemFound):
            problems = list(event.problems)
            await desk.tell_admins(tx, key=event_id, template="ledger_problem", total=event.total, problems=problems)

    return Subscription(LedgerProblemFound, "notifications.ledger_problem_found", heard)


async def paint(_: Notice, params: Mapping[str, Any]) -> Screen:
    return ledger_cards.problem(total=params["total"], problems=params["problems"])


templates = {"ledger_problem": paint}
