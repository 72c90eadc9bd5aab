"""What an order does not deliver goes back as the money it was paid with: bonus money never becomes wallet money, and
what was forgiven becomes nobody's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.integration.payments.office import ADA
from tests.integration.referrals.village import CARA
from tests.integration.refunds.market import PROFILE, Market
from viralcore.boosts.api import CustomSpec
from viralcore.core.money import usd
from viralcore.ledger.api import CREDITS, user_account
from viralcore.payments.api import Back

VIP = CustomSpec(title="VIP", likes=100, reposts=0, comments=10, views=5000, price=Decimal("1.20"))


async def paid_short(market: Market, cents: int) -> int:
    """An order of CARA's for 1,000 followers at $10, paid with so many cents less in coins; its invoice."""
    invoice = await market.wants(CARA, "direct_add", 1000, profile_link=PROFILE)
    quoted = await market.choose(invoice)
    assert quoted.quote is not None
    await market.paste(CARA, market.send(str(Decimal(1000 - cents) / 100)), invoice.id)
    await market.listen()
    return invoice.id


async def test_bonus_money_stays_bonus_money(market: Market) -> None:
    await market.earned(CARA, 1000)
    order = await market.cancel(await market.followers(CARA))
    assert await market.money(CARA) == (0, 1000)
    assert (order.refunded, order.to_bonus, order.unpaid) == (usd(10), usd(10), usd(0))
    await market.followers(CARA)
    assert await market.affiliate(ADA) == 0, "the second purchase is bonus money as well, and pays no commission"
    await market.agrees()


async def test_each_part_goes_back_to_where_it_came_from(market: Market) -> None:
    await market.earned(CARA, 333)
    await market.give(CARA, 667)
    order = await market.followers(CARA)
    assert (await market.money(CARA), await market.affiliate(ADA)) == ((0, 0), 66)
    after = await market.cancel(order)
    assert (await market.money(CARA), await market.affiliate(ADA)) == ((667, 333), 0)
    assert (after.refunded, after.to_bonus) == (usd(10), usd("3.33"))
    assert await market.given(order.invoice_id or 0) == 1000
    await market.agrees()


async def test_what_was_forgiven_is_given_to_nobody(market: Market) -> None:
    invoice_id = await paid_short(market, 4)
    assert await market.affiliate(ADA) == 99
    (order,) = await market.orders(CARA)
    after = await market.cancel(order)
    assert (await market.money(CARA), await market.affiliate(ADA)) == ((996, 0), 0)
    assert (after.refunded, after.to_bonus, after.unpaid) == (usd("9.96"), usd(0), usd("0.04"))
    assert await market.house("revenue") + await market.house("tolerance") == 0
    assert await market.given(invoice_id) == 1000
    await market.agrees()


async def test_goods_whose_plan_is_gone_take_their_commission_back(market: Market) -> None:
    await market.earned(CARA, 400)
    await market.give(CARA, 600)
    invoice = await market.wants(CARA, "direct_add", 1000, profile_link=PROFILE)
    catalogue = market.boosts.door._catalogue
    del catalogue._plans["direct_add"]
    await market.door.pay_from_wallet(key="p", user_id=CARA, invoice_id=invoice.id)
    await market.hear()
    assert await market.affiliate(ADA) == 60
    await market.listen()
    await market.hear(again=True)
    assert (await market.money(CARA), await market.affiliate(ADA)) == ((600, 400), 0)
    (told,) = await market.boosts.events("goods_returned")
    assert (told["cents"], told["to_wallet"], told["to_bonus"]) == (1000, 600, 400)
    await market.agrees()


# custom plans


async def custom(market: Market, user: int = CARA, **changes: object) -> str:
    spec = CustomSpec(**{**{name: getattr(VIP, name) for name in VIP.__dataclass_fields__}, **changes})  # type: ignore[arg-type]
    plan = await market.boosts.door.custom.create(
        key=market.key(), actor=market.owner, user_id=user, spec=spec, give=0, reason="asked for"
    )
    return f"custom-{plan.id}"


