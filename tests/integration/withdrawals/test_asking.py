"""What a person may ask for, and everything that is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.integration.withdrawals.counter import ACCOUNT, OWNER, SECOND, Counter
from tests.support.clock import FakeClock
from tests.support.withdrawals import settings
from viralcore.core.crypto import Cipher, new_key
from viralcore.core.db import Database
from viralcore.core.errors import KeyReused, NotFound
from viralcore.core.money import Money, ngn, usd
from viralcore.core.registry import Registry
from viralcore.users.api import Blocked, Profile, TermsNotAccepted
from viralcore.withdrawals import api
from viralcore.withdrawals.ports import Origin
from viralcore.withdrawals.service.house import Sealing


@pytest.mark.parametrize(
    ("source", "amount", "refusal"),
    [
        ("affiliate", usd(0), api.BadAmount),
        ("affiliate", Money(-5, "USD"), api.BadAmount),
        ("affiliate", ngn(2000), api.BadAmount),
        ("affiliate", usd("0.66"), api.TooLittle),
        ("affiliate", usd("500.01"), api.TooMuch),
        ("affiliate", usd("400.01"), api.NotEnough),
        ("wallet", usd(20), api.SourceOff),
        ("reply", ngn(2000), api.NotEnough),
    ],
)
async def test_amounts_that_are_refused(
    counter: Counter, source: api.Source, amount: Money, refusal: type[Exception]
) -> None:
    user = await counter.rich(7)
    with pytest.raises(refusal):
        await counter.door.quote(user_id=user, source=source, amount=amount)
    with pytest.raises(refusal):
        await counter.check(user, amount, source=source)


@pytest.mark.parametrize("number", ["123456789", "12345678901", "12345abcde", "", "١٢٣٤٥٦٧٨٩٠", "9" * 50])
async def test_account_numbers_that_are_none(counter: Counter, number: str) -> None:
    user = await counter.rich(7)
    with pytest.raises(api.BadAccount):
        await counter.check(user, usd(20), account=number)


async def test_banks_are_searched(counter: Counter) -> None:
    assert [bank.name for bank in await counter.door.search_banks(text="gtb")] == ["GTBank PLC"]
    assert (await counter.door.bank(bank_id=1)).name == "Access Bank"
    with pytest.raises(NotFound):
        await counter.door.bank(bank_id=999_999)
    user = await counter.rich(7)
    with pytest.raises(api.BadAccount):
        await counter.door.check(
            key="b", user_id=user, source="affiliate", amount=usd(20), bank_id=9999, account_number=ACCOUNT
        )
    counter.payouts.down = lambda: True
    await counter.pass_time(25 * 3600)
    assert len(await counter.door.search_banks(text="access")) > 0  # the last good list serves
    counter.payouts.down = lambda: False
    await counter.pass_time(60)  # not tried again so soon
    await counter.pass_time(3600)
    assert (await counter.door.bank(bank_id=1)).code == "041"


async def test_an_account_that_does_not_resolve(counter: Counter) -> None:
    user = await counter.rich(7)
    counter.payouts.holders[ACCOUNT] = ""
    check = await counter.check(user, usd(20))
    assert (check.state, check.reason) == ("failed", "not_found")
    with pytest.raises(api.CheckClosed):
        await counter.door.request(key="r", user_id=user, check_id=check.id)
    counter.payouts.down = lambda: True
    check = await counter.check(user, usd(20), account="0690000033")
    assert check.state == "asking"
    for _ in range(3):
        counter.clock.advance(3)
        await counter.work()
    check = await counter.door.get_check(user_id=user, check_id=check.id)
    assert (check.state, check.reason) == ("failed", "unavailable")
    counter.payouts.down = lambda: False
    counter.payouts.fee_minor = 200_000
    check = await counter.check(user, usd(1), account="0690000034")
    assert (check.state, check.reason) == ("failed", "too_small")


async def test_a_check_is_used_once_and_not_for_ever(counter: Counter) -> None:
    user = await counter.rich(7)
    asking = await counter.check(user, usd(20), work=False)
    with pytest.raises(api.CheckClosed, match="asking"):
        await counter.door.request(key="r1", user_id=user, check_id=asking.id)
    await counter.work()
    await counter.person(8)
    with pytest.raises(NotFound):
        await counter.door.request(key="r2", user_id=8, check_id=asking.id)
    with pytest.raises(NotFound):
        await counter.door.get_check(user_id=8, check_id=asking.id)
    counter.clock.advance(1800)
    with pytest.raises(api.CheckClosed, match="expired"):
        await counter.door.request(key="r3", user_id=user, check_id=asking.id)
    check = await counter.check(user, usd(20))
    counter.live = Decimal(1550)
    with pytest.raises(api.TermsChanged):
        await counter.door.request(key="r4", user_id=user, check_id=check.id)
    counter.live = Decimal(1545)  # exactly three percent is not beyond
    request = await counter.door.request(key="r5", user_id=user, check_id=check.id)
    assert request.quote.rate == Decimal(1500)
    await counter.door.cancel(key="c", user_id=user, withdrawal_id=request.id)
    with pytest.raises(api.CheckClosed, match="used"):
        await counter.door.request(key="r6", user_id=user, check_id=check.id)
    with pytest.raises(KeyReused):
        await counter.door.request(key="r5", user_id=user, check_id=asking.id)


async def test_one_open_at_a_time_and_five_an_hour(counter: Counter) -> None:
    user = await counter.rich(7)
    for _ in range(5):
        request = await counter.ask(user)
        with pytest.raises(api.RequestOpen):
            await counter.door.quote(user_id=user, source="affiliate", amount=usd(5))
        assert (await counter.door.sources(user_id=user))[0].problem == "open_request"
        cancelled = await counter.door.cancel(key=counter.key(), user_id=user, withdrawal_id=request.id)
        assert (cancelled.state, await counter.balance(user)) == ("cancelled", (40_000, 0))
    with pytest.raises(api.TooMany) as refusal:
        await counter.ask(user)
    assert refusal.value.fields["again_at"] == counter.clock.now() + timedelta(hours=1)
    counter.clock.advance(3600)
    assert (await counter.ask(user)).state == "pending"
    assert len(await counter.door.history(user_id=user, limit=3)) == 3
    first, *_ = await counter.door.history(user_id=user, limit=1)
    older = await counter.door.history(user_id=user, before_id=first.id)
    assert [one.id for one in older] == sorted((one.id for one in older), reverse=True)


async def test_two_checks_make_one_request(counter: Counter) -> None:
    """The index, not the look before, is what keeps it one at a time."""
    user = await counter.rich(7)
    one, two = await counter.check(user, usd(20)), await counter.check(user, usd(30))
    done = await asyncio.gather(
        *(counter.door.request(key=f"r{n}", user_id=user, check_id=check.id) for n, check in enumerate((one, two))),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in done) == ["RequestOpen", "WithdrawalView"]
    assert (await counter.balance(user))[1] in (2_000, 3_000)


async def test_many_questions(database: Database, clock: FakeClock, registry: Registry) -> None:
    config = settings(limits={"checks_per_hour": 2})
    counter = await Counter(database, clock, registry, config=config).open()
    user = await counter.rich(7)
    for _ in range(2):
        await counter.check(user, usd(20))
    with pytest.raises(api.TooMany):
        await counter.check(user, usd(20))


async def test_who_may_not(counter: Counter) -> None:
    user = await counter.rich(7)
    await counter.users.block(key="b", actor=OWNER, kind="user", value="7", reason="x")
    with pytest.raises(Blocked):
        await counter.check(user, usd(20))
    await counter.users.meet(key="m", profile=Profile(9, "N"))
    await counter.earn(9, usd(50))
    with pytest.raises(TermsNotAccepted):
        await counter.check(9, usd(20))


async def test_no_rate_and_paused(counter: Counter) -> None:
    user = await counter.rich(7)
    counter.live = None
    assert (await counter.door.sources(user_id=user))[0].problem == "no_rate"
    with pytest.raises(api.NoRate):
        await counter.door.quote(user_id=user, source="affiliate", amount=usd(20))
    counter.live = Decimal(1500)
    await counter.desk.pause(key="p", actor=OWNER, paused=True, reason="audit")
    assert (await counter.door.sources(user_id=user))[0].problem == "paused"
    with pytest.raises(api.PayoutsPaused):
        await counter.check(user, usd(20))


async def test_saved_accounts(counter: Counter) -> None:
    user = await counter.rich(7)
    request = await counter.ask(user)
    await counter.door.cancel(key="c", user_id=user, withdrawal_id=request.id)
    (saved,) = await counter.door.accounts(user_id=user)
    await counter.person(8)
    with pytest.raises(NotFound):
        await counter.door.forget_account(key="f8", user_id=8, account_id=saved.id)
    check = await counter.door.check_saved(
        key="s", user_id=user, source="affiliate", amount=usd(20), account_id=saved.id
    )
    assert check.masked == "******0032"
    await counter.door.forget_account(key="f", user_id=user, account_id=saved.id)
    assert await counter.door.accounts(user_id=user) == ()
    with pytest.raises(NotFound):
        await counter.door.check_saved(key="s2", user_id=user, source="affiliate", amount=usd(20), account_id=saved.id)


async def test_account_numbers_stay_out_of_sight(counter: Counter) -> None:
    await counter.sent(await counter.rich(7))
    await counter.sent(await counter.rich(8))
    async with counter.db.read() as conn:
        for table in ("core.events", "core.effects", "users.audit_log", "withdrawals.requests", "withdrawals.accounts"):
            rows = await conn.execute(text(f"SELECT t::text FROM {table} t"))
            assert not any(ACCOUNT in row[0] for row in rows), table
        prints = (await conn.execute(text("SELECT print, sealed FROM withdrawals.accounts ORDER BY id"))).all()
    assert len({row.print for row in prints}) == 1
    assert len({row.sealed for row in prints}) == 2
    async with counter.db.transaction() as tx:
        assert await counter.door.rotate(tx, after_id=0) == (2, 2)
        assert await counter.door.rotate(tx, after_id=2) == (2, 0)
    await counter.work()


def test_without_keys_no_account_is_taken() -> None:
    with pytest.raises(RuntimeError):
        Sealing(None).seal("1")
    assert Sealing(Cipher([new_key()], "x" * 16)).print("1", "2") != Sealing(Cipher([new_key()], "x" * 16)).print(
        "2", "1"
    )


async def test_new_terms_are_confirmed_or_the_request_ends(counter: Counter) -> None:
    user = await counter.rich(7)
    request = await counter.ask(user)
    await counter.pass_time(60)
    assert (await counter.see(request)).again is None
    counter.live = Decimal(1400)
    await counter.pass_time(60)
    seen = await counter.see(request)
    assert seen.again is not None
    assert (seen.again.rate, seen.again.net) == (Decimal(1400), ngn("27989.25"))
    assert [event["why"] for event in await counter.events("terms_outdated")] == ["rate"]
    assert (await counter.desk.counts())["waiting"] == 0
    with pytest.raises(api.TermsOutdated):
        await counter.approve(request)
    with pytest.raises(api.TermsChanged):
        await counter.door.confirm_again(key="x", user_id=user, withdrawal_id=request.id, rate=Decimal(1500))
    counter.live = Decimal(1300)
    with pytest.raises(api.TermsChanged):
        await counter.door.confirm_again(key="y", user_id=user, withdrawal_id=request.id, rate=Decimal(1400))
    await counter.pass_time(60)
    again = await counter.door.confirm_again(key="z", user_id=user, withdrawal_id=request.id, rate=Decimal("1300.0"))
    assert (again.again, again.quote.rate, again.quote.gross) == (None, Decimal(1300), ngn(26_000))
    assert len(await counter.events("terms_outdated")) == 1
    with pytest.raises(api.WrongState):
        await counter.door.confirm_again(key="w", user_id=user, withdrawal_id=request.id, rate=Decimal(1300))
    await counter.pass_time(24 * 3600)
    assert [event["why"] for event in await counter.events("terms_outdated")] == ["rate", "age"]
    for _ in range(7):
        await counter.pass_time(24 * 3600)
    ended = await counter.see(request)
    assert (ended.state, ended.reason, await counter.balance(user)) == ("cancelled", "expired", (40_000, 0))
    assert [event["expired"] for event in await counter.events("cancelled")] == [True]
    await counter.pass_time(60)


async def test_terms_without_a_rate_stay_as_they_are(counter: Counter) -> None:
    request = await counter.ask(await counter.rich(7))
    counter.live = None
    await counter.pass_time(60)
    with pytest.raises(api.NoRate):
        await counter.approve(request)
    await counter.pass_time(24 * 3600)
    assert (await counter.see(request)).again is None
    counter.live = Decimal("0.01")  # the fee would eat all of it
    await counter.pass_time(60)
    assert (await counter.see(request)).again is None


async def test_an_approval_is_void_after_new_terms(counter: Counter) -> None:
    user = await counter.rich(7)
    request = await counter.ask(user, "250")
    await counter.approve(request)
    counter.live = Decimal(1600)
    with pytest.raises(api.TermsOutdated):
        await counter.approve(request, SECOND)
    again = await counter.door.confirm_again(key="z", user_id=user, withdrawal_id=request.id, rate=Decimal(1600))
    assert again.approvals == 0
    await counter.approve(request, SECOND)
    assert (await counter.see(request)).approvals == 1


async def test_findings_ask_for_a_second_approver(counter: Counter) -> None:
    counter.origins.known[7] = Origin(frozenset({8}), 10_000, 4_000)
    await counter.ask(await counter.rich(8), account=ACCOUNT)
    request = await counter.ask(await counter.rich(7, days=0), "60", account=ACCOUNT)
    card = await counter.desk.card(withdrawal_id=request.id)
    rules = {finding.rule: dict(finding.facts) for finding in card.findings}
    assert set(rules) == {"ring", "shared_account", "reversed_earnings", "new_user", "new_account"}
    assert (rules["reversed_earnings"], request.needed, card.score) == ({"percent": "40"}, 2, 100)
    assert (await counter.events("requested"))[-1]["needed"] in (1, 2)


async def test_cancel_only_what_is_pending_and_yours(counter: Counter) -> None:
    request = await counter.sent(await counter.rich(7))
    with pytest.raises(api.WrongState):
        await counter.door.cancel(key="c", user_id=7, withdrawal_id=request.id)
    with pytest.raises(NotFound):
        await counter.door.cancel(key="d", user_id=8, withdrawal_id=request.id)
    with pytest.raises(NotFound):
        await counter.door.get(user_id=8, withdrawal_id=request.id)
    with pytest.raises(NotFound):
        await counter.door.cancel(key="e", user_id=7, withdrawal_id=999)
