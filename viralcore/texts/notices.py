"""What people are told of their money without having asked. Of their orders: `order_notices`; staff: `cards`."""

from __future__ import annotations

from dataclasses import dataclass

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import wording
from viralcore.texts.actions import Go

_SUPPORT = Button("💬 Support", Go("support"))
_SUBMIT = Button("🔗 Submit Link", Go("submit"))
_BALANCE = Button("💰 My Balance", Go("balance"))
_HOME = Button("🏠 Home", Go("home"))

_LOOKING = {
    "unknown_tx": "No node of the network knows it yet. New transactions take a moment to appear. We keep looking.",
    "not_final": "It is on the network. We wait until it cannot be taken back any more; that takes seconds to minutes.",
    "node_down": "The network's nodes do not answer us at the moment. We keep asking, and your money is safe.",
    "price": "Your payment is here. We wait for a coin price that we can trust, and then credit it.",
}
_NOT_FOUND = {
    "unknown_tx": "No node of the network knows this transaction, so there is nothing to credit yet.\n\nLook in your "
    "wallet: was it really sent, and on this network? Then paste the hash again. If the money does arrive, it is "
    "credited to you even without the hash, as long as the amount is the exact one.",
    "node_down": "The network did not answer us for a long time, so we stopped asking. Your money is safe.\n\n"
    "Paste the hash again and we look once more.",
}
_REFUSED = {
    "failed": "This transaction failed on the network: no money moved, it is still in your wallet.\n\nSend it again, "
    "then paste the new hash.",
    "wrong_token": "This transaction moved a token that we do not take. Only the coins shown on the invoice count.\n\n"
    "If you sent it to us by mistake, write to support.",
    "wrong_recipient": "This transaction did not pay our address.\n\nCompare the address on the invoice with the one "
    "in your wallet, and check that this is the right hash.",
    "self_transfer": "This transaction only moves our own money from one pocket to the other.\n\nCheck that you copied "
    "the hash of your own transfer.",
    "zero": "This transaction brought us an amount of zero.\n\nCheck that you copied the hash of your own transfer.",
    "internal": "A smart contract ran in this transaction, and we cannot see for certain whether it sent us coins.\n\n"
    "Write to support with the hash: a person will look, and no money is lost.",
    "too_old": "This transaction is older than our books, so it cannot pay an invoice.\n\nIf you think that is wrong, "
    "write to support with the hash.",
    "used": "This transaction has paid somebody's invoice already, and each one counts once.\n\nIf it was yours, write "
    "to support with the hash.",
}
_SUSPENSE = {
    "ambiguous": "Your money is here. Its amount does not tell us for certain which invoice it is for, so a person of "
    "our finance team assigns it.",
    "no_invoice": "Your money is here. Its amount fits none of your invoices, so a person of our finance team assigns "
    "it.",
    "too_old": "Your money is here. It was sent before your invoice was opened, so a person of our finance team "
    "assigns it.",
    "dust": "It arrived, but it is worth less than a cent, and a cent is the least we can credit.\n\nWas it meant to "
    "pay the invoice? Then send the full amount shown there.",
}
_NOTHING_TO_DO = "\n\nThere is nothing you need to do. To ask how it stands, write to support with the hash."
_UNPAID = {"open": "is not paid yet", "": "was not paid"}
_ENDED = {
    "not_found": ("❔", "Transaction not found"),
    "refused": ("⚠️", "This transaction cannot be credited"),
    "suspense": ("📥", "Your payment is being looked at"),
}
_ENDED_BY = {
    ("not_found", "node_down"): ("❔", "We could not check this transaction"),
    ("suspense", "dust"): ("📥", "A transfer too small to credit"),
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
    """A transfer on its way, in one message that is edited. `stage`: seen | checking | credited | ended."""
    if stage == "credited":
        head, words = "✅ <b>Your payment is final</b>", "It is credited. The details are in the message below."
    elif stage == "ended":
        head, words = "☑️ <b>We have looked at this transaction</b>", "What came out is in the message below."
    elif stage == "seen":
        head, words = (
            "👀 <b>We see your payment</b>",
            _LOOKING["not_final"] + " You are told as soon as it is credited.",
        )
    else:
        head = "🔎 <b>Checking your transaction</b>"
        words = _LOOKING.get(reason, "We are looking at it now.") + " You are told as soon as we know more."
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
            "{amount} {asset} on {network}, worth <b>{usd}</b>, for invoice #{id}.",
            amount=money.amount,
            asset=money.asset,
            network=wording.NETWORK_BUTTONS.get(money.network, money.network),
            usd=wording.money(money.usd),
            id=sale.id,
        ),
        Html(""),
        *(_paid_by(money, sale) if money.pays else _not_paid_by(money, sale)),
    )
    if money.pays:
        return Screen(text, _next(sale))
    if sale.rest is not None:
        return Screen(text, ((Button("▶️ Pay the rest", Go(f"invoice:{sale.id}")), _BALANCE), (_HOME,)))
    return Screen(text, ((_BALANCE, _HOME),))


