"""Cases of `texts.reply_staff`."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from tests.unit.texts.screens.replies import APPROVED, AT, BACK, COUNT, DAY, LINKED, MANY, PART, REJECTED
from viralcore.core.money import ngn
from viralcore.texts import reply_errors, reply_staff
from viralcore.texts.cards import PersonText
from viralcore.texts.reply_staff import GuyText, RecordText, SumsText

ADA = PersonText(2001, "Ada", "ada")
EVE = PersonText(2002, hostile.NAME, None)
BOSS = PersonText(1000, "Olu", "olu")
NEW, OLD = RecordText(0, 0, 0, 0), RecordText(1, 2, 140, 12)
GUY = GuyText(ADA, True, 140, ngn(7000), ngn(500), ngn(-150), ngn("7350"), AT)
SUMS = SumsText(2, 1, 140, ngn(7000), ngn(500), ngn(-150))

CASES: Cases = {
    "card": {
        "a number": reply_staff.card(COUNT, ADA, NEW, by=None),
        "more of the same day": reply_staff.card(COUNT, ADA, OLD, by=None),
        "links with markup": reply_staff.card(LINKED, EVE, OLD, by=None),
        "as many as can be": reply_staff.card(MANY, ADA, NEW, by=None),
        "approved": reply_staff.card(APPROVED, ADA, OLD, by=BOSS),
        "approved in part": reply_staff.card(PART, ADA, OLD, by=BOSS),
        "rejected with markup": reply_staff.card(REJECTED, ADA, NEW, by=BOSS),
        "taken back": reply_staff.card(BACK, ADA, NEW, by=None),
    },
    "submission": {
        "waits": reply_staff.submission(replace(LINKED, count=1, links=LINKED.links[:1]), ADA, NEW, by=None),
        "decided": reply_staff.submission(APPROVED, ADA, OLD, by=BOSS),
    },
    "queue": {
        "empty": reply_staff.queue([], total=0, newer=None),
        "some with markup": reply_staff.queue([(COUNT, ADA), (LINKED, EVE)], total=12, newer=8),
        "a later page": reply_staff.queue([(COUNT, ADA)], total=21, newer=None, first=False),
        "a full page": reply_staff.queue([(LINKED, EVE)] * 20, total=1234, newer=8),
    },
    "ask_fewer": {
        "asked": reply_staff.ask_fewer(submission_id=7, count=12),
        "asked again": reply_staff.ask_fewer(
            submission_id=7, count=12, problem=reply_errors.WORDS["boosts.bad_approval"]({"count": 12})
        ),
    },
    "ask_reason": {"asked": reply_staff.ask_reason(submission_id=7)},
    "approved": {
        "some": reply_staff.approved(submission_id=7, count=10, money=ngn(500)),
        "one": reply_staff.approved(submission_id=7, count=1, money=ngn("62.50")),
    },
    "rejected": {"told": reply_staff.rejected(submission_id=7)},
    "guys": {
        "nobody": reply_staff.guys([], SumsText(0, 0, 0, ngn(0), ngn(0), ngn(0)), page=0, more=False, may_export=False),
        "the second page, with markup": reply_staff.guys(
            [GUY, replace(GUY, who=EVE, active=False, replies=1)], SUMS, page=1, more=True, may_export=True
        ),
    },
    "guy": {
        "active, to finance": reply_staff.guy(GUY, may_pay=True),
        "not one, to support, with markup": reply_staff.guy(
            replace(GUY, who=EVE, active=False, replies=0, paid=ngn(0), last_at=None), may_pay=False
        ),
    },
    "ask_guy": {
        "asked": reply_staff.ask_guy(),
        "nobody with markup": reply_staff.ask_guy(problem=hostile.TITLE),
    },
    "ask_money": {
        "bonus": reply_staff.ask_money(user_id=2001, kind="bonus", balance=ngn(7350)),
        "correction": reply_staff.ask_money(
            user_id=2001,
            kind="correction",
            balance=ngn(7350),
            problem=reply_errors.WORDS["boosts.bad_pay"]({"most": 10_000_000}),
        ),
    },
    "confirm_money": {
        "bonus": reply_staff.confirm_money(
            ADA, kind="bonus", amount=ngn(500), reason="a great week", balance=ngn(7350)
        ),
        "correction with markup": reply_staff.confirm_money(
            EVE, kind="correction", amount=ngn("-150.50"), reason=hostile.TITLE, balance=ngn(7350)
        ),
    },
    "export_coming": {"told": reply_staff.export_coming()},
    "sheet_caption": {n: reply_staff.sheet_caption(people=int(n), at=DAY) for n in ("1", "2")},
}
