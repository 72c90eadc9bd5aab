"""Who brought whom: at first contact only, never oneself, never in a ring, never somebody who was not there."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.payments.office import ADA, BEN
from tests.integration.referrals.village import CARA, DAN, EVE, Village
from viralcore.users.events import UserRegistered


async def test_whoever_comes_through_a_link_is_bound(village: Village) -> None:
    village.clock.advance(60)
    await village.comes(CARA, ADA)
    assert await village.referrer(CARA) == ADA
    assert await village.told("bound") == [{"user_id": CARA, "referrer_id": ADA}]
    assert ((await village.stats(ADA)).people, (await village.stats(ADA)).active) == (1, 0)


@pytest.mark.parametrize("payload", [None, "", "group", "ref_", "ref_404", "ref_0", f"ref_{CARA}", "ref_7x"])
async def test_nobody_is_bound_by_what_is_no_link_of_somebody_else(village: Village, payload: str | None) -> None:
    await village.comes(CARA, payload)
    assert await village.referrer(CARA) is None


async def test_only_the_first_contact_binds(village: Village) -> None:
    await village.comes(CARA, ADA)
    await village.comes(CARA, BEN)
    await village.tell("another", UserRegistered(user_id=CARA, payload=f"ref_{BEN}"))
    assert await village.referrer(CARA) == ADA
    await village.comes(BEN, CARA)  # came before
    assert await village.referrer(BEN) is None


async def test_hearing_it_again_changes_nothing(village: Village) -> None:
    await village.comes(CARA, ADA)
    await village.hear(again=True)
    assert len(await village.told("bound")) == 1
    assert (await village.stats(ADA)).people == 1


async def test_somebody_who_came_later_was_nobody_then(village: Village) -> None:
    """The delivery is late: the number in the link belongs to somebody by now."""
    await village.comes(CARA, DAN, heard=False)
    village.clock.advance(5)
    await village.comes(DAN, heard=False)
    await village.hear()
    assert await village.referrer(CARA) is None


async def test_rings_of_two_and_of_three_do_not_close(village: Village) -> None:
    """All at one moment, each through the link of the next: no clock can tell who was first."""
    for who, by in ((CARA, DAN), (DAN, EVE), (EVE, CARA)):
        await village.comes(who, by, heard=False)
    await village.hear()
    bound = [await village.referrer(who) for who in (CARA, DAN, EVE)]
    assert bound == [DAN, EVE, None]
    await village.tell("x", UserRegistered(user_id=EVE, payload=f"ref_{DAN}"))
    assert await village.referrer(EVE) is None


async def test_two_bindings_at_once_do_not_form_a_ring(village: Village) -> None:
    await village.comes(CARA, DAN, heard=False)
    await village.comes(DAN, CARA, heard=False)
    await asyncio.gather(*(village.tell(each, event) for each, event in await village.said()))
    bound = {await village.referrer(CARA), await village.referrer(DAN)}
    assert None in bound
    assert len(bound) == 2


async def test_ties_are_those_among_the_people_asked_about(village: Village) -> None:
    village.clock.advance(60)
    await village.comes(CARA, ADA)
    village.clock.advance(60)
    await village.comes(DAN, CARA)
    await village.comes(EVE, BEN)
    door = village.referrals.service
    assert await door.ties(user_ids=[ADA, CARA, DAN, EVE]) == ((CARA, ADA), (DAN, CARA))
    assert await door.ties(user_ids=[ADA, DAN]) == ()
    with pytest.raises(ValueError, match="at most"):
        await door.ties(user_ids=range(501))
