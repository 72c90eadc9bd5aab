"""The crowd on a real database: rotation, slots, proofs, closing, and the money that comes back."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.integration.boosts.conftest import ADA, Shop
from tests.integration.boosts.crowd import LIKES, OWNER, Town
from viralcore.boosts.api import BadProof, CannotCancel, ClaimClosed, NoSlot, OwnPost, TaskClosed
from viralcore.users.api import NotAllowed, NotYourself


@pytest.fixture
def engines() -> None:
    """The engines of the settings."""


@pytest.fixture
def town(shop: Shop) -> Town:
    return Town(shop)


async def test_a_post_goes_to_as_many_groups_as_it_needs_and_the_next_post_goes_on_from_there(town: Town) -> None:
    await town.groups(3)
    first, second = await town.order(1), await town.order(2)
    assert [(m.chat_id, m.share) for m in await town.messages(first)] == [(-1, 5), (-2, 5)]
    assert [m.chat_id for m in await town.messages(second)] == [-3, -1]
    assert [(m.due_at - m.opened_at).seconds // 60 for m in await town.messages(first)] == [0, 20]
    await town.run()
    assert sorted(await town.deliver()) == [-3, -1]
    await town.run(19)
    assert await town.deliver() == []
    await town.run(1)
    assert sorted(await town.deliver()) == [-2, -1]
    assert [(group.posts, group.chat_id) for group in await town.crowd.groups()] == [(2, -1), (1, -2), (1, -3)]


async def test_never_more_groups_than_there_are(town: Town) -> None:
    await town.groups(2)
    order = await town.order(plan="t5", cost="3.00")
    assert [(m.chat_id, m.share) for m in await town.messages(order)] == [(-1, 30), (-2, 30)]


async def test_orders_at_the_same_moment_share_out_the_groups_fairly(town: Town) -> None:
    await town.groups(4)
    shop = town.shop
    drafts = []
    for number in range(6):
        await shop.grant(1, asset="t1", cost="0.50", user_id=100 + number)
        link = f"https://x.com/shop/status/199000000000000010{number}"
        drafts.append(await shop.door.draft(key=f"d{number}", user_id=100 + number, text=link))
    await asyncio.gather(
        *(shop.door.confirm(key="k", user_id=100 + n, draft_id=draft.id) for n, draft in enumerate(drafts))
    )
    rows = await shop.rows("SELECT group_id, count(*) AS n FROM boosts.crowd_messages GROUP BY group_id")
    assert sorted(row.n for row in rows) == [3, 3, 3, 3]
    assert len(await shop.rows("SELECT DISTINCT post_id FROM boosts.crowd_messages")) == 6


@pytest.mark.parametrize(("groups", "by", "hours"), [(0, "staff", 0), (2, "crowd", 48)])
async def test_before_and_after_the_order_it_is_said_who_delivers_what_and_when(
    town: Town, groups: int, by: str, hours: int
) -> None:
    await town.groups(groups)
    await town.shop.grant(1, asset="t1", cost="0.50")
    draft = await town.shop.door.draft(key="u1", user_id=ADA, text="https://x.com/shop/status/1990000000000000001")
    assert [(way.metric, way.by, way.minutes, way.hours) for way in draft.ways] == [
        ("likes", "panel", (30, 60), 0),
        ("views", "panel", (30, 60), 0),
        ("comments", by, (), hours),
        ("reposts", by, (), hours),
    ]
    (order,) = await town.shop.door.confirm(key="k", user_id=ADA, draft_id=draft.id)
    closes = order.created_at + timedelta(hours=48) if by == "crowd" else None
    assert [line.until for line in order.lines] == [None, None, closes, closes]


async def test_without_a_group_it_is_the_teams_work(town: Town) -> None:
    await town.group(-9, role="none")
    order = await town.order()
    assert await town.shop.rows("SELECT 1 FROM boosts.crowd_posts") == []
    assert {line.engine for line in order.lines} == {None, "staff"}


async def test_a_group_that_was_left_is_skipped_and_the_next_gets_its_share(town: Town) -> None:
    await town.groups(4)
    order = await town.order()
    await town.crowd.bot_moved(chat_id=-2, title="x", state="kicked", by=1, at=town.shop.clock.now())
    await town.run()
    await town.run(20)
    assert [(m.chat_id, m.state, m.share) for m in await town.messages(order)] == [
        (-1, "sending", 5),
        (-2, "skipped", 5),
        (-3, "sending", 5),
    ]
    # the send itself finds out that the bot is no longer there
    await town.fail(-3, gone=True)
    assert [(m.chat_id, m.state) for m in await town.messages(order)][2:] == [(-3, "failed"), (-4, "sending")]
    assert {g.chat_id: g.state for g in await town.crowd.groups()}[-3] == "left"
    # silence to the end: the share moves on, and nothing is left of groups
    await town.fail(-4, gone=False)
    await town.deliver()
    assert [(m.chat_id, m.state) for m in await town.messages(order)] == [
        (-1, "sent"),
        (-2, "skipped"),
        (-3, "failed"),
        (-4, "failed"),
    ]
    assert len(await town.shop.events("group_lost")) == 2


async def test_a_message_is_due_once_however_often_the_clock_looks(town: Town) -> None:
    await town.groups(1)
    order = await town.order()
    await asyncio.gather(town.run(), town.run(), town.run())
    # a death after this commit: the event is there, and whoever starts next finds nothing to do a second time
    await town.run()
    assert len(await town.sends()) == 1
    assert await town.deliver() == [-1]
    async with town.shop.database.transaction() as tx:  # the record comes twice
        await town.crowd.message_sent(tx, message_id=(await town.messages(order))[0].id, shown_as=9)
    (message,) = await town.messages(order)
    assert (message.state, message.message_id) == ("sent", 500 + message.id)


async def test_the_likes_group_gets_every_post_at_once_and_its_trouble_is_its_own(town: Town) -> None:
    await town.groups(1)
    await town.group(LIKES, role="likes")
    order = await town.order()
    await town.heard(order)
    await town.heard(order)
    await town.run()
    rows = [m for m in await town.messages(order) if m.kind == "likes"]
    assert [(m.chat_id, m.state, m.share, m.correlation_id) for m in rows] == [(LIKES, "sending", 20, "cid-1")]
    await town.fail(LIKES, gone=True)
    assert await town.deliver() == [-1]
    assert (await town.shop.see(order.id)).state == "scheduled"
    # nobody there any longer: the next order goes its way without it
    second = await town.order(2)
    await town.heard(second)
    assert [m.kind for m in await town.messages(second)] == ["comments"]


async def test_two_people_and_one_slot(town: Town) -> None:
    await town.groups(1)
    post = await town.post(await town.order())
    for user in range(1, 10):
        await town.take(post, user)
    results = await asyncio.gather(
        *(town.take(post, user, "comments") for user in (10, 11, 12)), return_exceptions=True
    )
    assert sum(isinstance(one, NoSlot) for one in results) == 2
    assert sum(not isinstance(one, BaseException) for one in results) == 1
    (part, reposts) = (await town.crowd.task(post_id=post)).parts
    assert (part.taken, part.wanted, reposts.taken) == (10, 10, 0)


async def test_a_double_press_is_one_claim_and_one_more_part_is_the_same_claim(town: Town) -> None:
    await town.groups(2)
    post = await town.post(await town.order())
    results = await asyncio.gather(*(town.take(post, 5, chat=chat) for chat in (-1, -1, -2)))
    assert sorted(one.new for one in results) == [False, False, True]
    more = await town.take(post, 5, "reposts")
    assert more.new
    assert more.claim.metrics == ("comments", "reposts")
    assert len({one.claim.id for one in (*results, more)}) == 1
    assert [part.taken for part in (await town.crowd.task(post_id=post)).parts] == [1, 1]


async def test_nobody_works_at_their_own_order_and_tasks_are_for_reply_guys(town: Town) -> None:
    await town.groups(1)
    post = await town.post(await town.order())
    with pytest.raises(OwnPost):
        await town.take(post, ADA)
    with pytest.raises(NotAllowed):
        await town.take(post, 5, chat=None)
    town.shop.users.reply_guys.add(5)  # whoever has the right
    taken = await town.take(post, 5, chat=None)
    assert taken.claim.group_id is None
    assert await town.crowd.tasks(user_id=5) == ()
    assert await town.crowd.tasks(user_id=ADA) == ()
    assert [task.post_id for task in await town.crowd.tasks(user_id=6)] == [post]


async def test_tasks_that_need_most_come_first_then_the_newest(town: Town) -> None:
    await town.groups(1)
    first, second = await town.post(await town.order(1)), await town.post(await town.order(2))
    large = await town.post(await town.order(3, plan="t2", cost="1.00"))
    assert [task.post_id for task in await town.crowd.tasks(user_id=6)] == [large, second, first]
    await town.take(second, 9)
    assert [task.post_id for task in await town.crowd.tasks(user_id=6, limit=2, offset=1)] == [first, second]


async def test_a_claim_without_proof_runs_out_and_its_slot_is_free_again(town: Town) -> None:
    await town.groups(1)
    post = await town.post(await town.order())
    taken = await town.take(post, 5)
    await town.run(59)
    assert (await town.crowd.claim(claim_id=taken.claim.id)).state == "claimed"
    await town.run(1)
    expired = await town.crowd.claim(claim_id=taken.claim.id)
    assert (expired.state, expired.again) == ("expired", True)
    assert (await town.crowd.task(post_id=post)).parts[0].taken == 0
    with pytest.raises(ClaimClosed):
        await town.prove(taken.claim.id, 5)
    again = await town.take(post, 5)
    assert (again.new, again.claim.id, again.claim.state) == (True, taken.claim.id, "claimed")
    assert [event["given_up"] for event in await town.shop.events("claim_expired")] == [False]


async def test_a_claim_is_approved_once_and_paid_once(town: Town) -> None:
    await town.groups(1)
    order = await town.order()
    post = await town.post(order)
    claim = (await town.replied(post, 5))[0]
    await asyncio.gather(*(town.approve(claim, "n1") for _ in range(3)))
    with pytest.raises(ClaimClosed):
        await town.approve(claim, "n2")
    assert [(e["metric"], e["count"], e["user_id"]) for e in await town.shop.events("claim_approved")] == [
        ("comments", 1, 5)
    ]
    assert [(line.metric, line.delivered, line.state) for line in (await town.shop.see(order.id)).lines][2:] == [
        ("comments", 1, "in_progress"),
        ("reposts", 0, "in_progress"),
    ]


async def test_only_staff_decide_and_not_about_themselves(town: Town) -> None:
    await town.groups(1)
    post = await town.post(await town.order())
    claims = await town.replied(post, 5, OWNER)
    with pytest.raises(NotAllowed):
        await town.approve(claims[0], actor=5)
    with pytest.raises(NotYourself):
        await town.approve(claims[1])
    assert await town.crowd.waiting_count() == 2


async def test_a_reply_counts_once_whoever_hands_it_in(town: Town) -> None:
    await town.groups(1)
    first, second = await town.post(await town.order(1)), await town.post(await town.order(2))
    await town.prove((await town.take(first, 5)).claim.id, 5, 77)
    for post, user in ((first, 6), (second, 5)):
        taken = await town.take(post, user)
        with pytest.raises(BadProof):
            await town.prove(taken.claim.id, user, 77)
        assert (await town.crowd.claim(claim_id=taken.claim.id)).state == "claimed"
    # turned down, it may be handed in again, by its writer
    await town.reject(1)
    rejected = await town.crowd.claim(claim_id=1)
    assert (rejected.state, rejected.reason, rejected.again) == ("rejected", "not a reply", True)
    again = await town.take(first, 5)
    assert (await town.prove(again.claim.id, 5, 77)).state == "submitted"
    await town.reject(1, "r2", reason="still not a reply")
    with pytest.raises(ClaimClosed):
        await town.take(first, 5)


async def test_four_of_ten_comments_after_two_days_and_the_rest_is_refunded(town: Town) -> None:
    shop = town.shop
    await town.groups(2)
    order = await town.order()
    post = await town.post(order)
    await town.run()
    await town.deliver()
    await shop.turn(30)
    await shop.turn(30)
    for panel in shop.panels.values():
        panel.complete()
    await shop.turn(5)
    for claim in await town.replied(post, 5, 6, 7, 8):
        await town.approve(claim)
    assert (await shop.see(order.id)).state == "in_progress"
    await town.run(48 * 60)
    ended = await shop.see(order.id)
    assert (ended.state, ended.refunded.minor) == ("partial", 15 + 10)  # 0.50 x (0.5 x 6/10 + 0.2 x 5/5)
    assert [line.delivered for line in ended.lines] == [30, 2000, 4, 0]
    assert await shop.wallet() == 25
    with pytest.raises(TaskClosed):
        await town.take(post, 20)
    await town.run(48 * 60)
    assert await shop.wallet() == 25
    await shop.sound()


async def test_everything_approved_ends_the_lines_and_closes_the_post(town: Town) -> None:
    shop = town.shop
    await town.groups(1)
    order = await town.order()
    post = await town.post(order)
    for user in range(5, 15):
        taken = await town.take(post, user)
        if user < 10:
            await town.take(post, user, "reposts")
        await town.prove(taken.claim.id, user)
        await town.approve(taken.claim.id)
    assert (await town.crowd.task(post_id=post)).state == "closed"
    assert [line.state for line in (await shop.see(order.id)).lines][2:] == ["completed", "completed"]
    assert len(await shop.events("claim_approved")) == 15
    for minutes in (30, 30):
        await shop.turn(minutes)
    for panel in shop.panels.values():
        panel.complete()
    await shop.turn(5)
    assert (await shop.see(order.id)).state == "completed"
    assert await shop.wallet() == 0


async def test_proofs_handed_in_in_time_are_waited_for_and_no_longer_than_promised(town: Town) -> None:
    await town.groups(1)
    order, other = await town.order(1), await town.order(2)
    post, slow = await town.post(order), await town.post(other)
    await town.run()
    await town.deliver()
    await town.run(47.5 * 60)
    claims = await town.replied(post, 5, 6)
    late = (await town.replied(slow, 7))[0]
    unproved = (await town.take(post, 8)).claim
    await town.run(30)
    assert (await town.crowd.task(post_id=post)).state == "review"
    assert (await town.crowd.claim(claim_id=unproved.id)).state == "expired"
    with pytest.raises(TaskClosed):
        await town.take(post, 9)
    await town.approve(claims[0])
    assert (await town.crowd.task(post_id=post)).state == "review"
    await town.reject(claims[1], reason="not yours")
    assert (await town.crowd.task(post_id=post)).state == "closed"
    assert [line.delivered for line in (await town.shop.see(order.id)).lines][2:] == [1, 0]
    await town.run(24 * 60)
    assert (await town.crowd.task(post_id=slow)).state == "closed"
    # staff were late: the work is paid all the same, the order does not count it any longer
    await town.approve(late)
    assert [event["claim_id"] for event in await town.shop.events("claim_approved")] == [claims[0], late]
    assert [line.delivered for line in (await town.shop.see(other.id)).lines][2:] == [0, 0]


async def test_a_cancelled_order_closes_its_post_and_nothing_more_is_sent(town: Town) -> None:
    await town.groups(2)
    order = await town.order()
    await town.run()
    await town.deliver()
    cancelled = await town.shop.door.cancel(key="k", user_id=ADA, order_id=order.id)
    assert (cancelled.state, cancelled.credit_returned) == ("cancelled", True)
    assert [m.state for m in await town.messages(order)] == ["sent", "cancelled"]
    assert [event["state"] for event in await town.shop.events("crowd_post_changed")] == ["closed"]
    await town.run(60)
    assert len(await town.sends()) == 1
    with pytest.raises(TaskClosed):
        await town.take(await town.post(order), 5)


async def test_nobody_cancels_what_somebody_is_working_at(town: Town) -> None:
    await town.groups(1)
    order = await town.order()
    await town.take(await town.post(order), 5)
    with pytest.raises(CannotCancel):
        await town.shop.door.cancel(key="k", user_id=ADA, order_id=order.id)


async def test_cancelling_and_claiming_at_once_end_in_one_of_the_two(town: Town) -> None:
    await town.groups(1)
    order = await town.order()
    post = await town.post(order)
    cancel, take = await asyncio.gather(
        town.shop.door.cancel(key="k", user_id=ADA, order_id=order.id), town.take(post, 5), return_exceptions=True
    )
    assert isinstance(cancel, CannotCancel) != isinstance(take, TaskClosed)


async def test_the_groups_hear_of_counts_at_a_polite_pace(town: Town) -> None:
    await town.groups(1)
    post = await town.post(await town.order())
    for user in range(5, 10):
        await town.take(post, user)
    assert len(await town.shop.events("crowd_post_changed")) == 1
    await town.run(0.4)
    assert len(await town.shop.events("crowd_post_changed")) == 1
    await town.run(0.2)
    await town.run(10)
    assert len(await town.shop.events("crowd_post_changed")) == 2
