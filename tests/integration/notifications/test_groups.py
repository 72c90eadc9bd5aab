"""Posts in groups: what is sent and edited there, and what boosts hears of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.integration.notifications.conftest import House
from tests.integration.notifications.doors import ADA, AT
from viralcore.boosts.api import ClaimView, GroupMessageView, GroupView, LinkView, TaskPartView
from viralcore.boosts.events import (
    ClaimApproved,
    ClaimExpired,
    ClaimRejected,
    ClaimSubmitted,
    ClaimTaken,
    CrowdMessageDue,
    CrowdPostChanged,
    GroupJoined,
    GroupLost,
)
from viralcore.core.db import Tx
from viralcore.core.money import Money, ngn
from viralcore.notifications.ports import Blocked, Moved, Rejected, Silent

OWLS, MOVED = -71, -1_001_000_000_071
LINK = LinkView("x", "https://x.com/ada/status/123", "ada", "123")
DUE = CrowdMessageDue(message_id=4, order_id=7, chat_id=OWLS, kind="comments")
CHANGED = CrowdPostChanged(post_id=3, order_id=7, state="open")


@dataclass
class FakeCrowd:
    """One post with one message; remembers what it was told."""

    message: GroupMessageView = field(
        default_factory=lambda: GroupMessageView(
            4, "comments", 7, 3, OWLS, LINK, 5, (TaskPartView("comments", 10, 0, 0),), "open", "c-1", AT
        )
    )
    claim_: ClaimView = field(
        default_factory=lambda: ClaimView(
            9, 3, 7, ADA, LINK, 2, ("comments",), "claimed", (), "", AT, AT, None, None, None, True
        )
    )
    waiting: int = 1
    told: list[tuple[Any, ...]] = field(default_factory=list)

    def count(self, taken: int, state: Any = "open") -> None:
        self.message = replace(self.message, parts=(TaskPartView("comments", 10, taken, 0),), state=state)

    async def group_message(self, *, message_id: int) -> GroupMessageView:
        return self.message

    async def post_messages(self, *, post_id: int) -> tuple[int, ...]:
        return (4,)

    async def group(self, *, group_id: int) -> GroupView:
        return GroupView(group_id, OWLS, "Night owls", "comments", "in", AT, 0, 0, 0, None)

    async def claim(self, *, claim_id: int) -> ClaimView:
        return self.claim_

    async def waiting_count(self, *, order_id: int | None = None) -> int:
        return self.waiting

    async def group_migrated(self, tx: Tx, *, old_chat_id: int, new_chat_id: int) -> None:
        self.told.append(("moved", old_chat_id, new_chat_id))

    async def message_sent(self, tx: Tx, *, message_id: int, shown_as: int) -> None:
        self.told.append(("sent", message_id, shown_as))

    async def message_failed(self, tx: Tx, *, message_id: int, reason: str, gone: bool) -> None:
        self.told.append(("failed", message_id, reason, gone))


class FakeReplies:
    """Pays for comments only."""

    def pays(self, metrics: Sequence[str]) -> Money:
        return ngn(100 * metrics.count("comments"))


@pytest.fixture
async def crowd(bare_house: House) -> FakeCrowd:
    found = FakeCrowd()
    bare_house.boosts.crowd = found  # type: ignore[attr-defined]
    bare_house.boosts.replies = FakeReplies()  # type: ignore[attr-defined]
    await bare_house.build().start()
    return found


@pytest.fixture
def house(bare_house: House, crowd: FakeCrowd) -> House:
    return bare_house


async def test_a_post_is_sent_once_and_then_edited(house: House, crowd: FakeCrowd) -> None:
    await house.happens(DUE, DUE)
    assert "0 of 10 replied" in house.chat.texts(OWLS)[0]
    assert crowd.told[0] == ("sent", 4, 100)
    crowd.count(3)
    await house.happens(CHANGED)
    await house.happens(CHANGED)
    crowd.count(8, "closed")
    await house.happens(CHANGED)
    assert house.chat.verbs(OWLS) == ["send", "edit", "edit"]
    assert "is closed, thank you" in house.chat.texts(OWLS)[0]
    assert house.chat.labels(OWLS) == [[]]


async def test_the_likes_group_gets_its_own_words(house: House, crowd: FakeCrowd) -> None:
    crowd.message = replace(crowd.message, kind="likes", post_id=None, parts=(), share=20)
    await house.happens(replace(DUE, kind="likes"))
    (told,) = house.chat.texts(OWLS)
    assert "Likes needed: <b>20</b>" in told
    assert "c-1" in told


async def test_a_group_that_moved_is_followed_and_boosts_hears_of_it(house: House, crowd: FakeCrowd) -> None:
    house.chat.script = [Moved(MOVED)]
    await house.happens(DUE)
    assert len(house.chat.texts(MOVED)) == 1
    assert crowd.told == [("moved", OWLS, MOVED), ("sent", 4, 101)]


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        (Blocked("bot was kicked"), ("failed", 4, "bot was kicked", True)),
        (Rejected("not enough rights"), ("failed", 4, "not enough rights", False)),
    ],
    ids=str,
)
async def test_boosts_hears_why_a_group_was_not_told(
    house: House, crowd: FakeCrowd, answer: Any, heard: tuple[Any, ...]
) -> None:
    house.chat.script = [answer]
    await house.happens(DUE)
    assert crowd.told == [heard]


async def test_silence_is_tried_again_and_then_it_has_failed(house: House, crowd: FakeCrowd) -> None:
    """Also what a death between send and record looks like: it may stand there, and is sent again."""
    house.chat.script = [Silent("timed_out"), Silent("timed_out")]
    await house.happens(DUE)
    await house.later(minutes=5)
    await house.later(minutes=5)
    assert crowd.told == [("sent", 4, 102)]
    house.chat.script = [Silent("timed_out")] * 3
    await house.happens(replace(DUE, message_id=5, chat_id=-72))
    await house.later(minutes=5)
    await house.later(minutes=5)
    assert crowd.told[1:] == [("failed", 4 + 1, crowd.told[1][2], False)]


async def test_a_post_that_was_closed_before_it_was_sent_is_not_sent(house: House, crowd: FakeCrowd) -> None:
    crowd.count(0, "closed")
    await house.happens(DUE)
    assert house.chat.calls == []
    assert crowd.told == [("failed", 4, "closed", False)]


async def test_members_hear_of_their_claims_if_the_bot_may_write_to_them(house: House, crowd: FakeCrowd) -> None:
    who: Mapping[str, int] = {"claim_id": 9, "user_id": ADA, "order_id": 7}
    await house.happens(ClaimTaken(**who, group_id=2), ClaimTaken(**{**who, "user_id": 5}, group_id=2))
    await house.happens(ClaimTaken(**who, group_id=0))  # from the list of tasks: they look at it
    crowd.claim_ = replace(crowd.claim_, state="expired")
    await house.happens(ClaimExpired(**who, given_up=True))
    await house.happens(ClaimExpired(**who, given_up=False))
    crowd.claim_ = replace(crowd.claim_, state="rejected", reason="not a reply")
    await house.happens(ClaimRejected(**who, actor=1000))
    crowd.claim_ = replace(crowd.claim_, state="approved")
    await house.happens(*(ClaimApproved(**who, metric=m, count=1, actor=1000) for m in ("comments", "reposts")))
    told = house.ada()
    assert [words.split("<b>")[1].split("</b>")[0] for words in told] == [
        "Your proof, please",
        "Your time has run out",
        "Your proof was turned down",
        "Your work was approved",
    ]
    assert house.chat.texts(5) == []


@pytest.mark.parametrize(
    ("metrics", "told"), [(("reposts",), 1), (("reactions",), 1), (("comments",), 0), (("comments", "reposts"), 0)]
)
async def test_a_reply_guy_hears_of_what_pays_nothing(
    house: House, crowd: FakeCrowd, metrics: tuple[Any, ...], told: int
) -> None:
    """What pays is told with the money."""
    house.users.people[ADA] = replace(house.users.people[ADA], rights=frozenset({"tasks"}))
    crowd.claim_ = replace(crowd.claim_, state="approved", metrics=metrics)
    await house.happens(
        *(ClaimApproved(claim_id=9, user_id=ADA, order_id=7, metric=one, count=1, actor=1000) for one in metrics)
    )
    assert len([words for words in house.ada() if "Your work was approved" in words]) == told


async def test_staff_hear_of_groups_and_of_work_to_be_checked(house: House, crowd: FakeCrowd) -> None:
    await house.happens(GroupJoined(group_id=2, role="none"), GroupLost(group_id=2, role="comments"))
    for waiting in (1, 2):
        crowd.waiting = waiting
        await house.happens(ClaimSubmitted(claim_id=9, user_id=ADA, order_id=7))
    crowd.waiting = 0
    await house.happens(ClaimRejected(claim_id=9, user_id=ADA, order_id=7, actor=1000))
    crowd.waiting = 1
    await house.happens(ClaimSubmitted(claim_id=9, user_id=ADA, order_id=7))
    cards = house.group()[2:]
    assert len(cards) == 2
    assert "All that was handed in is checked" in cards[0]
    assert "1 proof waits" in cards[1]
