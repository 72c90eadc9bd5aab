"""Cases of `texts.reconciliation`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.core.money import Money, ngn, usd
from viralcore.texts import reconciliation
from viralcore.texts.cards import PersonText
from viralcore.texts.reconciliation import ComparisonText, DifferenceText, SolvencyText

AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
ADA = PersonText(1002, "Ada", "ada")
AGREED = ComparisonText("done", AT, AT + timedelta(minutes=1), 14, 14, 0, 0, ngn("2168880.00"), "")
COMPARISONS = {
    "asked": ComparisonText("asked", AT, None, 0, 0, 0, 0, None, ""),
    "failed": ComparisonText("failed", AT, AT + timedelta(minutes=20), 0, 0, 0, 2, None, "server_error"),
    "agreed": AGREED,
    "the first": ComparisonText("done", AT, AT, 1, 1, 0, 0, ngn(100), "first"),
    "moving": ComparisonText("done", AT, AT, 3, 2, 1, 1, ngn(100), "moving"),
    "some old, some new": ComparisonText("done", AT, AT, 20, 22, 2, 5, ngn(100), ""),
    "some old": ComparisonText("done", AT, AT, 20, 20, 0, 5, ngn(100), ""),
}


def _one(
    kind: str, ours: Money | None, ours_state: str, theirs: Money | None, status: str, **more: object
) -> DifferenceText:
    reference = str(more.pop("reference", "vc-w12-a1"))
    last4 = "" if theirs is None or kind == "balance" else "6789"
    base = DifferenceText(7, kind, reference, ours, ours_state, theirs, status, last4, "open", AT)
    return DifferenceText(**{name: more.get(name, getattr(base, name)) for name in DifferenceText.__dataclass_fields__})  # type: ignore[arg-type]


MISSING = _one("missing", ngn("28500.00"), "succeeded", None, "")
EXTRA = _one("extra", None, "", ngn("5000.00"), "successful", reference="salary-march")
DIFFERENCES = {
    "missing": MISSING,
    "extra": EXTRA,
    "twice": _one("twice", ngn(28500), "succeeded", ngn(28500), "successful"),
    "amount": _one("amount", ngn(28500), "accepted", ngn("28500.01"), "pending"),
    "status": _one("status", ngn(28500), "succeeded", ngn(28500), "failed"),
    "balance": _one("balance", ngn("1000000.00"), "", ngn("995000.00"), "", reference="2026-03-02"),
    "accepted": _one(
        "extra", None, "", ngn(5000), "successful", state="accepted", by=ADA, at=AT, reason="Paid by hand"
    ),
    "gone": _one("status", ngn(28500), "unknown", ngn(28500), "new", state="gone", at=AT),
    "hostile": _one(
        "extra",
        None,
        "",
        Money(70, "UGX"),
        "<b>",
        reference=hostile.TITLE,
        state="accepted",
        by=ADA,
        at=AT,
        reason=hostile.TITLE,
    ),
}
COVERED = SolvencyText(
    AT,
    Decimal("1548.1648"),
    {
        "wallet USD": usd(300),
        "affiliate USD": usd("60.10"),
        "reply NGN": usd(20),
        "suspense": usd(5),
        "orders": usd("7.31"),
    },
    {"bsc:USDT": usd(350), "flutterwave": usd(1400), "smmflare": usd("25.50")},
    usd(0),
    "",
    (),
    False,
)
SHORT = SolvencyText(AT, Decimal(1500), {"wallet USD": usd(300)}, {}, usd(300), "", ("flutterwave", "plugsmm"), True)
LIFTED = SolvencyText(AT, Decimal(1500), {"wallet USD": usd(300)}, {"bsc:BNB": usd(250)}, usd(50), "", (), False)
NO_RATE = SolvencyText(AT, None, {}, {}, usd(0), "no_rate", (), False)

CASES: Cases = {
    "books": {
        "never compared": reconciliation.books(None, solvency=None),
        "agreed": reconciliation.books(AGREED, solvency=COVERED),
        "short, with differences": reconciliation.books(COMPARISONS["some old, some new"], solvency=SHORT),
    },
    "comparison": {name: reconciliation.comparison(one) for name, one in COMPARISONS.items()},
    "comparing": {"": reconciliation.comparing()},
    "differences": {
        "none": reconciliation.differences([], total=0, newer=None, first=True),
        "one": reconciliation.differences([MISSING], total=1, newer=None, first=True),
        "a page of many": reconciliation.differences([EXTRA, DIFFERENCES["balance"]], total=22, newer=8, first=False),
    },
    "difference": {name: reconciliation.difference(one) for name, one in DIFFERENCES.items()},
    "told": {"missing": reconciliation.told(MISSING)},
    "facts": {"extra": reconciliation.facts(EXTRA)},
    "ask_reason": {"": reconciliation.ask_reason(difference=7)},
    "accepted": {"": reconciliation.accepted(difference=7)},
    "solvency": {
        "never": reconciliation.solvency(None, owner=True),
        "covered": reconciliation.solvency(COVERED, owner=True),
        "refused by Flutterwave": reconciliation.solvency(
            replace(COVERED, stopped=True, stop_reason="config: Please enable IP Whitelisting"), owner=True
        ),
        "short, for an owner": reconciliation.solvency(SHORT, owner=True),
        "short, for finance": reconciliation.solvency(SHORT, owner=False),
        "short, payouts go on": reconciliation.solvency(LIFTED, owner=True),
        "no rate": reconciliation.solvency(NO_RATE, owner=True),
    },
    "verdict": {"covered": reconciliation.verdict(COVERED), "short": reconciliation.verdict(SHORT)},
    "ask_lift": {"": reconciliation.ask_lift()},
    "lifted": {"": reconciliation.lifted()},
}
