"""How long handling takes, by the kind of update: a press, a line somebody wrote, something in a group, or else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from viralcore.core.clock import monotonic
from viralcore.core.inbox import InboxHandler, InboxItem
from viralcore.core.metrics import Metrics

Kind = Literal["press", "line", "group", "other"]
KINDS: tuple[Kind, ...] = ("press", "line", "group", "other")


def kind_of(update: Mapping[str, Any]) -> Kind:
    """What an update counts as. A press in a group is a press: its work is."""
    if "callback_query" in update:
        return "press"
    message = update.get("message") or update.get("edited_message")
    if not isinstance(message, Mapping):
        return "other"
    chat = message.get("chat")
    return "line" if isinstance(chat, Mapping) and chat.get("type") == "private" else "group"


def measured(handler: InboxHandler, metrics: Metrics) -> InboxHandler:
    """The same handler; a handling that fails took its time, too."""
    seconds = {kind: metrics.handling.labels(kind=kind) for kind in KINDS}

    async def handle(item: InboxItem) -> None:
        began = monotonic()
        try:
            await handler(item)
        finally:
            seconds[kind_of(item.payload) if isinstance(item.payload, Mapping) else "other"].observe(
                monotonic() - began
            )

    return handle
