"""The rows of the effects: every statement over core.effects, and the shape of a stored answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from viralcore.core import outbox
from viralcore.core.db import Tx, raw_connection
from viralcore.core.effects import Outcome, Refused, Succeeded, Unknown
from viralcore.core.errors import NotFound

BATCH = 200

# Every effect begins with these two: straight to psycopg, and for all that are asked for at the same moment.
READ = b"""
SELECT e.id, e.gen, kind, key, payload, sealed, state, attempts, answer, record_failures, correlation_id
FROM core.effects e JOIN unnest($1::bigint[], $2::integer[]) AS asked (id, gen) ON e.id = asked.id AND e.gen = asked.gen
WHERE state IN ('queued', 'answered') AND due IS NULL
"""
CLAIM = b"""
UPDATE core.effects e SET state = 'calling', attempts = attempts + 1, claimed_by = $3
FROM unnest($1::bigint[], $2::integer[]) AS asked (id, gen)
WHERE e.id = asked.id AND e.gen = asked.gen AND e.state = 'queued' AND e.due IS NULL
RETURNING e.id, e.gen, e.attempts
"""
RECORD_SET = """
UPDATE core.effects e
SET state = said.state, answer = said.answer, error = said.error, finished_at = $6, claimed_by = NULL
FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::jsonb[], $5::text[]) AS said (id, gen, state, answer, error)
WHERE e.id = said.id AND e.gen = said.gen AND (e.state = 'answered' OR (e.state = 'calling' AND e.claimed_by = $7))
RETURNING e.id
"""
POSTPONE = text("""
UPDATE core.effects SET state = 'queued', due = :due, attempts = :attempts, error = :error, claimed_by = NULL
WHERE id = :id AND gen = :gen AND (state = 'queued' OR (state = 'calling' AND claimed_by = :worker))
""")
RECORD = text("""
UPDATE core.effects
SET state = :state, answer = :answer, error = :error, finished_at = :now, claimed_by = NULL
WHERE id = :id AND gen = :gen AND (state = 'answered' OR (state = 'calling' AND claimed_by = :worker))
""").bindparams(bindparam("answer", type_=JSONB))
ANSWERED = text("""
UPDATE core.effects
SET state = :state, answer = :answer, due = :due, error = :error, claimed_by = NULL,
    record_failures = record_failures + 1
WHERE id = :id AND gen = :gen AND (state = 'answered' OR (state = 'calling' AND claimed_by = :worker))
""").bindparams(bindparam("answer", type_=JSONB))
HOLD = text("""
UPDATE core.effects SET state = 'held', error = :error
WHERE id = :id AND gen = :gen AND state IN ('queued', 'answered')
""")
RELEASE = text(f"""
WITH ready AS (
    SELECT id FROM core.effects
    WHERE state IN ('queued', 'answered') AND due <= :now ORDER BY due LIMIT {BATCH} FOR UPDATE SKIP LOCKED
)
UPDATE core.effects e SET due = NULL, gen = gen + 1 FROM ready WHERE e.id = ready.id RETURNING e.id, e.kind, e.gen
""")  # noqa: S608  # nosec B608 # a constant
STRANDED = text(f"""
WITH lost AS (
    SELECT id FROM core.effects e
    WHERE state IN ('queued', 'answered') AND due IS NULL AND NOT EXISTS (
        SELECT 1 FROM queue.pgqueuer q
        WHERE q.dedupe_key = 'e:' || e.id || ':' || e.gen AND q.status IN ('queued', 'picked')
    )
    LIMIT {BATCH} FOR UPDATE SKIP LOCKED
)
UPDATE core.effects e SET gen = gen + 1 FROM lost WHERE e.id = lost.id RETURNING e.id, e.kind, e.gen
""")  # noqa: S608  # nosec B608 # a constant
ABANDONED = text(f"""
SELECT id, kind, gen, attempts FROM core.effects
WHERE state = 'calling' AND (claimed_by <> ALL(CAST(:living AS uuid[])) OR claimed_by = CAST(:me AS uuid))
    AND id <> ALL(CAST(:in_flight AS bigint[]))
