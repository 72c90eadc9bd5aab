"""What reply guys hand in, and what they are paid: once, the right amount, after the right person said yes."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.integration.boosts.conftest import ADA, Shop
from viralcore.boosts.api import (
    BadApproval,
    BadPay,
    BadReplies,
    BadReport,
    BelowZero,
    NoReason,
    SubmissionClosed,
    SubmissionPending,
    SubmissionView,
)
from viralcore.boosts.domain.replies import Reply, read_replies
from viralcore.boosts.repository import replies as rows
from viralcore.core.db import Tx
from viralcore.core.errors import DomainError, KeyReused, NotFound
from viralcore.core.money import NGN, USD, Money, ngn
from viralcore.ledger.api import user_account
from viralcore.users.api import NotAllowed, NotYourself

BOB, OWNER, SECOND = 43, 1000, 1001
LINK = "https://x.com/fan/status/{}"


@pytest.fixture
def guys(shop: Shop) -> Shop:
    """Ada and Bob are reply guys."""
    shop.users.reply_guys |= {ADA, BOB}
    return shop


def today(shop: Shop) -> date:
    found: date = shop.clock.now().date()
    return found


async def sent(shop: Shop, *numbers: int, user_id: int = ADA) -> SubmissionView:
    """Links handed in."""
    text = " ".join(LINK.format(number) for number in numbers)
    found: SubmissionView = await shop.door.replies.submit_links(
        key=f"k{user_id}{text}{random.random()}",
        user_id=user_id,
        text=text,
    )
    return found


async def balance(shop: Shop, user_id: int = ADA) -> int:
    return (await shop.ledger.balance(account=user_account(user_id, "reply", NGN))).balance


async def test_an_approved_number_is_paid_once(guys: Shop) -> None:
    door = guys.door.replies
    one = await door.report(key="k1", user_id=ADA, count=12, day=today(guys))
    again = await door.report(key="k1", user_id=ADA, count=12, day=today(guys))
    assert (one.id, one.state, one.rate) == (again.id, "pending", ngn("50"))
    for _ in range(2):  # a double tap is one key
        done = await door.approve(key="a1", actor=OWNER, submission_id=one.id)
        assert (done.state, done.approved, done.paid) == ("approved", 12, ngn("600"))
    assert await balance(guys) == 60_000
    with pytest.raises(SubmissionClosed):
        await door.approve(key="a2", actor=SECOND, submission_id=one.id)
    with pytest.raises(SubmissionClosed):
        await door.reject(key="a3", actor=SECOND, submission_id=one.id, reason="late")
    with pytest.raises(KeyReused):
        await door.approve(key="a1", actor=OWNER, submission_id=one.id, count=3)
    assert await balance(guys) == 60_000
    assert await guys.events("replies_decided") == [
        {"submission_id": one.id, "user_id": ADA, "state": "approved", "kobo": 60_000}
    ]
    assert [row["action"] for row in guys.users.audited] == ["replies.approved"]
    await guys.sound()


async def test_two_admins_and_the_person_at_once_are_one_decision(guys: Shop) -> None:
    one = await sent(guys, *range(1, 11))
    door = guys.door.replies

    async def tried(work: Any) -> str:
        try:
            await work
        except SubmissionClosed:
            return "late"
        return "first"

    outcomes = await asyncio.gather(
        tried(door.approve(key="a", actor=OWNER, submission_id=one.id)),
        tried(door.approve(key="b", actor=SECOND, submission_id=one.id, count=4)),
        tried(door.reject(key="c", actor=OWNER, submission_id=one.id, reason="no")),
        tried(door.take_back(key="d", user_id=ADA, submission_id=one.id)),
    )
    assert sorted(outcomes) == ["first", "late", "late", "late"]
    now = await door.submission(submission_id=one.id)
    assert await balance(guys) == now.paid.minor
    assert len(await guys.events("replies_decided")) == 1
    await guys.sound()


async def test_a_part_of_it_is_approved(guys: Shop) -> None:
    one = await sent(guys, 1, 2, 3)
    for wrong in (0, 4, -1):
        with pytest.raises(BadApproval):
            await guys.door.replies.approve(key=f"w{wrong}", actor=OWNER, submission_id=one.id, count=wrong)
    done = await guys.door.replies.approve(key="a", actor=OWNER, submission_id=one.id, count=2)
    assert (done.approved, done.count, await balance(guys)) == (2, 3, 10_000)


async def test_one_waits_at_a_time_also_when_two_come_at_once(guys: Shop) -> None:
    door = guys.door.replies
    found = await asyncio.gather(
        *(door.report(key=f"k{n}", user_id=ADA, count=n, day=today(guys)) for n in range(1, 5)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, SubmissionView) for one in found) == 1
    assert sum(isinstance(one, SubmissionPending) for one in found) == 3
    (waiting,) = await door.queue()
    assert (await door.queue_size(), waiting.user_id) == (1, ADA)
    await sent(guys, 9, user_id=BOB)  # everybody has their own
    assert [one.user_id for one in await door.queue()] == [ADA, BOB]
    assert [one.user_id for one in await door.queue(after_id=waiting.id)] == [BOB]


async def test_a_reply_is_counted_once_across_all_people(guys: Shop) -> None:
    door = guys.door.replies
    one = await sent(guys, 1, 2)
    assert one.links == (LINK.format(1), LINK.format(2))
    with pytest.raises(BadReplies) as refused:
        await sent(guys, 1, user_id=BOB)
    assert [problem.reason for problem in refused.value.fields["problems"]] == ["used"]
    assert await door.queue_size() == 1  # nothing of the refused one stayed
    mixed = await door.submit_links(
        key="m", user_id=BOB, text="https://twitter.com/i/status/2 https://x.com/bob/status/3 https://x.com/bob"
    )
    assert (mixed.count, mixed.links) == (1, ("https://x.com/bob/status/3",))
    assert [problem.reason for problem in mixed.problems] == ["not_a_post", "used"]
    await door.approve(key="a", actor=OWNER, submission_id=one.id, count=1)
    with pytest.raises(BadReplies):
        await sent(guys, 2)  # a part was approved: all of it is decided
    assert (
        await door.submit_links(
            key="m", user_id=BOB, text="https://twitter.com/i/status/2 https://x.com/bob/status/3 https://x.com/bob"
        )
        == mixed
    )


async def test_a_rejected_reply_may_be_sent_again_by_its_own_person_only(guys: Shop) -> None:
    door = guys.door.replies
    one = await sent(guys, 1)
    with pytest.raises(NoReason):
        await door.reject(key="r0", actor=OWNER, submission_id=one.id, reason=" \n ")
    with pytest.raises(NoReason):
        await door.reject(key="r1", actor=OWNER, submission_id=one.id, reason="x" * 301)
    no = await door.reject(key="r2", actor=OWNER, submission_id=one.id, reason="  the post\nis gone ")
    assert (no.state, no.reason, no.paid.minor) == ("rejected", "the post is gone", 0)
    with pytest.raises(BadReplies):
        await sent(guys, 1, user_id=BOB)
    again = await sent(guys, 1)
    assert (again.count, (await door.submission(submission_id=one.id)).links) == (1, one.links)
    await door.take_back(key="t", user_id=ADA, submission_id=again.id)
    await door.take_back(key="t", user_id=ADA, submission_id=again.id)
    third = await sent(guys, 1)
    await door.approve(key="a", actor=OWNER, submission_id=third.id)
    with pytest.raises(BadReplies):
        await sent(guys, 1)
    assert await balance(guys) == 5_000


async def test_the_same_link_of_two_people_at_once_is_one_reply(guys: Shop) -> None:
    found = await asyncio.gather(sent(guys, 5, 6, 7), sent(guys, 7, 6, 5, user_id=BOB), return_exceptions=True)
    assert sum(isinstance(one, SubmissionView) for one in found) == 1
    assert sum(isinstance(one, BadReplies) for one in found) == 1


async def test_who_may_do_what(guys: Shop) -> None:
    door = guys.door.replies
    with pytest.raises(NotAllowed):
        await door.report(key="k", user_id=77, count=1, day=today(guys))
    one = await sent(guys, 1)
    for work in (
        door.approve(key="x1", actor=BOB, submission_id=one.id),
        door.reject(key="x2", actor=BOB, submission_id=one.id, reason="no"),
        door.bonus(key="x3", actor=BOB, user_id=ADA, amount=ngn("1"), reason="me"),
        door.correct(key="x4", actor=BOB, user_id=ADA, amount=ngn("1"), reason="me"),
        door.ask_export(key="x5", actor=BOB),
        door.promote(key="x6", actor=BOB, user_id=78),
        door.demote(key="x7", actor=BOB, user_id=ADA),
    ):
        with pytest.raises(NotAllowed):
            await work
    guys.users.reply_guys.add(OWNER)
    own = await sent(guys, 2, user_id=OWNER)
    with pytest.raises(NotYourself):
        await door.approve(key="o1", actor=OWNER, submission_id=own.id)
    with pytest.raises(NotYourself):
        await door.reject(key="o2", actor=OWNER, submission_id=own.id, reason="no")
    with pytest.raises(NotYourself):
        await door.bonus(key="o3", actor=OWNER, user_id=OWNER, amount=ngn("1"), reason="me")
    with pytest.raises(NotFound):
        await door.approve(key="n", actor=OWNER, submission_id=999)
    with pytest.raises(NotFound):
        await door.take_back(key="n", user_id=BOB, submission_id=one.id)
    await door.approve(key="s", actor=SECOND, submission_id=own.id)
    assert await balance(guys, OWNER) == 5_000


async def test_what_was_earned_survives_a_demotion(guys: Shop) -> None:
    door = guys.door.replies
    one = await sent(guys, 1)
    await door.demote(key="d", actor=OWNER, user_id=ADA, reason="gone quiet")
    with pytest.raises(NotAllowed):
        await door.report(key="k", user_id=ADA, count=1, day=today(guys))
    await door.approve(key="a", actor=OWNER, submission_id=one.id)
    assert await balance(guys) == 5_000
    await door.promote(key="p", actor=OWNER, user_id=ADA)
    await door.promote(key="p2", actor=OWNER, user_id=ADA)  # is one already: nobody is told again
    assert sorted(row["active"] for row in await guys.events("reply_guy_changed")) == [False, True]


async def test_days_are_checked_again_when_they_are_sent(guys: Shop) -> None:
    door, day = guys.door.replies, today(guys)
    for wrong, reason in ((day + timedelta(days=1), "future"), (day - timedelta(days=8), "too_old")):
        with pytest.raises(BadReport) as refused:
            await door.report(key=f"k{wrong}", user_id=ADA, count=3, day=wrong)
        assert refused.value.fields["reason"] == reason
    for wrong_count in (0, 201, -5):
        with pytest.raises(BadReport):
            await door.report(key=f"c{wrong_count}", user_id=ADA, count=wrong_count, day=day)
    with pytest.raises(BadReplies):
        await sent(guys, *range(1, 52))
    assert (await door.report(key="ok", user_id=ADA, count=3, day=day - timedelta(days=7))).count == 3


async def test_bonus_and_correction(guys: Shop) -> None:
    door = guys.door.replies
    bonus = await door.bonus(key="b", actor=OWNER, user_id=ADA, amount=ngn("5000"), reason="a great week")
    assert await door.bonus(key="b", actor=OWNER, user_id=ADA, amount=ngn("5000"), reason="a great week") == bonus
    assert await balance(guys) == 500_000
    with pytest.raises(BelowZero) as refused:
        await door.correct(key="c1", actor=OWNER, user_id=ADA, amount=ngn("-5000.01"), reason="too much")
    assert refused.value.fields["available"] == 500_000
    await door.correct(key="c2", actor=OWNER, user_id=ADA, amount=ngn("-1500.50"), reason="counted twice")
    await door.correct(key="c3", actor=OWNER, user_id=ADA, amount=ngn("0.50"), reason="and half a naira back")
    assert await balance(guys) == 350_000
    for amount in (ngn("0"), ngn("100000.01"), ngn("-100000.01"), Money(100, USD)):
        with pytest.raises(BadPay):
            await door.correct(key=f"w{amount}", actor=OWNER, user_id=ADA, amount=amount, reason="why not")
    with pytest.raises(BadPay):
        await door.bonus(key="neg", actor=OWNER, user_id=ADA, amount=ngn("-1"), reason="why not")
    with pytest.raises(NoReason):
        await door.bonus(key="nr", actor=OWNER, user_id=ADA, amount=ngn("1"), reason="")
    earner = await door.earner(user_id=ADA)
    assert (earner.bonus, earner.corrected, earner.balance) == (ngn("5000"), ngn("-1500"), ngn("3500"))
    audited = [(row["action"], row["before"], row["after"]) for row in guys.users.audited]
    assert audited[1] == ("reply_pay.correction", {"kobo": 500_000}, {"kobo": 349_950})
    with pytest.raises(DBAPIError):  # what was paid is never changed, by nobody
        await guys.database.single(text("UPDATE boosts.reply_pays SET kobo = kobo + 1"), {})
    await guys.sound()


async def test_held_money_cannot_be_corrected_away(guys: Shop) -> None:
    door = guys.door.replies
    await door.bonus(key="b", actor=OWNER, user_id=ADA, amount=ngn("100"), reason="hello")
    async with guys.database.transaction() as tx:
        await guys.ledger.hold(
            tx, key="w", account=user_account(ADA, "reply", NGN), amount=8_000, reason="a withdrawal"
        )
    with pytest.raises(BelowZero) as refused:
        await door.correct(key="c", actor=OWNER, user_id=ADA, amount=ngn("-50"), reason="back")
    assert refused.value.fields["available"] == 2_000
    panel = await door.panel(user_id=ADA)
    assert (panel.balance, panel.held, panel.earned) == (ngn("20"), ngn("80"), ngn("100"))


async def test_the_panel_counts_by_the_day_the_replies_were_made(guys: Shop) -> None:
    door, day = guys.door.replies, today(guys)
    one = await door.report(key="k1", user_id=ADA, count=12, day=day - timedelta(days=1))
    await door.approve(key="a1", actor=OWNER, submission_id=one.id, count=10)
    two = await sent(guys, 1, 2)
    await door.approve(key="a2", actor=OWNER, submission_id=two.id)
    await door.bonus(key="b", actor=OWNER, user_id=ADA, amount=ngn("100"), reason="thanks")
    three = await sent(guys, 3)
    panel = await door.panel(user_id=ADA)
    week = 12 if day.weekday() else 2
    assert (panel.today, panel.week, panel.total) == (2, week, 12)
    assert (panel.earned, panel.balance, panel.pending) == (ngn("700"), ngn("700"), three)
    assert [(one.day, one.replies) for one in panel.days][-2:] == [(day - timedelta(days=1), 10), (day, 2)]
    assert len(panel.days) == 14
    record = await door.record(user_id=ADA, day=day)
    assert (record.approved, record.rejected, record.replies, record.same_day) == (2, 0, 12, 2)
    mine = await door.submissions(user_id=ADA)
    assert [one.id for one in mine] == [three.id, two.id, one.id]
    assert [one.id for one in await door.submissions(user_id=ADA, before_id=two.id)] == [one.id]


async def test_a_day_ends_in_lagos(guys: Shop) -> None:
    """At 23:30 UTC it is tomorrow there."""
    now = guys.clock.now()
    guys.clock.advance((23 - now.hour) * 3600 + (30 - now.minute) * 60)
    tomorrow = guys.clock.now().date() + timedelta(days=1)
    assert guys.door.replies.read_report("5 today").day == tomorrow
    assert (await guys.door.replies.report(key="k", user_id=ADA, count=5, day=tomorrow)).day == tomorrow


@pytest.mark.parametrize("place", ["rows.decide", "rows.add_pay", "ledger", "audit", "commit"])
async def test_a_death_between_any_two_lines_leaves_all_or_nothing(
    guys: Shop, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decision, the row, the posting, the audit and the event are one transaction; the press is tried again."""
    door = guys.door.replies
    one = await sent(guys, 1, 2)

    class Died(Exception):
        pass

    def dies(target: Any, name: str) -> None:
        real = getattr(target, name)

        async def then_dead(*args: Any, **kwargs: Any) -> Any:
            await real(*args, **kwargs)
            raise Died

        monkeypatch.setattr(target, name, then_dead)

    targets: dict[str, tuple[Any, str]] = {
        "rows.decide": (rows, "decide"),
        "rows.add_pay": (rows, "add_pay"),
        "ledger": (guys.ledger, "post"),
        "audit": (guys.users, "audit"),
        "commit": (Tx, "flush"),
    }
    with monkeypatch.context():
        dies(*targets[place])
        with pytest.raises(Died):
            await door.approve(key="a", actor=OWNER, submission_id=one.id)
    monkeypatch.undo()
    assert (await door.submission(submission_id=one.id)).state == "pending"
    assert (await balance(guys), await guys.events("replies_decided")) == (0, [])
    await door.approve(key="a", actor=OWNER, submission_id=one.id)
    await door.approve(key="a", actor=OWNER, submission_id=one.id)
    assert (await balance(guys), len(await guys.events("replies_decided"))) == (10_000, 1)
    await guys.sound()