async def posts(market: Market, plan: str, quantity: int) -> int:
    opened = await market.boosts.door.buy(key=market.key(), user_id=CARA, plan_id=plan, quantity=quantity)
    return int(opened.id if hasattr(opened, "id") else opened)


async def left(market: Market, plan: str) -> int:
    return (await market.ledger.balance(account=user_account(CARA, CREDITS, plan))).balance


async def test_a_plan_that_ends_pays_each_purchase_back_as_it_was_paid(market: Market) -> None:
    plan = await custom(market)
    for bonus, wallet in ((600, 0), (100, 500)):
        if bonus:
            await market.earned(CARA, bonus)
        if wallet:
            await market.give(CARA, wallet)
        invoice_id = await posts(market, plan, 5)
        await market.door.pay_from_wallet(key=market.key(), user_id=CARA, invoice_id=invoice_id)
    await market.listen()
    assert (await left(market, plan), await market.affiliate(ADA)) == (10, 50)
    await market.boosts.door.custom.end(
        key="x", actor=market.owner, plan_id=int(plan.removeprefix("custom-")), reason="over"
    )
    await market.listen()
    assert (await left(market, plan), await market.money(CARA), await market.affiliate(ADA)) == (0, (500, 700), 0)
    *_, told = await market.boosts.events("custom_plan_changed")
    assert (told["what"], told["refunded"], told["to_bonus"]) == ("ended", 1200, 700)
    await market.agrees()


async def test_a_plan_paid_after_its_time_gives_that_payment_back_and_nothing_else(market: Market) -> None:
    plan = await custom(market, expires_at=market.clock.now() + timedelta(minutes=10))
    await market.give(CARA, 1200)
    first = await posts(market, plan, 5)
    await market.door.pay_from_wallet(key=market.key(), user_id=CARA, invoice_id=first)
    await market.listen()
    late = await posts(market, plan, 5)
    market.clock.advance(11 * 60)
    await market.door.pay_from_wallet(key=market.key(), user_id=CARA, invoice_id=late)
    for event_id, event in await market.said():
        for _ in range(2):
            await market.tell(event_id, event)
    await market.listen()
    assert (await left(market, plan), await market.money(CARA), await market.affiliate(ADA)) == (5, (600, 0), 60)
    assert [row["what"] for row in await market.boosts.events("custom_plan_changed")] == ["made", "ended"]
    assert (await market.given(first), await market.given(late)) == (0, 600)
    await market.agrees()


# the door


async def test_nothing_goes_back_twice_or_to_somebody_else(market: Market) -> None:
    await market.give(CARA, 1000)
    order = await market.followers(CARA)
    back = Back("test:back", order.invoice_id, 300, "test")
    for _ in range(2):
        async with market.db.transaction() as tx:
            (parts,) = await market.door.give_back(tx, key="test", user_id=CARA, backs=[back])
        assert (parts.wallet, parts.bonus, parts.unpaid) == (300, 0, 0)
    assert (await market.money(CARA), await market.given(order.invoice_id or 0)) == ((300, 0), 300)
    with pytest.raises(RuntimeError, match="sold nothing"):
        async with market.db.transaction() as tx:
            await market.door.give_back(tx, key="test2", user_id=ADA, backs=[Back("other", order.invoice_id, 1, "")])
    with pytest.raises(RuntimeError, match="did not post"):
        async with market.db.transaction() as tx:
            await market.door.give_back(tx, key="test3", user_id=CARA, backs=[back])
    assert (await market.money(CARA), await market.given(order.invoice_id or 0)) == ((300, 0), 300)
    await market.cancel(order)
    assert await market.money(CARA) == (1000, 0), "never more than the price, whatever is asked for"
    async with market.db.transaction() as tx:
        unknown = Back("test:unknown", None, 50, "of no purchase")
        (parts,) = await market.door.give_back(tx, key="test4", user_id=CARA, backs=[unknown])
    assert (parts.bonus, await market.money(CARA)) == (50, (1000, 50))
    await market.sound()
