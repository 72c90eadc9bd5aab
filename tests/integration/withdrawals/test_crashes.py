"""The process dies between any two statements of a withdrawal's life, and then lives: the money is right."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.withdrawals.counter import OWNER, Counter
from viralcore.core.money import usd

Step = Callable[[], Awaitable[Any]]


class Died(BaseException):
    """Nothing in the product catches it."""


def dying_at(which: int) -> Callable[..., Awaitable[Any]]:
    """Stands for `AsyncConnection.execute`: dies before the statement with this number."""
    whole, calls = AsyncConnection.execute, 0

    async def execute(self: Any, *args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += any(word in str(args[0]) for word in ("withdrawals", "ledger", "core."))
        if calls == which:
            raise Died
        return await whole(self, *args, **named)

    return execute


async def die_and_live(counter: Counter, monkeypatch: pytest.MonkeyPatch, step: Step) -> int:
    """Die before each statement in turn: nothing of it stands. Then live. Returns how often it died."""
    before, died = await seen(counter), 0
    while True:
        with monkeypatch.context() as patched:
            patched.setattr(AsyncConnection, "execute", dying_at(died + 1))
            try:
                await step()
            except Died:
                died += 1
            else:
                return died
        assert await seen(counter) == before, f"died at {died}"


async def seen(counter: Counter) -> dict[str, Any]:
    found: dict[str, Any] = {"balance": await counter.balance(7), "payout": await counter.house("payout")}
    async with counter.db.read() as conn:
        for table in ("requests", "attempts", "approvals", "checks"):
            rows = await conn.execute(text(f"SELECT t::text FROM withdrawals.{table} t ORDER BY 1"))
            found[table] = [row[0] for row in rows]
        found["effects"] = (await conn.execute(text("SELECT count(*) FROM core.effects"))).scalar_one()
        found["events"] = (await conn.execute(text("SELECT count(*) FROM core.events"))).scalar_one()
    return found


async def test_every_decision_is_whole_or_nothing(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    user = await counter.rich(7)
    check = await counter.check(user, usd(20))

    async def request() -> None:
        await counter.door.request(key="r", user_id=user, check_id=check.id)

    assert await die_and_live(counter, monkeypatch, request) >= 15
    (view,) = await counter.door.history(user_id=user)

    async def approve() -> None:
        await counter.parts.deciding.approve(key="a", actor=OWNER, withdrawal_id=view.id)

    assert await die_and_live(counter, monkeypatch, approve) >= 10
    await counter.work()
    counter.payouts.decide(f"vc-w{view.id}-a1", "successful")
    async with counter.db.read() as conn:
        number = (await conn.execute(text("SELECT id FROM withdrawals.attempts"))).scalar_one()
    records = await counter.payouts.by_reference(f"vc-w{view.id}-a1")

    async def settle() -> None:
        await counter.parts.settling.heard(number, records)

    assert await die_and_live(counter, monkeypatch, settle) >= 6
    assert await counter.state(view) == "completed"
    await counter.sound()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("news", ["none", "webhook"])
async def test_dying_around_the_call_pays_once(counter: Counter, when: str, news: str) -> None:
    """Between claim and call, and between call and record: nobody knows whether it was sent, and it is asked about."""
    request = await counter.ask(await counter.rich(7))
    await counter.approve(request)
    name = f"vc-w{request.id}-a1"
    arrived, never = asyncio.Event(), asyncio.Event()

    async def wait(at: str, reference: str) -> None:
        if at == when:
            arrived.set()
            await never.wait()

    whole, counter.payouts.wait = counter.payouts.wait, wait
    ((number, gen),) = await counter.runnable()
    task = asyncio.ensure_future(counter.runner.run(number, gen))
    await arrived.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    counter.payouts.wait = whole
    await counter.restart()
    assert len(counter.payouts.book) == (when == "after")
    if news == "webhook" and when == "after":
        counter.payouts.decide(name, "successful")
        await counter.told(name)
        assert await counter.state(request) == "completed"
    for _ in range(5):
        await counter.pass_time(310)
    if name in counter.payouts.book:
        counter.payouts.decide(name, "successful")
        await counter.told(name)
    assert (await counter.state(request), counter.payouts.sent.count(name)) == ("completed", 1)
    await counter.sound()


async def test_dying_before_the_outcome_is_recorded(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer was heard and the process dies in every statement of recording it."""
    request = await counter.ask(await counter.rich(7))
    await counter.approve(request)
    name, died = f"vc-w{request.id}-a1", 0
    for which in range(1, 40):
        ready = await counter.runnable()
        if not ready:
            break
        with monkeypatch.context() as patched:
            patched.setattr(AsyncConnection, "execute", dying_at(which))
            try:
                await asyncio.gather(*(counter.runner.run(number, gen) for number, gen in ready))
            except Died:
                died += 1
        await counter.restart()
        counter.clock.advance(601)
        await counter.runner.release_due()
    for _ in range(3):
        await counter.pass_time(601)
    assert died >= 3
    assert counter.payouts.sent.count(name) == 1
    counter.payouts.decide(name, "successful")
    await counter.told(name)
    assert await counter.state(request) == "completed"
    await counter.sound()
