"""What the checker looks at: our database by SQL, the simulators' books, the chats, the driver's record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.chaos.record import Record

Row = Mapping[str, Any]


@dataclass
class Evidence:
    """`panel_orders`: the panels' own lists, each row with its panel. `figures`: Telegram's. `problems`: what was
    found."""

    database: str
    record: Record
    transfers: Sequence[Row]
    panel_orders: Sequence[Row]
    figures: Row
    chats: Mapping[int, Mapping[int, Row]]
    group: int
    bot: int
    problems: list[str] = field(default_factory=list)

    def ask(self, statement: str, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.database, row_factory=dict_row, autocommit=True) as connection:
            return connection.execute(statement, values or None).fetchall()

    def found(self, problem: str) -> None:
        self.problems.append(problem)

    def unless(self, fine: object, problem: str) -> None:
        if not fine:
            self.found(problem)

    def said(self, chat: int) -> list[Row]:
        """What the bot has in a chat, oldest first."""
        return [message for _, message in sorted(self.chats.get(chat, {}).items()) if message["from"] == self.bot]
