"""Orders paid with credits: each gives back what its own purchase was made of, an end and its corrections are told
apart, and finance and orders together never give back more than was paid."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.payments.office import ADA
from tests.integration.referrals.village import CARA
from tests.integration.refunds.market import Market
from viralcore.boosts.events import OrderRefunded
from viralcore.core.money import usd

POST = "https://x.com/shop/status/19900000000000000{:02d}"


@pytest.fixture
def engines() -> Sequence[Any] | None:
    """Panels alone: of every order, what they do not deliver is paid back."""
    return ()


async def tier3(market: Market, quantity: int, *, bonus: int = 0) -> int:
    """An invoice paid from the wallet, so much of it with bonus money."""
    if bonus:
        await market.earned(CARA, bonus)
    invoice = await market.bought(CARA, wallet=150 * quantity - bonus, quantity=quantity)
    await market.listen()
    return invoice.id


async def orders(market: Market, *numbers: int) -> list[int]:
    made = await market.boosts.order(*(POST.format(number) for number in numbers), user_id=CARA)
    return [one.id for one in made]


async def delivered(market: Market) -> None:
    """All that panels can do is done; what nobody does is paid back."""
    for minutes in (60, 30):
        await market.boosts.turn(minutes)
    market.boosts.panels["smmflare"].complete()
    for _ in range(2):
        await market.boosts.turn(5)
    await market.listen()


async def test_an_order_gives_back_what_its_own_purchase_was_made_of(market: Market) -> None:
    half = await tier3(market, 2, bonus=150)
    plain = await tier3(market, 1)
    assert await market.affiliate(ADA) == 15 + 15
    first, second, third = await orders(market, 1, 2, 3)
    await delivered(market)
    # 105 of each 150 cents: twice of a purchase that was half bonus money, once of one that was not
    assert await market.money(CARA) == (52 + 53 + 105, 53 + 52)
    assert (await market.given(half), await market.given(plain)) == (210, 105)
    shown = [await market.boosts.see(order) for order in (first, second, third)]
    assert [(one.refunded, one.to_bonus) for one in shown] == [
        (usd("1.05"), usd("0.53")), (usd("1.05"), usd("0.52")), (usd("1.05"), usd(0)),
    ]  # fmt: skip
    assert await market.affiliate(ADA) == 4 + 4, "a tenth of what was kept of wallet money: 45 of 150, twice"
    await market.agrees()


async def test_the_end_of_an_order_and_what_is_corrected_later_are_two_returns(market: Market) -> None:
    await tier3(market, 1)
    (order,) = await orders(market, 1)
    await delivered(market)
    assert (await market.money(CARA), await market.affiliate(ADA)) == ((105, 0), 4)
    panel = market.boosts.panels["smmflare"]
    for number, (_, _, quantity) in list(panel.orders.items())[:2]:
        panel.end(number, "partial", quantity - 1)
    market.clock.advance(3 * 3600)
    await market.boosts.job("boosts.corrections")
    await market.listen()
    told = await market.boosts.events("order_refunded")
    assert len(told) == 3, "the end, and each phase that was corrected"
    assert [one["source"].split(":")[0] for one in told] == ["settled", "corrected", "corrected"]
    wallet = (await market.money(CARA))[0]
    assert wallet == sum(one["to_wallet"] for one in told) > 105
    assert await market.affiliate(ADA) == (150 - wallet) // 10
    for _ in range(2):
        await market.hear(again=True)
    assert await market.affiliate(ADA) == (150 - wallet) // 10
    assert (await market.boosts.see(order)).refunded == usd(Decimal(wallet) / 100)
    await market.agrees()


async def test_returns_from_before_keep_their_name(market: Market) -> None:
    invoice = await tier3(market, 1)
    old = OrderRefunded(order_id=77, user_id=CARA, invoice_id=invoice, cents=50)
    for _ in range(2):
        await market.tell("e1", old)
    assert await market.affiliate(ADA) == 10
    rows = await market.boosts.rows("SELECT source, cents, known FROM referrals.returns")
    assert [tuple(row) for row in rows] == [("order:77", 50, "all")]
    for source in ("settled", "corrected:5", "corrected:6", "corrected:5"):
        await market.tell("e2", replace(old, cents=20, source=source, to_wallet=10))
    assert await market.affiliate(ADA) == 7
    await market.agrees()


async def test_a_credit_that_came_back_is_refunded_with_its_own_purchase(market: Market) -> None:
    older = await tier3(market, 1)
    newer = await tier3(market, 1)
    first, second = await orders(market, 1, 2)
    await market.boosts.door.cancel(key="c", user_id=CARA, order_id=second)
    await market.listen()
    assert await market.most(older) == 0, "its credit is in an order"
    assert await market.most(newer) == 150
    await market.refund(newer, "1.50")
    await delivered(market)
    assert (await market.given(older), await market.given(newer)) == (105, 150)
    assert await market.money(CARA) == (255, 0)
    seen = await market.door.finance.invoice(invoice_id=older)
    assert (seen.elsewhere, seen.left, seen.problem) == (usd("1.05"), usd("0.45"), "used")
    assert (await market.boosts.see(first)).refunded == usd("1.05")
    await market.agrees()


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_finance_and_orders_give_back_it_is_what_was_paid(market: Market, seed: int) -> None:
    """Orders in any number, cancelled, ended and refunded by finance between them, of purchases of any mixture."""
    chance = random.Random(seed)
    bought = [(bonus, await tier3(market, 4, bonus=bonus)) for bonus in (chance.randrange(1, 600), 600, 0)]
    made = await orders(market, *range(10))
    for order in chance.sample(made, 4):
        await market.boosts.door.cancel(key=f"c{order}", user_id=CARA, order_id=order)
    await market.listen()
    for when in range(2):
        await market.sessions()
        for _, invoice in bought:
            most = await market.most(invoice)
            if most:
                cents = most if when else chance.randrange(1, most + 1)
                seen = await market.door.finance.invoice(invoice_id=invoice)
                before = seen.invoice.refunded or usd(0)
                await market.refund(invoice, str(Decimal(cents) / 100), seen=str(before.decimal))
        await market.listen()
        await delivered(market)
    wallet, bonus = await market.money(CARA)
    given = {invoice: await market.given(invoice) for _, invoice in bought}
    assert wallet + bonus == sum(given.values())
    assert bonus == sum(-(-given[invoice] * part // 600) for part, invoice in bought), "each by its own share"
    kept = [(600 - part) - (given[invoice] + -given[invoice] * part // 600) for part, invoice in bought]
    assert await market.affiliate(ADA) == sum(each // 10 for each in kept)
    assert await market.ledger.check() == ()


async def test_what_goes_back_at_one_moment_is_counted_one_after_the_other(market: Market) -> None:
    """Ten orders of one purchase end together while finance refunds the rest of it: no part is given twice."""
    invoice = await tier3(market, 12, bonus=601)
    await orders(market, *range(10))
    for minutes in (60, 30):
        await market.boosts.turn(minutes)
    market.boosts.panels["smmflare"].complete()
    await market.sessions()
    await asyncio.gather(
        *(market.boosts.job("boosts.poll") for _ in range(3)),
        market.refund(invoice, "3.00"),
    )
    await market.boosts.turn(5)
    await market.boosts.turn(5)
    await market.listen()
    given = 10 * 105 + 300
    assert await market.given(invoice) == given
    bonus = -(-given * 601 // 1800)
    assert await market.money(CARA) == (given - bonus, bonus)
    assert await market.affiliate(ADA) == ((1800 - 601) - (given - bonus)) // 10
    await market.agrees()
