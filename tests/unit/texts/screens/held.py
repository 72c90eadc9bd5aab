"""Cases of `texts.held` and of the card about the books."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.unit.texts.golden import Cases
from viralcore.texts import held, ledger_cards
from viralcore.texts.held import HeldText

AT = datetime(2026, 3, 2, 14, 2, tzinfo=UTC)
UPDATE = HeldText("0123456789abcdef", "inbox", "telegram", "4711", 3, "KeyError: 'plan'", AT, False, "")
NEWS = replace(
    UPDATE,
    queue="delivery",
    what="notifications.withdrawal_confirmed_again",
    about="withdrawals.confirmed_again.v1",
    attempts=5,
    error="NotFound: core.not_found(what='order')",
    reference="telegram-4711",
)
TASK = replace(NEWS, queue="effect", what="boosts.panel_add.smmflare", about="phase:7", error="<b>&" * 300)

CASES: Cases = {
    "listed": {
        "nothing": held.listed([], total=0, offset=0),
        "three": held.listed([UPDATE, NEWS, TASK], total=3, offset=0),
        "a page in the middle": held.listed([TASK, NEWS] * 10, total=60, offset=20),
    },
    "page": {
        "a message": held.page(UPDATE),
        "news": held.page(NEWS),
        "a task that was not sent": held.page(TASK),
        "a task that was answered": held.page(replace(TASK, answered=True, error="LookupError: 5")),
    },
    "retried": {"told": held.retried()},
    "gone": {"told": held.gone()},
}
BOOKS: Cases = {
    "problem": {
        "one": ledger_cards.problem(total=1, problems=["posting 7 does not sum to zero in USD"]),
        "many": ledger_cards.problem(total=12, problems=["<b>balance</b> 3 is not its entries" * 20] * 10),
    },
}
