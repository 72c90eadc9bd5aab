"""Every way out of a payout that does not end by itself; none of them pays twice, or gives back what is paid."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.withdrawals.counter import OWNER, SECOND, Counter
from tests.integration.withdrawals.test_crashes import die_and_live
from tests.support.clock import FakeClock
from tests.support.withdrawals import Made, settings
from viralcore.core.db import Database
from viralcore.core.money import ngn, usd
from viralcore.core.registry import Registry
from viralcore.users.api import NotAllowed
from viralcore.withdrawals import api
from viralcore.withdrawals.repository import attempts

HOUR, DAY = 3600, 86_400


async def awake(counter: Counter) -> None:
    for number in (OWNER, SECOND):
        await counter.users.open_session(key=counter.key(), actor=number)


async def give_back(counter: Counter, request: api.WithdrawalView) -> api.CardView:
    await awake(counter)
    return await counter.desk.resolve(
        key=counter.key(),
        actor=OWNER,
        withdrawal_id=request.id,
        decision="not_paid",
        reference="",
        reason="looked in the dashboard",
    )


async def by_hand(counter: Counter, request: api.WithdrawalView, actor: int = OWNER) -> api.CardView:
    await awake(counter)
    return await counter.desk.pay_by_hand(
        key=counter.key(), actor=actor, withdrawal_id=request.id, reason="it waits for too long"
    )


async def troubles(counter: Counter) -> list[str]:
    return [event["what"] for event in await counter.events("payout_trouble")]


async def long(counter: Counter, hours: int) -> None:
    for _ in range(hours):
        await counter.pass_time(HOUR)


def name_of(request: api.WithdrawalView, n: int = 1) -> str:
    return f"vc-w{request.id}-a{n}"


# --- giving back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "back"), [("successful", False), ("pending", False), ("new", False), ("failed", True)]
)
async def test_while_a_record_carries_our_reference_only_failed_is_given_back(
    counter: Counter, status: Any, back: bool
) -> None:
    """It was not found for long, then something is there that is not ours by its amount."""
    counter.config = settings(sending={"resends": 0, "give_back_hours": 3, "alarm_hours": 1})
    counter.build()
    counter.payouts.fault = lambda reference: "lost_unmade"
    request = await counter.sent(await counter.rich(7))
    await long(counter, 4)
    assert (await counter.desk.card(withdrawal_id=request.id)).can_give_back
    name = name_of(request)
    counter.payouts.book[name] = Made("7999", name, "044", "0690000032", ngn(1), status)
    await counter.pass_time(HOUR)
    card = await counter.desk.card(withdrawal_id=request.id)
    assert (card.can_give_back, card.attempts[0].seen) == (back, status)
    if not back:
        with pytest.raises(api.CannotGiveBack) as refused:
            await give_back(counter, request)
        assert refused.value.fields["seen"] == status
        del counter.payouts.book[name]  # gone again: the time begins anew
        await long(counter, 2)
        with pytest.raises(api.CannotGiveBack):
            await give_back(counter, request)
    else:
        assert (await give_back(counter, request)).request.state == "failed"
    await counter.sound()


async def test_silence_is_not_not_found(counter: Counter) -> None:
    """It was looked for once and not found; then the provider did not answer for long."""
    counter.config = settings(sending={"resends": 0, "give_back_hours": 3, "alarm_hours": 1})
    counter.build()
    counter.payouts.fault = lambda reference: "lost_unmade"
    request = await counter.sent(await counter.rich(7))
    await counter.pass_time(61)
    counter.payouts.down = lambda: True
    await long(counter, 5)
    with pytest.raises(api.CannotGiveBack):
        await give_back(counter, request)
    counter.payouts.down = lambda: False
    await counter.pass_time(HOUR)
    assert (await give_back(counter, request)).request.state == "failed"
    # and one whose last look is old asks for another first
    other = await counter.sent(await counter.rich(8), account="0690000033")
    await long(counter, 5)
    counter.payouts.down = lambda: True
    counter.clock.advance(2 * HOUR)
    assert not (await counter.desk.card(withdrawal_id=other.id)).can_give_back
    with pytest.raises(api.CannotGiveBack):
        await give_back(counter, other)


async def test_a_used_reference_that_is_not_shown_is_not_given_back(counter: Counter) -> None:
    counter.config = settings(sending={"give_back_hours": 3})
    counter.build()
    counter.payouts.fault = lambda reference: "lost"
    request = await counter.sent(await counter.rich(7))
    name = name_of(request)
    counter.payouts.hidden.add(name)
    for _ in range(4):
        await counter.pass_time(601)
    await long(counter, 5)
    assert counter.payouts.sent.count(name) > 1
    card = await counter.desk.card(withdrawal_id=request.id)
    assert (card.request.state, card.attempts[0].seen, card.can_give_back) == ("unconfirmed", "exists", False)
    with pytest.raises(api.CannotGiveBack):
        await give_back(counter, request)
    counter.payouts.hidden.clear()
    counter.payouts.decide(name, "successful")
    await counter.pass_time(HOUR)
    assert await counter.state(request) == "completed"
    await counter.sound()


async def test_the_card_is_drawn_again_when_giving_back_becomes_possible(counter: Counter) -> None:
    counter.config = settings(sending={"resends": 0, "give_back_hours": 3, "alarm_hours": 1})
    counter.build()
    counter.payouts.fault = lambda reference: "lost_unmade"
    request = await counter.sent(await counter.rich(7))
    await long(counter, 3)
    assert await counter.events("transfer_looked_for") == []
    await long(counter, 2)
    assert [event["withdrawal_id"] for event in await counter.events("transfer_looked_for")] == [request.id]
    await awake(counter)
    await counter.desk.ask_now(key="now", actor=OWNER, withdrawal_id=request.id)
    await counter.work()
    assert len(await counter.events("transfer_looked_for")) == 2  # who looks again sees when it was asked


# --- what the provider took -------------------------------------------------------------------------------------------


async def test_a_transfer_that_was_taken_and_is_gone_is_unconfirmed_and_then_given_back(counter: Counter) -> None:
    counter.config = settings(sending={"give_back_hours": 3})
    counter.build()
    request = await counter.sent(await counter.rich(7))
    name = name_of(request)
    made = counter.payouts.book.pop(name)
    await counter.pass_time(61)
    assert await counter.state(request) == "processing"  # one look is not enough
    await counter.pass_time(700)
    assert await counter.state(request) == "unconfirmed"
    assert len(await counter.events("unconfirmed")) == 1
    await long(counter, 1)
    with pytest.raises(api.CannotGiveBack):
        await give_back(counter, request)
    counter.payouts.book[name] = made  # it is there after all
    await counter.pass_time(HOUR)
    assert await counter.state(request) == "processing"
    del counter.payouts.book[name]
    await long(counter, 4)
    assert counter.payouts.sent == [name]  # what was taken is never sent again
    assert (await give_back(counter, request)).request.state == "failed"
    assert await counter.balance(7) == (40_000, 0)
    counter.payouts.book[name] = made
    counter.payouts.decide(name, "successful")
    await counter.told(name)
    assert (await troubles(counter))[-1] == "late_success"


async def test_what_was_taken_and_reads_otherwise_now_is_unconfirmed(counter: Counter) -> None:
    request = await counter.sent(await counter.rich(7))
    counter.payouts.book[name_of(request)].amount = ngn(1)
    await counter.pass_time(61)
    assert await counter.state(request) == "unconfirmed"
    assert await troubles(counter) == ["mismatch"]
    card = await counter.desk.resolve(
        key="p", actor=OWNER, withdrawal_id=request.id, decision="paid", reference="FLW 7", reason="it arrived whole"
    )
    assert card.request.state == "completed"


async def test_old_and_waiting_transfers_are_told(counter: Counter) -> None:
    """Once each: what waits for a person in the dashboard, and what is under way for hours."""
    slow = await counter.sent(await counter.rich(7))
    waits = await counter.sent(await counter.rich(8), account="0690000033")
    whole = counter.payouts._record
    counter.payouts._record = lambda made: replace(  # type: ignore[method-assign]
        whole(made), waits_for_approval=made.reference == name_of(waits)
    )
    await counter.pass_time(61)
    assert await troubles(counter) == ["approval"]
    card = await counter.desk.card(withdrawal_id=waits.id)
    assert (card.request.state, card.attempts[0].seen, card.can_give_back) == ("processing", "approval", False)
    await long(counter, 5)
    assert await troubles(counter) == ["approval", "slow"]
    assert (await counter.events("payout_trouble"))[-1]["withdrawal_id"] == slow.id
    counter.payouts._record = whole  # type: ignore[method-assign]
    await counter.pass_time(HOUR)
    assert (await counter.desk.card(withdrawal_id=waits.id)).attempts[0].seen == ""
    await counter.sound()


# --- what never left --------------------------------------------------------------------------------------------------


async def refused(counter: Counter) -> tuple[api.WithdrawalView, api.WithdrawalView]:
    """One that is stored and one that waits, of a provider that does not serve us."""
    counter.payouts.fault = lambda reference: "config"
    stored = await counter.sent(await counter.rich(7))
    waits = await counter.ask(await counter.rich(8), account="0690000033")
    await counter.approve(waits)
    await counter.work()
    assert (await counter.state(stored), await counter.state(waits)) == ("processing", "approved")
    return stored, waits


async def test_a_refusal_of_us_is_told_and_both_are_paid_by_hand(counter: Counter) -> None:
    stored, waits = await refused(counter)
    assert await troubles(counter) == ["config"]
    assert (await counter.events("payout_trouble"))[0]["detail"] == "declined: config"
    counter.payouts.fault = lambda reference: ""
    for request in (stored, waits):
        assert (await counter.desk.card(withdrawal_id=request.id)).can_take_over
        card = await by_hand(counter, request)
        assert (card.request.state, card.request.mode, card.can_take_over) == ("approved", "manual", False)
    await counter.desk.lift_stop(key="l", actor=OWNER, reason="mended")
    await counter.pass_time(61)
    assert counter.payouts.book == {}  # nobody sends what somebody pays
    paid = await counter.desk.mark_paid(key="p", actor=SECOND, withdrawal_id=stored.id, reference="GTB 1")
    back = await counter.desk.mark_failed(key="f", actor=SECOND, withdrawal_id=waits.id, reason="no longer wanted")
    assert (paid.request.state, back.request.state) == ("completed", "failed")
    assert len(await counter.audited("withdrawals.pay_by_hand")) == 2
    assert (await counter.balance(7), await counter.balance(8)) == ((38_000, 0), (40_000, 0))
    await counter.sound()


async def test_a_second_refusal_is_told_again_after_a_lift(counter: Counter) -> None:
    await refused(counter)
    await counter.desk.lift_stop(key="l", actor=OWNER, reason="should be mended")
    await counter.pass_time(61)
    assert (await counter.desk.switches()).stopped
    assert await troubles(counter) == ["config", "config"]


async def test_a_refusal_is_told_also_where_the_watch_had_stopped_payouts(counter: Counter) -> None:
    request = await counter.ask(await counter.rich(7))
    counter.payouts.fault = lambda reference: "config"
    await counter.approve(request)
    async with counter.db.transaction() as tx:
        await counter.door.books.pause_automatic(tx, key="s", reason="short")
        attempt = (await _attempts(tx))[0]
        await counter.parts.settling.stop_refused(tx, await _attempt(tx, attempt), "no")
    assert (await counter.desk.switches()).stop_reason == "config: no"
    assert await troubles(counter) == ["config"]


async def _attempts(tx: Any) -> list[int]:
    return [row.id for row in await tx.conn.execute(text("SELECT id FROM withdrawals.attempts"))]


async def _attempt(tx: Any, number: int) -> Any:
    return await attempts.get(tx.conn, number)


async def test_who_may_take_over_and_what(counter: Counter) -> None:
    sent = await counter.sent(await counter.rich(7))
    with pytest.raises(api.AlreadySent):
        await by_hand(counter, sent)
    assert not (await counter.desk.card(withdrawal_id=sent.id)).can_take_over
    counter.payouts.decide(name_of(sent), "successful")
    await counter.told(name_of(sent))
    with pytest.raises(api.WrongState):
        await by_hand(counter, sent)
    counter.payouts.fault = lambda reference: "lost_unmade"
    lost = await counter.sent(await counter.rich(8), account="0690000033")
    with pytest.raises(api.AlreadySent):
        await by_hand(counter, lost)
    waits = await counter.ask(await counter.rich(9), account="0690000034")
    with pytest.raises(api.WrongState):
        await by_hand(counter, waits)
    async with counter.db.transaction() as tx:
        await counter.door.books.pause_automatic(tx, key="s", reason="short")
    await counter.approve(waits)
    with pytest.raises(NotAllowed):
        await counter.desk.pay_by_hand(key="n", actor=9, withdrawal_id=waits.id, reason="mine")
    with pytest.raises(api.ReasonMissing):
        await counter.desk.pay_by_hand(key="r", actor=OWNER, withdrawal_id=waits.id, reason=" ")
    await counter.earn(OWNER, usd(100))
    own = await counter.ask(OWNER, account="0690000035")
    await counter.approve(own, SECOND)
    with pytest.raises(api.OwnWithdrawal):
        await by_hand(counter, own)
    done = await by_hand(counter, waits)
    with pytest.raises(api.WrongState):
        await by_hand(counter, waits)
    assert done.request.mode == "manual"


async def test_taking_over_while_it_is_being_sent_is_one_or_the_other(counter: Counter) -> None:
    """The sender notes that it sends under the lock under which it is taken over."""
    for user in range(20, 26):
        request = await counter.ask(await counter.rich(user), account=f"06900{user:05}")
        await counter.approve(request)
        ready = await counter.runnable()
        done = await asyncio.gather(
            counter.desk.pay_by_hand(key=f"h{user}", actor=OWNER, withdrawal_id=request.id, reason="now"),
            *(counter.runner.run(number, gen) for number, gen in ready),
            return_exceptions=True,
        )
        await counter.work()
        taken, sent = not isinstance(done[0], BaseException), name_of(request) in counter.payouts.sent
        assert taken != sent
        assert (await counter.see(request)).mode == ("manual" if taken else "automatic")
    await counter.sound()


@pytest.mark.parametrize("when", ["stored", "waits"])
async def test_taking_over_is_whole_or_nothing(counter: Counter, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    request = (await refused(counter))[when == "waits"]
    await awake(counter)

    async def take() -> None:
        await counter.parts.deciding.pay_by_hand(key="t", actor=OWNER, withdrawal_id=request.id, reason="x")

    assert await die_and_live(counter, monkeypatch, take) >= 5
    assert (await counter.see(request)).mode == "manual"
    counter.payouts.fault = lambda reference: ""
    await counter.desk.lift_stop(key="l", actor=OWNER, reason="mended")
    await counter.pass_time(61)
    assert name_of(request) not in counter.payouts.book
    await counter.sound()


async def test_a_claimed_effect_of_a_process_that_died_sends_nothing_after_it_was_taken_over(counter: Counter) -> None:
    """It died between the claim and the note that it sends; then somebody pays by hand; then it is tried again."""
    request = await counter.ask(await counter.rich(7))
    await counter.approve(request)
    whole = counter.parts.sending._note_send
    arrived, never = asyncio.Event(), asyncio.Event()

    async def stands(attempt_id: int) -> bool:
        arrived.set()
        await never.wait()
        return await whole(attempt_id)

    counter.parts.sending._note_send = stands  # type: ignore[method-assign]
    ((number, gen),) = await counter.runnable()
    task = asyncio.ensure_future(counter.runner.run(number, gen))
    await arrived.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await counter.restart()
    await counter.pass_time(601)
    assert await counter.state(request) in ("processing", "unconfirmed")
    counter.clock.advance(1801)
    assert (await counter.desk.card(withdrawal_id=request.id)).can_take_over
    card = await by_hand(counter, request)
    assert (card.request.state, card.request.mode) == ("approved", "manual")
    await long(counter, 2)
    assert counter.payouts.sent == []
    await counter.sound()


async def test_what_cannot_be_sent_for_hours_is_told_once(counter: Counter) -> None:
    counter.payouts.fault = lambda reference: "not_sent"
    request = await counter.sent(await counter.rich(7))
    await long(counter, 4)
    assert await troubles(counter) == ["unsent"]
    assert (await counter.desk.card(withdrawal_id=request.id)).can_take_over


async def test_the_key_is_gone(counter: Counter) -> None:
    """What never left is paid by hand; of what may have left nobody knows."""
    counter.payouts.fault = lambda reference: "not_sent"
    unsent = await counter.sent(await counter.rich(7))
    counter.payouts.fault = lambda reference: "passing"
    perhaps = await counter.sent(await counter.rich(8), account="0690000033")
    counter.nobody_pays = True
    await counter.restart()
    await counter.pass_time(61)
    assert (await by_hand(counter, unsent)).request.mode == "manual"
    assert await counter.state(perhaps) == "unconfirmed"
    with pytest.raises(api.AlreadySent):
        await by_hand(counter, perhaps)


async def test_paid_after_all_while_finance_was_to_pay_it_by_hand(counter: Counter) -> None:
    """The first attempt was read as FAILED, the next waits for a stop to be lifted, finance takes it over, and the
    first one is PAID: it is simply paid, and nobody pays it again."""
    request = await counter.sent(await counter.rich(7))
    counter.payouts.decide(name_of(request), "failed", why="passing")
    await counter.told(name_of(request))
    async with counter.db.transaction() as tx:
        await counter.door.books.pause_automatic(tx, key="s", reason="short")
    await by_hand(counter, request)
    counter.payouts.decide(name_of(request), "successful")
    await counter.told(name_of(request))
    assert await counter.state(request) == "completed"
    with pytest.raises(api.WrongState):
        await counter.desk.mark_paid(key="p", actor=OWNER, withdrawal_id=request.id, reference="GTB 1")
    await counter.sound()


@pytest.mark.parametrize("left", [False, True])
async def test_paid_after_all_while_the_next_attempt_is_under_way(counter: Counter, left: bool) -> None:
    request = await counter.sent(await counter.rich(7))
    first = name_of(request)
    counter.payouts.decide(first, "failed", why="passing")
    await counter.told(first)
    counter.payouts.fault = lambda reference: "" if left else "not_sent"
    await counter.pass_time(61)
    assert (await counter.desk.card(withdrawal_id=request.id)).attempts[-1].n == 2
    counter.payouts.decide(first, "successful")
    await counter.told(first)
    if left:
        assert (await counter.state(request), await troubles(counter)) == ("processing", ["twice"])
        counter.payouts.decide(name_of(request, 2), "failed", why="account", words="stopped in the dashboard")
        await counter.told(name_of(request, 2))
        return
    assert (await counter.state(request), await troubles(counter)) == ("completed", [])
    counter.payouts.fault = lambda reference: ""
    await long(counter, 2)
    assert counter.payouts.sent == [first]
    await counter.sound()


# --- terms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["age", "rate"])
@pytest.mark.parametrize("stored", [True, False])
async def test_terms_are_looked_at_again_before_the_first_attempt(counter: Counter, why: str, stored: bool) -> None:
    """Approved, and payouts are stopped for long: its owner confirms again, and it is approved anew."""
    request = (await refused(counter))[0 if stored else 1]
    counter.payouts.fault = lambda reference: ""
    if why == "age":
        counter.clock.advance(DAY)
    else:
        counter.live = Decimal(1600)
    await awake(counter)
    await counter.desk.lift_stop(key="l", actor=OWNER, reason="mended")
    await counter.pass_time(61)
    assert counter.payouts.sent == ["vc-w1-a1"]  # the one that was refused
    seen = await counter.see(request)
    assert (seen.state, seen.mode, seen.approvals, seen.again is not None) == ("pending", None, 0, True)
    assert {event["why"] for event in await counter.events("approval_void")} == {why}
    assert len(await counter.events("terms_outdated")) == 2
    assert (await counter.balance(request.user_id))[1] == 2_000  # still held
    with pytest.raises(api.TermsOutdated):
        await counter.approve(request)
    rate = counter.live or Decimal(0)
    await counter.door.confirm_again(key="c", user_id=request.user_id, withdrawal_id=request.id, rate=rate)
    await counter.approve(request)
    await counter.work()
    reference = name_of(request, 2 if stored else 1)
    counter.payouts.decide(reference, "successful")
    await counter.told(reference)
    assert await counter.state(request) == "completed"
    await counter.sound()


async def test_one_with_old_terms_keeps_nobody_waiting(
    database: Database, clock: FakeClock, registry: Registry
) -> None:
    counter = await Counter(database, clock, registry, config=settings(sending={"at_once": 2})).open()
    async with counter.db.transaction() as tx:
        await counter.door.books.pause_automatic(tx, key="s", reason="short")
    old = [await counter.ask(await counter.rich(user), account=f"06900{user:05}") for user in (20, 21, 22)]
    for request in old:
        await counter.approve(request)
    counter.clock.advance(DAY)
    await awake(counter)
    fresh = await counter.ask(await counter.rich(23), account="0690000023")
    await counter.approve(fresh)
    await counter.desk.lift_stop(key="l", actor=OWNER, reason="filled up")
    await counter.work()
    assert counter.payouts.sent == [name_of(fresh)]
    assert [await counter.state(request) for request in old] == ["pending"] * 3


async def test_without_a_rate_old_ones_wait_for_their_owner_until_there_is_one(counter: Counter) -> None:
    _, request = await refused(counter)
    counter.payouts.fault = lambda reference: ""
    counter.live = None
    counter.clock.advance(DAY)
    await awake(counter)
    await counter.desk.lift_stop(key="l", actor=OWNER, reason="mended")
    await counter.pass_time(61)
    assert ((await counter.see(request)).state, (await counter.see(request)).again) == ("pending", None)
    counter.live = Decimal(1500)
    await counter.pass_time(61)
    assert (await counter.see(request)).again is not None


async def test_old_terms_of_one_that_is_paid_by_hand(counter: Counter) -> None:
    """Nothing moves under the hands of whoever pays: the card says it, and staff send it back, or have paid."""
    await counter.desk.set_mode(key="m", actor=OWNER, mode="manual", reason="x")
    one, two = (
        await counter.sent(await counter.rich(7)),
        await counter.sent(await counter.rich(8), account="0690000033"),
    )
    with pytest.raises(api.WrongState):
        await counter.desk.ask_again(key="a", actor=OWNER, withdrawal_id=one.id, reason="x")
    counter.clock.advance(DAY)
    await counter.pass_time(61)
    await awake(counter)
    card = await counter.desk.card(withdrawal_id=one.id)
    assert (card.request.state, card.outdated) == ("approved", "age")
    card = await counter.desk.ask_again(key="b", actor=OWNER, withdrawal_id=one.id, reason="nobody paid it")
    assert (card.request.state, card.request.again is not None) == ("pending", True)
    with pytest.raises(api.WrongState):
        await counter.desk.mark_paid(key="p", actor=OWNER, withdrawal_id=one.id, reference="GTB 1")
    await counter.desk.mark_paid(key="q", actor=OWNER, withdrawal_id=two.id, reference="GTB 2")
    (row,) = await counter.audited("withdrawals.mark_paid")
    assert row.after["terms"] == "age"
    await counter.sound()


async def test_going_back_to_its_owner_is_whole_or_nothing(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    await refused(counter)
    counter.payouts.fault = lambda reference: ""
    counter.clock.advance(DAY)
    await awake(counter)

    async def lift() -> None:
        await counter.desk.lift_stop(key="l", actor=OWNER, reason="mended")

    assert await die_and_live(counter, monkeypatch, lift) >= 5
    await counter.pass_time(61)
    assert {event["why"] for event in await counter.events("approval_void")} == {"age"}
    assert counter.payouts.book == {}
    await counter.sound()


# --- nobody pays for us -----------------------------------------------------------------------------------------------


async def test_a_shop_without_a_provider_pays_by_hand(database: Database, clock: FakeClock, registry: Registry) -> None:
    counter = await Counter(database, clock, registry, nobody_pays=True).open()
    assert [bank.name for bank in await counter.door.search_banks(text="gtb")] == ["GTBank Plc"]
    check = await counter.check(await counter.rich(7), usd(20))
    assert (check.state, check.account_name, check.quote.fee) == ("ready", "", ngn(0))
    request = await counter.door.request(key="r", user_id=7, check_id=check.id)
    await counter.approve(request)
    card = await counter.desk.mark_paid(key="p", actor=SECOND, withdrawal_id=request.id, reference="GTB 9")
    assert (card.request.state, await counter.balance(7)) == ("completed", (38_000, 0))
    assert await counter.house("payout") == 3_000_000
    await counter.sound()