# --- claims -----------------------------------------------------------------------------------------------------------


async def claim(
    shop: Shop, claim_id: int, *numbers: int, user_id: int = ADA, metric: str = "comments", count: int = 1
) -> None:
    proofs: Sequence[Reply]
    proofs, _ = read_replies(" ".join(LINK.format(n) for n in numbers), max_length=300)
    async with shop.database.transaction() as tx:
        await shop.module.reply_pay.pay_claim(
            tx, claim_id=claim_id, user_id=user_id, metric=metric, count=count, actor=OWNER, proofs=proofs
        )


async def test_the_list_of_people_has_pages_and_the_active_ones_are_first(guys: Shop) -> None:
    """Whoever has the role, sent something or was paid is there once."""
    door = guys.door.replies
    guys.users.reply_guys = {ADA, BOB, 90}
    for who in (ADA, 50, 60, 91):
        guys.users.reply_guys |= {who}
        one = await sent(guys, who, 1000 + who, user_id=who)
        if who in (ADA, 60):
            await door.approve(key=f"a{who}", actor=OWNER, submission_id=one.id)
    await claim(guys, 1, 5, user_id=91)
    guys.users.reply_guys = {ADA, BOB, 90}
    pages = [await door.earners(offset=offset, limit=2) for offset in (0, 2, 4, 6)]
    assert [[row.user_id for row in page.rows] for page in pages] == [[ADA, BOB], [90, 50], [60, 91], []]
    assert {(page.people, page.active, page.replies) for page in pages} == {(6, 3, 5)}
    assert [row.active for page in pages for row in page.rows] == [True, True, True, False, False, False]


