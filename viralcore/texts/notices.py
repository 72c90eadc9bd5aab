"""What people are told of their money without having asked. Of their orders: `order_notices`; staff: `cards`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import buttons, hashes, wording
from viralcore.texts.actions import Go

_NOTHING_TO_DO = "\n\nThere is nothing you need to do. To ask how it stands, write to support with the hash."
_UNPAID = {"open": "is not paid yet", "": "was not paid"}
_ENDED = {
    "not_found": "Transaction not found",
    "refused": "This transaction cannot be credited",
    "suspense": "Your payment is being looked at",
}
_ENDED_BY = {
    ("not_found", "node_down"): "We could not check this transaction",
    ("suspense", "dust"): "A transfer too small to credit",
}


@dataclass(frozen=True, slots=True)
class DepositText:
    """Money that arrived. `outcome`: exact | tolerated | shortfall | excess | late. `pays`: it paid its invoice."""

    amount: str
    asset: str
    network: str
    usd: Money
    to_wallet: Money
    outcome: str
    pays: bool


@dataclass(frozen=True, slots=True)
class SaleText:
    """The invoice a notice is about. `available`: credits of this plan its owner has now; None when not known."""

    id: int
    kind: str
    title: str
    unit: str
    quantity: int
    total: Money
    state: str
    received: Money
    rest: Money | None
    available: int | None


def transfer(*, stage: str, reason: str, network: str, tx_hash: str, invoice_id: int | None) -> Screen:
    """A transfer on its way, in one message that is edited. `stage`: seen | checking | credited | ended |
    moved (another network knows it)."""
    if stage == "credited":
        head, words = "✅ <b>Your payment is final</b>", "It is credited. The details are in the message below."
    elif stage == "ended":
        head, words = "☑️ <b>We have looked at this transaction</b>", "The result is in the message below."
    elif stage == "moved":
        head = "☑️ <b>Not on this network</b>"
        words = "Another network knows this transaction. We go on there; the result will be told below."
    elif stage == "seen":
        head = "👀 <b>We see your payment</b>"
        words = hashes.outcome("checking", "not_final") + " We will tell you here as soon as it is credited."
    else:
        head = "🔎 <b>Checking your transaction</b>"
        words = hashes.outcome("checking", reason) + " We will tell you here as soon as we know more."
    text = lines(
        Html(head),
        _hash(network, tx_hash),
        markup("For invoice #{id}.", id=invoice_id) if invoice_id is not None else None,
        markup("\n{words}", words=words),
    )
    return Screen(text, (_invoice_row(invoice_id),))


def deposit(money: DepositText, sale: SaleText) -> Screen:
    """Money was credited: what it was worth, and where every cent of it went."""
    text = lines(
        Html("✅ <b>Payment received</b>"),
        markup(
            "{coins}, worth <b>{usd}</b>, for invoice #{id}.",
            coins=wording.coins(money.amount, money.asset, money.network),
            usd=wording.money(money.usd),
            id=sale.id,
        ),
        Html(""),
        *(_paid_by(money, sale) if money.pays else _not_paid_by(money, sale)),
    )
    if money.pays:
        return Screen(text, _next(sale))
    if sale.state == "open":
        return Screen(text, ((Button("▶️ Pay the rest", Go(f"invoice:{sale.id}")), buttons.BALANCE), (buttons.HOME,)))
    return Screen(text, ((buttons.BALANCE, buttons.HOME),))


def _paid_by(money: DepositText, sale: SaleText) -> list[Html | None]:
    over = wording.money(money.to_wallet) if money.to_wallet.minor and sale.kind != "topup" else ""
    missing = sale.total - sale.received
    told: list[Html | None] = []
    if money.outcome == "tolerated" and sale.kind != "topup":
        short = wording.money(missing) if missing.minor > 0 else "a touch"
        told.append(markup("It was {short} short; that is fine with us.", short=short))
    elif money.outcome == "late":
        told.append(Html("It came after the invoice's time was up, so it counted at the rate of that moment."))
    told.append(
        None if sale.kind == "topup" else markup("<b>Invoice #{id} is paid.</b> {got}", id=sale.id, got=_got(sale))
    )
    told.append(markup("{over} more than needed came: it is in your wallet.", over=over) if over else None)
    if sale.kind == "topup":
        told.append(markup("<b>{money}</b> is in your wallet, ready to spend.", money=wording.money(money.to_wallet)))
    return told


def _not_paid_by(money: DepositText, sale: SaleText) -> list[Html | None]:
    kept = wording.money(money.to_wallet)
    if money.outcome == "excess":
        why = markup("Invoice #{id} was paid already.", id=sale.id)
    elif sale.state == "cancelled":
        why = markup("Invoice #{id} was cancelled before it came, so it was not used.", id=sale.id)
    elif money.outcome == "late":
        why = markup(
            "It came after the invoice's time was up. At the rate of that moment it does not cover {total}.",
            total=wording.money(sale.total),
        )
    else:
        why = markup("That is less than the invoice needed, so it {verb}.", verb=_UNPAID.get(sale.state, _UNPAID[""]))
    told: list[Html | None] = [why, markup("<b>{kept}</b> of it is in your wallet: nothing is lost.", kept=kept)]
    if money.to_wallet == money.usd:
        told[1] = markup("All of it, <b>{kept}</b>, is in your wallet: nothing is lost.", kept=kept)
    if sale.rest is not None:
        told.append(
            markup("\nTo finish, open the invoice and pay the remaining <b>{rest}</b>.", rest=wording.money(sale.rest))
        )
    elif sale.state == "open":
        told.append(Html("\nTo finish, open the invoice: it tells what is still to be paid."))
    else:
        told.append(Html("\nYou can spend it on your next purchase."))
    return told


def paid_from_wallet(sale: SaleText) -> Screen:
    text = lines(
        markup("✅ <b>Invoice #{id} is paid</b>", id=sale.id),
        markup("{total} from your wallet for {what}.", total=wording.money(sale.total), what=_what(sale)),
        markup("\n{got}", got=_got(sale)),
    )
    return Screen(text, _next(sale))


def assigned(*, amount: str, asset: str, network: str, usd: Money) -> Screen:
    """Finance found out whose stray money is."""
    text = lines(
        Html("✅ <b>Payment received</b>"),
        markup("{coins}, worth <b>{usd}</b>.", coins=wording.coins(amount, asset, network), usd=wording.money(usd)),
        markup(
            "\nOur finance team found out that it is yours: all of it, <b>{usd}</b>, is in your wallet, ready to "
            "spend.",
            usd=wording.money(usd),
        ),
    )
    return Screen(text, ((buttons.BALANCE, buttons.MENU), (buttons.HOME,)))


def refunded(sale: SaleText, *, to_wallet: Money, to_bonus: Money, credits_back: int, left: bool) -> Screen:
    """Money of a paid invoice went back. `left`: not all that was paid for it has gone back."""
    whole = wording.money(to_wallet + to_bonus)
    text = lines(
        markup("↩️ <b>Refund for invoice #{id}</b>", id=sale.id),
        markup("{what}, {total}", what=_what(sale), total=wording.money(sale.total)),
        Html(""),
        markup("<b>{money}</b> is back in your wallet, ready to spend.", money=whole),
        wording.bonus_again(to_bonus),
        markup(
            "{posts} of it {were} taken back.",
            posts=wording.count(credits_back, "unused post"),
            were=_were(credits_back),
        )
        if credits_back
        else None,
        None if left else Html("With this all of your payment for it has been given back."),
        Html("\nQuestions? Write to support with the invoice number."),
    )
    return Screen(text, ((buttons.invoice(sale.id), buttons.BALANCE), (buttons.SUPPORT, buttons.HOME)))


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def invoice_closed(sale: SaleText, *, state: str) -> Screen:
    """`state`: expired | cancelled."""
    head = "⌛ <b>Invoice #{id} has expired</b>" if state == "expired" else "✖️ <b>Invoice #{id} is cancelled</b>"
    part = None
    if sale.received.minor > 0:
        part = markup("The {money} you paid for it went to your wallet.", money=wording.money(sale.received))
    text = lines(
        markup(head, id=sale.id),
        markup("{what}, {total}", what=_what(sale), total=wording.money(sale.total)),
        Html(""),
        part,
        Html(
            "Have you sent money for it already? Then just wait: it is credited when it arrives, late or not, and you "
            "are told here."
        ),
        Html("Still want to top up? Choose the amount again; that makes a fresh invoice.")
        if sale.kind == "topup"
        else Html("Still want it? Choose the plan again; that makes a fresh invoice."),
    )
    return Screen(text, ((buttons.invoice(sale.id), buttons.HOME),))


def claim_ended(*, state: str, reason: str, network: str, tx_hash: str, invoice_id: int | None) -> Screen:
    """A pasted hash that did not simply become money. `state`: not_found | refused | suspense."""
    head = _ENDED_BY.get((state, reason), _ENDED[state])
    words = hashes.outcome(state, reason)
    if state == "suspense" and reason != "dust":
        words += _NOTHING_TO_DO
    text = lines(
        markup("{icon} <b>{head}</b>", icon=hashes.ICONS[state], head=head),
        _hash(network, tx_hash),
        markup("\n{words}", words=words),
    )
    first = (buttons.invoice(invoice_id),) if invoice_id is not None else ()
    return Screen(text, ((*first, buttons.SUPPORT), (buttons.HOME,)))


def proof_rejected(sale: SaleText, *, amount: Decimal, reason: str) -> Screen:
    """A photographed receipt was not accepted."""
    text = lines(
        Html("⚠️ <b>Your bank receipt was not accepted</b>"),
        markup("{amount} for invoice #{id}.", amount=wording.naira(amount), id=sale.id),
        markup("\nOur team wrote: {reason}", reason=reason),
        Html(
            "\nIf you have paid, open the invoice, press <b>I have paid</b> and send another photo of the receipt. If "
            "you think we are wrong, write to support."
        ),
    )
    return Screen(text, ((buttons.invoice(sale.id), buttons.SUPPORT), (buttons.HOME,)))


def _hash(network: str, tx_hash: str) -> Html:
    return markup("<code>{hash}</code> on {where}", hash=hashes.short(tx_hash), where=wording.network(network))


def _what(sale: SaleText) -> str:
    if sale.kind == "topup":
        return "a wallet top-up"
    if sale.kind == "goods":
        return f"{sale.title}, {wording.count(sale.quantity, sale.unit)}"
    return wording.count(sale.quantity, f"{sale.title} {sale.unit}")


def _got(sale: SaleText) -> Html:
    """What the buyer has now, and what to do with it."""
    if sale.kind == "topup":
        return Html("The money is in your wallet, ready to spend.")
    if sale.kind != "credits":
        return markup("We start on it now: {what}. A message below follows it.", what=_what(sale))
    if sale.available is None or sale.available < sale.quantity:
        return markup("{what} were added. Paste the link of a post to use one.", what=_what(sale))
    have = wording.count(sale.available, f"{sale.title} {sale.unit}")
    return markup("You have <b>{have}</b>. Paste the link of a post to use one.", have=have)


def _next(sale: SaleText) -> tuple[tuple[Button, ...], ...]:
    return (
        ((buttons.SUBMIT, buttons.BALANCE), (buttons.HOME,))
        if sale.kind == "credits"
        else ((buttons.ORDERS, buttons.BALANCE), (buttons.HOME,))
        if sale.kind == "goods"
        else ((buttons.BALANCE, buttons.HOME),)
    )


def _invoice_row(invoice_id: int | None) -> tuple[Button, ...]:
    if invoice_id is None:
        return (buttons.HOME,)
    return (buttons.invoice(invoice_id), buttons.HOME)
