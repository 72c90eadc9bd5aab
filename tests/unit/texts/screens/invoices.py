"""Cases of `texts.invoices`: every state, every reason a pasted hash can have."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile, receipts
from viralcore.core.money import Money, usd
from viralcore.core.screen import Screen
from viralcore.texts import goods, invoices, wallet
from viralcore.texts.invoices import InvoiceText
from viralcore.texts.receipts import InvoiceRow

REASONS = {
    "checking": ("", "unknown_tx", "not_final", "node_down", "price"),
    "not_found": ("unknown_tx", "node_down"),
    "refused": (
        "failed", "wrong_token", "wrong_recipient", "self_transfer", "zero", "internal", "too_old", "used",
    ),
    "suspense": ("ambiguous", "no_invoice", "too_old", "dust"),
    "credited": ("",),
}  # fmt: skip
"""Every state and reason `payments.api.ClaimView` names. A test holds this against its docstring."""
HASH = "0x" + "ab12" * 16
ADDRESS = "0x8894E0a0c962CB723c1976a4421c95949bE2D4E3"
AT = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)
ZERO = usd(0)
OPEN = InvoiceText(
    id=12,
    title="X Tier 3",
    quantity=10,
    unit="post",
    unit_price=Decimal("1.50"),
    total=usd("15.00"),
    state="open",
    left=timedelta(minutes=20),
    credits=True,
    received=ZERO,
    rest=None,
    notes=(),
    claim=None,
    quoted=False,
)
PARTLY = replace(OPEN, received=usd("10.00"), rest=usd("5.00"), notes=("shortfall",), left=timedelta(seconds=61))
HOSTILE = replace(OPEN, id=10**12, title=hostile.TITLE, quantity=10_000, total=usd("15000.00"))
PAID = replace(OPEN, state="paid", received=usd("15.00"))
TOPUP = replace(
    OPEN, title="Wallet top-up", quantity=1, unit_price=Decimal(15), total=usd("15.00"), credits=False, topup=True
)
TOPPED_UP = replace(TOPUP, state="paid", received=usd("15.00"))
EXPIRED = replace(OPEN, state="expired", left=timedelta(minutes=-3))
CANCELLED = replace(OPEN, state="cancelled")


def _invoice(one: InvoiceText, *, crypto: bool = True, wallet: bool = True, bank: str | None = "bank:NGN") -> Screen:
    return invoices.invoice(one, balance=usd("3.25"), crypto=crypto, wallet=wallet, bank=bank)


VOTES = replace(
    OPEN,
    title="X poll votes",
    quantity=50,
    unit="vote",
    unit_price=Decimal("0.03"),
    total=usd("1.50"),
    credits=False,
    about=goods.facts({"poll_link": "https://x.com/ada/status/123", "poll_option": "3"}, 50),
)


def _payment(one: InvoiceText, *, network: str = "bsc", asset: str = "USDT", seen: bool = False) -> Screen:
    amount = Decimal("15.003412") if asset == "USDT" else Decimal("0.02503400")
    return invoices.payment(
        one, network=network, asset=asset, amount=amount, address=ADDRESS, rate=Decimal(1), seen=seen
    )


_CLAIMS = {
    f"{state} {reason}".strip(): invoices.claim(
        state=state, reason=reason, tx_hash=HASH, back="pay:12", route="claim:3"
    )
    for state, reasons in REASONS.items()
    for reason in reasons
}

CASES: Cases = {
    "invoice": {
        "fresh": _invoice(OPEN),
        "a method was chosen": _invoice(replace(OPEN, quoted=True, left=timedelta(seconds=59))),
        "without a bank": _invoice(OPEN, bank=None),
        "only a bank, by hand": _invoice(OPEN, crypto=False, wallet=False, bank="bank:manual"),
        "only the wallet": _invoice(OPEN, crypto=False, bank=None),
        "no way to pay": _invoice(OPEN, crypto=False, wallet=False, bank=None),
        "partly paid": _invoice(PARTLY),
        "partly paid, and some of it spent": _invoice(replace(PARTLY, rest=usd("9.00"))),
        "partly paid, and all of it spent": _invoice(replace(PARTLY, rest=usd("15.00"))),
        "partly paid, and the wallet has enough": _invoice(replace(PARTLY, received=usd("16.00"), rest=ZERO)),
        "a top-up": _invoice(TOPUP),
        "a top-up that nobody can pay": _invoice(TOPUP, crypto=False),
        "a title with markup": _invoice(HOSTILE),
        "goods": _invoice(VOTES),
        **{
            f"hash {state} {reason}".strip(): _invoice(replace(OPEN, claim=(state, reason), quoted=True))
            for state, reasons in REASONS.items()
            for reason in reasons
        },
    },
    "closed": {
        "paid": invoices.closed(PAID),
        "paid, goods": invoices.closed(replace(VOTES, state="paid")),
        "paid, all refunded": invoices.closed(replace(PAID, refunded=usd("15.00"))),
        "paid, some refunded": invoices.closed(replace(PAID, refunded=usd("4.50"))),
        "paid, one post": invoices.closed(replace(PAID, quantity=1, total=usd("1.50"))),
        "paid, too much": invoices.closed(replace(PAID, notes=("excess",))),
        "paid late": invoices.closed(replace(PAID, notes=("late", "excess"))),
        "paid in two parts": invoices.closed(replace(PAID, notes=("shortfall", "tolerated"))),
        "paid, a top-up": invoices.closed(TOPPED_UP, receipts.TOPPED_UP),
        "paid, a top-up, and an invoice waits": invoices.closed(
            TOPPED_UP, receipts.TOPPED_UP, [(11, "X Tier 1", usd("5.00"))]
        ),
        "paid, a top-up that is short": invoices.closed(
            replace(TOPPED_UP, received=usd("13.50"), notes=("shortfall",))
        ),
        "paid, a top-up that is more": invoices.closed(replace(TOPPED_UP, received=usd("18.00"), notes=("excess",))),
        "paid, a late top-up": invoices.closed(replace(TOPPED_UP, notes=("late",))),
        "expired, a top-up": invoices.closed(replace(TOPUP, state="expired")),
        **{f"paid {how}": invoices.closed(PAID, paid) for how, paid in receipts.PAID.items()},
        "expired, what arrived": invoices.closed(replace(EXPIRED, notes=("shortfall",)), receipts.UNPAID),
        "expired": invoices.closed(EXPIRED),
        "expired, part of the money came": invoices.closed(replace(EXPIRED, notes=("shortfall",))),
        "expired, the money came late": invoices.closed(replace(EXPIRED, notes=("late",))),
        "expired, a hash is being checked": invoices.closed(replace(EXPIRED, claim=("checking", "not_final"))),
        "expired, a hash was refused": invoices.closed(replace(EXPIRED, claim=("refused", "failed"))),
        "cancelled": invoices.closed(CANCELLED),
        "a title with markup": invoices.closed(replace(HOSTILE, state="cancelled")),
    },
    "coins": {
        "all": invoices.coins(
            OPEN,
            ways=[
                ("USDT", None),
                ("BNB", "bsc:BNB"),
                ("SOL", "solana:SOL"),
                ("TRX", "tron:TRX"),
                ("APT", "aptos:APT"),
            ],
        ),
        "none": invoices.coins(OPEN, ways=[]),
    },
    "networks": {
        "USDT": invoices.networks(
            OPEN,
            asset="USDT",
            methods=[(f"{n}:USDT", n) for n in ("bsc", "tron", "solana", "aptos")],
        ),
        "BNB": invoices.networks(OPEN, asset="BNB", methods=[("bsc:BNB", "bsc")]),
        "none any more": invoices.networks(OPEN, asset="TRX", methods=[]),
        "a long number": invoices.networks(HOSTILE, asset="USDT", methods=[("solana:USDT", "solana")]),
    },
    "payment": {
        "USDT on BSC": _payment(replace(OPEN, quoted=True)),
        "BNB": _payment(OPEN, asset="BNB"),
        "Solana": _payment(OPEN, network="solana"),
        "Tron": _payment(OPEN, network="tron"),
        "Aptos": _payment(OPEN, network="aptos"),
        "seen": _payment(OPEN, seen=True),
        "the rest": _payment(PARTLY),
        "a top-up": _payment(replace(TOPUP, quoted=True)),
        "the longest there can be": _payment(
            replace(HOSTILE, received=usd("14999.99"), rest=usd("0.01"), claim=("not_found", "unknown_tx")), seen=True
        ),
        **{
            f"hash {state} {reason}".strip(): _payment(replace(OPEN, claim=(state, reason)))
            for state, reasons in REASONS.items()
            for reason in reasons
        },
    },
    "ask_hash": {
        "a network is chosen": invoices.ask_hash(invoice_id=12, network="bsc"),
        "none is chosen": invoices.ask_hash(invoice_id=12, network=""),
    },
    "claim": {
        **_CLAIMS,
        "without an invoice": invoices.claim(state="checking", reason="", tx_hash=HASH, back=None, route="claim:3"),
    },
    "already_have": {
        "three": invoices.already_have(
            limit=3,
            open_invoices=[
                (7, "X Tier 3", usd("15.00")),
                (8, "X Tier 1", usd("5.00")),
                (10**12, hostile.TITLE, usd("0.50")),
            ],
        ),
        "one": invoices.already_have(limit=1, open_invoices=[(7, "X Tier 3", usd("15.00"))]),
    },
    "history": {
        "nothing": invoices.history(invoices=[], movements=[], older=None),
        "everything": invoices.history(
            invoices=[
                InvoiceRow(15, "X Tier 3", usd("15.00"), "open", AT),
                InvoiceRow(14, "X Tier 1", usd("5.00"), "paid", AT),
                InvoiceRow(13, hostile.TITLE, usd("5.00"), "expired", AT),
                InvoiceRow(11, "X Tier 1", usd("5.00"), "paid", AT, refunded=usd("2.50")),
                InvoiceRow(12, "Wallet top-up", usd("5.00"), "paid", AT, topup=True, received=usd("4.50")),
            ],
            movements=[
                (AT, *wallet.movement(kind="deposit", amount=usd("5.25"), plan=None)),
                (AT, *wallet.movement(kind="purchase", amount=usd("-15.00"), plan=None)),
                (AT, *wallet.movement(kind="transfer", amount=usd("3.00"), plan=None)),
                (AT, *wallet.movement(kind="purchase", amount=Money(10, "t3"), plan="X Tier 3")),
                (AT, *wallet.movement(kind="boost", amount=Money(-1, "t3"), plan=hostile.TITLE)),
            ],
            older="history:999",
        ),
        "older movements": invoices.history(invoices=[], movements=[(AT, "+$1.00", "refund")] * 50, older=None),
    },
}
