"""From the wish to the money: the way that works, and every way in which a payout may end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.integration.withdrawals.counter import ACCOUNT, OWNER, SECOND, Counter
from viralcore.core.money import ngn, usd


async def test_affiliate_money_goes_to_a_bank(counter: Counter) -> None:
    user = await counter.rich(7)
    (affiliate, reply) = await counter.door.sources(user_id=user)
    assert (affiliate.available, affiliate.minimum, affiliate.maximum) == (usd(400), usd("0.67"), usd(500))
    assert (affiliate.problem, reply.problem, reply.maximum) == ("", "too_little", ngn(750_000))
    quote = await counter.door.quote(user_id=user, source="affiliate", amount=usd(20))
    assert (quote.rate, quote.gross, quote.fee) == (Decimal(1500), ngn(30_000), None)

    asking = await counter.check(user, usd(20), work=False)
    assert (asking.state, asking.masked, asking.quote.net) == ("asking", "******0032", None)
    await counter.work()
    check = await counter.door.get_check(user_id=user, check_id=asking.id)
    assert (check.state, check.account_name, check.quote.fee) == ("ready", "ADA OBI", ngn("10.75"))
    assert (await counter.events("account_checked"))[0]["state"] == "ready"

    request = await counter.door.request(key="r", user_id=user, check_id=check.id)
    assert (await counter.door.request(key="r", user_id=user, check_id=check.id)) == request
    assert (request.state, request.needed, request.quote.net) == ("pending", 1, ngn("29989.25"))
    assert await counter.balance(user) == (40_000, 2_000)
    assert [one.masked for one in await counter.door.accounts(user_id=user)] == ["******0032"]

    card = await counter.desk.approve(key="a", actor=OWNER, withdrawal_id=request.id)
    assert (card.request.state, card.request.mode, card.account_number) == ("processing", "automatic", None)
    assert (await counter.desk.card(withdrawal_id=request.id, actor=OWNER)).account_number == ACCOUNT
    await counter.work()
    assert counter.payouts.sent == [f"vc-w{request.id}-a1"]
    assert await counter.state(request) == "processing"  # accepted by the API is not completed
    assert await counter.balance(user) == (40_000, 2_000)

    counter.payouts.decide(f"vc-w{request.id}-a1", "successful")
    await counter.told(f"vc-w{request.id}-a1")
    done = await counter.see(request)
    assert (done.state, done.reference, done.ended_at) == ("completed", f"vc-w{request.id}-a1", counter.clock.now())
    assert await counter.balance(user) == (38_000, 0)
    assert (await counter.house("fx", "USD"), await counter.house("fx")) == (2_000, -3_000_000)
    assert (await counter.house("payout"), await counter.house("fees")) == (3_000_000, 0)
    assert [event["net"] for event in await counter.events("completed")] == [2_998_925]
    await counter.told(f"vc-w{request.id}-a1")
    assert len(await counter.events("completed")) == 1
    await counter.sound()


async def test_reply_money_is_paid_as_it_is(counter: Counter) -> None:
    user = await counter.person(8, days=100)
    await counter.earn(user, ngn(5_000), "reply")
    counter.payouts.fee_minor = 2_688  # asked when it is requested; 10.75 is what it then costs
    request = await counter.sent(user, "4000", source="reply")
    assert (request.quote.rate, request.quote.gross, request.quote.net) == (Decimal(1), ngn(4_000), ngn("3973.12"))
    counter.payouts.decide(f"vc-w{request.id}-a1", "successful")
    await counter.pass_time(60)
    assert await counter.state(request) == "completed"
    assert await counter.balance(user, "reply") == (100_000, 0)
    assert (await counter.house("payout"), await counter.house("fees")) == (398_387, 1_613)
    await counter.sound()


@pytest.mark.parametrize(("why", "reason"), [("account", "account"), ("final", "declined"), (None, "declined")])
async def test_a_failed_transfer_gives_the_money_back(counter: Counter, why: str | None, reason: str) -> None:
    user = await counter.rich(7)
    request = await counter.sent(user)
    counter.payouts.decide(f"vc-w{request.id}-a1", "failed", why=why, words="no")  # type: ignore[arg-type]
    await counter.pass_time(61)
    failed = await counter.see(request)
    assert (failed.state, failed.reason) == ("failed", reason)
    assert await counter.balance(user) == (40_000, 0)
    await counter.pass_time(3600)
    assert len(counter.payouts.sent) == 1
    await counter.sound()


async def test_passing_trouble_is_tried_again_three_times(counter: Counter) -> None:
    user = await counter.rich(7)
    request = await counter.sent(user)
    for n in (1, 2, 3, 4):
        name = f"vc-w{request.id}-a{n}"
        assert counter.payouts.sent[-1] == name
        counter.payouts.decide(name, "failed", why="passing", words="Insufficient funds in customer wallet")
        await counter.told(name)
        if n < 4:
            assert await counter.state(request) == "processing"
            await counter.pass_time(59)
            assert counter.payouts.sent[-1] == name
            await counter.pass_time(1)
    assert len(counter.payouts.sent) == 4
    assert (await counter.see(request)).reason == "bank"
    assert [event["n"] for event in await counter.events("attempt_failed")] == [1, 2, 3]
    assert await counter.balance(user) == (40_000, 0)
    await counter.sound()


@pytest.mark.parametrize("fault", ["account", "final"])
async def test_a_clear_no_ends_it_at_once(counter: Counter, fault: str) -> None:
    counter.payouts.fault = lambda reference: fault  # type: ignore[assignment, return-value]
    request = await counter.sent(await counter.rich(7))
    assert (request.state, request.reason) == ("failed", "account" if fault == "account" else "declined")
    assert await counter.balance(7) == (40_000, 0)


async def test_a_passing_no_is_sent_again_under_the_same_reference(counter: Counter) -> None:
    counter.payouts.fault = lambda reference: "passing"
    request = await counter.sent(await counter.rich(7))
    assert request.state == "processing"
    for _ in range(6):
        await counter.pass_time(61)
    assert (await counter.see(request)).state == "failed"
    assert counter.payouts.sent == [f"vc-w{request.id}-a1"] * 4
    await counter.sound()


async def test_a_provider_that_does_not_serve_us_stops_everything(counter: Counter) -> None:
    counter.payouts.fault = lambda reference: "config"
    request = await counter.sent(await counter.rich(7))
    other = await counter.ask(await counter.rich(8), account="0690000033")
    await counter.approve(other)
    await counter.work()
    assert (request.state, await counter.state(other)) == ("processing", "approved")
    switches = await counter.desk.switches()
    assert switches.stopped
    assert "config" in switches.stop_reason
    assert len(await counter.events("switched")) == 1
    counter.payouts.fault = lambda reference: ""
    await counter.pass_time(61)
    assert counter.payouts.book == {}  # held back while stopped
    await counter.desk.lift_stop(key="lift", actor=OWNER, reason="address listed")
    await counter.pass_time(61)
    assert len(counter.payouts.book) == 2
    assert [row.reason for row in await counter.audited("withdrawals.stopped")] == ["address listed"]


async def test_what_was_not_sent_is_sent_later_under_its_reference(counter: Counter) -> None:
    counter.payouts.fault = lambda reference: "not_sent"
    request = await counter.sent(await counter.rich(7))
    for _ in range(6):
        await counter.pass_time(60)
    assert (await counter.state(request), counter.payouts.sent) == ("processing", [])
    counter.payouts.fault = lambda reference: ""
    await counter.pass_time(60)
    assert counter.payouts.sent == [f"vc-w{request.id}-a1"]


async def test_a_lost_answer_is_asked_about_and_never_paid_twice(counter: Counter) -> None:
    counter.payouts.fault = lambda reference: "lost"
    request = await counter.sent(await counter.rich(7))
    assert request.state == "unconfirmed"
    assert len(await counter.events("unconfirmed")) == 1
    name = f"vc-w{request.id}-a1"
    counter.payouts.hidden.add(name)  # it takes a while to show
    await counter.pass_time(61)
    assert await counter.state(request) == "unconfirmed"
    counter.payouts.hidden.clear()
    await counter.pass_time(600)
    assert (await counter.state(request), counter.payouts.sent) == ("processing", [name])
    counter.payouts.decide(name, "successful")
    await counter.pass_time(600)
    assert await counter.state(request) == "completed"
    await counter.sound()


async def test_not_found_twice_ten_minutes_apart_is_sent_again(counter: Counter) -> None:
    counter.payouts.fault = lambda reference: "lost_unmade"
    request = await counter.sent(await counter.rich(7))
    name = f"vc-w{request.id}-a1"
    await counter.pass_time(61)  # not found for the first time
    counter.payouts.fault = lambda reference: ""
    await counter.pass_time(540)
    assert counter.payouts.sent == [name]
    for _ in range(4):
        await counter.pass_time(30)
    assert (await counter.state(request), counter.payouts.sent) == ("processing", [name, name])
    card = await counter.desk.card(withdrawal_id=request.id)
    assert [(one.n, one.state) for one in card.attempts] == [(1, "accepted")]
    await counter.sound()


async def test_a_duplicate_is_looked_up_and_adopted(counter: Counter) -> None:
    """It was made, hidden, taken for lost, sent again: the provider refuses the second one, and we look."""
    counter.payouts.fault = lambda reference: "lost"
    request = await counter.sent(await counter.rich(7))
    name = f"vc-w{request.id}-a1"
    counter.payouts.hidden.add(name)
    await counter.pass_time(61)
    await counter.pass_time(600)
    for _ in range(3):
        await counter.pass_time(60)
    assert counter.payouts.sent == [name, name]
    assert await counter.state(request) == "unconfirmed"  # refused as a duplicate, and still not shown
    counter.payouts.hidden.clear()
    await counter.pass_time(1800)
    assert await counter.state(request) == "processing"
    counter.payouts.decide(name, "successful")
    await counter.told(name)
    assert await counter.state(request) == "completed"
    await counter.sound()


async def test_a_transfer_under_our_reference_that_is_not_ours_is_nobodys(counter: Counter) -> None:
    counter.payouts.fault = lambda reference: "lost"
    request = await counter.sent(await counter.rich(7))
    name = f"vc-w{request.id}-a1"
    counter.payouts.book[name].amount = ngn(1)
    counter.payouts.decide(name, "successful")
    for _ in range(4):
        await counter.pass_time(900)
    assert await counter.state(request) == "unconfirmed"
    for _ in range(3):
        await counter.pass_time(9000)
    told = sorted(event["what"] for event in await counter.events("payout_trouble"))
    assert told == ["mismatch", "unconfirmed"]  # once each, however often they take turns
    assert counter.payouts.sent == [name]


async def test_late_news_is_told_and_moves_no_money(counter: Counter) -> None:
    paid = await counter.sent(await counter.rich(7))
    name = f"vc-w{paid.id}-a1"
    counter.payouts.decide(name, "successful")
    await counter.told(name)
    counter.payouts.decide(name, "failed", why="account", words="reversed")
    await counter.told(name)
    await counter.told(name)
    assert await counter.state(paid) == "completed"
    failed = await counter.sent(await counter.rich(8), account="0690000033")
    other = f"vc-w{failed.id}-a1"
    counter.payouts.decide(other, "failed", why="account")
    await counter.told(other)
    counter.payouts.decide(other, "successful")
    await counter.told(other)
    assert (await counter.state(failed), await counter.balance(8)) == ("failed", (40_000, 0))
    troubles = [(event["reference"], event["what"]) for event in await counter.events("payout_trouble")]
    assert sorted(troubles) == [(name, "late_failure"), (other, "late_success")]
    assert await counter.books.check() == ()


async def test_paid_after_all_before_the_next_attempt_is_simply_paid(counter: Counter) -> None:
    request = await counter.sent(await counter.rich(7))
    name = f"vc-w{request.id}-a1"
    counter.payouts.decide(name, "failed", why="passing")
    await counter.told(name)
    counter.payouts.decide(name, "successful")
    await counter.told(name)
    assert await counter.state(request) == "completed"
    await counter.pass_time(120)
    assert counter.payouts.sent == [name]
    await counter.sound()


async def test_two_approvers_for_a_large_one_and_ten_in_flight(counter: Counter) -> None:
    people = [await counter.rich(user) for user in range(20, 33)]
    asked = [await counter.ask(user, account=f"06900{user:05}") for user in people]
    for request in asked:
        await counter.approve(request)
    await counter.work()
    assert len(counter.payouts.sent) == 10
    first = counter.payouts.sent[0]
    counter.payouts.decide(first, "successful")
    await counter.told(first)
    await counter.work()
    assert len(counter.payouts.sent) == 11
    await counter.pass_time(1801)  # what the bank has had for half an hour blocks nobody
    assert len(counter.payouts.sent) == 13
    large = await counter.ask(await counter.rich(40), "250", account="0690000040")
    assert large.needed == 2
    await counter.approve(large)
    assert (await counter.see(large)).approvals == 1
    await counter.approve(large, SECOND)
    assert await counter.state(large) in ("approved", "processing")
