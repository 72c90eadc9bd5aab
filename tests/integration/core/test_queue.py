"""The engine through losses: of the database, of a worker process, and of patience."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.clock import FakeClock
from tests.support.database import Cluster
from tests.support.queueing import ScriptedKind, settled, until
from viralcore.core.clock import SystemClock
from viralcore.core.db import Database
from viralcore.core.effects import Succeeded, Unknown
from viralcore.core.embedded import EmbeddedPostgres
from viralcore.core.nursery import Nursery
from viralcore.core.queue import QueueEngine
from viralcore.core.registry import Registry

ROOT = Path(__file__).resolve().parents[3]

WORKER = """
import asyncio, sys
from tests.support.queueing import ScriptedKind
from viralcore.core.clock import SystemClock
from viralcore.core.db import Database
from viralcore.core.nursery import Nursery
from viralcore.core.queue import QueueEngine
from viralcore.core.registry import Registry

async def hang():
    print("calling", flush=True)
    await asyncio.sleep(600)

async def main():
    registry = Registry()
    registry.add_kinds(ScriptedKind(silence=sys.argv[2], max_attempts=int(sys.argv[3]), before=hang))
    database = Database(sys.argv[1], SystemClock(), registry)
    await QueueEngine(database, Nursery()).start()
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A server that the test may take down."""
    server = EmbeddedPostgres(tmp_path, durable=False, tuning={"shared_buffers": "32MB"})
    try:
        yield Cluster(server, server.start())
    finally:
        server.stop()
        server.wipe()


async def _store(database: Database, *keys: str) -> None:
    async with database.transaction() as tx:
        for key in keys:
            tx.effect(kind="test.call", key=key, payload={})


async def _states(database: Database) -> list[str]:
    async with database.read() as conn:
        return list((await conn.execute(text("SELECT state FROM core.effects ORDER BY id"))).scalars())


@pytest.mark.parametrize(("silence", "attempts", "state"), [("once", 1, "unknown"), ("repeat", 3, "succeeded")])
async def test_a_killed_worker_is_found_dead_at_once(
    database: Database,
    database_url: str,
    registry: Registry,
    engine: QueueEngine,
    silence: Any,
    attempts: int,
    state: str,
) -> None:
    kind = ScriptedKind(silence=silence, max_attempts=attempts)
    registry.add_kinds(kind)
    await _store(database, "k1")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WORKER, database_url, silence, str(attempts)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            while await process.stdout.readline() != b"calling\n":
                assert process.returncode is None
        await engine.start()
        await engine.ready()
        await engine.recover()
        assert await _states(database) == ["calling"]  # alive: left alone
    finally:
        process.kill()
        await process.wait()

    async def recovered() -> bool:
        await engine.recover()
        return await _states(database) == [state]

    await until(recovered, 5)
    assert len(kind.calls) == (0 if silence == "once" else 1)
    assert kind.outcomes == ([Unknown("crashed")] if silence == "once" else [Succeeded({"ok": True})])
    async with database.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM core.workers"))).scalar_one() == 1


async def test_a_restart_of_postgres_is_survived(own_cluster: Cluster, nursery: Nursery) -> None:
    registry = Registry()
    release = asyncio.Event()
    kind = ScriptedKind(silence="once", max_attempts=1, parallelism=2)

    async def wait() -> None:
        if len(kind.calls) == 1:
            await release.wait()

    kind.before = wait
    registry.add_kinds(kind)
    database = Database(own_cluster.clone(), SystemClock(), registry)
    engine = QueueEngine(database, nursery)
    await engine.start()
    await _store(database, "k1")

    async def calling() -> bool:
        return bool(kind.calls)

    await until(calling)
    await asyncio.to_thread(own_cluster.server.kill)
    release.set()  # the answer of the first call arrives while there is nobody to tell
    await asyncio.sleep(0.2)
    await asyncio.to_thread(own_cluster.server.start)

    async def stored() -> bool:
        try:
            await _store(database, "k2")
        except Exception:
            return False
        return True

    await until(stored)
    await settled(engine)
    assert await _states(database) == ["succeeded", "succeeded"]
    assert len(kind.calls) == 2
    await engine.stop()
    await database.stop()


async def test_a_graceful_stop_lets_what_runs_finish(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    release = asyncio.Event()

    async def wait() -> None:
        await release.wait()

    kind = ScriptedKind(silence="once", max_attempts=1, parallelism=1, before=wait)
    registry.add_kinds(kind)
    await engine.start()
    await _store(database, "k1", "k2")

    async def calling() -> bool:
        return bool(kind.calls)

    await until(calling)
    stopping = asyncio.ensure_future(engine.stop(timeout=30))
    await asyncio.sleep(0.05)
    release.set()
    await stopping
    assert await _states(database) == ["succeeded", "queued"]


async def test_a_stop_with_no_patience_left_hands_back(
    database: Database, registry: Registry, engine: QueueEngine, nursery: Nursery, clock: FakeClock
) -> None:
    """What may be done again waits for its time; nobody has to find out first that we are gone."""
    kind = ScriptedKind(before=lambda: asyncio.sleep(600))
    registry.add_kinds(kind)
    await engine.start()
    await _store(database, "k1")

    async def calling() -> bool:
        return bool(kind.calls)

    await until(calling)
    await engine.stop(timeout=0.1)
    assert await _states(database) == ["queued"]
    assert kind.outcomes == []
    kind.before = None
    due = await engine.next_due()
    assert due is not None
    clock.set(due)
    heir = QueueEngine(database, nursery)
    await heir.start()
    await heir.release_due()
    await settled(heir)
    assert kind.outcomes == [Succeeded({"ok": True})]
    await heir.stop()


async def test_a_stop_in_a_call_that_is_never_repeated_is_known_as_unknown_at_once(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    kind = ScriptedKind(silence="once", max_attempts=1, before=lambda: asyncio.sleep(600))
    registry.add_kinds(kind)
    await engine.start()
    await _store(database, "k1")

    async def calling() -> bool:
        return bool(kind.calls)

    await until(calling)
    await engine.stop(timeout=0.1)
    assert await _states(database) == ["unknown"]
    assert kind.outcomes == [Unknown("stopped")]


async def test_a_stop_between_the_answer_and_the_slot_keeps_the_answer(
    database: Database, registry: Registry, engine: QueueEngine
) -> None:
    class Narrow(ScriptedKind):
        @asynccontextmanager
        async def slot(self, payload: Mapping[str, Any]) -> AsyncIterator[None]:
            yield
            await asyncio.sleep(600)

    kind = Narrow(silence="once", max_attempts=1)
    registry.add_kinds(kind)
    await engine.start()
    await _store(database, "k1")

    async def answered() -> bool:
        return bool(kind.calls)

    await until(answered)
    await engine.stop(timeout=0.1)
    assert await _states(database) == ["succeeded"]
    assert kind.outcomes == [Succeeded({"ok": True})]


async def test_jobs_for_the_scheduler(engine: QueueEngine, registry: Registry, clock: FakeClock) -> None:
    for job in engine.jobs:
        await job.run()
        assert job.next_due is None or await job.next_due() is None


def test_the_server_dies_with_its_owner(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib; from viralcore.core.embedded import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(pathlib.Path(sys.argv[1]), durable=False); server.start()\n"
        "print(server.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)

    async def gone() -> bool:
        return not Path(f"/proc/{pid}").exists()

    asyncio.run(until(gone, 20))
    server = EmbeddedPostgres(tmp_path, durable=False)
    server.start()
    assert server.pid is not None
    assert server.pid != pid
    os.kill(server.pid, 0)
    server.stop()
    server.wipe()
