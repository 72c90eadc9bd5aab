"""Changing over to a new key: every module's sealed values, in batches, broken off and repeated, while rows change."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.clock import FakeClock
from viralcore.core import rekey
from viralcore.core.crypto import Cipher, Undecryptable, new_key
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.core.rekey import Rekey, Step

FINGERPRINT = "a-fingerprint-key-of-ours"
OLD, NEW = new_key(), new_key()
BOTH, ONLY_NEW, ONLY_OLD = (Cipher(keys, FINGERPRINT) for keys in ([NEW, OLD], [NEW], [OLD]))
ROWS = 7


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    db = Database(database_url, FakeClock(), Registry(), role=None)
    await db.start()
    yield db
    await db.stop()


async def fill(db: Database) -> None:
    """Values under the old key in every place there is, and some that hold nothing."""
    async with db.transaction() as tx:
        await tx.conn.execute(text("CREATE TABLE users.two_keys (a int, b text, code_sealed text, PRIMARY KEY (a, b))"))
        for n in range(ROWS):
            secret = {"secret": ONLY_OLD.encrypt(f"value {n}"), "n": n, "now": tx.now}
            await tx.conn.execute(
                text(
                    "INSERT INTO payments.webhooks (external_id, event, kind, reference, sealed, received_at) "
                    "VALUES (:n, 'e', 'other', '', :secret, :now)"
                ),
                secret | {"n": str(n)},
            )
            answer = (
                json.dumps({"kind": "ok", "sealed": ONLY_OLD.encrypt(f"answer {n}")}) if n % 2 else '{"kind": "ok"}'
            )
            await tx.conn.execute(
                text(
                    "INSERT INTO core.effects (kind, key, sealed, answer, state, attempts, created_at, gen) "
                    "VALUES ('k', :n, :secret, CAST(:answer AS jsonb), 'succeeded', 1, :now, 1)"
                ),
                secret | {"n": str(n), "secret": secret["secret"] if n else "", "answer": answer},
            )
            await tx.conn.execute(text("INSERT INTO users.two_keys VALUES (:n % 2, CAST(:n AS text), :secret)"), secret)


async def values(db: Database) -> list[str]:
    async with db.read() as conn:
        found = await conn.execute(
            text(
                "SELECT sealed FROM payments.webhooks UNION ALL SELECT sealed FROM core.effects WHERE sealed <> '' "
                "UNION ALL SELECT answer ->> 'sealed' FROM core.effects WHERE answer ? 'sealed' "
                "UNION ALL SELECT code_sealed FROM users.two_keys"
            )
        )
        return [row[0] for row in found]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rekey, "BATCH", 3)


async def test_afterwards_the_old_key_is_not_needed(db: Database) -> None:
    await fill(db)
    told: list[Step] = []
    steps = await Rekey(db, BOTH, told.append).run()
    done = {step.column: (step.seen, step.changed, step.lost) for step in steps}
    assert done["payments.webhooks.sealed"] == (ROWS, ROWS, 0)
    assert done["core.effects.sealed"] == (ROWS - 1, ROWS - 1, 0)
    assert done["core.effects.answer"] == (3, 3, 0)
    assert done["users.two_keys.code_sealed"] == (ROWS, ROWS, 0)
    assert [step.seen for step in told if step.column == "payments.webhooks.sealed"] == [3, 6, 7]
    opened = sorted(ONLY_NEW.decrypt(value) for value in await values(db))
    wanted = [f"value {n}" for n in range(ROWS)] * 3 + ["answer 1", "answer 3", "answer 5"]
    wanted.remove("value 0")  # an effect whose body was emptied
    assert opened == sorted(wanted)
    for value in await values(db):
        with pytest.raises(Undecryptable):
            ONLY_OLD.decrypt(value)
    async with db.read() as conn:
        kept = (await conn.execute(text("SELECT answer FROM core.effects ORDER BY id"))).scalars().all()
    assert all(answer["kind"] == "ok" for answer in kept)


async def test_a_run_that_was_broken_off_goes_on_where_it_was(db: Database) -> None:
    await fill(db)

    def stop(step: Step) -> None:
        if step.seen == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await Rekey(db, BOTH, stop).run()
    half = await values(db)
    assert 0 < sum(ONLY_NEW.is_newest(value) for value in half) < len(half)
    before = [value for value in half if ONLY_NEW.is_newest(value)]
    steps = await Rekey(db, BOTH, lambda _: None).run()
    after = await values(db)
    assert all(ONLY_NEW.is_newest(value) for value in after)
    assert set(before) <= set(after)  # what was done is not done again
    assert sum(step.changed for step in steps) == len(half) - len(before)
    again = await Rekey(db, ONLY_NEW, lambda _: None).run()
    assert sum(step.changed + step.lost for step in again) == 0


async def test_what_changes_meanwhile_is_not_overwritten(db: Database) -> None:
    await fill(db)
    running = Rekey(db, BOTH, lambda _: None)
    write = running._write

    async def late(column: Any, fresh: Any) -> int:
        if column.place == "payments.webhooks" and any(key == [1] for _, _, key in fresh):
            async with db.transaction() as tx:
                await tx.conn.execute(
                    text("UPDATE payments.webhooks SET sealed = :new WHERE id = 1"), {"new": ONLY_OLD.encrypt("newer")}
                )
            running._write = write  # type: ignore[method-assign]
        return await write(column, fresh)

    running._write = late  # type: ignore[method-assign]
    await running.run()
    async with db.read() as conn:
        value = (await conn.execute(text("SELECT sealed FROM payments.webhooks WHERE id = 1"))).scalar_one()
    assert ONLY_NEW.decrypt(value) == "newer"


async def test_what_no_key_opens_is_left_and_counted(db: Database) -> None:
    await fill(db)
    steps = await Rekey(db, ONLY_NEW, lambda _: None).run()
    assert sum(step.lost for step in steps) == len(await values(db))
    assert sum(step.changed for step in steps) == 0
    assert all(ONLY_OLD.is_newest(value) for value in await values(db))


async def test_the_convention_is_kept_by_every_table(db: Database) -> None:
    """Who seals something puts it into a column that is found."""
    asked = """
    SELECT table_schema || '.' || table_name || '.' || column_name AS place FROM information_schema.columns
    WHERE column_name ~ '(cipher|crypt|secret)' AND table_schema NOT IN ('pg_catalog', 'information_schema')
    """
    async with db.read() as conn:
        assert [row.place for row in await conn.execute(text(asked))] == []
    assert {"core.effects.sealed", "payments.webhooks.sealed"} <= {
        str(column) for column in await Rekey(db, BOTH, lambda _: None).columns()
    }
