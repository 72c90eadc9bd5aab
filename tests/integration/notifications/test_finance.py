"""Stray money and refunds: who is told what, and which cards are brought up to date."""

from __future__ import annotations

from tests.integration.notifications.conftest import House
from tests.integration.notifications.doors import ADA, AT, GROUP, HASH, OLU, stray
from viralcore.core.money import usd
from viralcore.payments.api import RefundView
from viralcore.payments.events import DepositConfirmed, ReceiptAssigned, RefundIssued, StrayMoney, StrayNeedsOwner


def came(user_id: int | None = None) -> StrayMoney:
    return StrayMoney(receipt_id=4, network="bsc", asset="USDT", amount="140", hash=HASH, user_id=user_id)


def needs(why: str = "large") -> StrayNeedsOwner:
    return StrayNeedsOwner(receipt_id=4, network="bsc", asset="USDT", amount="140", hash=HASH, usd=14000, why=why)


def given(invoice_id: int | None = None) -> ReceiptAssigned:
    return ReceiptAssigned(
        receipt_id=4,
        user_id=ADA,
        invoice_id=invoice_id,
        network="bsc",
        asset="USDT",
        amount="140.000000",
        usd=14000,
        actor=OLU,
    )


def back(**changes: object) -> RefundIssued:
    facts = {
        "refund_id": 3, "invoice_id": 12, "user_id": ADA, "cents": 1050, "to_wallet": 700, "to_bonus": 350,
        "credits": 7, "credit_asset": "t3", "refunded": 1050, "paid": 1500, "kind": "partial", "actor": OLU,
    }  # fmt: skip
    return RefundIssued(**{**facts, **changes})  # type: ignore[arg-type]


async def test_a_stray_card_has_a_way_and_is_edited_when_somebody_decided(house: House) -> None:
    house.payments.finance.known[4] = stray(4, pasted=(ADA,))
    await house.happens(came())
    await house.happens(came(ADA))
    assert house.chat.labels(GROUP) == [["💵 Open"], ["💵 Open"]]
    (screen,) = [screen for (chat, _), screen in house.chat.standing.items() if chat == GROUP][:1]
    assert screen.rows[0][0].url == "https://t.me/shop_bot?start=receipt_4"
    house.payments.finance.known[4] = stray(4, owner=ADA, by=OLU, pasted=(ADA,))
    await house.happens(given())
    assert len(house.group()) == 2
    for text in house.group():
        assert "Assigned to Ada (@ada_l, <code>2001</code>) by Olu (@olu_owner, <code>1000</code>), 02 Mar" in text
    assert house.chat.labels(GROUP) == [[], []]
    assert "All of it" not in house.ada()[0]
    assert "all of it, <b>$140.00</b>, is in your wallet" in house.ada()[0]


async def test_a_stray_card_is_edited_when_a_pasted_hash_explained_it(house: House) -> None:
    house.payments.finance.known[4] = stray(4)
    await house.happens(came())
    house.payments.finance.known[4] = stray(4, owner=ADA, invoice=12, pasted=(ADA,))
    await house.happens(
        DepositConfirmed(
            receipt_id=4, invoice_id=12, user_id=ADA, network="bsc", asset="USDT", amount="140", usd=14000,
            to_wallet=0, outcome="exact",
        )
    )  # fmt: skip
    assert "Credited to Ada (@ada_l, <code>2001</code>), for invoice #12: the hash explained it." in house.group()[0]


async def test_owners_are_told_in_private_once_for_each_reason(house: House) -> None:
    house.payments.finance.known[4] = stray(4)
    await house.happens(came(), needs())
    house.clock.advance(24 * 3600)
    await house.happens(needs("old"))
    first, second = house.chat.texts(OLU)
    assert "A large payment arrived" in first
    assert "worth <b>$140.00</b>" in first
    assert "has waited for" in second
    assert house.chat.labels(OLU)[0][0] == "💵 Receipt #4"
    house.payments.finance.known[4] = stray(4, owner=ADA, by=OLU)
    await house.happens(given())
    assert all("has an owner now" in text for text in house.chat.texts(OLU))
    assert len(house.chat.texts(OLU)) == 2


async def test_money_assigned_to_an_invoice_is_told_by_its_deposit(house: House) -> None:
    await house.happens(given(invoice_id=12))
    assert house.ada() == []


async def test_a_refund_is_told_to_its_owner_and_to_the_group(house: House) -> None:
    house.payments.finance.refunds[3] = RefundView(
        3, 12, ADA, "partial", usd("10.50"), usd(7), usd("3.50"), 7, "t3", "not <happy>", OLU, AT
    )
    await house.happens(back())
    (mine,) = house.ada()
    assert "<b>$10.50</b> is back in your wallet" in mine
    assert "$3.50 of it had been paid with bonus money" in mine
    assert "7 unused posts of it were taken back" in mine
    assert "all of your payment" not in mine
    (card,) = house.group()
    assert "$10.50 back to Ada" in card
    assert "By Olu (@olu_owner, <code>1000</code>): <i>not &lt;happy&gt;</i>" in card
    assert "happy" not in mine
