"""Cases of `texts.finance`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.core.money import usd
from viralcore.texts import finance
from viralcore.texts.cards import PersonText
from viralcore.texts.finance import ReceiptText
from viralcore.texts.finance_words import SoldText

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
}
