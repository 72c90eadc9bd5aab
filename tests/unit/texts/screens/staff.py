"""Cases of `texts.staff`."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.core.screen import Html
from viralcore.texts import staff
from viralcore.texts.staff import UnknownText

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

CASES: Cases = {
    "admin": {
        "session open": staff.admin(
            roles=["finance", "owner", "support"],
            session_until=AT,
            unknown=2,
            stray=3,
            cards=4,
            replies=12,
            claims=4,
            groups=True,
            payouts=5,
            plans=True,
            held=2,
            stuck=3,
        ),
        "session closed": staff.admin(roles=["support"], session_until=None, unknown=0, stray=None),
    },
    "session_opened": {"opened": staff.session_opened(until=AT)},
    "unknown_list": {
        "none": staff.unknown_list([]),
        "a page of twenty": staff.unknown_list(
            [
                UnknownText(10**7 + i, 1, 10**7 + i, "smmflare", "likes", 50_000, hostile.LONGEST_LINK, "open")
                for i in range(19)
            ]
            + [UnknownText(10**12, 99, 10**12, "a<b>&", "views", 1, hostile.LINK)],
            total=61,
            newer=10**12,
        ),
        "the last page": staff.unknown_list(
            [
                UnknownText(5, 1, 7, "smmflare", "likes", 38, hostile.LONGEST_LINK, "placed"),
                UnknownText(6, 2, 7, "plugsmm", "likes", 37, hostile.LONGEST_LINK, "not_placed"),
            ],
            total=62,
            first=False,
        ),
    },
    "ask_panel_order": {"asked": staff.ask_panel_order(phase=5, panel="smmflare")},
    "placed": {"told": staff.placed(phase=5, panel="smmflare", panel_order="<i>99&")},
    "sent_again": {"told": staff.sent_again(phase=5)},
    "proof_approved": {"told": staff.proof_approved(proof=3)},
    "ask_proof_reason": {"asked": staff.ask_proof_reason(proof=3, invoice_id=12)},
    "proof_rejected": {"told": staff.proof_rejected(proof=3)},
    "stopped": {"told": staff.stopped()},
    "asking": {
        "says so itself": staff.asking(staff.ask_panel_order(panel="smmflare", phase=7)),
        "does not say so yet": staff.asking(Html("Write a number.")),
    },
    "question_is_over": {"a reply to an old question": staff.question_is_over()},
}
