"""Cases of `texts.staff_cards`: a card in each of its states, for each plan, and the list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.core.money import usd
from viralcore.texts import staff_cards
from viralcore.texts.cards import PersonText
from viralcore.texts.staff_cards import StaffCardText

AT = datetime(2026, 3, 2, 14, 2, tzinfo=UTC)
OLU = PersonText(1000, "Olu", "olu")
POLL = "https://x.com/ada/status/123"
OPEN = StaffCardText(
    id=5,
    version=1,
    order_id=7,
    plan="X poll votes",
    metric="votes",
    quantity=50,
    delivered=0,
    link=POLL,
    answers={"poll_link": POLL, "poll_option": "3"},
    buyer=PersonText(2001, "Ada", "ada_l"),
    state="open",
    by=None,
    at=None,
    reason="",
    created_at=AT,
    refunded=usd(0),
)
TAKEN = replace(OPEN, state="taken", version=2, by=OLU, at=AT)
PART = replace(TAKEN, delivered=20, version=3)
DONE = replace(PART, state="done", delivered=50)
CANNOT = replace(PART, state="cannot", reason="The poll has <closed>.", refunded=usd("0.90"))
CLOSED = replace(OPEN, state="closed", version=2)
DAILY = replace(
    OPEN,
    plan="X followers, daily",
    metric="followers",
    quantity=1000,
    link="https://x.com/ada",
    answers={"profile_link": "https://x.com/ada", "days": "30"},
)
COMMENTS = replace(
    OPEN,
    plan=hostile.TITLE,
    metric="comments",
    quantity=30,
    link=hostile.LONGEST_LINK,
    answers={},
    buyer=PersonText(7, hostile.NAME, None),
)
VERIFIED = replace(COMMENTS, quantity=60, delivered=45, verified=20)
_STATES = {
    "open": OPEN,
    "taken": TAKEN,
    "a part is done": PART,
    "released with a part": replace(PART, state="open", by=None, at=None),
    "done": DONE,
    "cannot": CANNOT,
    "cannot, a gift": replace(CANNOT, refunded=usd(0)),
    "cancelled": CLOSED,
}

CASES: Cases = {
    "card": {
        **{name: staff_cards.card(one) for name, one in _STATES.items()},
        "daily": staff_cards.card(DAILY),
        "by verified accounts": staff_cards.card(VERIFIED),
        "comments, with markup": staff_cards.card(COMMENTS),
        "waits": staff_cards.card(TAKEN, waits=True),
        "waited, done": staff_cards.card(DONE, waits=True),
        "superseded": staff_cards.card(TAKEN, superseded=True),
    },
    "page": {"taken": staff_cards.page(TAKEN), "done": staff_cards.page(DONE)},
    "listed": {
        "none": staff_cards.listed([], total=0),
        "two": staff_cards.listed([PART, replace(DAILY, id=6)], total=2),
        "many": staff_cards.listed([replace(COMMENTS, id=i) for i in range(1, 21)], total=1234, newer=20),
        "a later page": staff_cards.listed([COMMENTS], total=21, first=False),
        "behind the last": staff_cards.listed([], total=20, first=False),
    },
    "ask_progress": {"asked": staff_cards.ask_progress(PART)},
    "ask_reason": {"asked": staff_cards.ask_reason(PART)},
    "moved": {name: staff_cards.moved(one) for name, one in _STATES.items()},
    "toast": {name: staff_cards.toast(one) for name, one in _STATES.items()},
}
