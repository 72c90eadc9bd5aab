"""Paying by Nigerian bank transfer: the account and the amount, what the bank says, and photographed receipts."""

from __future__ import annotations

from decimal import Decimal

from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import wording
from viralcore.texts.actions import CancelInvoice, Go, IHavePaid, PayWith
from viralcore.texts.invoices import InvoiceText, partly

AGAIN = "bank:NGN"
LOOKING = "We are asking the bank now. We will tell you here as soon as your transfer is in."
SENT = "Thank you. Our team has your receipt."
_FAILED = {
    "down": "Our bank partner cannot be reached at the moment. Nothing was charged.",
    "silent": "Our bank partner did not answer, so there is no account to pay to yet. Nothing was charged.",
    "refused": "Our bank partner gives us no account for this amount. Our team was told. Nothing was charged.",
    "config": "Bank transfers do not work at the moment. Our team was told. Nothing was charged.",
    "expired": "The account we showed you takes no more money. If you have paid to it already, just wait: your money "
    "is not lost. If not, ask for a new one.",
}
_RATES = Html('<a href="https://www.exchangerate-api.com">Rates By Exchange Rate API</a>')


def asking(one: InvoiceText, *, amount: Decimal) -> Screen:
    """The bank has been asked for an account and has not answered yet; the answer redraws this."""
    text = lines(
        _head(one),
        markup("\n🏦 Bank transfer of <b>{amount}</b>", amount=wording.naira(amount)),
        Html(
            "\n🔎 We are asking the bank for an account for you. It takes a few seconds; this message changes by "
            "itself."
        ),
    )
    return Screen(text, (_ways(one), wording.back_home(f"invoice:{one.id}")), route=f"pay:{one.id}")


def account(one: InvoiceText, *, number: str, bank: str, amount: Decimal, rate: Decimal, looking: bool) -> Screen:
    """What to transfer and where: two copy buttons, the bank, the time left. `rate`: naira for one dollar."""
    text = lines(
        _head(one),
        markup("\nTransfer exactly\n<b>{amount}</b>", amount=wording.naira(amount)),
        markup("to account\n<code>{number}</code>\n<b>{bank}</b>", number=number, bank=bank),
        partly(one),
        markup(
            "\n⏳ {left} left. This account is for this payment alone: pay to it once, in one transfer.",
            left=wording.span(one.left),
        ),
        Html("We tell you here as soon as the money is in. Most transfers take a minute or two."),
        Html(
            "\n🔎 <b>You said that you have paid.</b> We ask the bank again and again; there is nothing you need to do."
        )
        if looking
        else None,
        markup("\nRate: {rate} per dollar. {source}", rate=wording.naira(rate), source=_RATES),
    )
    rows = (
        (Button("📋 Copy amount", copy=wording.plain_naira(amount)), Button("📋 Copy account", copy=number)),
        (Button("🧾 I have paid", IHavePaid(one.id)),),
        _ways(one),
        wording.back_home(f"invoice:{one.id}"),
    )
    return Screen(text, rows, route=f"pay:{one.id}")


def failed(one: InvoiceText, *, reason: str, amount: Decimal) -> Screen:
    """There is no account: why, and what to do instead."""
    text = lines(
        _head(one),
        markup("\n🏦 Bank transfer of <b>{amount}</b>", amount=wording.naira(amount)),
        markup("\n⚠️ {why}", why=_FAILED.get(reason, _FAILED["silent"])),
        partly(one),
        markup("\n⏳ {left} left. Try again, or choose another way to pay.", left=wording.span(one.left)),
    )
    rows = (
        (Button("🔄 Try again", PayWith(one.id, AGAIN)),),
        _ways(one),
        wording.back_home(f"invoice:{one.id}"),
    )
    return Screen(text, rows, route=f"pay:{one.id}")


def by_hand(
    one: InvoiceText,
    *,
    number: str,
    bank: str,
    name: str,
    amount: Decimal,
    reference: str,
    proof: tuple[str, str] | None,
) -> Screen:
    """The shop's own account. `proof`: state and reason of the latest photo."""
    text = lines(
        _head(one),
        markup("\nTransfer exactly\n<b>{amount}</b>", amount=wording.naira(amount)),
        markup(
            "to account\n<code>{number}</code>\n<b>{bank}</b>, {name}\nwith the remark <code>{reference}</code>",
            number=number,
            bank=bank,
            name=name,
            reference=reference,
        ),
        partly(one),
        markup("\n⏳ {left} left.", left=wording.span(one.left)),
        _proof(proof),
    )
    paid = (Button("🧾 I have paid", IHavePaid(one.id)),) if proof is None or proof[0] == "rejected" else ()
    rows = (
        (Button("📋 Copy amount", copy=wording.plain_naira(amount)), Button("📋 Copy account", copy=number)),
        paid,
        _ways(one),
        wording.back_home(f"invoice:{one.id}"),
    )
    return Screen(text, tuple(row for row in rows if row), route=f"pay:{one.id}")


def ask_photo(*, invoice_id: int) -> Screen:
    text = Html(
        "🧾 Send a <b>photo</b> of the receipt of your transfer here: a screenshot from your bank's app is fine. It "
        "must show the amount, the account and the date. /cancel to stop."
    )
    return Screen(text, (wording.back_home(f"pay:{invoice_id}"),))


def not_a_photo(*, invoice_id: int) -> Screen:
    text = Html(
        "That is not a photo. Send the receipt as a picture, not as a file or as text: a screenshot from your bank's "
        "app is fine. /cancel to stop."
    )
    return Screen(text, (wording.back_home(f"pay:{invoice_id}"),))


def photo_sent(*, invoice_id: int) -> Screen:
    text = Html(
        "✅ <b>Thank you, our team has your receipt.</b>\n\nA person compares it with our bank account. We will tell "
        "you here as soon as it is credited; there is nothing you need to do."
    )
    return Screen(text, ((Button("🧾 The invoice", Go(f"invoice:{invoice_id}")),), wording.back_home()))


def _head(one: InvoiceText) -> Html:
    return markup("<b>Invoice #{id}</b> · {total}", id=one.id, total=wording.money(one.total))


def _ways(one: InvoiceText) -> tuple[Button, ...]:
    return (Button("🔁 Change method", Go(f"invoice:{one.id}")), Button("✖️ Cancel", CancelInvoice(one.id)))


def _proof(proof: tuple[str, str] | None) -> Html:
    if proof is None:
        return Html("When it is done, press <b>I have paid</b> and send a photo of the receipt.")
    state, reason = proof
    if state == "waiting":
        return Html("\n🔎 <b>Our team has your receipt</b> and compares it with our account. We will tell you here.")
    if state == "approved":
        return Html("\n✅ <b>Your receipt was accepted.</b>")
    return markup(
        "\n⚠️ <b>Your receipt was not accepted:</b> {reason}\nIf you have paid, press <b>I have paid</b> and send "
        "another photo.",
        reason=reason,
    )
