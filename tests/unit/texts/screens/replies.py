"""Cases of `texts.replies` and of the messages in `texts.reply_notices`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.core.money import ngn
from viralcore.core.screen import Screen
from viralcore.texts import replies, reply_errors, reply_notices
from viralcore.texts.replies import PanelText, SubmissionText, TaskText, WorkText

AT = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
DAY = date(2026, 11, 25)
LINKS = tuple(f"https://x.com/fan/status/{n}" for n in (101, 102, 103))
COUNT = SubmissionText(7, "count", 12, DAY, (), ngn(50), "pending", 0, ngn(0), "", AT)
LINKED = replace(COUNT, id=8, kind="links", count=3, links=LINKS)
MANY = replace(LINKED, count=30, links=tuple(hostile.LONGEST_LINK[:-2] + f"{n:02}" for n in range(30)))
APPROVED = replace(COUNT, state="approved", approved=12, paid=ngn(600))
PART = replace(LINKED, state="approved", approved=2, paid=ngn(100))
ONE = replace(LINKED, count=1, links=LINKS[:1], state="approved", approved=1, paid=ngn(50))
REJECTED = replace(LINKED, state="rejected", reason=f"the post is gone, see {hostile.TITLE}")
BACK = replace(COUNT, state="withdrawn")
DAYS = tuple((DAY + timedelta(days=n - 11), n) for n in range(14))
PANEL = PanelText(True, ngn(50), 13, 46, 91, ngn(4550), ngn("4050.50"), ngn(0), DAYS, None)
TASK = TaskText(
    5, "https://x.com/shop/status/1990000000000000001", (("comments", 7, 0), ("reposts", 1, 0)), timedelta(hours=30)
)
WORK = WorkText(3, 5, TASK.link, ("comments",), "claimed", (), "", timedelta(minutes=55), ngn(50))
PROBLEMS = [(hostile.LINK, reason) for reason in reply_errors.PROBLEMS]

CASES: Cases = {
    "newcomer": {
        "not a reply guy": replies.newcomer(rate=ngn(50), contact=hostile.CONTACT),
        "was one": replies.newcomer(rate=ngn(50), contact=hostile.CONTACT, earned=True),
    },
    "tasks": {
        "nothing to do": replies.tasks(rate=ngn(50), open_ones=[], mine=[]),
        "one taken, two open with markup": replies.tasks(
            rate=ngn("62.50"),
            open_ones=[
                TASK,
                replace(TASK, post_id=6, link=hostile.LINK, wanted=(("comments", 1, 0), ("reposts", 0, 0))),
            ],
            mine=[WORK, replace(WORK, claim_id=4, state="submitted")],
        ),
        "for verified accounts, and more": replies.tasks(
            rate=ngn(50),
            open_ones=[
                replace(TASK, wanted=(("comments", 60, 20), ("reposts", 30, 0))),
                replace(TASK, post_id=6, wanted=(("comments", 20, 20), ("reposts", 0, 0)), plain=False),
                replace(TASK, post_id=7, wanted=(("comments", 12, 1), ("reposts", 0, 0))),
            ],
            mine=[],
            more=10,
        ),
        "only theirs on this page": replies.tasks(rate=ngn(50), open_ones=[], mine=[WORK] * 10, more=10),
        "the last page": replies.tasks(rate=ngn(50), open_ones=[TASK], mine=[], offset=10),
        "a page that is empty by now": replies.tasks(rate=ngn(50), open_ones=[], mine=[], offset=20),
        "a full page": replies.tasks(
            rate=ngn(50),
            open_ones=[replace(TASK, link=hostile.LONGEST_LINK, wanted=(("comments", 60, 20), ("reposts", 30, 0)))]
            * 10,
            mine=[],
            offset=10,
            more=20,
        ),
    },
    "work": {
        "taken": replies.work(WORK),
        "taken, a repost": replies.work(replace(WORK, metrics=("reposts",), pays=ngn(0))),
        "taken, two things": replies.work(replace(WORK, metrics=("comments", "reposts"))),
        "handed in": replies.work(replace(WORK, state="submitted", proofs=LINKS[:1])),
        "approved": replies.work(replace(WORK, state="approved")),
        "rejected with markup": replies.work(replace(WORK, state="rejected", reason=hostile.TITLE)),
        "too late": replies.work(replace(WORK, state="expired")),
        "not a reply guy": replies.work(replace(WORK, pays=ngn(0))),
        "from a verified account": replies.work(replace(WORK, verified=True)),
    },
    "ask_proof": {
        "asked": replies.ask_proof(link=TASK.link, claim_id=3),
        "asked for a repost": replies.ask_proof(link=TASK.link, claim_id=3, replied=False),
        "asked again": replies.ask_proof(link=TASK.link, claim_id=3, problem=reply_errors.problem("x", "used")),
    },
    "panel": {
        "a busy one": replies.panel(PANEL, shop="viralcore", withdraw=True),
        "no way out yet": replies.panel(replace(PANEL, today=0, week=1), shop="viralcore", withdraw=False),
        "something waits": replies.panel(replace(PANEL, pending=COUNT, held=ngn(500)), shop="viralcore", withdraw=True),
        "not one any longer": replies.panel(replace(PANEL, active=False), shop="viralcore", withdraw=True),
    },
    "log": {
        "nothing": replies.log([], older=None),
        "all states, with markup": replies.log([COUNT, APPROVED, PART, ONE, REJECTED, BACK], older=7),
    },
    "ask": {
        "asked": replies.ask(rate=ngn(50), most=30, back=7),
        "asked again": replies.ask(rate=ngn(50), most=30, back=7, problem=reply_errors.problem("x", "used")),
    },
    "confirm_report": {
        "twelve": replies.confirm_report(count=12, day=DAY, pays=ngn(600)),
        "one": replies.confirm_report(count=1, day=date(2026, 11, 1), pays=ngn(50)),
    },
    "sent": {
        "a number": replies.sent(COUNT, problems=[]),
        "links, some not taken, with markup": replies.sent(LINKED, problems=PROBLEMS),
        "as many as can be": replies.sent(MANY, problems=[]),
    },
    "waiting": {"one at a time": replies.waiting(COUNT)},
    "taken_back": {"links": replies.taken_back(LINKED)},
}


def to_reply_guys() -> list[tuple[str, Screen]]:
    """What reply guys are told by itself."""
    return [
        ("replies approved", reply_notices.decided(APPROVED)),
        ("replies approved in part", reply_notices.decided(PART)),
        ("one reply approved", reply_notices.decided(ONE)),
        ("replies rejected", reply_notices.decided(replace(REJECTED, reason="the post is gone"))),
        ("bonus", reply_notices.paid(kind="bonus", amount=ngn(5000), reason="a great week")),
        ("correction up", reply_notices.paid(kind="correction", amount=ngn("150.50"), reason="two were forgotten")),
        ("correction down", reply_notices.paid(kind="correction", amount=ngn(-150), reason="counted twice")),
        ("task paid", reply_notices.paid(kind="claim", amount=ngn(50), reason="")),
        ("task counted before", reply_notices.paid(kind="claim", amount=ngn(0), reason="counted")),
        ("promoted", reply_notices.role(active=True, rate=ngn(50))),
        ("demoted", reply_notices.role(active=False, rate=ngn(50))),
    ]
