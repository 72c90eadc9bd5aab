"""Putting everything that is encrypted under the newest key, in batches, while the bot runs.

What is encrypted at rest stands in columns called ``sealed`` (or ``..._sealed``), and in answers of effects under the
name ``sealed``: a convention, so that a new column is found without a list. A value that the newest key opens is done:
that is how far an interrupted run got, and a second run only looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from viralcore.core.crypto import Cipher, Undecryptable
from viralcore.core.db import Database

BATCH = 500
PASSES = 5

# In tables that hold something sealed, JSON columns may hold the rest of it.
_COLUMNS = text(r"""
SELECT format('%I.%I', c.table_schema, c.table_name) AS place, format('%I', c.column_name) AS name,
    c.data_type = 'jsonb' AS json
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema') AND (
    (c.data_type IN ('text', 'character varying') AND (c.column_name = 'sealed' OR c.column_name LIKE '%\_sealed'))
    OR (c.data_type = 'jsonb' AND EXISTS (
        SELECT 1 FROM information_schema.columns s
        WHERE (s.table_schema, s.table_name, s.column_name) = (c.table_schema, c.table_name, 'sealed')
    ))
)
ORDER BY 1, 2
""")
_KEY = text("""
SELECT format('%I', a.attname) AS name
FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = CAST(:place AS regclass) AND i.indisprimary ORDER BY k.place
""")


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column with sealed values; `place`: schema and table; `key`: the columns of its primary key. All quoted."""

    place: str
    name: str
    json: bool
    key: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.place}.{self.name}"

    @property
    def value(self) -> str:
        return f"{self.name} ->> 'sealed'" if self.json else self.name

    @property
    def replaced(self) -> str:
        return f"jsonb_set({self.name}, '{{sealed}}', to_jsonb(CAST(:new AS text)))" if self.json else ":new"


@dataclass(frozen=True, slots=True)
class Step:
    """How far one column is. `lost`: values that no key opens, left as they are."""

    column: str
    seen: int
    changed: int
    lost: int


class Rekey:
    """`told` hears about every batch."""

    def __init__(self, db: Database, cipher: Cipher, told: Callable[[Step], None]) -> None:
        self._db = db
        self._cipher = cipher
        self._told = told

    async def columns(self) -> tuple[SealedColumn, ...]:
        """Every column that holds something encrypted."""
        async with self._db.read() as conn:
            found = (await conn.execute(_COLUMNS)).all()
            keys = {place: await conn.execute(_KEY, {"place": place}) for place in {row.place for row in found}}
            names = {place: tuple(row.name for row in rows) for place, rows in keys.items()}
        return tuple(SealedColumn(row.place, row.name, row.json, names[row.place]) for row in found)

    async def run(self) -> tuple[Step, ...]:
        """One step for each column when all is done. Safe to break off and to repeat."""
        return tuple([await self._column(column) for column in await self.columns()])

    async def _column(self, column: SealedColumn) -> Step:
        changed = 0
        for _ in range(PASSES):  # again while the bot wrote a row between our reading and our writing
            step, missed = await self._pass(column, changed)
            changed = step.changed
            if not missed:
                break
        return step

    async def _pass(self, column: SealedColumn, changed: int) -> tuple[Step, int]:
        after: Sequence[Any] | None = None
        seen = lost = missed = 0
        while True:
            rows = await self._rows(column, after)
            if not rows:
                step = Step(str(column), seen, changed, lost)
                if not seen:
                    self._told(step)
                return step, missed
            after = rows[-1][1:]
            seen += len(rows)
            fresh: list[tuple[str, str, Sequence[Any]]] = []
            for value, *key in rows:
                if self._cipher.is_newest(value):
                    continue
                try:
                    fresh.append((value, self._cipher.rotate(value), key))
                except Undecryptable:
                    lost += 1
            written = await self._write(column, fresh)
            changed, missed = changed + written, missed + len(fresh) - written
            self._told(Step(str(column), seen, changed, lost))

    async def _rows(self, column: SealedColumn, after: Sequence[Any] | None) -> Sequence[Sequence[Any]]:
        key = ", ".join(column.key)
        beyond = f"AND ({key}) > ({', '.join(f':k{n}' for n in range(len(column.key)))})" if after is not None else ""
        asked = text(  # names come quoted from the catalogue, values are bound
            f"SELECT {column.value}, {key} FROM {column.place} WHERE {column.value} <> '' {beyond} "  # noqa: S608  # nosec B608
            f"ORDER BY {key} LIMIT {BATCH}"
        )
        async with self._db.read() as conn:
            found = await conn.execute(asked, {f"k{n}": value for n, value in enumerate(after or ())})
            return [tuple(row) for row in found]

    async def _write(self, column: SealedColumn, fresh: Sequence[tuple[str, str, Sequence[Any]]]) -> int:
        """Only where the old value still stands: what the bot wrote meanwhile is under the newest key already."""
        if not fresh:
            return 0
        same = " AND ".join(f"{name} = :k{n}" for n, name in enumerate(column.key))
        change = text(
            f"UPDATE {column.place} SET {column.name} = {column.replaced} WHERE {same} AND {column.value} = :old"  # noqa: S608  # nosec B608
        )
        async with self._db.transaction() as tx:
            written = 0
            for old, new, key in fresh:
                values = {"old": old, "new": new} | {f"k{n}": value for n, value in enumerate(key)}
                written += (await tx.conn.execute(change, values)).rowcount
        return written
