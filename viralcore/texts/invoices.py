"""Invoices and payments: what is due, where to send it, what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Picture, Screen, lines, markup
from viralcore.texts import buttons, hashes, receipts, wording
from viralcore.texts.actions import CancelInvoice, Go, IHavePaid, PayFromWallet, PayWith

PAID = Picture("asset", "paid.png")


@dataclass(frozen=True, slots=True)
class InvoiceText:
    """An invoice as its screens need it. `claim`: (state, reason) of the latest pasted hash. `rest`: once money came,
    what is to be paid beside what of it still is in the wallet. `quoted`: an amount to send is on its payment screen.
    """

    id: int
    title: str
    quantity: int
    unit: str
    unit_price: Decimal
    total: Money
    state: str
    left: timedelta
    credits: bool
    received: Money
    rest: Money | None
    notes: tuple[str, ...]
    claim: tuple[str, str] | None
    quoted: bool
    topup: bool = False
    refunded: Money | None = None
    about: Html | None = None  # goods: what was answered


def invoice(one: InvoiceText, *, balance: Money, crypto: bool, wallet: bool, bank: str | None = None) -> Screen:
    """An open invoice with the ways to pay; when it is closed, what became of it. `bank`: the method's code."""
    if one.state != "open":
        return closed(one)
    text = lines(
        _head(one),
        markup("\n<b>Total: {total}</b>", total=wording.money(one.total)),
        partly(one),
        markup("⏳ It stays open for {left}.", left=wording.span(one.left))
        if one.topup
        else markup("⏳ This price holds for {left}.", left=wording.span(one.left)),
        _claim(one),
        Html("\nHow do you want to pay?")
        if crypto or bank or (wallet and not one.topup)
        else Html("\n⚠️ No way to pay is open right now. Try again in a minute."),
    )
    rows: list[tuple[Button, ...]] = []
    if one.quoted:
        rows.append((Button("▶️ Continue payment", Go(f"pay:{one.id}")),))
    ways = [Button("🪙 Crypto", Go(f"crypto:{one.id}"))] if crypto else []
    if bank:
        ways.append(Button("🏦 Bank (₦)", PayWith(one.id, bank)))
    rows.append(tuple(ways))
    ways = []
    if wallet and not one.topup:
        ways.append(Button(f"💰 Wallet ({wording.money(balance)})", PayFromWallet(one.id)))
    rows.append(tuple(ways))
    rows.append((Button("✖️ Cancel", CancelInvoice(one.id)), *wording.back_home("balance" if one.topup else "menu")))
    return Screen(text, tuple(row for row in rows if row), route=f"invoice:{one.id}")


def closed(
    one: InvoiceText, paid: receipts.PaidText | None = None, waiting: Sequence[tuple[int, str, Money]] = ()
) -> Screen:
    """Paid, expired or cancelled. `paid`: how; `waiting`: open invoices that money in the wallet could pay now."""
    how = receipts.how(paid) if paid is not None else None
    if one.state == "paid":
        head, got = "✅ <b>Paid. Thank you!</b>", _got(one)
        if one.refunded is not None:
            got = _refunded(one, one.refunded)
            head = "↩️ <b>Paid, and partly refunded</b>" if one.refunded < one.total else "↩️ <b>Paid, and refunded</b>"
        text = lines(
            Html(head),
            Html(""),
            _head(one),
            _notes(one),
            Html(""),
            got,
            markup("\n{how}", how=how) if how is not None else None,
        )
        go_on = [(Button(f"▶️ Pay invoice #{i} ({wording.money(m)})", Go(f"invoice:{i}")),) for i, _, m in waiting]
        first = buttons.MENU if one.topup else buttons.SUBMIT if one.credits else buttons.ORDERS
        ways = receipts.ways_on(one.id, paid) if paid is not None else ()
        rows: tuple[tuple[Button, ...], ...] = (*go_on, (first, buttons.BALANCE), *ways, wording.back_home())
        return Screen(text, rows, picture=PAID, route=f"invoice:{one.id}")
    why = "This invoice has expired." if one.state == "expired" else "This invoice was cancelled."
    text = lines(
        _head(one),
        markup("\n{why} If you sent money for it, it is not lost: it is credited when it arrives.", why=why),
        _notes(one),
        _claim(one),
        markup("\n{how}", how=how) if how is not None else None,
    )
    again = buttons.TOPUP if one.topup else Button("🛒 Buy again", Go("menu"))
    rows = ((Button("🧾 I have paid", IHavePaid(one.id)), again), wording.back_home())
    return Screen(text, rows, route=f"invoice:{one.id}")


