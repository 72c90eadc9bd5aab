"""Cases of `texts.bank`: an account, none, the shop's own, and every word about a photographed receipt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from tests.unit.texts.screens.invoices import HOSTILE, OPEN, PARTLY
from viralcore.core.screen import Screen
from viralcore.texts import bank
from viralcore.texts.invoices import InvoiceText

AMOUNT, RATE = Decimal("24000.00"), Decimal("1600.00")
REASONS = ("down", "silent", "refused", "config", "closed", "expired", "a new word")
"""Every reason `payments.api.AccountView` names, and one it does not. A test holds this against its docstring."""


def _account(one: InvoiceText, *, amount: Decimal = AMOUNT, looking: bool = False) -> Screen:
    return bank.account(one, number="0067100155", bank="Wema Bank", amount=amount, rate=RATE, looking=looking)


def _by_hand(one: InvoiceText, proof: tuple[str, str] | None, *, name: str = "Viral Ltd") -> Screen:
    return bank.by_hand(
        one, number="0123456789", bank="GTBank", name=name, amount=AMOUNT, reference=f"VC-{one.id}", proof=proof
    )


CASES: Cases = {
    "asking": {"fresh": bank.asking(OPEN, amount=AMOUNT)},
    "account": {
        "fresh": _account(OPEN),
        "with kobo": _account(replace(OPEN, left=timedelta(seconds=59)), amount=Decimal("24649.05")),
        "the payer has paid": _account(OPEN, looking=True),
        "the rest": _account(PARTLY, amount=Decimal("8000.00")),
        "a long number": _account(HOSTILE, amount=Decimal("24000000.00"), looking=True),
    },
    "failed": {reason: bank.failed(OPEN, reason=reason, amount=AMOUNT) for reason in REASONS},
    "by_hand": {
        "fresh": _by_hand(OPEN, None),
        "the rest": _by_hand(PARTLY, None),
        "waiting": _by_hand(OPEN, ("waiting", "")),
        "approved": _by_hand(OPEN, ("approved", "")),
        "rejected": _by_hand(OPEN, ("rejected", "The amount is not on it.")),
        "rejected, with markup": _by_hand(OPEN, ("rejected", hostile.TITLE), name=hostile.TITLE),
    },
    "ask_photo": {"asked": bank.ask_photo(invoice_id=12)},
    "not_a_photo": {"asked again": bank.not_a_photo(invoice_id=12)},
    "photo_sent": {"told": bank.photo_sent(invoice_id=12)},
}
