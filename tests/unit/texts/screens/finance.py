"""Cases of `texts.finance`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.core.money import Money, usd
from viralcore.texts import finance
from viralcore.texts.cards import PersonText
from viralcore.texts.finance import PlanText, ReceiptText, RefundableText, RefundText, SoldText

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HASH = "0x" + "ab12" * 16
ADA, BEN, OLU = PersonText(2001, "Ada", "ada_l"), PersonText(2002, hostile.NAME, None), PersonText(1000, "Olu", "olu")
STRAY = ReceiptText(
    id=4, network="bsc", asset="USDT", amount=Decimal("14.200000"), usd=usd("14.20"), hash=HASH, stray=True,
    outcome="stray", seen_at=AT, pasted_by=(),
)  # fmt: skip
PASTED = replace(STRAY, pasted_by=(ADA, BEN))
DUST = replace(STRAY, usd=usd(0), amount=Decimal("0.001000"))
BANK = replace(STRAY, network="bank", asset="NGN", amount=Decimal("24000.00"), hash="FLW-1234")
WALLET = replace(PASTED, stray=False, outcome="assigned", owner=ADA, by=OLU, credited_at=AT)
INVOICE = replace(WALLET, outcome="late", invoice=12)
JUDGED = replace(INVOICE, by=None, outcome="exact")
LONG = replace(STRAY, id=10**12, pasted_by=(BEN, BEN), network="solana", hash="5" * 88, usd=usd("99999999.99"))
SOLD = SoldText(12, ADA, "X Tier 3", 10, "post", usd(15), "paid")
HOSTILE = replace(SOLD, owner=BEN, title=hostile.TITLE)
ZERO = usd(0)
BACK = RefundableText(
    paid=usd(15), bonus=ZERO, most=usd(15), left=usd(15), problem="", credits=10, unused=10, refunds=()
)
DONE = RefundText(usd("4.50"), AT, OLU, "<b>not</b> happy")
PLAN = PlanText(amount=usd(15), to_wallet=usd(15), to_bonus=ZERO, credits=10, refunded=ZERO, left=usd(15))
PART = PlanText(
    amount=usd("10.50"), to_wallet=usd("7.00"), to_bonus=usd("3.50"), credits=7, refunded=ZERO, left=usd(15)
)
CAME = [(4, "bsc", "USDT", Decimal("15.003412"), Money(1500, "USD"))]


def _invoice(sold: SoldText, back: RefundableText, paid_with: str = "bsc:USDT") -> finance.Screen:
    paid = sold.state == "paid"
    came = CAME if paid and paid_with != "wallet" else []
    return finance.invoice(sold, back, paid_at=AT if paid else None, paid_with=paid_with if paid else "", came=came)


CASES: Cases = {
    "menu": {"some": finance.menu(stray=3), "none": finance.menu(stray=0)},
    "strays": {
        "none": finance.strays([], newer=None, first=True),
        "no more": finance.strays([], newer=None, first=False),
        "two": finance.strays([PASTED, BANK], newer=None, first=True),
        "a long page": finance.strays([replace(LONG, id=10**12 + n) for n in range(20)], newer=10**12, first=True),
    },
    "receipts": {
        "none": finance.receipts([], which="late", older=None),
        "all": finance.receipts([STRAY, WALLET, INVOICE, JUDGED, DUST], which="all", older=3),
        "a long page": finance.receipts([LONG] * 20, which="suspense", older=10**12),
    },
    "receipt": {
        "stray": finance.receipt(STRAY),
        "stray, with markup, pasted and near": finance.receipt(
            PASTED,
            near=[(replace(SOLD, state="open"), Decimal("14.203412")), (HOSTILE, Decimal("14.503412"))],
        ),
        "dust": finance.receipt(DUST),
        "no value": finance.receipt(replace(STRAY, usd=None)),
        "bank": finance.receipt(BANK),
        "given to a wallet": finance.receipt(WALLET),
        "given to an invoice": finance.receipt(INVOICE),
        "judged": finance.receipt(JUDGED),
        "many pasted it": finance.receipt(replace(STRAY, pasted_by=(ADA,) * 9)),
    },
    "ask_target": {
        "invoice": finance.ask_target(receipt=4, kind="i"),
        "person": finance.ask_target(receipt=4, kind="u"),
        "nobody": finance.ask_target(receipt=4, kind="u", problem=finance.no_person("@nobody")),
    },
    "no_person": {"typed": finance.no_person("<b>&" + "x" * 99)},
    "no_invoice": {"typed": finance.no_invoice("<b>12")},
    "ask_assign_reason": {
        "wallet": finance.ask_assign_reason(PASTED, sold=None, who=ADA),
        "invoice": finance.ask_assign_reason(PASTED, sold=replace(SOLD, state="open"), who=ADA),
    },
    "confirm_assign": {
        "wallet": finance.confirm_assign(PASTED, sold=None, who=ADA, reason="she wrote to us"),
        **{
            f"invoice, {state}": finance.confirm_assign(
                PASTED, sold=replace(SOLD, state=state), who=ADA, reason="she wrote to us"
            )
            for state in ("open", "paid", "expired", "cancelled")
        },
        "with markup": finance.confirm_assign(
            replace(STRAY, id=10**12), sold=replace(HOSTILE, id=10**12), who=BEN, reason="<i>why</i>" * 60
        ),
    },
    "ask_invoice": {"asked": finance.ask_invoice(), "again": finance.ask_invoice(finance.no_invoice("77"))},
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
        "asked": finance.ask_refund_amount(invoice=12, most=usd("10.50")),
        "again": finance.ask_refund_amount(invoice=12, most=usd("10.50"), problem=finance.not_an_amount()),
    },
    "not_an_amount": {"told": finance.not_an_amount()},
    "ask_refund_reason": {"all": finance.ask_refund_reason(SOLD, PLAN), "part": finance.ask_refund_reason(SOLD, PART)},
    "confirm_refund": {
        "all": finance.confirm_refund(SOLD, PLAN, reason="not happy"),
        "part, with markup": finance.confirm_refund(replace(HOSTILE, id=10**12), PART, reason="<i>why</i>" * 60),
        "no posts": finance.confirm_refund(
            SOLD, replace(PLAN, amount=usd(1), to_wallet=usd(1), credits=0), reason="a gift"
        ),
    },
}
