"""The bot as a chaos run starts it: the product's own command line, with a witness beside every subscriber and, when
asked for, one of its guards taken away. ``python -m tests.chaos.child MUTATION COMMAND``.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import psycopg
from sqlalchemy import text

from tests.chaos.mutants import MUTANTS
from viralcore.bot import line
from viralcore.cli import app
from viralcore.core.events import Event, Subscription
from viralcore.core.migrate import upgrade
from viralcore.core.registry import Registry

GROUP_PER_MINUTE = 1_800
WITNESS = """
CREATE SCHEMA chaos;
CREATE TABLE chaos.handled (event_id uuid NOT NULL, subscriber text NOT NULL);
GRANT USAGE ON SCHEMA chaos TO viralcore_app;
GRANT INSERT ON chaos.handled TO viralcore_app;
"""
_SEEN = text("INSERT INTO chaos.handled (event_id, subscriber) VALUES (:event_id, :subscriber)")


def witnessed(subscription: Subscription) -> Subscription:
    """The same subscriber, whose every committed run leaves a line: what notices do not show (they have keys of their
    own) would show in money, had a subscriber some."""

    async def handler(tx: Any, event_id: str, event: Event) -> None:
        await tx.conn.execute(_SEEN, {"event_id": event_id, "subscriber": subscription.name})
        await subscription.handler(tx, event_id, event)

    return replace(subscription, handler=handler)


def install_witness() -> None:
    plain = Registry.subscribe

    def subscribe(self: Registry, *subscriptions: Subscription) -> None:
        plain(self, *(witnessed(one) for one in subscriptions))

    Registry.subscribe = subscribe  # type: ignore[method-assign]


def widen_lanes() -> None:
    """The admin group's twenty messages a minute would hold fifty people's cards back for a quarter of an hour."""
    module: Any = line
    plain = module.Lanes

    def lanes(**given: Any) -> Any:
        return plain(**{**given, "per_minute": GROUP_PER_MINUTE})

    module.Lanes = lanes


def migrate(url: str) -> None:
    """The shop's tables, and the one of the witness."""
    upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(WITNESS)


def main(mutation: str, command: str) -> None:
    install_witness()
    widen_lanes()
    MUTANTS[mutation]()
    sys.argv = ["viralcore", command]
    app(standalone_mode=False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