def coins(one: InvoiceText, *, ways: Sequence[tuple[str, str | None]]) -> Screen:
    """`ways`: coin, and the method when the coin has one network of its own; None leads to the network step."""
    text = lines(
        _head(one),
        markup("\n<b>Total: {total}</b>", total=wording.money(one.total)),
        Html("\nWhich coin?")
        if ways
        else Html("\n⚠️ No coin can be quoted right now. Try again in a minute, or choose another way to pay."),
    )
    choices = [
        Button(asset, Go(f"coin:{one.id}:{asset}") if method is None else PayWith(one.id, method))
        for asset, method in ways
    ]
    rows = [tuple(choices[i : i + 3]) for i in range(0, len(choices), 3)]
    return Screen(text, (*rows, wording.back_home(f"invoice:{one.id}")), route=f"crypto:{one.id}")


def networks(one: InvoiceText, *, asset: str, methods: Sequence[tuple[str, str]]) -> Screen:
    """`methods`: (code, network). Always shown for USDT: the wrong network is the dearest mistake there is."""
    text = lines(
        _head(one),
        markup("\nOn which network do you send <b>{asset}</b>? Choose the same one in your wallet.", asset=asset)
        if methods
        else markup("\n⚠️ <b>{asset}</b> cannot be quoted right now. Go back and choose another coin.", asset=asset),
    )
    ways = [Button(wording.network(network), PayWith(one.id, code)) for code, network in methods]
    rows = [tuple(ways[i : i + 2]) for i in range(0, len(ways), 2)]
    return Screen(text, (*rows, wording.back_home(f"crypto:{one.id}")), route=f"coin:{one.id}:{asset}")


def payment(
    one: InvoiceText, *, network: str, asset: str, amount: Decimal, address: str, rate: Decimal, seen: bool
) -> Screen:
    """What to send and where: two copy buttons, a QR code, the network in capitals, the time left."""
    exact = wording.plain(amount)
    text = lines(
        markup("<b>Invoice #{id}</b> · {total}", id=one.id, total=wording.money(one.total)),
        markup("\nSend exactly\n<b><code>{amount}</code> {asset}</b>", amount=exact, asset=asset),
        markup("on <b>{network}</b>\nto\n<code>{address}</code>", network=wording.NETWORKS[network], address=address),
        partly(one),
        markup(
            "\n⏳ {left} left. The last digits are yours alone: they tell us it is you.", left=wording.span(one.left)
        ),
        Html("We watch the network and tell you here as soon as the payment is in.") if not one.claim else None,
        Html("👀 <b>We see a payment for you.</b> It becomes final in a moment.") if seen else None,
        _claim(one),
    )
    rows = (
        (Button("📋 Copy amount", copy=exact), Button("📋 Copy address", copy=address)),
        (Button("🧾 I have paid", IHavePaid(one.id)),),
        (Button("🔁 Change method", Go(f"crypto:{one.id}")), Button("✖️ Cancel", CancelInvoice(one.id))),
        wording.back_home(f"invoice:{one.id}"),
    )
    return Screen(text, rows, picture=Picture("qr", address), route=f"pay:{one.id}")


def ask_hash(*, invoice_id: int, network: str) -> Screen:
    where = f" on {wording.NETWORK_BUTTONS[network]}" if network else ""
    text = markup(
        "🧾 Paste the hash (TxID) of your transfer{where} here; a link to it in an explorer is fine too. You can also "
        "just wait: a payment of the exact amount is found by itself. /cancel to stop.",
        where=where,
    )
    return Screen(text, (wording.back_home(f"pay:{invoice_id}" if network else f"invoice:{invoice_id}"),))


def claim(*, state: str, reason: str, tx_hash: str, back: str | None, route: str) -> Screen:
    """What is known of a pasted hash; redrawn whenever that changes."""
    text = markup(
        "{icon} <code>{hash}</code>\n\n{words}",
        icon=hashes.ICONS[state],
        hash=hashes.short(tx_hash),
        words=hashes.outcome(state, reason),
    )
    return Screen(text, (wording.back_home(back),), route=route)


def already_have(*, limit: int, open_invoices: Sequence[tuple[int, str, Money]]) -> Screen:
    """Too many open: the person chooses which one goes."""
    return receipts.too_many(limit=limit, open_invoices=open_invoices, again="buy")


