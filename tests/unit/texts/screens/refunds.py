"""Cases of `texts.refunds`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens.finance import AT, HOSTILE, OLU, SOLD
from viralcore.core.money import Money, usd
from viralcore.core.screen import Screen
from viralcore.texts import refunds
from viralcore.texts.finance_words import SoldText
from viralcore.texts.refunds import PlanText, RefundableText, RefundText

ZERO = usd(0)
BACK = RefundableText(
    paid=usd(15), bonus=ZERO, most=usd(15), left=usd(15), problem="", credits=10, unused=10, refunds=()
)
DONE = RefundText(usd("4.50"), AT, OLU, "<b>not</b> happy")
PLAN = PlanText(amount=usd(15), to_wallet=usd(15), to_bonus=ZERO, credits=10, refunded=ZERO, left=usd(15), most=usd(15))
PART = PlanText(
    amount=usd("10.50"),
    to_wallet=usd("7.00"),
    to_bonus=usd("3.50"),
    credits=7,
    refunded=ZERO,
    left=usd(15),
    most=usd("10.50"),
)
CAME = [(4, "bsc", "USDT", Decimal("15.003412"), Money(1500, "USD"))]


def _invoice(sold: SoldText, back: RefundableText, paid_with: str = "bsc:USDT") -> Screen:
    paid = sold.state == "paid"
    came = CAME if paid and paid_with != "wallet" else []
    return refunds.invoice(sold, back, paid_at=AT if paid else None, paid_with=paid_with if paid else "", came=came)


CASES: Cases = {
    "no_invoice": {"typed": refunds.no_invoice("<b>12")},
    "ask_invoice": {"asked": refunds.ask_invoice(), "again": refunds.ask_invoice(refunds.no_invoice("77"))},
    "invoice": {
        "paid": _invoice(SOLD, BACK),
        "paid from the wallet, some bonus": _invoice(SOLD, replace(BACK, bonus=usd(5)), "wallet"),
        "some in use": _invoice(SOLD, replace(BACK, most=usd("10.50"), unused=7)),
        "partly refunded, with markup": _invoice(
            HOSTILE, replace(BACK, most=usd("10.50"), left=usd("10.50"), unused=7, refunds=(DONE,))
        ),
        "all refunded": _invoice(
            SOLD, replace(BACK, most=ZERO, left=ZERO, problem="nothing", unused=0, refunds=(DONE, DONE))
        ),
        "some given back by an order": _invoice(
            SOLD, replace(BACK, most=usd("13.50"), left=usd("13.95"), unused=9, elsewhere=usd("1.05"))
        ),
        "all in use": _invoice(SOLD, replace(BACK, most=ZERO, problem="used", unused=0)),
        **{
            why: _invoice(
                replace(SOLD, state="open" if why == "unpaid" else "paid"),
                replace(BACK, most=ZERO, problem=why, credits=0, unused=0),
            )
            for why in ("unpaid", "topup", "bundle")
        },
    },
    "ask_refund_amount": {
        "asked": refunds.ask_refund_amount(invoice=12, most=usd("10.50")),
        "again": refunds.ask_refund_amount(invoice=12, most=usd("10.50"), problem=refunds.not_an_amount()),
    },
    "not_an_amount": {"told": refunds.not_an_amount()},
    "ask_refund_reason": {"all": refunds.ask_refund_reason(SOLD, PLAN), "part": refunds.ask_refund_reason(SOLD, PART)},
    "confirm_refund": {
        "all": refunds.confirm_refund(SOLD, PLAN, reason="not happy"),
        "part, with markup": refunds.confirm_refund(replace(HOSTILE, id=10**12), PART, reason="<i>why</i>" * 60),
        "no posts": refunds.confirm_refund(
            SOLD, replace(PLAN, amount=usd(1), to_wallet=usd(1), credits=0), reason="a gift"
        ),
    },
}