async def test_a_claim_of_a_reply_guy_is_paid_once(guys: Shop) -> None:
    for _ in range(2):
        await claim(guys, 1, 1)
    await claim(guys, 1, 1, metric="reposts")  # not one of those that are paid
    await claim(guys, 2, 2, user_id=99)  # works in the group, is no reply guy
    assert (await balance(guys), await balance(guys, 99)) == (5_000, 0)
    assert [(row["kind"], row["kobo"]) for row in await guys.events("reply_paid")] == [("claim", 5_000)]
    panel = await guys.door.replies.panel(user_id=ADA)
    assert (panel.today, panel.total) == (1, 1)
    await guys.sound()


async def test_a_reply_is_not_paid_as_a_claim_and_as_a_submission(guys: Shop) -> None:
    door = guys.door.replies
    one = await sent(guys, 1, 2)
    await claim(guys, 1, 1)  # waits in a submission already
    assert await balance(guys) == 0
    await door.approve(key="a", actor=OWNER, submission_id=one.id)
    await claim(guys, 2, 2)
    assert await balance(guys) == 10_000
    await claim(guys, 3, 3)
    with pytest.raises(BadReplies):
        await sent(guys, 3)
    with pytest.raises(BadReplies):
        await sent(guys, 3, user_id=BOB)
    await claim(guys, 4, 3, user_id=BOB)
    assert (await balance(guys), await balance(guys, BOB)) == (15_000, 0)
    paid = [(row["user_id"], row["kobo"]) for row in await guys.events("reply_paid")]
    assert sorted(paid) == [(ADA, 0), (ADA, 0), (ADA, 5_000), (BOB, 0)]


