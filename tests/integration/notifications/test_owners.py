"""Without an admin group: every owner has the staff cards in their private chat, and they are kept up to date there."""

from __future__ import annotations

import pytest

from tests.integration.notifications.conftest import House
from tests.integration.notifications.doors import ADA, GROUP, OLU, person
from tests.integration.notifications.test_telling import UNKNOWN, paid, resolved
from viralcore.boosts.events import StaffCardMoved, StaffCardOpened, StaffCardWaits
from viralcore.notifications.ports import Gone
from viralcore.notifications.service.desk import Recipient
from viralcore.payments.events import ProofDecided, ProofSubmitted

BOLA = 1001
OPENED, WAITS = StaffCardOpened(card_id=5, order_id=7), StaffCardWaits(card_id=5, order_id=7)
DONE = StaffCardMoved(card_id=5, order_id=7, state="done", actor=OLU)


@pytest.fixture
async def house(bare_house: House) -> House:
    """Two owners, and no group."""
    bare_house.admin_chat_id = None
    bare_house.users.owners = (OLU, BOLA)
    bare_house.users.people[BOLA] = person(BOLA, "Bola")
    return await bare_house.build().start()


async def test_each_owner_has_a_card_of_their_own_and_both_are_kept_up_to_date(house: House) -> None:
    await house.happens(OPENED)
    for owner in (OLU, BOLA):
        (card,) = house.chat.texts(owner)
        assert "Nobody has taken it yet" in card
        assert house.chat.labels(owner)[-1]
    house.boosts.staff.state, house.boosts.staff.by = "done", OLU
    await house.happens(DONE)
    for owner in (OLU, BOLA):
        (card,) = house.chat.texts(owner)
        assert "Done by Olu (@olu_owner" in card
    assert [screen.rows for _, _, screen in house.chat.calls][-2:] == [(), ()]
    assert len(set(house.chat.nonces)) == 2, "two cards are two messages: a press on one is not a press on the other"


async def test_one_that_waits_is_a_new_card_for_each(house: House) -> None:
    await house.happens(OPENED)
    await house.happens(WAITS)
    for owner in (OLU, BOLA):
        old, new = house.chat.texts(owner)
        assert "see the newer card" in old
        assert "⏰" in new


async def test_bank_receipts_unknown_sends_and_plain_notices_reach_owners(house: House) -> None:
    house.boosts.silence(51)
    house.payments.proof()
    await house.happens(paid("wallet"), UNKNOWN, ProofSubmitted(proof_id=3, invoice_id=12, user_id=ADA))
    assert len(set(house.chat.texts(BOLA))) == 3
    assert house.group() == []
    house.boosts.silence(51, state="sent")
    house.payments.proof(state="approved", actor=OLU)
    await house.happens(
        resolved("placed"), ProofDecided(proof_id=3, invoice_id=12, user_id=ADA, state="approved", actor=OLU)
    )
    texts = house.chat.texts(BOLA)
    assert len(texts) == 3
    assert sum("Olu (@olu_owner" in words for words in texts) == 2, texts


async def test_a_card_an_owner_deleted_is_sent_again_when_it_changes(house: House) -> None:
    house.users.owners = (OLU,)
    await house.happens(OPENED)
    house.chat.script = [Gone()]
    house.boosts.staff.state, house.boosts.staff.by = "taken", OLU
    await house.happens(StaffCardMoved(card_id=5, order_id=7, state="taken", actor=OLU))
    assert house.chat.verbs(OLU) == ["send", "edit", "send"]


async def test_who_is_no_owner_any_more_hears_nothing_further(house: House) -> None:
    await house.happens(OPENED)
    house.users.owners = (OLU,)
    house.boosts.staff.state, house.boosts.staff.by = "done", OLU
    await house.happens(DONE)
    assert house.chat.verbs(BOLA) == ["send"]
    assert house.chat.verbs(OLU) == ["send", "edit"]


async def test_cards_from_before_the_group_are_brought_up_to_date_where_they_stand(
    house: House,
) -> None:
    await house.happens(OPENED)
    house.module.service._admins = Recipient("admin_group", GROUP, None)  # a start with the group in the settings
    house.boosts.staff.state, house.boosts.staff.by = "done", OLU
    await house.happens(DONE)
    assert "Done by Olu" in house.chat.texts(OLU)[0]
    assert house.group() == []
