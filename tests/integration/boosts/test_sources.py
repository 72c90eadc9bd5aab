"""Money of an order that goes back is told with the purchase it came from, so that its commission goes back as well."""

from __future__ import annotations

from decimal import Decimal

from tests.integration.boosts.conftest import ADA, Shop
from viralcore.ledger.api import Entry, house_account, user_account

POST = "https://x.com/shop/status/19900000000000000{:02d}"


async def sold(shop: Shop, invoice: int, count: int, asset: str = "t3") -> None:
    """Credits under the key payments gives a purchase."""
    entries = (
        Entry(user_account(ADA, "credits", asset), count, unit_cost=Decimal("1.50")),
        Entry(house_account("grants", asset), -count),
    )
    async with shop.database.transaction() as tx:
        key = f"invoice:{invoice}:paid"
        await shop.ledger.post(tx, key=key, kind="purchase", entries=entries, description="test")


async def told(shop: Shop) -> dict[int, tuple[int, int]]:
    """Order to (invoice, cents)."""
    return {one["order_id"]: (one["invoice_id"], one["cents"]) for one in await shop.events("order_refunded")}


async def delivered(shop: Shop) -> None:
    """All that panels can do is done; what nobody does is refunded."""
    await shop.turn(60)
    await shop.turn(30)
    shop.panels["smmflare"].complete()
    await shop.turn(5)
    await shop.turn(5)


async def test_each_order_of_a_draft_is_told_with_the_purchase_its_credit_came_from(shop: Shop) -> None:
    await sold(shop, 5, 1)
    await sold(shop, 6, 2)
    first, second, third = await shop.order(*(POST.format(n) for n in (1, 2, 3)))
    await delivered(shop)
    assert await told(shop) == {first.id: (5, 105), second.id: (6, 105), third.id: (6, 105)}
    assert await shop.wallet() == 315
    await shop.sound()


async def test_a_credit_that_came_back_is_still_of_its_purchase(shop: Shop) -> None:
    await sold(shop, 5, 1)
    for number in (1, 2):
        (order,) = await shop.order(POST.format(number))
        await shop.door.cancel(key="c", user_id=ADA, order_id=order.id)
    assert await told(shop) == {}
    (last,) = await shop.order(POST.format(3))
    await delivered(shop)
    assert await told(shop) == {last.id: (5, 105)}


async def test_what_nobody_paid_for_is_of_no_purchase(shop: Shop) -> None:
    await shop.grant(1)
    await shop.order()
    await delivered(shop)
    assert await shop.wallet() == 105
    assert await told(shop) == {}
