"""What staff read when the books do not agree with themselves."""

from __future__ import annotations

from collections.abc import Sequence

from viralcore.core.screen import Html, Screen, lines, markup

LONGEST = 300


def problem(*, total: int, problems: Sequence[str]) -> Screen:
    """`problems`: the first few, as the nightly check says them."""
    return Screen(
        lines(
            Html("🚨 <b>The books do not agree</b>\n"),
            markup("The nightly check found {n} problem(s):", n=total),
            *(markup("• {one}", one=one[:LONGEST].rstrip()) for one in problems),
            markup("… and {n} more", n=total - len(problems)) if total > len(problems) else None,
            Html(
                "\nNothing was changed. Pause payouts until it is explained; <code>viralcore ledger check</code> says "
                "all of it."
            ),
        )
    )
