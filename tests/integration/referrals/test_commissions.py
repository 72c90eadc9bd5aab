"""Ten percent of what was really paid, once; taken back with the money; and what is not there is owed."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.integration.payments.office import ADA, BEN
from tests.integration.payments.shop import bought
from tests.integration.referrals.village import CARA, DAN, Village
from viralcore.boosts.events import CreditsRefunded, OrderRefunded
from viralcore.core.money import usd
from viralcore.ledger.api import AFFILIATE, InsufficientFunds, user_account


@pytest.fixture
async def two(village: Village) -> Village:
    """ADA brought CARA."""
    village.clock.advance(60)
    await village.comes(CARA, ADA)
    return village


async def test_a_coin_payment_pays_a_tenth_at_once(two: Village) -> None:
    invoice, _ = await bought(two, CARA)
    await two.watch()
    await two.hear()
    assert await two.affiliate(ADA) == 150
    (told,) = await two.told("commission_earned")
    assert told == {
        "referrer_id": ADA, "buyer_id": CARA, "invoice_id": invoice.id, "item_ref": "t3", "cents": 150,
        "to_balance": 150, "to_receivable": 0,
    }  # fmt: skip
    stats = await two.stats(ADA)
    assert (stats.people, stats.active, stats.earned, stats.available) == (1, 1, usd("1.50"), usd("1.50"))
    assert (stats.this_month, stats.receivable) == (usd("1.50"), usd(0))
    (line, *_) = await two.ledger.statement(user_id=ADA)
    assert (line.kind, line.amount) == ("commission", 150)
    await two.agrees()


async def test_hearing_everything_again_pays_nothing_more(two: Village) -> None:
    invoice = await two.bought(CARA)
    await two.refund(invoice.id, "5")
    await two.hear()
    for _ in range(2):
        await two.hear(again=True)
    assert await two.affiliate(ADA) == 100
    await two.agrees()


async def test_a_wallet_pays_when_it_is_spent_and_not_when_it_is_filled(two: Village) -> None:
    topup = await two.door.open_topup(key="t", user_id=CARA, amount=usd(20))
    quoted = await two.choose(topup)
    assert quoted.quote is not None
    two.send(quoted.quote.amount)
    await two.watch()
    await two.hear()
    assert (await two.affiliate(ADA), (await two.stats(ADA)).active) == (0, 0)
    invoice = await two.open(CARA)
    await two.door.pay_from_wallet(key="p", user_id=CARA, invoice_id=invoice.id)
    await two.hear()
    assert (await two.affiliate(ADA), (await two.stats(ADA)).active) == (150, 1)


async def test_bonus_money_pays_nothing_and_a_mixture_for_its_share(two: Village) -> None:
    await two.bought(CARA, wallet=0, bonus=1500)
    await two.hear()
    assert (await two.affiliate(ADA), (await two.stats(ADA)).active) == (0, 1)
    await two.bought(CARA, wallet=501, bonus=999)
    await two.hear()
    assert await two.affiliate(ADA) == 50
    await two.agrees()


async def test_affiliate_money_moved_to_the_wallet_pays_no_second_commission(two: Village) -> None:
    two.clock.advance(60)
    await two.comes(DAN, CARA)
    for _ in range(10):
        await two.bought(DAN)
    await two.hear()
    assert await two.affiliate(CARA) == 1500
    await two.move(CARA, 1500)
    invoice = await two.open(CARA)
    await two.door.pay_from_wallet(key="own", user_id=CARA, invoice_id=invoice.id)
    await two.hear()
    assert (await two.affiliate(CARA), await two.affiliate(ADA)) == (0, 0)
    await two.agrees()


async def test_who_was_brought_by_nobody_pays_nobody(two: Village) -> None:
    await two.bought(BEN)
    await two.hear()
    assert await two.house("commissions") == 0
    await two.agrees()


async def test_a_refund_takes_its_share_back(two: Village) -> None:
    invoice = await two.bought(CARA)
    await two.hear()
    await two.refund(invoice.id, "4.99")
    await two.hear()
    assert await two.affiliate(ADA) == 100  # a tenth of 10.01
    (told,) = await two.told("commission_reversed")
    assert (told["cents"], told["from_balance"], told["receivable"]) == (50, 50, 0)
    await two.refund(invoice.id, "10.01", seen="4.99")
    await two.hear()
    assert (await two.affiliate(ADA), (await two.stats(ADA)).earned) == (0, usd(0))
    await two.agrees()


async def test_money_that_went_back_as_bonus_takes_nothing_back(two: Village) -> None:
    invoice = await two.bought(CARA, wallet=0, bonus=1500)
    await two.refund(invoice.id, "15")
    await two.hear()
    assert await two.told("commission_reversed") == []
    mixed = await two.bought(CARA, wallet=1500, bonus=-1500)
    await two.hear()
    await two.refund(mixed.id, "7.50")
    await two.hear()
    assert await two.affiliate(ADA) == 75
    await two.agrees()


async def test_what_was_moved_away_is_owed_and_taken_from_later_commissions(two: Village) -> None:
    invoice = await two.bought(CARA)
    await two.hear()
    await two.move(ADA, 100)
    await two.refund(invoice.id, "15")
    await two.hear()
    assert (await two.affiliate(ADA), (await two.stats(ADA)).receivable) == (0, usd("1.00"))
    (told,) = await two.told("commission_reversed")
    assert (told["cents"], told["from_balance"], told["receivable"]) == (150, 50, 100)
    await two.agrees()
    await two.bought(CARA, quantity=4, wallet=600)
    await two.hear()
    assert (await two.affiliate(ADA), (await two.stats(ADA)).receivable) == (0, usd("0.40"))
    await two.bought(CARA)
    await two.hear()
    assert (await two.affiliate(ADA), (await two.stats(ADA)).receivable) == (110, usd(0))
    last = (await two.told("commission_earned"))[-1]
    assert (last["cents"], last["to_balance"], last["to_receivable"]) == (150, 110, 40)
    await two.agrees()


async def test_held_money_is_not_there(two: Village) -> None:
    """A withdrawal is under way: what it holds is not taken from it."""
    invoice = await two.bought(CARA)
    await two.hear()
    async with two.db.transaction() as tx:
        await two.ledger.hold(tx, key="w", account=user_account(ADA, AFFILIATE), amount=120, reason="withdrawal")
    await two.refund(invoice.id, "15")
    await two.hear()
    assert (await two.affiliate(ADA), (await two.stats(ADA)).receivable) == (120, usd("1.20"))
    await two.agrees()


@pytest.mark.parametrize("seed", range(2))
async def test_the_order_in_which_it_is_heard_does_not_matter(two: Village, seed: int) -> None:
    two.clock.advance(60)
    await two.comes(DAN, CARA, heard=False)
    whole, part = await two.bought(DAN), await two.bought(DAN, wallet=1000, bonus=500)
    await two.refund(whole.id, "15")
    await two.refund(part.id, "3")
    await two.hear(order=random.Random(seed).shuffle)
    assert await two.affiliate(CARA) == 80
    assert (await two.stats(CARA)).active == 1
    await two.agrees()


async def test_all_of_it_at_once(two: Village) -> None:
    """Payments, refunds and their second deliveries meet moves of the same balance."""
    two.clock.advance(60)
    await two.comes(DAN, ADA, heard=False)
    made = [await two.bought(who) for who in (CARA, DAN) for _ in range(3)]
    for invoice in made[::2]:
        await two.refund(invoice.id, "15")
    events = [*await two.said(), *await two.said()]

    async def move() -> None:
        for _ in range(6):
            free = (await two.stats(ADA)).available.minor
            if free:
                with suppress(InsufficientFunds):  # a reversal was faster
                    await two.move(ADA, free)

    async def tell(event_id: str, event: object) -> None:
        await two.tell(event_id, event)  # type: ignore[arg-type]

    await asyncio.gather(*(tell(*one) for one in events), move())
    stats = await two.stats(ADA)
    assert stats.earned == usd("4.50")
    await two.agrees()


async def test_a_failure_half_way_leaves_nothing(two: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    from viralcore.referrals import repository

    await two.bought(CARA)
    real = repository.add_commission

    async def dies(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(repository, "add_commission", dies)
    with pytest.raises(RuntimeError, match="killed"):
        await two.hear()
    assert await two.affiliate(ADA) == 0
    assert await two.told("commission_earned") == []
    monkeypatch.setattr(repository, "add_commission", real)
    await two.hear()
    assert await two.affiliate(ADA) == 150
    await two.agrees()


async def test_a_purchase_keeps_the_percentage_it_was_made_at(two: Village) -> None:
    invoice = await two.bought(CARA)
    await two.hear()
    two.referrals.subscriptions[1].handler.__self__._commissions._percent = 50  # type: ignore[attr-defined]
    await two.hear(again=True)
    await two.refund(invoice.id, "5")
    await two.hear()
    assert await two.affiliate(ADA) == 100


async def test_what_was_not_delivered_takes_its_share_back_by_the_money_it_was_paid_with(two: Village) -> None:
    invoice = await two.bought(CARA, wallet=750, bonus=750)
    await two.hear()
    assert await two.affiliate(ADA) == 75
    event = OrderRefunded(order_id=3, user_id=CARA, invoice_id=invoice.id, cents=101)
    for _ in range(2):
        await two.tell("e", event)
    assert await two.affiliate(ADA) == 69  # a tenth of 750 - 51
    await two.agrees()


async def test_unused_posts_that_were_paid_back_take_their_share_back_once(two: Village) -> None:
    invoice = await two.bought(CARA, wallet=1500)
    await two.hear()
    assert await two.affiliate(ADA) == 150
    for source in ("custom:1:v1", "custom:1:v1", "custom:1:end:k"):
        await two.tell("e", CreditsRefunded(source=source, user_id=CARA, invoice_id=invoice.id, cents=300))
    assert await two.affiliate(ADA) == 90
    await two.agrees()


async def test_a_database_that_is_told_nonsense_refuses_it(two: Village) -> None:
    await two.bought(CARA)
    await two.hear()
    for statement in (
        "UPDATE referrals.commissions SET cents = 1",
        "DELETE FROM referrals.commissions",
        "UPDATE referrals.affiliates SET receivable_cents = -1",
        "UPDATE referrals.purchases SET booked_cents = -1",
        "INSERT INTO referrals.bindings VALUES (1, 1, now())",
    ):
        with pytest.raises(DBAPIError):
            async with two.db.transaction() as tx:
                await tx.conn.execute(text(statement))


async def test_what_is_said_of_earnings(two: Village) -> None:
    two.clock.advance(60)
    await two.comes(DAN, ADA)
    first = await two.bought(CARA)
    await two.bought(DAN, quantity=4, wallet=600)
    await two.hear()
    two.clock.advance(40 * 86400)
    await two.sessions()
    await two.refund(first.id, "15")
    await two.hear()
    months = await two.referrals.service.by_month(user_id=ADA)
    assert len(months) == 12
    assert [(one.earned, one.reversed) for one in months if (one.earned + one.reversed).minor] == [
        (usd("2.10"), usd(0)),
        (usd(0), usd("1.50")),
    ]
    assert (await two.stats(ADA)).this_month == usd("-1.50")
    newest, *_, oldest = await two.referrals.service.commissions(user_id=ADA)
    assert (newest.amount, oldest.amount, oldest.buyer_id) == (usd("-1.50"), usd("1.50"), CARA)
    (second,) = await two.referrals.service.commissions(user_id=ADA, before_id=newest.id, limit=1)
    assert second.amount == usd("0.60")
    facts = await two.facts(ADA)
    assert (facts.people, facts.active, facts.busiest_day, facts.earned, facts.reversed) == (
        2, 2, 2, usd("2.10"), usd("1.50"),
    )  # fmt: skip
    assert (str(facts.top_buyer_share), str(facts.reversed_share)) == ("0.7143", "0.7143")
    assert {one.labels["what"]: int(one.value) for one in await two.referrals.figures() if "what" in one.labels} == {
        "earned": 210, "reversed": 150, "receivable": 0,
    }  # fmt: skip
    nobody = await two.facts(404)
    assert (nobody.referrer_id, nobody.people, nobody.reversed_share) == (None, 0, 0)