ORDER BY id LIMIT {BATCH} FOR UPDATE SKIP LOCKED
""")  # noqa: S608  # nosec B608 # a constant
AGAIN = text("""
UPDATE core.effects SET state = 'queued', due = :due, gen = gen + 1, error = 'crashed', claimed_by = NULL WHERE id = :id
""")
CRASHED = text("""
UPDATE core.effects
SET state = 'answered', due = NULL, gen = gen + 1, answer = :answer, error = 'crashed', claimed_by = NULL
WHERE id = :id
""").bindparams(bindparam("answer", type_=JSONB))
JOBS_BACK = text("""
UPDATE queue.pgqueuer
SET status = 'queued', queue_manager_id = NULL, slot = NULL, execute_after = now(), updated = now()
WHERE status = 'picked' AND queue_manager_id <> ALL(CAST(:living AS uuid[]))
""")
RETRY = text("""
UPDATE core.effects
SET state = CASE WHEN answer IS NULL THEN 'queued' ELSE 'answered' END, due = NULL, gen = gen + 1, record_failures = 0
WHERE id = :id AND state = 'held' RETURNING kind, gen
""")
BACKLOG = text("""
SELECT count(*) FROM core.effects
WHERE state IN ('queued', 'calling', 'answered') AND (due IS NULL OR due <= :now)
""")
NEXT = text("SELECT min(due) FROM core.effects WHERE state IN ('queued', 'calling', 'answered')")


async def retry(tx: Tx, effect_id: int) -> None:
    """Let a held effect go on, with the caller's transaction. Raises NotFound.

    It never repeats a call whose outcome nobody knows: an effect is held either with its answer, which is then only
    recorded again, or before a call of this round was claimed. One that fell silent is ``unknown``, not held.
    """
    row = (await tx.conn.execute(RETRY, {"id": effect_id})).one_or_none()
    if row is None:
        raise NotFound(what="effect")
    jobs = [outbox.effect_job(effect_id, row.kind, row.gen)]
    await outbox.enqueue(await raw_connection(tx.conn), jobs)


class Found(NamedTuple):
    """A row of READ."""

    kind: str
    key: str
    payload: dict[str, Any] | None
    sealed: str | None
    state: str
    attempts: int
    answer: dict[str, Any] | None
    record_failures: int
    correlation_id: str


_STATES: dict[type[Any], str] = {Succeeded: "succeeded", Refused: "refused", Unknown: "unknown"}


def state_of(outcome: Outcome) -> str:
    """The final state an outcome puts the row in."""
    return _STATES[type(outcome)]


def reason_of(outcome: Outcome) -> str:
    """The machine word for why; empty for a success."""
    return "" if isinstance(outcome, Succeeded) else outcome.reason


def pack(outcome: Outcome, cipher: outbox.Cipher | None) -> dict[str, Any]:
    """An outcome as it is stored. With a cipher (a secret effect) its data is sealed. Never fails on odd data."""
    body: dict[str, Any] = {"outcome": state_of(outcome), "reason": reason_of(outcome)}
    data = json.loads(json.dumps(outcome.data, default=str))
    if cipher is None:
        return {**body, "data": data}
    return {**body, "sealed": cipher.encrypt(outbox.dumps(data))}


def unpack(answer: Mapping[str, Any], cipher: outbox.Cipher | None) -> Outcome:
    """A stored outcome back; the opposite of `pack`."""
    data = answer.get("data")
    if data is None:
        data = open_sealed(cipher, answer["sealed"]) if "sealed" in answer else {}
    if answer["outcome"] == "succeeded":
        return Succeeded(data)
    return Refused(answer["reason"], data) if answer["outcome"] == "refused" else Unknown(answer["reason"], data)


def open_sealed(cipher: outbox.Cipher | None, sealed: str) -> dict[str, Any]:
    """A sealed body. Raises RuntimeError without a cipher, or the cipher's own error."""
    if cipher is None:
        raise RuntimeError("a secret effect needs the cipher (ENCRYPTION_KEYS)")
    body: dict[str, Any] = json.loads(cipher.decrypt(sealed))
    return body