def history(
    *,
    invoices: Sequence[receipts.InvoiceRow],
    movements: Sequence[tuple[datetime, str, str]],
    older: str | None,
) -> Screen:
    """`invoices`: the newest few. `movements`: when, signed amount, description."""
    parts = [Html("🧾 <b>History</b>")]
    if invoices:
        parts.append(Html("\n<b>Invoices</b>"))
        parts += [receipts.row(one) for one in invoices]
    if movements:
        parts.append(Html("\n<b>Movements</b> (times in UTC)"))
        parts += [
            markup("{at} · <b>{amount}</b> · {text}", at=f"{at:%d %b %H:%M}", amount=amount, text=text)
            for at, amount, text in movements
        ]
    if not invoices and not movements:
        parts.append(Html("\nNothing has happened yet. What you buy and what comes back will be listed here."))
    open_ones = [Button(f"🧾 #{one.id}", Go(f"invoice:{one.id}")) for one in invoices if one.state == "open"][:3]
    rows = [tuple(open_ones)] if open_ones else []
    if older:
        rows.append((Button("⏬ Older", Go(older)),))
    if invoices:
        rows.append((Button("🧾 All invoices", Go("invoices")),))
    return Screen(lines(*parts), (*rows, wording.back_home("balance")), route="history")


def _got(one: InvoiceText) -> Html:
    """What the person has now."""
    if one.topup:
        if one.received < one.total:
            return markup(
                "{got} came, and all of it is in your wallet, ready to spend.", got=wording.money(one.received)
            )
        return markup("{got} is in your wallet, ready to spend.", got=wording.money(one.received))
    if not one.credits:
        return Html("It is an order now: a message below follows it.")
    return markup(
        "{n} {are} ready. Send me the link of a post to use one.",
        n=wording.count(one.quantity, one.unit),
        are="is" if one.quantity == 1 else "are",
    )


def _head(one: InvoiceText) -> Html:
    if one.topup:
        of = "" if one.state == "open" else f" of {wording.money(one.total)}"
        return markup("🧾 <b>Invoice #{id}</b>\n{title}{of}", id=one.id, title=one.title, of=of)
    head = markup(
        "🧾 <b>Invoice #{id}</b>\n{title}: {n} at {price}",
        id=one.id,
        title=one.title,
        n=wording.count(one.quantity, one.unit),
        price=wording.price(one.unit_price),
    )
    return head if one.about is None else lines(head, one.about)


def partly(one: InvoiceText) -> Html | None:
    """What has come for it so far, and what is left."""
    if one.rest is None or one.received.minor <= 0:
        return None
    got, rest = wording.money(one.received), wording.money(one.rest)
    if one.rest.minor <= 0:
        return markup("\n💰 {got} has arrived and waits in your wallet: that is enough. Pay with Wallet now.", got=got)
    spent = one.received + one.rest - one.total
    if spent.minor > 0:
        return markup(
            "\n💰 {got} has arrived, and {spent} of it you have spent since. <b>{rest}</b> is still to be paid.",
            got=got,
            spent=wording.money(spent),
            rest=rest,
        )
    return markup(
        "\n💰 {got} has arrived and waits in your wallet. <b>{rest}</b> is still to be paid.", got=got, rest=rest
    )


def _notes(one: InvoiceText) -> Html | None:
    paid = one.state == "paid"
    if one.topup and paid:
        late = "late" in one.notes
        return (
            Html("\nIt came after the invoice had closed, so it counted at the rate of that moment.") if late else None
        )
    told = {
        "excess": "You sent more than was due: the rest is in your wallet.",
        "late": "Your payment came after the invoice had closed, so it was counted at the rate of that moment"
        + ("." if paid else " and is in your wallet."),
    }
    if not paid:
        told["shortfall"] = "Less than was due arrived: it is in your wallet."
    words = [told[note] for note in one.notes if note in told]
    return markup("\n{words}", words=" ".join(words)) if words else None


def _refunded(one: InvoiceText, money: Money) -> Html:
    """In place of what was got: some of it has gone back."""
    rest = "\nThe posts you still have are under My Balance." if one.credits and money < one.total else ""
    return markup("↩️ <b>{money}</b> of it was refunded to your wallet.{rest}", money=wording.money(money), rest=rest)


def _claim(one: InvoiceText) -> Html | None:
    if one.claim is None or one.state == "paid":
        return None
    state, reason = one.claim
    if state == "credited":
        return None
    head = "🔎 <b>Checking your hash.</b>" if state == "checking" else "⚠️ <b>About your hash:</b>"
    return markup("\n{head} {words}", head=Html(head), words=hashes.outcome(state, reason))