def _paid_by(money: DepositText, sale: SaleText) -> list[Html | None]:
    over = wording.money(money.to_wallet) if money.to_wallet.minor and sale.kind != "topup" else ""
    missing = sale.total - sale.received
    told: list[Html | None] = []
    if money.outcome == "tolerated":
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


def invoice_closed(sale: SaleText, *, state: str) -> Screen:
    """`state`: expired | cancelled."""
    head = "⌛ <b>Invoice #{id} has run out</b>" if state == "expired" else "✖️ <b>Invoice #{id} is cancelled</b>"
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
        Html("Still want it? Choose the plan again; that makes a fresh invoice."),
    )
    return Screen(text, ((Button(f"🧾 Invoice #{sale.id}", Go(f"invoice:{sale.id}")), _HOME),))


def claim_ended(*, state: str, reason: str, network: str, tx_hash: str, invoice_id: int | None) -> Screen:
    """A pasted hash that did not simply become money. `state`: not_found | refused | suspense."""
    icon, head = _ENDED_BY.get((state, reason), _ENDED[state])
    known = {"not_found": _NOT_FOUND, "refused": _REFUSED, "suspense": _SUSPENSE}[state]
    words = known.get(reason, "Write to support with the hash: a person will look at it.")
    if state == "suspense" and reason in known and reason != "dust":
        words += _NOTHING_TO_DO
    text = lines(
        markup("{icon} <b>{head}</b>", icon=icon, head=head), _hash(network, tx_hash), markup("\n{words}", words=words)
    )
    first = (Button(f"🧾 Invoice #{invoice_id}", Go(f"invoice:{invoice_id}")),) if invoice_id is not None else ()
    return Screen(text, ((*first, _SUPPORT), (_HOME,)))


def short_hash(tx_hash: str) -> str:
    """Enough of a hash to know it again."""
    return tx_hash if len(tx_hash) <= 20 else f"{tx_hash[:10]}…{tx_hash[-8:]}"


def _hash(network: str, tx_hash: str) -> Html:
    where = wording.NETWORK_BUTTONS.get(network, network)
    return markup("<code>{hash}</code> on {where}", hash=short_hash(tx_hash), where=where)


def _what(sale: SaleText) -> str:
    if sale.kind == "topup":
        return "a wallet top-up"
    return wording.count(sale.quantity, f"{sale.title} {sale.unit}")


def _got(sale: SaleText) -> Html:
    """What the buyer has now, and what to do with it."""
    if sale.kind == "topup":
        return Html("The money is in your wallet, ready to spend.")
    if sale.kind != "credits":
        return markup("We start on your {what} now.", what=_what(sale))
    if sale.available is None or sale.available < sale.quantity:
        return markup("{what} were added. Paste the link of a post to use one.", what=_what(sale))
    have = wording.count(sale.available, f"{sale.title} {sale.unit}")
    return markup("You have <b>{have}</b>. Paste the link of a post to use one.", have=have)


def _next(sale: SaleText) -> tuple[tuple[Button, ...], ...]:
    return ((_SUBMIT, _BALANCE), (_HOME,)) if sale.kind == "credits" else ((_BALANCE, _HOME),)


def _invoice_row(invoice_id: int | None) -> tuple[Button, ...]:
    if invoice_id is None:
        return (_HOME,)
    return (Button(f"🧾 Invoice #{invoice_id}", Go(f"invoice:{invoice_id}")), _HOME)
