"""Cases of `texts.receipts`; how an invoice was paid is in those of `invoices.closed`."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.core.money import usd
from viralcore.core.screen import Picture
from viralcore.texts import receipts
from viralcore.texts.receipts import InvoiceRow, PaidText, PartText

AT = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)
HASH = "0x" + "ab12" * 16
EXACT = PartText("bsc", "USDT", "15.003412", HASH, Decimal(1), usd("15.00"), AT)
SHORT = PartText("bsc", "BNB", "0.02247100", "0x" + "cd34" * 16, Decimal("600.75"), usd("13.50"), AT)
REST = PartText("bsc", "USDT", "1.503412", HASH, Decimal(1), usd("1.50"), AT)
NAIRA = PartText("bank", "NGN", "24000.00", "285959875", Decimal("0.000625"), usd("15.00"), AT)

PAID = {
    "by one transfer": PaidText((EXACT,), "bsc:USDT", AT, usd("15.00"), False),
    "by two": PaidText((SHORT, REST), "bsc:USDT", AT, usd("15.00"), False),
    "a little short": PaidText((SHORT,), "bsc:BNB", AT, usd("13.55"), False),
    "too much": PaidText((EXACT, SHORT), "bsc:USDT", AT, usd("15.00"), False),
    "from the wallet": PaidText((), "wallet", AT, usd("15.00"), False),
    "a part by coins, all from the wallet": PaidText((SHORT,), "wallet", AT, usd("15.00"), False),
    "by six": PaidText((SHORT, SHORT, REST, REST, REST, REST), "bsc:USDT", AT, usd("15.00"), False),
    "in naira": PaidText((NAIRA,), "bsc:NGN", AT, usd("15.00"), False),
}
TOPPED_UP = PaidText((EXACT,), "bsc:USDT", AT, usd("15.00"), True)
UNPAID = PaidText((SHORT,), None, None, usd("15.00"), False)
ROWS = [
    InvoiceRow(15, "X Tier 3", usd("15.00"), "open", AT),
    InvoiceRow(14, "Wallet top-up", usd("20.00"), "paid", AT, topup=True, received=usd("18.20")),
    InvoiceRow(13, "Wallet top-up", usd("20.00"), "expired", AT, topup=True, received=usd(0)),
    InvoiceRow(12, hostile.TITLE, usd("5.00"), "cancelled", AT),
]

CASES: Cases = {
    "row": {
        "a purchase": receipts.row(ROWS[0]),
        "a top-up that brought less": receipts.row(ROWS[1]),
        "a title with markup": receipts.row(ROWS[3]),
        "a very long title": receipts.row(InvoiceRow(12, "W" * 300, usd("5.00"), "paid", AT)),
    },
    "invoice_list": {
        "nothing": receipts.invoice_list([], shown="", older=None),
        "nothing open": receipts.invoice_list([], shown="open", older=None),
        "all, with markup": receipts.invoice_list(ROWS, shown="", older="invoices::12"),
        "paid": receipts.invoice_list(ROWS[1:2], shown="paid", older=None),
        "a full page": receipts.invoice_list(
            [InvoiceRow(10**9 + n, "W" * 300, usd(n), "closed" if n < 0 else "paid", AT) for n in range(1, 31)],
            shown="closed",
            older="invoices:closed:1000000001",
        ),
    },
    "rate": {
        "a stable coin": receipts.rate("USDT", Decimal(1)),
        "a coin": receipts.rate("BNB", Decimal("601.23456789")),
        "naira": receipts.rate("NGN", Decimal("0.000625")),
    },
    "receipt": {"paid": receipts.receipt(invoice_id=12, picture=Picture("receipt", "{}"))},
    "no_receipt": {"open": receipts.no_receipt(12)},
    "confirm_cancel": {
        "seen": receipts.confirm_cancel(invoice_id=12, title="X Tier 3", seen=True, received=usd(0)),
        "partly paid": receipts.confirm_cancel(invoice_id=12, title="X Tier 3", seen=False, received=usd("13.50")),
        "a hash, with markup": receipts.confirm_cancel(invoice_id=12, title=hostile.TITLE, seen=False, received=usd(0)),
    },
    "too_many": {
        "three": receipts.too_many(
            limit=3,
            open_invoices=[(7, "X Tier 3", usd("15.00")), (8, "Wallet top-up", usd("5.00")), (9, "X", usd("0.50"))],
            again="top up",
        ),
    },
}
