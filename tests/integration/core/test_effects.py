"""Effects: claim, call, record, and every way in which the outside or the process can go silent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from tests.support.clock import FakeClock
from tests.support.queueing import ScriptedKind, settled, until
from viralcore.core.crypto import Cipher
from viralcore.core.db import Database, Tx, assert_no_transaction
from viralcore.core.effects import Later, Refused, Said, Succeeded, Unknown
from viralcore.core.held import HeldQueues
from viralcore.core.nursery import Nursery
from viralcore.core.queue import QueueEngine
from viralcore.core.registry import Registry


class Killed(BaseException):
    """Stands for a kill -9: nothing after it runs."""


async def _store(database: Database, key: str = "k1", **more: Any) -> None:
    async with database.transaction() as tx:
        tx.effect(kind="test.call", key=key, payload={"to": "outside"}, ref="order:1", **more)


async def _row(database: Database) -> Any:
    async with database.read() as conn:
        return (await conn.execute(text("SELECT * FROM core.effects"))).one()


async def _turn(engine: QueueEngine, clock: FakeClock) -> float:
    """Turn the clock to the next due moment; returns by how much."""
    due = await engine.next_due()
    assert due is not None
    seconds = (due - clock.now()).total_seconds()
    clock.set(due)
    await engine.release_due()
    await settled(engine)
    return seconds


async def test_an_effect_is_called_outside_any_transaction_and_recorded(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    kind = ScriptedKind()

    async def look() -> None:
        assert_no_transaction("the call")
        assert (await _row(database)).state == "calling"

    kind.before = look
    registry.add_kinds(kind)
    await engine.start()
    await _store(database)
    await _store(database)  # the same key: left alone
    await settled(engine)
    (call,) = kind.calls
    assert (call.key, call.attempt, dict(call.payload)) == ("k1", 1, {"to": "outside"})
    assert kind.outcomes == [Succeeded({"ok": True})]
    row = await _row(database)
    assert (row.state, row.answer["data"], row.ref) == ("succeeded", {"ok": True}, "order:1")


async def test_an_unknown_kind_is_refused_when_it_is_stored(database: Database) -> None:
    with pytest.raises(ValueError):
        await _store(database)


async def test_a_future_effect_waits_for_its_business_moment(
    database: Database, registry: Registry, engine: QueueEngine, clock: FakeClock
) -> None:
    kind = ScriptedKind()
    registry.add_kinds(kind)
    woken: list[int] = []
    database.on_due = lambda: woken.append(1)
    await engine.start()
    await _store(database, due=clock.advance(0).replace(hour=23))
    assert woken == [1]
    await engine.release_due()
    await settled(engine)
    assert kind.calls == []
    assert await _turn(engine, clock) > 3600
    assert len(kind.calls) == 1


@pytest.mark.parametrize("silence", ["once", "keyed", "repeat"])
async def test_a_refusal_is_final_for_every_kind(
    database: Database, registry: Registry, engine: QueueEngine, silence: Any
) -> None:
    kind = ScriptedKind(silence=silence, answers=[Refused("no_funds")])
    registry.add_kinds(kind)
    await engine.start()
    await _store(database)
    await settled(engine)
    assert kind.outcomes == [Refused("no_funds")]
    assert len(kind.calls) == 1
    assert await engine.next_due() is None


@pytest.mark.parametrize("answer", [RuntimeError("reset"), Unknown("timeout")])
async def test_once_is_never_sent_again_after_silence(
    database: Database, registry: Registry, engine: QueueEngine, answer: Any
) -> None:
    kind = ScriptedKind(silence="once", max_attempts=1, answers=[answer])
    registry.add_kinds(kind)
    await engine.start()
    await _store(database)
    await settled(engine)
    assert len(kind.calls) == 1
    assert [type(one) for one in kind.outcomes] == [Unknown]
    assert (await _row(database)).state == "unknown"


async def test_repeat_comes_again_with_growing_delays_and_then_gives_up(
    database: Database, registry: Registry, engine: QueueEngine, clock: FakeClock
) -> None:
    kind = ScriptedKind(answers=[RuntimeError("down")])
    registry.add_kinds(kind)
    await engine.start()
    await _store(database)
    await settled(engine)
    waits = [await _turn(engine, clock), await _turn(engine, clock)]
    assert waits == sorted(waits)
    assert [call.attempt for call in kind.calls] == [1, 2, 3]
    assert kind.outcomes == [Refused("gave_up", {"last": "RuntimeError"})]


async def test_keyed_is_asked_again_with_the_same_key_after_ten_minutes(
    database: Database, registry: Registry, engine: QueueEngine, clock: FakeClock
) -> None:
    kind = ScriptedKind(
        silence="keyed", max_attempts=5, answers=[RuntimeError("timeout"), Unknown("asked"), Succeeded()]
    )
    registry.add_kinds(kind)
    await engine.start()
    await _store(database)
    await settled(engine)
    assert [await _turn(engine, clock), await _turn(engine, clock)] == [600, 600]
    assert {call.key for call in kind.calls} == {"k1"}
    assert [call.attempt for call in kind.calls] == [1, 2, 3]
    assert kind.outcomes == [Succeeded()]


async def test_later_is_not_an_attempt_unless_it_says_so(
    database: Database, registry: Registry, engine: QueueEngine, clock: FakeClock
) -> None:
    kind = ScriptedKind(max_attempts=2, answers=[Later(30), Later(40), Later(50, counts=True), Later(60, "busy", True)])
    registry.add_kinds(kind)
    await engine.start()
    await _store(database)
    await settled(engine)
    assert [await _turn(engine, clock) for _ in range(3)] == [30, 40, 50]
    assert [call.attempt for call in kind.calls] == [1, 1, 1, 2]
    assert kind.outcomes == [Refused("gave_up", {"last": "busy"})]


async def test_a_refused_slot_sends_nothing_and_costs_no_attempt(
    database: Database, registry: Registry, engine: QueueEngine, clock: FakeClock
) -> None:
    class Closed(ScriptedKind):
        refusals = 1

        @asynccontextmanager
        async def slot(self, payload: Any) -> Any:
            if self.refusals:
                self.refusals -= 1
                raise ConnectionRefusedError
            assert (await _row(database)).state == "queued"
            yield

    kind = Closed(silence="once", max_attempts=1)
    registry.add_kinds(kind)
    await engine.start()
    await _store(database)
    await settled(engine)
    assert kind.calls == []
    await _turn(engine, clock)
    assert [call.attempt for call in kind.calls] == [1]


async def test_an_answer_survives_a_failing_outcome(
    database: Database, registry: Registry, engine: QueueEngine, clock: FakeClock
) -> None:
    kind = ScriptedKind(silence="once", max_attempts=1, answers=[Succeeded({"order": 5})])
    kind.outcome_errors = [LookupError("bug")] * 5
    registry.add_kinds(kind)
    await engine.start()
    await _store(database)
    await settled(engine)
    for _ in range(4):
        await _turn(engine, clock)
    queues = HeldQueues(database)
    (held,) = await queues.page(limit=20, offset=0)
    assert (held.queue, held.answered, held.error) == ("effect", True, "LookupError: bug")
    async with database.transaction() as tx:
        await queues.retry(tx, held)
    await settled(engine)
    assert len(kind.calls) == 1
    assert kind.outcomes == [Succeeded({"order": 5})]


@dataclass
class SetOfCalls(ScriptedKind):
    """Takes last words in sets; fails every set that holds a key in `spoilt`."""

    spoilt: set[str] = field(default_factory=set)
    sets: list[list[str]] = field(default_factory=list)

    async def on_outcomes(self, tx: Tx, said: Sequence[Said]) -> None:
        self.sets.append([one.call.key for one in said])
        if self.spoilt & set(self.sets[-1]):
            raise LookupError("bug")
        for one in said:
            await self.on_outcome(tx, one.call, one.outcome)


async def test_one_whose_consequences_fail_spoils_nobody_elses(
    database: Database, registry: Registry, engine: QueueEngine, clock: FakeClock
) -> None:
    kind = SetOfCalls(silence="once", max_attempts=1, parallelism=8, spoilt={"k3", "k5"})
    together = asyncio.Barrier(8)

    async def all_at_once() -> None:
        await together.wait()

    kind.before = all_at_once
    registry.add_kinds(kind)
    await engine.start()
    for number in range(8):
        await _store(database, f"k{number}")
    await settled(engine)
    # The first to end may go alone, as nobody else is there yet: so two of them are spoilt.
    assert any(len(one) > 1 and {"k3", "k5"} & set(one) for one in kind.sets), "they were not recorded as a set"
    assert ["k3"] in kind.sets
    assert ["k5"] in kind.sets
    assert len(kind.outcomes) == 6
    async with database.read() as conn:
        states = {row.key: row.state for row in await conn.execute(text("SELECT key, state FROM core.effects"))}
    assert states == {f"k{number}": "answered" if number in (3, 5) else "succeeded" for number in range(8)}
    kind.spoilt.clear()
    await _turn(engine, clock)
    assert len(kind.outcomes) == 8
    assert len(kind.calls) == 8


@pytest.mark.parametrize(
    ("silence", "calls", "outcomes"),
    [
        ("once", 1, [Unknown("crashed")]),
        ("repeat", 2, [Succeeded({"ok": True})]),
        ("keyed", 2, [Succeeded({"ok": True})]),
    ],
)
async def test_a_crash_during_the_call(
    database: Database,
    registry: Registry,
    engine: QueueEngine,
    nursery: Nursery,
    clock: FakeClock,
    silence: Any,
    calls: int,
    outcomes: list[Any],
) -> None:
    kind = ScriptedKind(
        silence=silence, max_attempts=1 if silence == "once" else 3, answers=[Killed(), Succeeded({"ok": True})]
    )
    registry.add_kinds(kind)
    await _store(database)
    dead = QueueEngine(database, nursery)
    with pytest.raises(Killed):
        await dead.effects.run((await _row(database)).id, 1)
    assert (await _row(database)).state == "calling"
    await engine.start()
    await settled(engine)
    if silence == "keyed":
        assert await _turn(engine, clock) == 600
    assert len(kind.calls) == calls
    assert kind.outcomes == outcomes
    await engine.recover()
    await settled(engine)
    assert len(kind.calls) == calls
    assert kind.outcomes == outcomes


class _SeenTooEarly(set[int]):
    """The calls under way, listed in the moment before one more begins."""

    def __iter__(self) -> Iterator[int]:
        return iter(())


async def test_a_call_that_begins_while_we_look_for_abandoned_ones_is_not_abandoned(
    database: Database, registry: Registry, engine: QueueEngine, nursery: Nursery
) -> None:
    kind = ScriptedKind(silence="once", max_attempts=1, answers=[Succeeded({"ok": True})])
    release = asyncio.Event()

    async def wait() -> None:
        await release.wait()

    kind.before = wait
    registry.add_kinds(kind)
    await _store(database)
    engine.effects._in_flight = _SeenTooEarly()
    task = nursery.start("call", engine.effects.run((await _row(database)).id, 1))

    async def calling() -> bool:
        return bool(kind.calls)

    await until(calling)
    assert await engine.effects.recover() == 0
    release.set()
    await task
    assert kind.outcomes == [Succeeded({"ok": True})]
    assert (await _row(database)).state == "succeeded"


async def test_an_answer_that_comes_after_we_were_taken_for_dead_changes_nothing(
    database: Database, registry: Registry, engine: QueueEngine, nursery: Nursery
) -> None:
    kind = ScriptedKind(silence="once", max_attempts=1)
    release = asyncio.Event()

    async def wait() -> None:
        await release.wait()

    kind.before = wait
    registry.add_kinds(kind)
    await _store(database)
    slow = QueueEngine(database, nursery)
    task = nursery.start("slow", slow.effects.run((await _row(database)).id, 1))

    async def calling() -> bool:
        return bool(kind.calls)

    await until(calling)
    await engine.start()  # never saw a lock of the slow one

    async def decided() -> bool:
        return str((await _row(database)).state) == "unknown"

    await until(decided)
    release.set()
    await task
    assert (await _row(database)).state == "unknown"
    assert kind.outcomes == [Unknown("crashed")]


async def test_no_more_than_its_parallelism_at_once(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    kind = ScriptedKind(parallelism=3, before=lambda: asyncio.sleep(0.01))
    registry.add_kinds(kind)
    for number in range(20):
        await _store(database, key=f"k{number}")
    await engine.start()
    await settled(engine)
    assert len(kind.calls) == 20
    assert 1 <= kind.most_at_once <= 3


async def test_a_secret_payload_is_sealed_at_rest_and_cleared_after_a_week(
    database: Database, registry: Registry, engine: QueueEngine, clock: FakeClock
) -> None:
    database.cipher = Cipher([Fernet.generate_key().decode()], "f" * 32)
    kind = ScriptedKind(answers=[Succeeded({"account": "0123456789"})])
    registry.add_kinds(kind)
    await _store(database, secret=True)
    row = await _row(database)
    assert row.payload is None
    assert "outside" not in row.sealed
    await engine.start()
    await settled(engine)
    assert dict(kind.calls[0].payload) == {"to": "outside"}
    row = await _row(database)
    assert "0123456789" not in str(row.answer)
    clock.advance(8 * 86400)
    await engine.purge()
    assert (await _row(database)).sealed == ""
