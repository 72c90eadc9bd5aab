"""Money of a paid invoice goes back once, never more than was paid, and never while what it bought is being used."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.integration.payments.office import ADA, BEN, BOSS, CLERK, HELPER, Office
from tests.integration.payments.test_races import quietly
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.errors import DomainError, KeyReused, NotFound
from viralcore.core.money import ngn, usd
from viralcore.core.registry import Registry
from viralcore.payments.api import NotRefundable, RefundChanged, RefundTooMuch, RefundView
from viralcore.users.api import NotAllowed, NotYourself, SessionExpired


@pytest.fixture
async def office(database: Database, clock: FakeClock, registry: Registry) -> Office:
    return await Office(database, clock, registry).start()


async def test_a_whole_refund_gives_the_money_back_and_takes_the_credits(office: Office) -> None:
    invoice = await office.bought()
    back = await office.refund(invoice.id, "15")
    assert (back.kind, back.amount, back.to_wallet, back.to_bonus) == ("full", usd(15), usd(15), usd(0))
    assert (back.credits, back.credit_asset, back.by, back.reason) == (10, "t3", CLERK, "not happy")
    assert (await office.wallet(), await office.credits(), await office.house("revenue")) == (1500, 0, 0)
    assert await office.house("grants", "t3") == 0
    assert (await office.see(invoice)).refunded == usd(15)
    (told,) = await office.events("refund_issued")
    assert {name: told[name] for name in ("cents", "to_wallet", "to_bonus", "credits", "refunded", "paid", "kind")} == {
        "cents": 1500, "to_wallet": 1500, "to_bonus": 0, "credits": 10, "refunded": 1500, "paid": 1500, "kind": "full",
    }  # fmt: skip
    (line,) = await office.audit("refund.issued")
    assert (line["actor"], line["subject"], line["reason"]) == (CLERK, f"invoice:{invoice.id}", "not happy")
    (newest, *_) = await office.ledger.statement(user_id=ADA)
    assert newest.kind == "refund"
    await office.sound()


async def test_parts_are_refunded_until_nothing_is_left(office: Office) -> None:
    invoice = await office.bought()
    first = await office.refund(invoice.id, "5")
    assert (first.kind, first.credits, await office.credits()) == ("partial", 4, 6)
    second = await office.refund(invoice.id, "1", seen="5")
    assert (second.credits, await office.credits()) == (0, 6)
    last = await office.refund(invoice.id, "9", seen="6")
    assert (last.kind, last.credits, await office.credits(), await office.wallet()) == ("full", 6, 0, 1500)
    with pytest.raises(NotRefundable) as refused:
        await office.refund(invoice.id, "0.01", seen="15")
    assert refused.value.fields["reason"] == "nothing"
    await office.sound()


async def test_small_refunds_leave_no_credits_behind(office: Office) -> None:
    """PRODUCT 13 in another dress: money back in a hundred pieces must not leave what it bought."""
    invoice = await office.bought()
    for cents in range(0, 1500, 100):
        await office.refund(invoice.id, "1", seen=str(Decimal(cents) / 100))
        assert await office.credits() * 150 <= 1500 - cents - 100
    assert (await office.wallet(), await office.credits()) == (1500, 0)
    await office.sound()


async def test_used_credits_are_not_refunded(office: Office) -> None:
    invoice = await office.bought()
    await office.use(3)
    seen = await office.door.finance.invoice(invoice_id=invoice.id)
    assert (seen.most, seen.unused, seen.credits) == (usd("10.50"), 7, 10)
    with pytest.raises(RefundTooMuch) as refused:
        await office.refund(invoice.id, "10.51")
    assert refused.value.fields == {"invoice_id": invoice.id, "asked": 1051, "most": 1050, "left": 1500}
    await office.refund(invoice.id, "10.50")
    assert (await office.credits(), await office.wallet()) == (0, 1050)
    with pytest.raises(NotRefundable) as used:
        await office.refund(invoice.id, "1", seen="10.50")
    assert used.value.fields["reason"] == "used"
    await office.sound()


async def test_lot_prices_are_rounded_down_to_the_cent(office: Office) -> None:
    invoice = await office.bought(quantity=333, price="0.015", wallet=500)
    assert invoice.total == usd(5)
    await office.use(2)
    assert await office.most(invoice.id) == 496  # 331 x 1.5 = 496.5
    await office.come_back(2, "0.015")
    assert await office.most(invoice.id) == 500


async def test_the_purchase_s_own_credits_are_taken_though_older_ones_are_there(office: Office) -> None:
    cheap = await office.bought(quantity=10, price="1.00", wallet=1000)
    dear = await office.bought(quantity=10, price="1.50")
    await office.refund(dear.id, "15")
    assert await office.credits() == 10
    assert await office.most(cheap.id) == 1000
    key = await office.use(10)
    query = (
        "SELECT sum(u.quantity * l.unit_cost) FROM ledger.lot_uses u JOIN ledger.lots l ON l.id = u.lot_id "
        "JOIN ledger.postings p ON p.id = u.posting_id WHERE p.key = :key"
    )
    async with office.db.read() as conn:
        assert await conn.scalar(text(query), {"key": key}) == Decimal(10)
    await office.sound()


async def test_older_credits_are_used_first_and_leave_the_newer_purchase_whole(office: Office) -> None:
    older = await office.bought(quantity=10, price="1.00", wallet=1000)
    newer = await office.bought()
    await office.use(10)
    with pytest.raises(NotRefundable):
        await office.refund(older.id, "10")
    await office.refund(newer.id, "15")
    assert (await office.credits(), await office.wallet()) == (0, 1500)


async def test_credits_that_came_back_from_orders_are_refundable_at_their_price(office: Office) -> None:
    invoice = await office.bought()
    await office.use(4)
    await office.come_back(2)
    await office.come_back(1, "3.00")
    assert await office.most(invoice.id) == 8 * 150
    await office.refund(invoice.id, "12")
    assert await office.credits() == 1
    await office.sound()


async def test_a_hundred_credits_that_came_back_one_by_one_are_refunded_in_two(office: Office) -> None:
    invoice = await office.bought(quantity=100, wallet=15000)
    await office.use(100)
    await office.come_back(100)
    assert await office.most(invoice.id) == 90 * 150
    await office.refund(invoice.id, "135")
    await office.refund(invoice.id, "15", seen="135")
    assert (await office.credits(), await office.wallet()) == (0, 15000)
    await office.sound()


async def test_bonus_money_goes_back_to_bonus(office: Office) -> None:
    invoice = await office.bought(bonus=500, wallet=1000)
    seen = await office.door.finance.invoice(invoice_id=invoice.id)
    assert (seen.paid, seen.bonus) == (usd(15), usd(5))
    back = await office.refund(invoice.id, "1")
    assert (back.to_bonus, back.to_wallet) == (usd("0.34"), usd("0.66"))
    await office.refund(invoice.id, "14", seen="1")
    assert (await office.bonus(), await office.wallet()) == (500, 1000)
    await office.sound()


async def test_what_was_forgiven_is_not_given_back(office: Office) -> None:
    invoice = await office.quoted(ADA)
    assert invoice.quote is not None
    await office.paste(ADA, office.send("14.95"), invoice.id)
    assert (await office.see(invoice)).state == "paid"
    assert await office.most(invoice.id) == 1495
    with pytest.raises(RefundTooMuch):
        await office.refund(invoice.id, "15")
    assert (await office.refund(invoice.id, "14.95")).kind == "full"
    assert (await office.wallet(), await office.credits()) == (1495, 0)
    assert await office.house("revenue") + await office.house("tolerance") == 0
    await office.sound()


async def test_goods_are_not_refunded_beside_their_order(office: Office) -> None:
    """What the order does not deliver goes back when it ends. A second way would give the same money back twice."""
    invoice = await office.bought(kind="goods")
    with pytest.raises(NotRefundable) as refused:
        await office.refund(invoice.id, "15")
    assert refused.value.fields["reason"] == "goods"
    assert await office.most(invoice.id) == 0
    assert await office.wallet() == 0


async def test_what_is_not_refundable_says_why(office: Office) -> None:
    unpaid = await office.open()
    topup = await office.quoted(BEN, kind="topup")
    assert topup.quote is not None
    office.send(topup.quote.amount)
    await office.watch()
    for invoice, reason in ((unpaid, "unpaid"), (topup, "topup")):
        with pytest.raises(NotRefundable) as refused:
            await office.refund(invoice.id, "1")
        assert refused.value.fields["reason"] == reason
        assert (await office.door.finance.invoice(invoice_id=invoice.id)).problem == reason
        assert await office.most(invoice.id) == 0
    with pytest.raises(NotFound):
        await office.refund(404, "1")


async def test_amounts_that_are_none_are_refused(office: Office) -> None:
    invoice = await office.bought()
    for amount in ("0", "-1"):
        with pytest.raises(ValueError, match="amount"):
            await office.refund(invoice.id, amount)
        with pytest.raises(RefundTooMuch):
            await office.door.finance.plan_refund(invoice_id=invoice.id, amount=usd(amount))
    with pytest.raises(ValueError, match="USD"):
        await office.door.finance.plan_refund(invoice_id=invoice.id, amount=ngn(5))
    with pytest.raises(ValueError, match="reason"):
        await office.refund(invoice.id, "1", reason=" ")
    with pytest.raises(RefundTooMuch):
        await office.refund(invoice.id, "99999999999")
    assert await office.house("revenue") == 1500


async def test_a_plan_says_what_would_happen_and_does_nothing(office: Office) -> None:
    invoice = await office.bought(bonus=500, wallet=1000)
    await office.use(1)
    plan = await office.door.finance.plan_refund(invoice_id=invoice.id, amount=usd(3))
    assert (plan.credits, plan.to_bonus, plan.to_wallet, plan.kind) == (2, usd(1), usd(2), "partial")
    assert (plan.most, plan.left, plan.refunded) == (usd("13.50"), usd(15), usd(0))
    assert (await office.wallet(), await office.credits()) == (0, 9)


# who may


@pytest.mark.parametrize("actor", [ADA, BEN, HELPER, 404])
async def test_nobody_without_the_right_refunds(office: Office, actor: int) -> None:
    invoice = await office.bought(BEN)
    with pytest.raises(NotAllowed):
        await office.refund(invoice.id, "1", actor=actor)
    assert await office.wallet(BEN) == 0


async def test_an_expired_session_refunds_nothing_and_nobody_refunds_themselves(office: Office) -> None:
    mine = await office.bought(BOSS)
    with pytest.raises(NotYourself):
        await office.refund(mine.id, "1", actor=BOSS)
    office.clock.advance(61 * 60)
    with pytest.raises(SessionExpired):
        await office.refund(mine.id, "1")
    assert await office.wallet(BOSS) == 0


# once


async def test_one_key_is_one_refund(office: Office) -> None:
    invoice = await office.bought()
    said = await asyncio.gather(*(office.refund(invoice.id, "5", key="one") for _ in range(8)))
    assert {each.id for each in said} == {1}
    with pytest.raises(KeyReused):
        await office.refund(invoice.id, "6", key="one")
    assert (await office.wallet(), len(await office.events("refund_issued"))) == (500, 1)


async def test_twenty_refunds_at_once_of_one_screen_are_one(office: Office) -> None:
    invoice = await office.bought()
    actors = [CLERK, BOSS] * 10
    said = await quietly(*(office.refund(invoice.id, "1", actor=actor) for actor in actors))
    assert sum(isinstance(each, RefundView) for each in said) == 1
    assert sum(isinstance(each, RefundChanged) for each in said) == 19
    assert (await office.wallet(), await office.count("refunds")) == (100, 1)
    await office.sound()


async def test_refunds_of_many_invoices_of_one_person_at_once_do_not_get_in_each_others_way(office: Office) -> None:
    bought = [await office.bought() for _ in range(10)]
    await asyncio.gather(*(office.refund(one.id, "15") for one in bought))
    assert (await office.wallet(), await office.credits()) == (15000, 0)
    await office.sound()


async def test_orders_and_a_refund_at_once_never_spend_one_credit_twice(office: Office) -> None:
    invoice = await office.bought()
    things = [office.use(1) for _ in range(8)] + [office.refund(invoice.id, "15"), office.refund(invoice.id, "6")]
    random.Random(7).shuffle(things)
    said = await quietly(*things)
    orders = sum(isinstance(each, str) for each in said)
    back = sum(each.amount.minor for each in said if isinstance(each, RefundView))
    assert sum(isinstance(each, RefundView) for each in said) <= 1
    assert back <= 1500 - orders * 150
    assert await office.wallet() == back
    assert all(isinstance(each, str | RefundView | DomainError) for each in said)
    await office.sound()


async def test_credits_used_between_the_look_and_the_posting_stop_the_whole_refund(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = await office.bought()
    lots = await _lots_now(office)
    await office.use(1)

    async def as_before(*_: object, **__: object) -> object:
        return lots

    monkeypatch.setattr(office.ledger, "lots", as_before)
    with pytest.raises(RefundChanged):
        await office.refund(invoice.id, "15")
    assert (await office.wallet(), await office.credits(), await office.count("refunds")) == (0, 9, 0)
    assert (await office.see(invoice)).refunded is None


async def _lots_now(office: Office) -> object:
    from viralcore.ledger.api import user_account

    async with office.db.transaction() as tx:
        return await office.ledger.lots(tx, account=user_account(ADA, "credits", "t3"))


# crashes


class Died(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("step", ["add_to_given", "add_refund", "post", "audit", "record"])
async def test_a_death_before_any_step_leaves_nothing_and_the_press_is_handled_again(
    office: Office, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from viralcore.core import db
    from viralcore.payments.repository import finance

    invoice = await office.bought()

    def dies(*_: object, **__: object) -> None:
        raise Died

    where: object = {"post": office.ledger, "audit": office.people, "record": db.Tx}.get(step, finance)
    with monkeypatch.context() as patch:
        patch.setattr(where, step, dies)
        with pytest.raises(Died):
            await office.refund(invoice.id, "15", key="one")
    assert (await office.wallet(), await office.credits(), await office.count("refunds")) == (0, 10, 0)
    assert (await office.see(invoice)).refunded is None
    first, again = await office.refund(invoice.id, "15", key="one"), await office.refund(invoice.id, "15", key="one")
    assert first == again
    assert (await office.wallet(), await office.credits(), len(await office.events("refund_issued"))) == (1500, 0, 1)
    await office.sound()


# the database itself


FORGERIES = (
    "UPDATE payments.invoices SET refunded_cents = 1501",
    "UPDATE payments.invoices SET refunded_cents = -1",
    "UPDATE payments.invoices SET forgiven_cents = 1",
    "UPDATE payments.refunds SET amount_cents = 1",
    "DELETE FROM payments.refunds",
    "INSERT INTO payments.refunds (key, invoice_id, user_id, kind, amount_cents, bonus_cents, credits, reason, by,"
    " created_at) SELECT 'x', invoice_id, user_id, kind, 0, 0, 0, reason, by, created_at FROM payments.refunds",
)


@pytest.mark.parametrize("statement", FORGERIES)
async def test_the_database_refuses_what_no_refund_can_be(office: Office, statement: str) -> None:
    invoice = await office.bought()
    await office.refund(invoice.id, "15")
    with pytest.raises(DBAPIError):
        async with office.db.transaction() as tx:
            await tx.conn.execute(text(statement))


# any sequence


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_bought_used_and_refunded_no_more_goes_back_than_was_paid(office: Office, seed: int) -> None:
    dice = random.Random(seed)
    bought = [
        await office.bought(quantity=q, price=p, wallet=w, bonus=b)
        for q, p, w, b in ((10, "1.50", 1000, 500), (333, "0.015", 500, 0), (10, "1.50", 1500, 0), (7, "3.33", 0, 2331))
    ]
    paid = 1500 + 500 + 1500 + 2331
    back = used = 0
    seen = dict.fromkeys([one.id for one in bought], 0)
    for _ in range(25):
        one = dice.choice(bought)
        if dice.random() < 0.3 and await office.credits():
            posts = dice.randint(1, min(9, await office.credits()))
            await office.use(posts)
            used += posts
            continue
        most = await office.most(one.id)
        if not most:
            continue
        cents = dice.choice([most, dice.randint(1, most)])
        done = await office.refund(one.id, str(Decimal(cents) / 100), seen=str(Decimal(seen[one.id]) / 100))
        seen[one.id] += done.amount.minor
        back += done.amount.minor
    assert await office.wallet() + await office.bonus() == back <= paid
    assert await office.house("revenue") == paid - back
    assert await office.bonus() <= 500 + 2331
    for one in bought:
        assert seen[one.id] <= one.total.minor
    await office.sound()
