"""Who may say yes, once, and what staff do with money that is on its way."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.integration.withdrawals.counter import ACCOUNT, OWNER, SECOND, Counter
from tests.support.clock import FakeClock
from tests.support.withdrawals import settings
from viralcore.core.db import Database
from viralcore.core.errors import NotFound
from viralcore.core.money import ngn, usd
from viralcore.core.registry import Registry
from viralcore.users.api import NotAllowed, SessionExpired
from viralcore.withdrawals import api


async def test_never_your_own(counter: Counter) -> None:
    await counter.earn(OWNER, usd(100))
    request = await counter.ask(OWNER)
    with pytest.raises(api.OwnWithdrawal):
        await counter.approve(request)
    with pytest.raises(api.OwnWithdrawal):
        await counter.desk.reject(key="r", actor=OWNER, withdrawal_id=request.id, reason="x")
    await counter.approve(request, SECOND)


async def test_forged_presses_and_ended_sessions(counter: Counter) -> None:
    request = await counter.ask(await counter.rich(7))
    for call in (
        counter.desk.approve(key="a", actor=7, withdrawal_id=request.id),
        counter.desk.reject(key="b", actor=7, withdrawal_id=request.id, reason="x"),
        counter.desk.mark_paid(key="c", actor=7, withdrawal_id=request.id, reference="x"),
        counter.desk.pause(key="d", actor=7, paused=True, reason="x"),
        counter.desk.set_mode(key="e", actor=7, mode="manual", reason="x"),
    ):
        with pytest.raises(NotAllowed):
            await call
    assert (await counter.desk.card(withdrawal_id=request.id, actor=7)).account_number is None
    counter.clock.advance(3601)
    with pytest.raises(SessionExpired):
        await counter.approve(request)
    assert (await counter.desk.card(withdrawal_id=request.id, actor=OWNER)).account_number is None
    with pytest.raises(NotFound):
        await counter.desk.card(withdrawal_id=99)
    with pytest.raises(NotFound):
        await counter.desk.card(withdrawal_id=99, actor=OWNER)


async def test_the_full_number_is_for_who_decides_and_audited_once(counter: Counter) -> None:
    request = await counter.ask(await counter.rich(7))
    for _ in range(2):
        assert (await counter.desk.card(withdrawal_id=request.id, actor=OWNER)).account_number == ACCOUNT
    assert [row.actor for row in await counter.audited("withdrawals.reveal")] == [OWNER]


async def test_reject_with_a_reason(counter: Counter) -> None:
    request = await counter.ask(await counter.rich(7))
    with pytest.raises(api.ReasonMissing):
        await counter.desk.reject(key="r", actor=OWNER, withdrawal_id=request.id, reason="  ")
    card = await counter.desk.reject(key="r", actor=OWNER, withdrawal_id=request.id, reason=" not  you\x00 ")
    assert (card.request.state, card.request.reason, card.decided_by) == ("rejected", "not you", OWNER)
    assert await counter.balance(7) == (40_000, 0)
    (row,) = await counter.audited("withdrawals.reject")
    assert (row.before["state"], row.after["state"], row.reason) == ("pending", "rejected", "not you")
    with pytest.raises(api.WrongState):
        await counter.approve(request)


async def test_two_different_admins(counter: Counter) -> None:
    request = await counter.ask(await counter.rich(7), "250")
    await counter.approve(request)
    with pytest.raises(api.SecondApprover) as refusal:
        await counter.approve(request)
    assert refusal.value.fields["again_at"] is None
    assert [(e["given"], e["needed"]) for e in await counter.events("approval_given")] == [(1, 2)]
    card = await counter.desk.card(withdrawal_id=request.id)
    assert ([one.actor for one in card.approved_by], card.waits_until) == ([OWNER], None)
    await counter.approve(request, SECOND)
    assert (await counter.see(request)).approved_at == counter.clock.now()


async def test_a_shop_with_one_approver(database: Database, clock: FakeClock, registry: Registry) -> None:
    config = settings(terms={"valid_hours": 48})
    counter = await Counter(database, clock, registry, config=config).open(staff=[OWNER])
    request = await counter.ask(await counter.rich(7), "250")
    await counter.approve(request)
    with pytest.raises(api.SecondApprover) as refusal:
        await counter.approve(request)
    tomorrow = clock.now() + timedelta(hours=24)
    assert refusal.value.fields["again_at"] == tomorrow
    assert (await counter.desk.card(withdrawal_id=request.id)).waits_until == tomorrow
    clock.advance(24 * 3600)
    await counter.users.open_session(key="s", actor=OWNER)
    await counter.approve(request)
    assert (await counter.see(request)).approvals == 2


async def test_sixty_four_at_once_are_one_decision(counter: Counter) -> None:
    request = await counter.ask(await counter.rich(7))
    for number in range(2000, 2006):
        await counter.person(number)
        await counter.users.grant_role(key=f"g{number}", actor=OWNER, user_id=number, role="finance", reason="x")
        await counter.users.open_session(key=f"s{number}", actor=number)
    done = await asyncio.gather(
        *(
            counter.desk.approve(key=f"a{n}", actor=2000 + n % 6, withdrawal_id=request.id)
            if n % 3
            else counter.desk.reject(key=f"a{n}", actor=2000 + n % 6, withdrawal_id=request.id, reason="no")
            for n in range(64)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(one, api.CardView) for one in done) == 1
    assert all(isinstance(one, api.CardView | api.WrongState) for one in done)
    decided = len(await counter.audited("withdrawals.approve")) + len(await counter.audited("withdrawals.reject"))
    assert decided == 1
    async with counter.db.read() as conn:
        attempts = (await conn.execute(text("SELECT count(*) FROM withdrawals.attempts"))).scalar_one()
    assert attempts == (await counter.state(request) == "processing")


async def test_paid_by_hand(counter: Counter) -> None:
    view = await counter.desk.set_mode(key="m", actor=OWNER, mode="manual", reason="provider is down")
    assert view.mode == "manual"
    request = await counter.sent(await counter.rich(7))
    assert (request.state, request.mode, counter.payouts.sent) == ("approved", "manual", [])
    assert [one.id for one in await counter.desk.queue(which="to_pay")] == [request.id]
    await counter.desk.set_mode(key="n", actor=OWNER, mode="automatic", reason="back")
    await counter.pass_time(60)
    assert await counter.state(request) == "approved"  # the mode at approval is stored
    with pytest.raises(api.ReasonMissing):
        await counter.desk.mark_paid(key="p", actor=SECOND, withdrawal_id=request.id, reference="")
    card = await counter.desk.mark_paid(key="p", actor=SECOND, withdrawal_id=request.id, reference="GTB 123")
    assert (card.request.state, card.request.reference, card.decided_by) == ("completed", "GTB 123", SECOND)
    again = await counter.desk.mark_paid(key="p", actor=SECOND, withdrawal_id=request.id, reference="GTB 123")
    assert again.request == card.request
    with pytest.raises(api.WrongState):
        await counter.desk.mark_paid(key="q", actor=SECOND, withdrawal_id=request.id, reference="GTB 124")
    assert (await counter.balance(7), await counter.house("payout")) == ((38_000, 0), 3_000_000)
    await counter.sound()


async def test_what_cannot_be_paid_by_hand_is_given_back(counter: Counter) -> None:
    await counter.desk.set_mode(key="m", actor=OWNER, mode="manual", reason="x")
    request = await counter.sent(await counter.rich(7))
    card = await counter.desk.mark_failed(key="f", actor=OWNER, withdrawal_id=request.id, reason="account closed")
    assert (card.request.state, card.request.reason, await counter.balance(7)) == ("failed", "by_hand", (40_000, 0))
    await counter.desk.set_mode(key="n", actor=OWNER, mode="automatic", reason="x")
    automatic = await counter.sent(await counter.rich(8), account="0690000033")
    with pytest.raises(api.WrongState):
        await counter.desk.mark_paid(key="p", actor=OWNER, withdrawal_id=automatic.id, reference="x")


async def test_automatic_ones_are_not_marked_paid(counter: Counter) -> None:
    await counter.desk.pause(key="p", actor=OWNER, paused=False, reason="x")
    async with counter.db.transaction() as tx:
        assert await counter.door.books.pause_automatic(tx, key="s1", reason="short of naira")
        assert not await counter.door.books.pause_automatic(tx, key="s2", reason="still short")
    request = await counter.ask(await counter.rich(7))
    await counter.approve(request)
    assert await counter.state(request) == "approved"
    with pytest.raises(api.WrongState):
        await counter.desk.mark_paid(key="m", actor=OWNER, withdrawal_id=request.id, reference="x")
    assert (await counter.desk.switches()).stop_reason == "short of naira"
    with pytest.raises(api.ReasonMissing):
        await counter.desk.lift_stop(key="l", actor=OWNER, reason="")
    with pytest.raises(NotAllowed):
        await counter.desk.lift_stop(key="l", actor=7, reason="x")
    await counter.desk.lift_stop(key="l", actor=OWNER, reason="filled up")
    await counter.work()
    assert len(counter.payouts.sent) == 1


async def test_a_shop_nobody_pays_for(database: Database, clock: FakeClock, registry: Registry) -> None:
    counter = await Counter(database, clock, registry, nobody_pays=True).open()
    assert (await counter.desk.switches()).mode == "manual"
    with pytest.raises(api.NoProvider):
        await counter.desk.set_mode(key="m", actor=OWNER, mode="automatic", reason="x")
    assert await counter.door.search_banks(text="access") != ()
    await counter.pass_time(60)
    assert await counter.parts.asking.next_poll() is None
    assert await counter.parts.asking.look(1) == "nobody pays"


async def test_the_provider_goes_away_after_an_approval(counter: Counter) -> None:
    counter.payouts.fault = lambda reference: "not_sent"
    request = await counter.sent(await counter.rich(7))
    check = await counter.check(await counter.rich(8), usd(20), account="0690000033", work=False)
    counter.nobody_pays = True
    await counter.restart()
    await counter.pass_time(61)
    assert await counter.state(request) == "processing"
    answered = await counter.door.get_check(user_id=8, check_id=check.id)
    assert (answered.state, answered.account_name) == ("ready", "")  # from now on it is paid by hand


async def test_an_unconfirmed_one_is_ended_by_staff(counter: Counter) -> None:
    counter.payouts.fault = lambda reference: "lost_unmade"
    one = await counter.sent(await counter.rich(7))
    two = await counter.sent(await counter.rich(8), account="0690000033")
    call = {"withdrawal_id": one.id, "actor": OWNER}
    with pytest.raises(api.ReasonMissing):
        await counter.desk.resolve(key="a", **call, decision="paid", reference="", reason="seen")  # type: ignore[arg-type]
    with pytest.raises(api.CannotGiveBack):
        await counter.desk.resolve(key="b", **call, decision="not_paid", reference="", reason="x")  # type: ignore[arg-type]
    card = await counter.desk.resolve(
        key="c", actor=OWNER, withdrawal_id=two.id, decision="paid", reference="BANK 7", reason="on the statement"
    )
    assert (card.request.state, card.request.reference) == ("completed", "BANK 7")
    counter.config = settings(sending={"resends": 0})
    await counter.restart()
    counter.payouts.fault = lambda reference: ""
    for _ in range(16):
        await counter.pass_time(6000)
    assert counter.payouts.sent == [f"vc-w{one.id}-a1", f"vc-w{two.id}-a1"]
    assert {event["what"] for event in await counter.events("payout_trouble")} == {"unconfirmed"}
    assert (await counter.desk.card(withdrawal_id=one.id)).can_give_back
    await counter.users.open_session(key="s", actor=OWNER)
    card = await counter.desk.resolve(
        key="d", actor=OWNER, withdrawal_id=one.id, decision="not_paid", reference="", reason="never arrived"
    )
    assert (card.request.state, card.request.reason) == ("failed", "by_hand")
    with pytest.raises(api.WrongState):
        await counter.desk.resolve(
            key="e", actor=OWNER, withdrawal_id=one.id, decision="paid", reference="x", reason="x"
        )
    await counter.pass_time(3600)
    assert len(counter.payouts.sent) == 2
    await counter.sound()


async def test_ask_now(counter: Counter) -> None:
    request = await counter.sent(await counter.rich(7))
    counter.payouts.decide(f"vc-w{request.id}-a1", "successful")
    await counter.desk.ask_now(key="n", actor=OWNER, withdrawal_id=request.id)
    await counter.work()
    assert await counter.state(request) == "completed"
    with pytest.raises(api.WrongState):
        await counter.desk.ask_now(key="m", actor=OWNER, withdrawal_id=request.id)


@pytest.mark.parametrize(("completed", "dollars", "by_itself"), [(2, "20", True), (3, "20", False), (2, "250", False)])
async def test_approved_by_itself(
    database: Database, clock: FakeClock, registry: Registry, completed: int, dollars: str, by_itself: bool
) -> None:
    config = settings(approval={"self_after_completed": completed}, disable_admin_approval=True)
    counter = await Counter(database, clock, registry, config=config).open()
    for user in (5, 6):
        done = await counter.sent(await counter.rich(user), account=f"069000000{user}")
        counter.payouts.decide(f"vc-w{done.id}-a1", "successful")
        await counter.told(f"vc-w{done.id}-a1")
    request = await counter.ask(await counter.rich(7), dollars)
    assert request.state == ("processing" if by_itself else "pending")
    if by_itself:
        async with counter.db.transaction() as tx:
            await counter.door.books.pause_automatic(tx, key="s", reason="short")
        assert (await counter.ask(await counter.rich(8), account="0690000039")).state == "pending"


async def test_lists_and_numbers(counter: Counter) -> None:
    start = counter.clock.now()
    first = await counter.sent(await counter.rich(7))
    counter.payouts.decide(f"vc-w{first.id}-a1", "successful")
    counter.clock.advance(90)
    await counter.told(f"vc-w{first.id}-a1")
    second = await counter.ask(await counter.rich(8), account="0690000033")
    third = await counter.ask(await counter.rich(9), "250", account="0690000034")
    assert [one.id for one in await counter.desk.queue()] == [second.id, third.id]
    assert [one.id for one in await counter.desk.queue(after_id=second.id)] == [third.id]
    assert [one.id for one in await counter.desk.queue(which="all", user_id=7)] == [first.id]
    assert [one.id for one in await counter.desk.history_of(user_id=7)] == [first.id]
    counts = await counter.desk.counts()
    assert (counts["waiting"], counts["completed"], counts["all"]) == (2, 1, 3)
    stats = await counter.desk.stats(since=start, until=counter.clock.now() + timedelta(seconds=1))
    assert (stats.counts["completed"], stats.paid, stats.fees) == (1, ngn("29989.25"), ngn("10.75"))
    assert (stats.median_seconds, stats.flagged, stats.open_usd, stats.open_ngn) == (90, 1, usd(270), ngn(0))
    empty = await counter.desk.stats(since=start - timedelta(days=2), until=start - timedelta(days=1))
    assert (empty.median_seconds, empty.paid) == (None, ngn(0))
    card = await counter.desk.card(withdrawal_id=first.id)
    assert (card.record.requests, card.live_rate, card.drift) == (0, Decimal(1500), Decimal(0))
    assert await counter.desk.live_rate() == Decimal(1500)
    books = counter.door.books
    (transfer,) = await books.transfers()
    assert (transfer.reference, transfer.net, transfer.fee) == (f"vc-w{first.id}-a1", ngn("29989.25"), ngn("10.75"))
    assert await books.transfers(since=counter.clock.now() + timedelta(days=1)) == ()
    assert await books.transfer(reference=transfer.reference) == transfer
    assert await books.transfer(reference="vc-w9-a9") is None
    assert (await books.owed())["pending"] == ngn(405_000)
    figures = {(one.name, tuple(one.labels.values())): one.value for one in await counter.module.figures()}
    assert figures["viralcore_withdrawals", ("completed",)] == 1
    assert figures["viralcore_withdrawals_paid_kobo_total", ()] == 2_998_925
