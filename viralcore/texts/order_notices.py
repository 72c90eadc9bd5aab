"""What people are told of their orders without having asked: one live message each, and the steps that matter."""

from __future__ import annotations

from collections.abc import Sequence

from viralcore.core.money import USD, Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import buttons, wording
from viralcore.texts.order_text import OrderLineText, OrderText, body

NOTHING = Money(0, USD)


def progress(order: OrderText) -> Screen:
    """The live message of an order."""
    return Screen(body(order), _ways(order))


def lines_ended(order: OrderText, *, metrics: Sequence[str], state: str) -> Screen:
    """Lines that ended while the order goes on. `state`: completed | partial | failed."""
    mine = [line for line in order.lines if line.metric in metrics]
    names = wording.join([_noun(line.metric) for line in mine]).capitalize()
    told = wording.join([_delivered(line) for line in mine])
    if state == "completed":
        head = markup("✅ <b>{names} delivered</b>", names=names)
        words = markup("Order #{id}: {told}.", id=order.id, told=told)
        after = Html("The rest is on its way; the order's own message shows how far it is.")
    else:
        came = "not everything came" if state == "partial" else "nothing came"
        head = markup("🟡 <b>{names}: {came}</b>", names=names, came=came)
        words = markup("Order #{id}: {told} delivered.", id=order.id, told=told)
        after = Html("What is missing is paid back to your wallet when the order ends.")
    text = lines(head, words, markup("{link}\n", link=order.link), after)
    return Screen(text, _ways(order))


def finished(order: OrderText) -> Screen:
    """The end of an order: completed, partial, or failed with the credit back."""
    first = buttons.order(order.id)
    if order.state == "failed":
        text = lines(
            markup("⚠️ <b>Order #{id} could not be delivered</b>", id=order.id),
            markup("{link}\n", link=order.link),
            markup(
                "Nothing was delivered, so it cost you nothing: the post is back in your {plan} plan. You can use it "
                "for this link or another one.",
                plan=order.plan,
            )
            if order.credit_returned
            else markup(
                "Nothing was delivered, so it cost you nothing: <b>{money}</b> is back in your wallet.",
                money=wording.money(order.refunded),
            )
            if order.refunded.minor
            else Html("Nothing was delivered. Write to support and we look at it together."),
            *_parts(order),
            *_reasons(order),
        )
        again = buttons.MENU if order.goods else buttons.SUBMIT
        return Screen(text, ((again, first), (buttons.SUPPORT, buttons.HOME)))
    done = [line for line in order.lines if line.state == "completed"]
    short = [line for line in order.lines if line.state in ("partial", "failed")]
    head = "🎉 <b>Order #{id} is complete</b>" if order.state == "completed" else "🟡 <b>Order #{id} has ended</b>"
    names = wording.join([_noun(line.metric) for line in done]).capitalize()
    text = lines(
        markup(head, id=order.id),
        markup("{link}\n", link=order.link),
        markup("✅ {names} delivered: {told}.", names=names, told=wording.join([_delivered(line) for line in done]))
        if done
        else None,
        markup("🟡 Not everything came: {told}.", told=wording.join([_delivered(line) for line in short]))
        if short
        else None,
        *_reasons(order),
        _refund(order),
        *_parts(order),
        Html("\nThank you!" if order.goods else "\nThank you! Send me the next link whenever you like.")
        if order.state == "completed"
        else Html("\nWe are sorry that it was not all of it."),
    )
    second = (buttons.BALANCE, buttons.HOME) if order.refunded.minor else (buttons.HOME,)
    again = buttons.MENU if order.goods else buttons.SUBMIT
    return Screen(text, ((again, first), second))


def returned(*, invoice_id: int, money: Money, to_bonus: Money = NOTHING) -> Screen:
    """A paid invoice of goods that could not become an order."""
    text = lines(
        markup(
            "↩️ <b>Invoice #{id} could not be ordered</b>\nWe do not offer that plan any more. <b>{money}</b>, all that "
            "you paid, is back in your wallet.",
            id=invoice_id,
            money=wording.money(money),
        ),
        wording.bonus_again(to_bonus),
    )
    return Screen(text, ((buttons.MENU, buttons.BALANCE), (buttons.HOME,)))


def _reasons(order: OrderText) -> list[Html]:
    return [markup("🗒 Our team says: {reason}", reason=reason) for reason in order.reasons()]


def corrected(order: OrderText, *, metric: str, back: Money, credit: bool, to_bonus: Money = NOTHING) -> Screen:
    """An order that had ended delivered less than we were told."""
    line = next((one for one in order.lines if one.metric == metric), None)
    text = lines(
        markup("🟡 <b>Order #{id}: not everything came after all</b>", id=order.id),
        markup("{link}\n", link=order.link),
        markup("The count was corrected: {told} delivered.", told=_delivered(line)) if line else None,
        markup("The post is back in your {plan} plan.", plan=order.plan) if credit else None,
        markup("💰 <b>{money}</b> is back in your wallet for the rest.", money=wording.money(back))
        if back.minor
        else None,
        wording.bonus_again(to_bonus),
        Html("We are sorry about that."),
    )
    return Screen(text, _ways(order))


def refill(order: OrderText, *, state: str) -> Screen:
    """What came of a refill the buyer asked for. `state`: done | refused | rejected | lapsed | unknown."""
    if state == "done":
        text = markup("♻️ <b>Order #{id} was refilled</b>\n{link}", id=order.id, link=order.link)
    elif state == "unknown":
        text = markup(
            "♻️ <b>Order #{id}: no answer about the refill</b>\n{link}\n\nOur supplier did not answer. Open the order "
            "and ask once more in a while.",
            id=order.id,
            link=order.link,
        )
    else:
        text = markup(
            "♻️ <b>Order #{id} was not refilled</b>\n{link}\n\nOur supplier found nothing to refill. If you "
            "disagree, write to support with the order number.",
            id=order.id,
            link=order.link,
        )
    return Screen(text, _ways(order))


def _parts(order: OrderText) -> list[Html | None]:
    """What of the price came back otherwise than as plain money."""
    return [wording.bonus_again(order.to_bonus), wording.never_paid(order.unpaid)]


def _refund(order: OrderText) -> Html | None:
    back = [line for line in order.lines if line.refunded.minor]
    if not order.refunded.minor:
        return None
    what = wording.join([f"{wording.money(line.refunded)} for {_noun(line.metric)}" for line in back])
    return markup(
        "💰 <b>{money}</b> is back in your wallet for what was not delivered: {what}.",
        money=wording.money(order.refunded),
        what=what,
    )


def _delivered(line: OrderLineText) -> str:
    what = wording.metric(line.metric, line.quantity)
    return what if line.delivered >= line.quantity else f"{line.delivered:,} of {what}"


def _noun(metric: str) -> str:
    return f"{wording.METRICS[metric][1]}s"


def _ways(order: OrderText) -> tuple[tuple[Button, ...], ...]:
    return ((buttons.order(order.id), buttons.HOME),)