async def test_claim_and_submission_of_one_reply_at_once(guys: Shop) -> None:
    for number in range(1, 6):
        await asyncio.gather(claim(guys, number, number), sent(guys, number), return_exceptions=True)
        for one in await guys.door.replies.queue():
            await guys.door.replies.approve(key=f"a{one.id}", actor=OWNER, submission_id=one.id)
    assert await balance(guys) == 25_000
    await guys.sound()


# --- anything, in any order ------------------------------------------------------------------------------------------


class Chance:
    """Takes steps that somebody could take, some of them by two at once."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop, self.door, self.chance = shop, shop.door.replies, random.Random(seed)
        self.steps = (
            self.report,
            self.links,
            self.approve,
            self.approve,
            self.reject,
            self.back,
            self.money,
            self.claim,
        )

    async def step(self, key: str) -> None:
        """Refusals are as good as anything."""
        with contextlib.suppress(DomainError):
            await self.chance.choice(self.steps)(key, self.chance.choice((ADA, BOB)))

    async def waiting(self, who: int) -> SubmissionView:
        found = [one for one in await self.door.queue() if one.user_id == who]
        if not found:
            raise NotFound(what="submission")
        return found[0]

    async def report(self, key: str, who: int) -> None:
        await self.door.report(key=key, user_id=who, count=self.chance.randint(1, 20), day=today(self.shop))

    async def links(self, key: str, who: int) -> None:
        await sent(self.shop, *(self.chance.randint(1, 60) for _ in range(self.chance.randint(1, 5))), user_id=who)

    async def claim(self, key: str, who: int) -> None:
        await claim(self.shop, self.chance.randint(1, 30), self.chance.randint(1, 60), user_id=who)

    async def money(self, key: str, who: int) -> None:
        amount = Money(self.chance.choice((-1, 1)) * self.chance.randint(1, 99_999), NGN)
        give = self.door.bonus if self.chance.random() < 0.4 else self.door.correct
        await give(key=key, actor=OWNER, user_id=who, amount=amount, reason="because")

    async def approve(self, key: str, who: int) -> None:
        one = await self.waiting(who)
        count = self.chance.choice((None, self.chance.randint(1, one.count)))
        both = [
            self.door.approve(key=f"{key}:{actor}", actor=actor, submission_id=one.id, count=count)
            for actor in (OWNER, SECOND)
        ]
        done = await asyncio.gather(*both, return_exceptions=True)
        assert sum(isinstance(each, SubmissionView) for each in done) == 1

    async def reject(self, key: str, who: int) -> None:
        await self.door.reject(key=key, actor=OWNER, submission_id=(await self.waiting(who)).id, reason="no")

    async def back(self, key: str, who: int) -> None:
        await self.door.take_back(key=key, user_id=who, submission_id=(await self.waiting(who)).id)


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_happens_the_balance_is_what_was_paid(guys: Shop, seed: int) -> None:
    """Any sequence of submissions, decisions, bonuses, corrections and claims."""
    chance, door = Chance(guys, seed), guys.door.replies
    for number in range(50):
        await chance.step(f"{seed}:{number}")
        for who in (ADA, BOB):
            earner = await door.earner(user_id=who)
            assert await balance(guys, who) == earner.balance.minor >= 0
            assert earner.balance == earner.paid + earner.bonus + earner.corrected
            assert earner.paid.minor == earner.replies * 5_000
    page = await door.earners(limit=1)
    assert (page.people, len(page.rows)) == (2, 1)
    assert page.paid == (await door.earner(user_id=ADA)).paid + (await door.earner(user_id=BOB)).paid
    assert page.paid.minor > 0
    await guys.sound()
