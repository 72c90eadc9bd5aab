"""Claims from the groups and the list of tasks, all the way to the reply balance."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.boosts.conftest import Shop
from tests.integration.boosts.crowd import OWNER, Town
from viralcore.boosts.api import BadProof, BadReplies
from viralcore.boosts.events import ClaimApproved
from viralcore.core.money import NGN, ngn
from viralcore.ledger.api import user_account

FAN, MEMBER, OTHER = 5, 6, 7


@pytest.fixture
def engines() -> None:
    """The engines of the settings."""


@pytest.fixture
def town(shop: Shop) -> Town:
    shop.users.reply_guys |= {FAN, OTHER}
    return Town(shop)


async def balance(town: Town, user_id: int) -> int:
    return (await town.shop.ledger.balance(account=user_account(user_id, "reply", NGN))).balance


async def pay(town: Town, *, times: int = 1) -> None:
    """Every approval arrives at its subscriber, as often as the queue may bring it."""
    subscription = next(one for one in town.shop.module.subscriptions if one.name == "boosts.reply_pay")
    for number, row in enumerate(await town.shop.events("claim_approved")):
        for _ in range(times):
            async with town.shop.database.transaction() as tx:
                await subscription.handler(tx, f"e{number}", ClaimApproved(**row))


def link(post: int, user: int) -> str:
    """The proof that `Town.replied` hands in."""
    return f"https://x.com/fan{user}/status/{2000000000000000000 + post * 1000 + user}"


async def test_only_reply_guys_are_paid_and_once(town: Town) -> None:
    await town.groups(1)
    post = await town.post(await town.order())
    for claim in await town.replied(post, FAN, MEMBER):
        await town.approve(claim)
    reposts = await town.take(post, OTHER, "reposts")
    await town.prove(reposts.claim.id, OTHER, 4242)
    await town.approve(reposts.claim.id)
    await pay(town, times=3)
    assert [await balance(town, who) for who in (FAN, MEMBER, OTHER)] == [5_000, 0, 0]
    panel = await town.shop.door.replies.panel(user_id=FAN)
    assert (panel.today, panel.balance) == (1, ngn(50))
    assert len(await town.shop.events("reply_paid")) == 1
    await town.shop.sound()


async def test_a_task_and_a_submission_of_one_reply_pay_once(town: Town) -> None:
    await town.groups(1)
    door = town.shop.door.replies
    post = await town.post(await town.order())
    (claim,) = await town.replied(post, FAN)
    # while its proof waits it cannot be handed in again, by nobody
    for who in (FAN, OTHER):
        with pytest.raises(BadReplies) as refused:
            await door.submit_links(key=f"k{who}", user_id=who, text=link(post, FAN))
        assert [problem.reason for problem in refused.value.fields["problems"]] == ["used"]
    await town.approve(claim)
    await pay(town)
    with pytest.raises(BadReplies):
        await door.submit_links(key="k3", user_id=FAN, text=link(post, FAN))
    assert await balance(town, FAN) == 5_000


async def test_a_reply_that_a_submission_counts_is_no_proof_of_a_task(town: Town) -> None:
    """Nor is it told only when the task is approved that it pays nothing."""
    await town.groups(1)
    door = town.shop.door.replies
    post = await town.post(await town.order())
    one = await door.submit_links(key="k", user_id=FAN, text=link(post, FAN))
    taken = await town.take(post, FAN)
    for number in (1, 2):
        with pytest.raises(BadProof) as refused:
            await town.prove(taken.claim.id, FAN, post * 1000 + FAN)
        assert refused.value.fields["reason"] == "used"
        if number == 1:
            await door.approve(key="a", actor=OWNER, submission_id=one.id)
    await pay(town)
    assert await balance(town, FAN) == 5_000


async def test_what_a_submission_lets_go_of_is_proof_again_and_paid(town: Town) -> None:
    await town.groups(1)
    door = town.shop.door.replies
    post = await town.post(await town.order())
    one = await door.submit_links(key="k", user_id=FAN, text=link(post, FAN))
    taken = await town.take(post, FAN)
    await door.reject(key="r", actor=OWNER, submission_id=one.id, reason="send it as a task")
    await town.prove(taken.claim.id, FAN, post * 1000 + FAN)
    await town.approve(taken.claim.id)
    await pay(town, times=2)
    assert await balance(town, FAN) == 5_000


async def test_other_proof_lets_go_of_the_one_before(town: Town) -> None:
    await town.groups(1)
    post = await town.post(await town.order())
    (claim,) = await town.replied(post, FAN)
    await town.prove(claim, FAN, 4242)
    one = await town.shop.door.replies.submit_links(key="k", user_id=OTHER, text=link(post, FAN))
    assert one.links == (link(post, FAN),)
    await town.approve(claim)
    await pay(town)
    assert await balance(town, FAN) == 5_000


async def test_a_submission_and_a_proof_of_one_reply_at_once_pay_once(town: Town) -> None:
    """Whoever is first has it; the other is told so at once."""
    await town.groups(1)
    post = await town.post(await town.order())
    for number in range(6):
        user = 100 + number
        town.shop.users.reply_guys |= {user}
        taken = await town.take(post, user)
        told = await asyncio.gather(
            town.prove(taken.claim.id, user, post * 1000 + user),
            town.shop.door.replies.submit_links(key=f"k{user}", user_id=user, text=link(post, user)),
            return_exceptions=True,
        )
        assert sum(isinstance(one, (BadProof, BadReplies)) for one in told) == 1, told


async def test_a_proof_that_was_turned_down_may_be_handed_in(town: Town) -> None:
    await town.groups(1)
    post = await town.post(await town.order())
    (claim,) = await town.replied(post, FAN)
    await town.reject(claim, reason="the group was full")
    one = await town.shop.door.replies.submit_links(key="k", user_id=FAN, text=link(post, FAN))
    assert one.links == (link(post, FAN),)


async def test_who_was_demoted_before_the_approval_is_not_paid(town: Town) -> None:
    await town.groups(1)
    post = await town.post(await town.order())
    (claim,) = await town.replied(post, FAN)
    await town.shop.door.replies.demote(key="d", actor=OWNER, user_id=FAN)
    await town.approve(claim)
    await pay(town)
    assert await balance(town, FAN) == 0
