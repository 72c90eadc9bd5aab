"""One card for the team, one message that follows for its owner, and a new one for each end: through the real queue."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.integration.notifications.conftest import House
from tests.integration.notifications.doors import ADA, GROUP
from tests.unit.texts.screens import withdrawals as cases
from tests.unit.texts.screens.withdrawals import sheet
from viralcore.withdrawals import events
from viralcore.withdrawals.api import CardView, WithdrawalView

OLU = 1000
IDS: Any = {"withdrawal_id": 12, "user_id": ADA}
REQUESTED = events.WithdrawalRequested(**IDS, flagged=False, needed=1)
APPROVED = events.WithdrawalApproved(**IDS, actor=OLU, mode="automatic")
SENT = events.WithdrawalSent(**IDS, n=1)


@dataclass
class FakeWithdrawals:
    """One withdrawal. Nobody who draws a card for a group asks for the number."""

    one: WithdrawalView = field(default_factory=lambda: cases.PENDING)
    watch: Any = None
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def desk(self) -> FakeWithdrawals:
        return self

    async def card(self, *, withdrawal_id: int) -> CardView:
        return sheet(self.one, **self.changes)

    async def queue(self, *, which: str, limit: int) -> tuple[WithdrawalView, ...]:
        return (self.one,)

    async def get(self, *, user_id: int, withdrawal_id: int) -> WithdrawalView:
        assert (user_id, withdrawal_id) == (ADA, 12)
        return self.one


@pytest.fixture
async def house(bare_house: House) -> House:
    bare_house.withdrawals = FakeWithdrawals()
    return await bare_house.build().start()


def turns(house: House, one: WithdrawalView) -> None:
    house.withdrawals.one = one


async def approved(house: House) -> None:
    await house.happens(REQUESTED)
    turns(house, cases.APPROVED)
    await house.happens(APPROVED)
    turns(house, cases.PROCESSING)
    await house.happens(SENT)


async def test_one_card_and_one_message_follow_it_and_its_end_is_new(house: House) -> None:
    await house.happens(REQUESTED)
    assert house.ada() == []
    (card,) = house.group()
    assert "waits for approval" in card
    assert house.chat.labels(GROUP)[0] == ["✅ Approve", "✖️ Reject", "👁 Show account"]
    turns(house, cases.APPROVED)
    await house.happens(APPROVED)
    turns(house, cases.PROCESSING)
    await house.happens(SENT)
    (card,), (following,) = house.group(), house.ada()
    assert "with the bank" in card
    assert "approved by" in card
    assert "is sent to the bank" in following
    turns(house, cases.COMPLETED)
    await house.happens(events.WithdrawalCompleted(**IDS, net=3748925, actor=0))
    (card,), (following, told) = house.group(), house.ada()
    assert "paid at 14:31 UTC" in card
    assert "step by step" in following
    assert "arrived 14:31" in following
    assert "₦37,489.25 was paid to GTBank PLC, ******1234" in told
    assert house.chat.labels(GROUP)[0] == []


async def test_a_failure_and_a_rejection_say_what_becomes_of_the_money(house: House) -> None:
    await approved(house)
    turns(house, cases.STATES["failed, the account"])
    await house.happens(events.WithdrawalFailed(**IDS, reason="account", actor=0))
    assert "<b>$25.00</b> is back in your affiliate balance" in house.ada()[-1]
    turns(house, cases.REJECTED)
    await house.happens(events.WithdrawalRejected(**IDS, actor=OLU))
    assert "Write to support first, please." in house.ada()[-1]
    assert "rejected by" in house.group()[-1]


async def test_unconfirmed_is_told_honestly_and_not_when_it_is_over(house: House) -> None:
    await approved(house)
    turns(house, cases.UNCONFIRMED)
    await house.happens(events.WithdrawalUnconfirmed(**IDS))
    assert "It may have arrived already" in house.ada()[-1]
    turns(house, cases.COMPLETED)
    await house.happens(events.WithdrawalUnconfirmed(**IDS), events.WithdrawalCompleted(**IDS, net=3748925, actor=0))
    assert [told for told in house.ada() if "not confirmed yet" in told] == house.ada()[1:2]
    assert sum("has arrived" in told for told in house.ada()) == 1


async def test_who_cancels_is_not_told_and_who_is_cancelled_is(house: House) -> None:
    await house.happens(REQUESTED)
    turns(house, cases.STATES["cancelled"])
    await house.happens(events.WithdrawalCancelled(**IDS, expired=False))
    assert house.ada() == []
    assert "cancelled at 14:31 UTC by the person" in house.group()[-1]
    turns(house, cases.STATES["cancelled, never confirmed"])
    await house.happens(events.WithdrawalCancelled(**IDS, expired=True))
    assert "Its new terms were not confirmed in time" in house.ada()[-1]


async def test_new_terms_ask_their_owner_and_bring_a_new_card(house: House) -> None:
    await house.happens(REQUESTED)
    turns(house, cases.OUTDATED)
    await house.happens(events.WithdrawalTermsOutdated(**IDS, why="rate"))
    assert "₦35,801.75" in house.ada()[-1]
    assert "It cannot be approved before" in house.group()[-1]
    turns(house, replace(cases.PENDING, quote=cases.NEW_QUOTE))
    await house.happens(events.WithdrawalConfirmedAgain(**IDS, needed=1))
    old, new = house.group()
    assert "see the newer card" in old
    assert "₦1,432.50 per dollar, locked" in new
    assert house.chat.labels(GROUP) == [[], ["✅ Approve", "✖️ Reject", "👁 Show account"]]
    await house.happens(events.WithdrawalTermsOutdated(**IDS, why="age"))
    assert len(house.ada()) == 1, "terms that hold again are not asked about"


async def test_trouble_and_switches_are_told_to_the_group(house: House) -> None:
    await house.happens(
        events.PayoutTrouble(withdrawal_id=12, reference="vc-w12-a1", what="late_success", detail=""),
        events.PayoutSwitched(what="paused", value="true", reason="slow bank", actor=OLU),
        events.PayoutSwitched(what="stopped", value="true", reason="short", actor=0),
    )
    trouble, switched = sorted(house.group(), key=lambda told: "Payouts are paused" in told)
    assert "PAID after it had been given back" in trouble
    assert "slow bank" in switched
    assert "olu_owner" in switched


async def test_the_card_offers_to_give_it_back_once_that_is_possible(house: House) -> None:
    await approved(house)
    turns(house, cases.UNCONFIRMED)
    await house.happens(events.WithdrawalUnconfirmed(**IDS))
    assert "↩️ Give back" not in house.chat.labels(GROUP)[0]
    house.withdrawals.changes = {"can_give_back": True}
    await house.happens(events.TransferLookedFor(**IDS))
    assert "↩️ Give back" in house.chat.labels(GROUP)[0]


async def test_that_we_are_refused_is_told_and_the_cards_offer_to_pay_by_hand(house: House) -> None:
    await approved(house)
    house.withdrawals.changes = {"can_take_over": True}
    await house.happens(
        events.PayoutSwitched(what="stopped", value="true", reason="config: Please enable IP Whitelisting", actor=0),
        events.PayoutTrouble(
            withdrawal_id=12, reference="vc-w12-a1", what="config", detail="Please enable IP Whitelisting"
        ),
    )
    _, told = house.group()
    assert "does not accept our key" in told
    assert "Please enable IP Whitelisting" in told
    assert "✋ Pay by hand" in house.chat.labels(GROUP)[0]
    house.withdrawals.changes = {}
    turns(house, cases.BY_HAND)
    await house.happens(events.WithdrawalTakenOver(**IDS, actor=OLU))
    assert "to be paid by hand" in house.group()[0]
    assert "Our team pays it by hand" in house.ada()[0]


async def test_an_approval_that_is_void_is_seen_by_both(house: House) -> None:
    await approved(house)
    turns(house, cases.OUTDATED)
    await house.happens(
        events.WithdrawalApprovalVoid(**IDS, why="age"), events.WithdrawalTermsOutdated(**IDS, why="age")
    )
    assert "It cannot be approved before" in house.group()[0]
    following, asked = house.ada()
    assert "waits for you: the terms have changed" in following
    assert "nothing is paid until you confirm" in asked
