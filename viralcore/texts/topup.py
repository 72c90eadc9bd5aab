"""Money people put into their wallet: top-ups, what is missing for an invoice, and what they earned as affiliates."""

from __future__ import annotations

from collections.abc import Sequence

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import buttons, wording
from viralcore.texts.actions import AskMove, AskTopup, Go, MoveToWallet, TopUp

PER_ROW = 3


def choose(*, presets: Sequence[Money], minimum: Money, maximum: Money) -> Screen:
    """How much to add."""
    text = markup(
        "➕ <b>Top up</b>\n\nHow much do you want to add to your wallet? Choose an amount, or send one of your own "
        "from {minimum} to {maximum}.\n\nWhatever arrives is yours to spend here.",
        minimum=wording.money(minimum),
        maximum=wording.money(maximum),
    )
    amounts = [Button(dollars(amount), TopUp(amount.minor)) for amount in presets]
    rows = [tuple(amounts[i : i + PER_ROW]) for i in range(0, len(amounts), PER_ROW)]
    return Screen(text, (*rows, (Button("✏️ Other amount", AskTopup()),), wording.back_home("balance")), route="topup")


def ask_amount(*, minimum: Money, maximum: Money) -> Screen:
    text = markup(
        "✏️ How many dollars do you want to add? Send a number from {minimum} to {maximum}, like 12 or 12.50. "
        "/cancel to stop.",
        minimum=wording.money(minimum),
        maximum=wording.money(maximum),
    )
    return Screen(text, (wording.back_home("topup"),))


def bad_amount(why: Html, *, back: str) -> Screen:
    """A typed amount that cannot be taken; the question stays open."""
    return Screen(markup("⚠️ {why}", why=why), (wording.back_home(back),))


def missing(*, invoice_id: int, total: Money, balance: Money, add: Money) -> Screen:
    """The wallet does not cover an invoice. `add`: what to top up, at least what may be topped up at all."""
    text = lines(
        markup("💰 <b>Your wallet does not cover invoice #{id}</b>\n", id=invoice_id),
        markup(
            "You have {balance}, the invoice is {total}. Nothing was taken.",
            balance=wording.money(balance),
            total=wording.money(total),
        ),
        markup(
            "\nTop up <b>{add}</b>, then pay from the wallet; or pay the invoice itself another way.",
            add=wording.money(add),
        ),
    )
    rows = (
        (Button(f"➕ Top up {wording.money(add)}", TopUp(add.minor)),),
        (Button("🔁 Pay another way", Go(f"invoice:{invoice_id}")),),
        wording.back_home(f"invoice:{invoice_id}"),
    )
    return Screen(text, rows)


def move(*, available: Money, shares: Sequence[tuple[int, Money]]) -> Screen:
    """`shares`: percent, and what that is of the affiliate balance."""
    if available.minor <= 0:
        text = Html(
            "🔁 <b>Move to wallet</b>\n\nYour affiliate balance is empty. It grows when people you invited buy "
            "something."
        )
        return Screen(text, (wording.back_home("affiliate"),), route="move")
    text = markup(
        "🔁 <b>Move to wallet</b>\n\nAffiliate balance: <b>{available}</b>\n\nHow much of it do you want to move? In "
        "your wallet it can be spent on anything here, and is spent first. It cannot be moved back.",
        available=wording.money(available),
    )
    ways = [Button(f"{percent}% ({wording.money(part)})", Go(f"move:{part.minor}")) for percent, part in shares]
    rows = [(way,) for way in ways]
    return Screen(text, (*rows, (Button("✏️ Other amount", AskMove()),), wording.back_home("affiliate")), route="move")


def ask_move(*, available: Money) -> Screen:
    text = markup(
        "✏️ How many dollars do you want to move to your wallet? Send a number up to {available}, like 5 or 5.50. "
        "/cancel to stop.",
        available=wording.money(available),
    )
    return Screen(text, (wording.back_home("move"),))


def confirm_move(*, amount: Money, available: Money) -> Screen:
    text = markup(
        "🔁 Move <b>{amount}</b> from your affiliate balance to your wallet?\n\n{left} stays where it is. "
        "It cannot be moved back.",
        amount=wording.money(amount),
        left=wording.money(available - amount) if amount < available else "Nothing",
    )
    rows = (
        (Button("✅ Confirm", MoveToWallet(amount.minor)), Button("✖️ Cancel", Go("move"))),
        wording.back_home("move"),
    )
    return Screen(text, rows)


def moved(*, amount: Money, wallet: Money) -> Screen:
    text = markup(
        "✅ {amount} was moved. Your wallet has <b>{wallet}</b> now.",
        amount=wording.money(amount),
        wallet=wording.money(wallet),
    )
    return Screen(text, ((buttons.MENU, buttons.BALANCE), wording.back_home("affiliate")))


def dollars(amount: Money) -> str:
    """A preset as a button: ``$25``, and cents only where there are some."""
    return wording.money(amount).removesuffix(".00")
