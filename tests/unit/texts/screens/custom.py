"""Cases of `texts.custom`: plans made for one person, as they see them and as an owner of the shop does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.core.money import usd
from viralcore.texts import custom
from viralcore.texts.cards import PersonText
from viralcore.texts.custom import CustomText
from viralcore.texts.shop import LineText

UNTIL = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
ADA = PersonText(2001, "<b>Ada</b>", "ada_l")
GIVEN = CustomText(
    id=7,
    title="VIP",
    lines=(LineText("likes", 100, later=False), LineText("comments", 10, later=True)),
    price=Decimal(0),
    preset=0,
    left=20,
    state="live",
    until=None,
    worst_cost=Decimal("0.1234"),
)
SOLD = replace(GIVEN, id=8, title=hostile.TITLE, price=Decimal("1.20"), preset=5, left=1, until=UNTIL)
USED = replace(SOLD, left=0, until=None)
ENDED = replace(SOLD, id=9, title="Old", state="ended", paid_back=usd("1.20"))
EXPIRED = replace(ENDED, id=10, state="expired")
CONTACT = "@viralcore_support"
MANY = [replace(SOLD, id=10**12 + i, title="W" * 40) for i in range(30)]
CASES: Cases = {
    "mine": {
        "none": custom.mine([], contact=CONTACT),
        "four": custom.mine([GIVEN, SOLD, EXPIRED, ENDED], contact=CONTACT),
        "many": custom.mine(MANY, contact=CONTACT),
    },
    "one_of_mine": {
        name: custom.one_of_mine(one, contact=CONTACT)
        for name, one in {"given": GIVEN, "sold": SOLD, "used": USED, "ended": ENDED, "expired": EXPIRED}.items()
    },
    "ask": {"none yet": custom.ask(contact=CONTACT, have=False), "some": custom.ask(contact=CONTACT, have=True)},
    "admin": {"menu": custom.admin()},
    "find": {"asked": custom.find(), "nobody": custom.find(hostile.TITLE)},
    "of_user": {
        "none": custom.of_user(ADA, []),
        "three": custom.of_user(ADA, [GIVEN, SOLD, ENDED]),
    },
    "detail": {
        "given": custom.detail(ADA, GIVEN),
        "sold for less than it may cost": custom.detail(ADA, replace(SOLD, worst_cost=Decimal("1.5"))),
        "ended, with a post that came back": custom.detail(ADA, ENDED),
        "ended": custom.detail(ADA, replace(ENDED, left=0)),
    },
    "ask_form": {
        "new": custom.ask_form(ADA, None),
        "change": custom.ask_form(ADA, SOLD),
        "every problem": custom.ask_form(
            ADA, None, [*[(code, f"{hostile.TITLE}: 1") for code in custom.FORM_PROBLEMS][:9], ("Ready words.", "")]
        ),
        "the other problems": custom.ask_form(
            ADA, None, [(code, f"{hostile.TITLE}: 1") for code in custom.FORM_PROBLEMS][9:]
        ),
        "a novel instead of a form": custom.ask_form(ADA, None, [("unknown", hostile.TITLE * 3)] * 60),
    },
    "confirm": {
        "given": custom.confirm(ADA, GIVEN, new=True, give=20, reason=hostile.TITLE),
        "sold": custom.confirm(ADA, SOLD, new=True, give=0, reason="as agreed"),
        "taken back": custom.confirm(ADA, SOLD, new=False, give=-1, reason="as agreed"),
    },
    "ask_end": {"posts left": custom.ask_end(ADA, ENDED), "none": custom.ask_end(ADA, replace(GIVEN, left=0))},
    "confirm_end": {"posts left": custom.confirm_end(ADA, ENDED, reason=hostile.TITLE)},
    "changed": {
        "given": custom.changed(GIVEN, what="made", given=20, refunded=usd(0), reason="thank you"),
        "sold": custom.changed(SOLD, what="made", given=0, refunded=usd(0), reason="as agreed"),
        "more": custom.changed(GIVEN, what="edited", given=1, refunded=usd(0), reason="as agreed"),
        "less, of mixed money": custom.changed(
            SOLD, what="edited", given=-1, refunded=usd("1.20"), to_bonus=usd("0.20"), reason="as agreed"
        ),
        "less": custom.changed(SOLD, what="edited", given=-1, refunded=usd("1.20"), reason="as agreed"),
        "ended": custom.changed(ENDED, what="ended", given=-3, refunded=usd("3.60"), reason=hostile.TITLE),
    },
}
