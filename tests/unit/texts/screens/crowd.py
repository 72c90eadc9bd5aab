"""Cases of `texts.crowd`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.texts import crowd
from viralcore.texts.cards import PersonText
from viralcore.texts.crowd import ClaimText, GroupText, PartText

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LINK = "https://x.com/shop/status/1990000000000000001"
BOT = "viralcore_bot"
OWLS = GroupText(3, -1001234567890, "Night owls", "comments", "in", 12, 30, 21, AT)
SAME = GroupText(4, -42, "Night owls", "none", "in", 0, 0, 0, None)
GONE = GroupText(5, -43, hostile.TITLE, "comments", "kicked", 1, 1, 0, AT)
LIKES = GroupText(6, -44, "Hearts", "likes", "in", 400, 0, 0, AT)
LEFT = GroupText(7, -45, "Early birds", "none", "left", 0, 0, 0, None)
WHO = PersonText(2001, hostile.NAME, None)


def claim(state: str = "submitted", *metrics: str, again: bool = False, reason: str = "") -> ClaimText:
    links = ("https://x.com/fan/status/2000000000000000005", hostile.LINK)
    return ClaimText(5, 3, 7, LINK, metrics or ("comments",), links, state, reason, again)


VERIFIED = [PartText("comments", 60, 25, 1, 20, 6), PartText("reposts", 30, 2, 0)]


def parts(taken: int, reposts: int) -> list[PartText]:
    return [PartText("comments", 10, taken, 1), PartText("reposts", 5, reposts, 0)]


CASES: Cases = {
    "group_post": {
        "new": crowd.group_post(post_id=3, link=LINK, share=5, parts=parts(0, 0), closed=False, bot_username=BOT),
        "going on, all in one group": crowd.group_post(
            post_id=3, link=LINK, share=10, parts=parts(3, 1), closed=False, bot_username=BOT
        ),
        "Telegram": crowd.group_post(
            post_id=10**12,
            link="https://t.me/shopnews/45",
            share=1,
            parts=[PartText("comments", 1, 0, 0), PartText("reactions", 1, 0, 0)],
            closed=False,
            bot_username=BOT,
        ),
        "closed": crowd.group_post(post_id=3, link=LINK, share=5, parts=parts(8, 5), closed=True, bot_username=BOT),
        "by verified accounts": crowd.group_post(
            post_id=3, link=LINK, share=12, parts=VERIFIED, closed=False, bot_username=BOT
        ),
    },
    "likes_post": {
        "new": crowd.likes_post(
            order_id=7, post_id="1990000000000000001", link=LINK, likes=20, correlation_id="c-1", at=AT
        ),
        "none needed": crowd.likes_post(
            order_id=7, post_id="45", link="https://t.me/shopnews/45", likes=0, correlation_id=hostile.NAME, at=AT
        ),
    },
    "taken_toast": {
        "known": crowd.taken_toast(metric="comments", taken=3, wanted=10, claim_id=5, bot_username=BOT, known=True),
        "a stranger": crowd.taken_toast(
            metric="reposts", taken=1, wanted=5, claim_id=10**15, bot_username="b" * 32, known=False
        ),
    },
    "held_toast": {
        state: crowd.held_toast(state=state, claim_id=5, bot_username=BOT)
        for state in ("claimed", "submitted", "approved")
    },
    "claim_taken": {
        "both": crowd.claim_taken(claim("claimed", "comments", "reposts"), until=AT),
        "a repost": crowd.claim_taken(claim("claimed", "reposts"), until=AT),
        "verified": crowd.claim_taken(replace(claim("claimed", "comments", "reposts"), verified=True), until=AT),
    },
    "claim_ended": {
        "approved": crowd.claim_ended(claim("approved", "comments", "reposts")),
        "rejected, once more": crowd.claim_ended(claim("rejected", again=True, reason=hostile.NAME)),
        "rejected for good": crowd.claim_ended(claim("rejected", reason="This is somebody else's reply.")),
        "out of time": crowd.claim_ended(claim("expired", again=True)),
    },
    "no_claim": {"asked": crowd.no_claim()},
    "group_joined": {"new": crowd.group_joined(SAME), "back": crowd.group_joined(OWLS)},
    "group_lost": {
        "comments": crowd.group_lost(GONE),
        "likes": crowd.group_lost(LIKES),
        "none": crowd.group_lost(LEFT),
    },
    "claims_card": {
        str(waiting): crowd.claims_card(order_id=7, link=LINK, waiting=waiting, bot_username=BOT)
        for waiting in (0, 1, 4)
    },
    "groups": {
        "none": crowd.groups([], older=None),
        "some, with the same title": crowd.groups([OWLS, SAME, GONE, LIKES, LEFT], older=20),
    },
    "group": {
        "in use": crowd.group(OWLS),
        "gone": crowd.group(GONE),
        "likes": crowd.group(LIKES),
        "left": crowd.group(LEFT),
    },
    "role_set": {"told": crowd.role_set(OWLS)},
    "claims": {
        "one of three": crowd.claims(claim("submitted", "comments", "reposts"), who=WHO, waiting=3, sent_at=AT),
        "from a verified account": crowd.claims(
            replace(claim(), verified=True, version=12), who=WHO, waiting=3, sent_at=AT
        ),
        "behind the last": crowd.claims(None, who=None, waiting=2, sent_at=None),
        "nothing": crowd.claims(None, who=None, waiting=0, sent_at=None),
    },
    "ask_reason": {"asked": crowd.ask_reason(claim_id=5)},
    "decided": {state: crowd.decided(claim_id=5, state=state) for state in ("approved", "rejected")},
}
