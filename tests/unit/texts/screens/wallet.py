"""Cases of `texts.wallet`."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.core.money import Money, ngn, usd
from viralcore.texts import wallet

CASES: Cases = {
    "balance": {
        "empty": wallet.balance(wallet=usd(0), bonus=usd(0), posts=[]),
        "money and posts": wallet.balance(
            wallet=usd("12.50"), bonus=usd(0), posts=[("X Tier 3", 9), (hostile.TITLE, 1234)]
        ),
        "affiliate money and open invoices": wallet.balance(
            wallet=usd("12.50"), bonus=usd(0), posts=[], affiliate=usd("4.20"), open_invoices=2
        ),
        "reply money": wallet.balance(wallet=usd(0), bonus=usd(0), posts=[], reply=ngn("4050.50")),
        "bonus money": wallet.balance(wallet=usd("12.50"), bonus=usd("2.50"), posts=[]),
    },
    "credits_screen": {
        "none": wallet.credits_screen([]),
        "one post": wallet.credits_screen([("t3", "X Tier 3", 1, None, False)]),
        "many": wallet.credits_screen(
            [
                ("t3", "X Tier 3", 9, None, False),
                ("t1", "X Tier 1", 10, None, False),
                ("custom-7", hostile.TITLE, 5, datetime(2026, 12, 31, 23, 59, tzinfo=UTC), False),
                ("custom-8", "Old", 5, datetime(2026, 1, 31, 23, 59, tzinfo=UTC), True),
            ]
        ),
    },
    "movement": {
        **{kind: wallet.movement(kind=kind, amount=usd("5.25"), plan=None) for kind in wallet.MOVEMENTS},
        "a kind of tomorrow": wallet.movement(kind="new", amount=usd(0), plan=None),
        "money out": wallet.movement(kind="purchase", amount=usd(-15), plan=None),
        "naira out": wallet.movement(kind="withdrawal", amount=ngn(-1200), plan=None),
        "posts in": wallet.movement(kind="purchase", amount=Money(10, "t3"), plan="X Tier 3"),
        "a post out": wallet.movement(kind="boost", amount=Money(-1, "t3"), plan=hostile.TITLE),
    },
}
