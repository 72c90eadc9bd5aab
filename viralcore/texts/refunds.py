"""What goes back of an invoice: finding it, how it stands, and a refund with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from viralcore.core.money import USD, Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import wording
from viralcore.texts.actions import AskRefund, ConfirmRefund, Go
from viralcore.texts.cards import PersonText, person
from viralcore.texts.finance_words import LONGEST_REASON, STATES, SoldText, short, sold_line, what

NOTHING = Money(0, USD)
PROBLEMS = {
    "unpaid": "It is not paid, so there is nothing to give back. Anything that came for it is in the wallet.",
    "topup": "It was a top-up: its money is in the wallet already.",
    "goods": "It is an order: what that does not deliver goes back by itself. To end it, press Cannot on its card "
    "under Team work.",
    "bundle": "It sold posts of several plans at once; such an invoice is settled by hand.",
    "nothing": "All that was paid has been given back.",
    "used": "Every post that was bought with it was used, so nothing can be given back now.",
}


@dataclass(frozen=True, slots=True)
class RefundText:
    """A refund that was made."""

    amount: Money
    at: datetime
    by: PersonText
    reason: str


@dataclass(frozen=True, slots=True)
class RefundableText:
    """What of an invoice can go back. `credits` bought, of which `unused` can be taken back; `problem`: a machine word,
    empty when something can be given back. `elsewhere`: given back already by orders that did not deliver all."""

    paid: Money
    bonus: Money
    most: Money
    left: Money
    problem: str
    credits: int
    unused: int
    refunds: tuple[RefundText, ...]
    elsewhere: Money = NOTHING


@dataclass(frozen=True, slots=True)
class PlanText:
    """What a refund would do. `left`: of what was paid, not given back before it; `most`: what can go back now."""

    amount: Money
    to_wallet: Money
    to_bonus: Money
    credits: int
    refunded: Money
    left: Money
    most: Money


def no_invoice(typed: str) -> Html:
    return markup("There is no invoice {typed}.\n", typed=typed[:20])


def ask_invoice(problem: Html | None = None) -> Screen:
    text = lines(problem, Html("Which invoice? Send its number. /cancel to stop."))
    return Screen(text, (wording.back_home("money"),))


def invoice(
    sold: SoldText,
    back: RefundableText,
    *,
    paid_at: datetime | None,
    paid_with: str,
    came: Sequence[tuple[int, str, str, Decimal, Money]],
) -> Screen:
    """`came`: receipt, network, asset, whole coins, worth."""
    how = "the wallet" if paid_with == "wallet" else _method(paid_with)
    text = lines(
        markup("🧾 <b>Invoice #{id}</b> · {state}", id=sold.id, state=STATES[sold.state]),
        markup("{who}", who=person(sold.owner)),
        markup("{what}, {total}", what=what(sold), total=wording.money(sold.total)),
        markup("Paid with {how}, {at}", how=how, at=wording.moment(paid_at)) if paid_at else None,
        markup("Of that bonus money: {bonus}", bonus=wording.money(back.bonus)) if back.bonus.minor else None,
        *(
            markup(
                "Receipt #{id}: {coins}, {usd}", id=i, coins=wording.coins(f"{n:f}", asset, net), usd=wording.money(usd)
            )
            for i, net, asset, n, usd in came
        ),
        markup("Posts of it that are unused: {n} of {all}", n=f"{back.unused:,}", all=f"{back.credits:,}")
        if back.credits and paid_at
        else None,
        *_refunds(back),
        markup("↩️ {money} given back by orders that did not deliver all", money=wording.money(back.elsewhere))
        if back.elsewhere.minor
        else None,
        markup("\n{words}", words=_refundable(back)),
    )
    rows: list[tuple[Button, ...]] = [
        tuple(Button(f"💵 Receipt #{i}", Go(f"receipt:{i}")) for i, *_ in came[:3]),
    ]
    if not back.problem:
        rows.append(
            (
                Button("↩️ Refund in full", AskRefund(sold.id, "full")),
                Button("✂️ Refund a part", AskRefund(sold.id, "part")),
            )
        )
    rows.append(wording.back_home("money"))
    return Screen(text, tuple(row for row in rows if row), route=f"inv:{sold.id}")


def ask_refund_amount(*, invoice: int, most: Money, problem: Html | None = None) -> Screen:
    text = lines(
        problem,
        markup(
            "How much of invoice #{id} goes back? Send dollars, like <code>2.50</code>; at most {most}. "
            "/cancel to stop.",
            id=invoice,
            most=wording.money(most),
        ),
    )
    return Screen(text, (wording.back_home(f"inv:{invoice}"),))


def not_an_amount() -> Html:
    return Html("That is not an amount in dollars and cents.\n")


def ask_refund_reason(sold: SoldText, plan: PlanText) -> Screen:
    text = lines(
        *_going_back(sold, plan),
        Html("\nWhy? Send the reason; it is kept in the audit log. /cancel to stop."),
    )
    return Screen(text, (wording.back_home(f"inv:{sold.id}"),))


def confirm_refund(sold: SoldText, plan: PlanText, *, reason: str) -> Screen:
    text = lines(
        markup("❓ <b>Give {money} back?</b>", money=wording.money(plan.amount)),
        *_going_back(sold, plan),
        markup("Reason: <i>{reason}</i>", reason=reason[:LONGEST_REASON]),
        Html("\nThe money goes back at once, and the person is told. This cannot be taken back."),
    )
    confirm = ConfirmRefund(sold.id, plan.amount.minor, plan.refunded.minor)
    rows = (
        (Button("✅ Confirm", confirm), Button("✖️ Cancel", Go(f"inv:{sold.id}"))),
        wording.back_home(f"inv:{sold.id}"),
    )
    return Screen(text, rows)


def _refunds(back: RefundableText) -> list[Html]:
    return [
        markup(
            "↩️ {amount} given back {at} by {by}: <i>{reason}</i>",
            amount=wording.money(one.amount),
            at=wording.moment(one.at),
            by=short(one.by),
            reason=one.reason[:100],
        )
        for one in back.refunds[-10:]
    ]


def _refundable(back: RefundableText) -> str:
    if back.problem:
        return PROBLEMS[back.problem]
    most = wording.money(back.most)
    if back.most < back.left:
        rest = wording.money(back.left - back.most)
        return f"Can be refunded now: {most}. The other {rest} paid for posts that were used."
    return f"Can be refunded: {most}."


def _going_back(sold: SoldText, plan: PlanText) -> list[Html | None]:
    after = plan.left - plan.amount
    used = plan.amount == plan.most < plan.left
    why = ", which paid for posts that were used" if used else " of what was paid"
    return [
        markup("From {sold}", sold=sold_line(sold)),
        markup("To the wallet: <b>{money}</b>", money=wording.money(plan.to_wallet)) if plan.to_wallet.minor else None,
        markup("To bonus money: <b>{money}</b>", money=wording.money(plan.to_bonus)) if plan.to_bonus.minor else None,
        markup("Taken back: {posts}", posts=wording.count(plan.credits, "unused post")) if plan.credits else None,
        markup("Not given back: {money}{why}.", money=wording.money(after), why=why) if after.minor else None,
    ]


def _method(code: str) -> str:
    network, _, asset = code.partition(":")
    return f"{asset} on {wording.network(network)}" if asset else code
