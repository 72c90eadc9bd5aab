"""Cases of `texts.referrals`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.core.money import usd
from viralcore.texts import referrals
from viralcore.texts.referrals import AffiliateText, CommissionText

LINK = "https://t.me/viralcore_bot?start=ref_9007199254740991"
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NEW = AffiliateText(
    link=LINK,
    percent=Decimal(10),
    people=0,
    active=0,
    earned=usd(0),
    this_month=usd(0),
    available=usd(0),
    receivable=usd(0),
)
BUSY = replace(
    NEW,
    percent=Decimal("12.50"),
    people=1234,
    active=57,
    earned=usd("1795.96"),
    this_month=usd("-3.00"),
    available=usd("12.34"),
    receivable=usd("4.50"),
)
UP = CommissionText(amount=usd("1.50"), title="X Tier 3", at=AT)
DOWN = CommissionText(amount=usd("-0.45"), title="X Tier 3", at=AT)
GONE = CommissionText(amount=usd("0.01"), title="", at=AT)
ODD = CommissionText(amount=usd("-1.00"), title=hostile.TITLE, at=AT)

CASES: Cases = {
    "program": {
        "new": referrals.program(NEW, withdraw=False),
        "busy, with a way to withdraw": referrals.program(BUSY, withdraw=True),
    },
    "share": {"ten percent": referrals.share(link=LINK, percent=Decimal(10))},
    "earnings": {
        "none": referrals.earnings(chart="{}", months=12, earned=usd(0), receivable=usd(0), latest=[], more=False),
        "some": referrals.earnings(
            chart="{}",
            months=12,
            earned=usd("21.05"),
            receivable=usd("4.50"),
            latest=[UP, DOWN, GONE, ODD, UP],
            more=True,
        ),
    },
    "commissions": {
        "first page": referrals.commissions(shown=[UP, DOWN, ODD], older="commissions:9", first=True),
        "last page": referrals.commissions(shown=[GONE], older=None, first=False),
        "none": referrals.commissions(shown=[], older=None, first=True),
        "past the end": referrals.commissions(shown=[], older=None, first=False),
    },
    "commission": {
        "all to the balance": referrals.commission(title="X Tier 3", amount=usd("1.50"), owed_before=usd(0)),
        "some for what was owed": referrals.commission(title="X Tier 3", amount=usd("1.50"), owed_before=usd("0.30")),
        "all for what was owed": referrals.commission(title="", amount=usd("1.50"), owed_before=usd("1.50")),
    },
    "commission_back": {
        "from the balance": referrals.commission_back(title="X Tier 3", amount=usd("1.50"), receivable=usd(0)),
        "some is owed": referrals.commission_back(title=hostile.TITLE, amount=usd("1.50"), receivable=usd("0.30")),
        "all is owed": referrals.commission_back(title="", amount=usd("1.50"), receivable=usd("1.50")),
    },
}
