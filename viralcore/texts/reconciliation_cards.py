"""What the admin group reads about the books."""

from __future__ import annotations

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import reconciliation, wording
from viralcore.texts.actions import AcceptDifference, CompareBooks
from viralcore.texts.reconciliation import ComparisonText, DifferenceText


def report(one: ComparisonText) -> Screen:
    again = one.open or one.state == "failed"
    rows = ((Button("🔍 Compare again", CompareBooks()),),) if again else ()
    return Screen(lines(Html("📚 <b>The books of the day</b>"), reconciliation.comparison(one)), rows)


def difference(one: DifferenceText) -> Screen:
    rows = (
        ((Button("✅ Accept with a reason", AcceptDifference(one.id)), Button("🔍 Look again", CompareBooks())),)
        if one.state == "open"
        else ()
    )
    return Screen(reconciliation.told(one), rows)


def short(*, gap: Money, stopped: bool) -> Screen:
    return Screen(
        lines(
            Html("🔴 <b>We hold less than we owe</b>"),
            markup("Missing: <b>{gap}</b>", gap=wording.money(gap)),
            Html("Automatic payouts are stopped; requests wait.") if stopped else None,
            Html("The Admin Panel shows the numbers under Books. An owner can let payouts go on there."),
        )
    )
