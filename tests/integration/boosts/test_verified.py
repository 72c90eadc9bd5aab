"""Comments by verified accounts: as many as were promised, said by whoever claims, seen by staff, counted for the
buyer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.integration.boosts.conftest import Shop
from tests.integration.boosts.crowd import Town
from viralcore.boosts.api import NoSlot, OrderLineView, TaskPartView

WANTED, PLAIN, SURE = 60, 40, 20


@pytest.fixture
def engines() -> None:
    """The engines of the settings."""


@pytest.fixture
def town(shop: Shop) -> Town:
    return Town(shop)


async def premium(town: Town) -> tuple[int, int]:
    """An order of tier 5; its id and its post."""
    await town.groups(1)
    order = await town.order(plan="t5", cost="3.00")
    return order.id, await town.post(order)


async def take(town: Town, post: int, user: int, *, verified: bool, metric: Any = "comments") -> int:
    taken = await town.crowd.take(key="k", user_id=user, post_id=post, metric=metric, chat_id=-1, verified=verified)
    return taken.claim.id


async def part(town: Town, post: int) -> TaskPartView:
    return (await town.crowd.task(post_id=post)).parts[0]


async def line(town: Town, order: int) -> OrderLineView:
    return next(one for one in (await town.shop.see(order)).lines if one.metric == "comments")


async def filled(town: Town, post: int, state: str, *, plain: int = 0, sure: int = 0, first: int = 10_000) -> None:
    """So many others have slots already; `first`: their ids begin there."""
    await town.break_row(
        "INSERT INTO boosts.crowd_claims (post_id, order_id, user_id, metrics, state, claimed_at, expires_at, verified,"
        " submitted_at, decided_at, decided_by)"
        f" SELECT {post}, p.order_id, {first} + n, '[\"comments\"]', '{state}', p.opened_at, p.closes_at, n > {plain},"
        f" p.opened_at, p.opened_at, 1 FROM boosts.crowd_posts p, generate_series(1, {plain + sure}) n"
        f" WHERE p.id = {post}"
    )


async def test_slots_of_verified_accounts_are_kept_for_them(town: Town) -> None:
    _, post = await premium(town)
    assert await part(town, post) == TaskPartView("comments", WANTED, 0, 0, SURE, 0, 0)
    await filled(town, post, "submitted", plain=PLAIN - 1)
    last, late = (take(town, post, user, verified=False) for user in (5, 6))
    told = await asyncio.gather(last, late, return_exceptions=True)
    (refused,) = [one for one in told if isinstance(one, NoSlot)]
    assert refused.fields == {"post_id": post, "metric": "comments", "verified": True}
    now = await part(town, post)
    assert (now.free, now.free_plain, now.free_verified) == (SURE, 0, SURE)
    claim = await town.crowd.claim(claim_id=await take(town, post, 7, verified=True))
    assert claim.verified
    now = await part(town, post)
    assert (now.taken, now.taken_verified, now.free) == (PLAIN + 1, 1, SURE - 1)
    # the list of tasks counts the same way, until the last of them
    assert [one.post_id for one in await town.crowd.tasks(user_id=8)] == [post]
    await filled(town, post, "submitted", sure=SURE - 1, first=30_000)
    await town.break_row(f"UPDATE boosts.crowd_parts SET wanted = 1 WHERE post_id = {post} AND metric = 'reposts'")
    assert [one.post_id for one in await town.crowd.tasks(user_id=8)] == [post]
    await take(town, post, 9, verified=False, metric="reposts")
    assert await town.crowd.tasks(user_id=8) == ()


async def test_verified_accounts_may_have_the_other_slots_as_well(town: Town) -> None:
    _, post = await premium(town)
    await filled(town, post, "submitted", sure=SURE + 5)
    now = await part(town, post)
    assert (now.free, now.free_plain, now.free_verified) == (WANTED - SURE - 5, PLAIN - 5, 0)
    await take(town, post, 5, verified=True)
    await take(town, post, 6, verified=False)


async def test_a_repost_is_of_no_account_in_particular(town: Town) -> None:
    _, post = await premium(town)
    claim = await town.crowd.claim(claim_id=await take(town, post, 5, verified=True, metric="reposts"))
    assert not claim.verified


async def test_staff_say_whether_it_is_so_and_the_buyer_sees_it(town: Town) -> None:
    order, post = await premium(town)
    claims = [await take(town, post, user, verified=user != 7) for user in (5, 6, 7)]
    for claim, user in zip(claims, (5, 6, 7), strict=True):
        await town.prove(claim, user, 500 + user)
    await town.approve(claims[0], verified=True)
    await town.approve(claims[1], verified=False)  # it is not, whatever they say
    await town.approve(claims[2], verified=True)  # nor is one that nobody called so
    assert [(await town.crowd.claim(claim_id=claim)).verified for claim in claims] == [True, False, False]
    shown = await line(town, order)
    assert (shown.delivered, shown.verified, shown.verified_done) == (3, SURE, 1)
    (audited,) = [one for one in town.shop.users.audited if one["subject"] == f"claim:{claims[1]}"]
    assert audited["after"]["verified"] is False


async def test_what_is_not_verified_does_not_take_the_place_of_what_is(town: Town) -> None:
    """Forty plain replies are there, and one more that only said it was verified: paid, and not delivered."""
    order, post = await premium(town)
    await filled(town, post, "approved", plain=PLAIN)
    claim = await take(town, post, 5, verified=True)
    await town.prove(claim, 5, 500)
    await town.approve(claim, verified=False)
    shown = await line(town, order)
    assert (shown.delivered, shown.verified_done) == (PLAIN, 0)
    now = await part(town, post)
    assert (now.counted, now.free, now.free_plain) == (PLAIN, SURE, 0)
    await filled(town, post, "approved", sure=SURE - 1, first=20_000)
    last = await take(town, post, 6, verified=True)
    await town.prove(last, 6, 600)
    await town.approve(last, verified=True)
    shown = await line(town, order)
    assert (shown.delivered, shown.verified_done, shown.state) == (WANTED, SURE, "completed")
