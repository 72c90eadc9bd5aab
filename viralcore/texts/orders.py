"""Links and orders: what will be delivered, what is being delivered, what came back."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import buttons, errors, wording
from viralcore.texts.actions import CancelOrder, ChoosePlan, ConfirmDraft, DiscardDraft, Go
from viralcore.texts.order_text import STATES, OrderText, body
from viralcore.texts.panel_actions import RefillOrder
from viralcore.texts.shop import LineText


def ask_link() -> Screen:
    text = Html(
        "🔗 Send me the link of the post, like <code>https://x.com/name/status/123</code>. Several links in one "
        "message are fine, up to 20. /cancel to stop."
    )
    return Screen(text, (wording.back_home(),))


def choose_plan(
    *, draft_id: int, links: Sequence[str], problems: Sequence[tuple[str, str]], choices: Sequence[tuple[str, str, int]]
) -> Screen:
    """`choices`: plan id, title, posts left."""
    text = lines(_links(links), _problems(problems), Html("\nWhich plan should be used?"))
    rows: list[tuple[Button, ...]] = [
        (Button(f"{title} ({left:,} left)", ChoosePlan(draft_id, plan)),) for plan, title, left in choices
    ]
    rows.append((Button("✖️ Cancel", DiscardDraft(draft_id)), *wording.back_home()))
    return Screen(text, tuple(rows), route=f"draft:{draft_id}")


def confirm(
    *,
    draft_id: int,
    links: Sequence[str],
    problems: Sequence[tuple[str, str]],
    plan: str,
    left: int,
    delivered: Sequence[LineText],
    phases_minutes: Sequence[int],
    refund: Money | None,
    choices: int,
) -> Screen:
    """Exactly what will be delivered and when, before anything is used."""
    n = len(links)
    now, later = [x for x in delivered if not x.later], [x for x in delivered if x.later]
    when = wording.join([f"in {minutes} min" for minutes in phases_minutes])
    back = _back(now, later, refund, each=n > 1) if later else None
    text = lines(
        _links(links),
        _problems(problems),
        markup("\n<b>{plan}</b>\n{each}:", plan=plan, each="Each link gets" if n > 1 else "You get"),
        *(line.html() for line in now),
        markup("\n🕐 Sent in {k} parts: {when}.", k=len(phases_minutes), when=when)
        if len(phases_minutes) > 1
        else markup("\n🕐 Sent {when}.", when=when),
        back,
        markup("\nThis uses <b>{n}</b> of your {left}.", n=wording.count(n, "post"), left=f"{left:,}"),
    )
    rows: list[tuple[Button, ...]] = [
        (Button("✅ Confirm", ConfirmDraft(draft_id)), Button("✖️ Cancel", DiscardDraft(draft_id)))
    ]
    if choices > 1:
        rows.append((Button("🔁 Another plan", Go(f"plans:{draft_id}")),))
    rows.append(wording.back_home())
    return Screen(text, tuple(rows), route=f"draft:{draft_id}")


def _back(now: Sequence[LineText], later: Sequence[LineText], refund: Money | None, *, each: bool) -> Html:
    """What is not delivered yet, and what that pays back: nothing when the post was a gift."""
    what = wording.join([line.metric for line in later]).capitalize()
    if refund is None or not refund.minor:
        return markup("\nℹ️ {what} are not delivered yet.", what=what)
    return markup(
        "\nℹ️ {what} are not delivered yet: their part of the price ({value}) goes to your wallet when the {rest} are "
        "done.",
        what=what,
        value=f"{wording.money(refund)} {'each' if each else ''}".rstrip(),
        rest=wording.join([line.metric for line in now]) or "others",
    )


def discarded() -> Screen:
    return Screen(
        Html("All right, nothing was ordered and nothing was used."),
        ((buttons.SUBMIT, *wording.back_home()),),
    )


def placed(orders: Sequence[tuple[int, str]]) -> Screen:
    """After confirming: the live message of each order follows below."""
    told = [markup("📦 <b>Order #{id}</b>\n{link}", id=i, link=link) for i, link in orders]
    text = lines(
        Html("✅ <b>Ordered.</b> A message below follows the delivery; I keep it up to date.\n")
        if len(orders) == 1
        else Html("✅ <b>Ordered.</b> Each order has a message below that follows its delivery.\n"),
        *told,
    )
    rows: list[tuple[Button, ...]] = [(buttons.order(i),) for i, _ in orders[:3]]
    rows.append((Button("🔗 Submit another link", Go("submit")), buttons.ORDERS))
    return Screen(text, (*rows, wording.back_home()))


def order(one: OrderText, *, can_cancel: bool, can_refill: bool = False) -> Screen:
    rows: list[tuple[Button, ...]] = []
    if can_refill:
        rows.append((Button("♻️ Ask for a refill", RefillOrder(one.id)),))
    if can_cancel:
        rows.append((Button("✖️ Cancel this order", Go(f"ocancel:{one.id}")),))
    rows.append(wording.back_home("orders"))
    return Screen(body(one), tuple(rows), route=f"order:{one.id}")


def refill_asked(order_id: int) -> Html:
    return markup(
        "♻️ We have asked for a refill of order #{id}. What has dropped is delivered again, usually within a few days; "
        "I tell you what comes of it.",
        id=order_id,
    )


def confirm_cancel(one: OrderText) -> Screen:
    text = markup(
        "Cancel order #{id}? Nothing has been sent yet, so {back}.\n{link}",
        id=one.id,
        back="its whole price goes back to your wallet" if one.goods else "the post goes back to your plan",
        link=one.link,
    )
    rows = ((Button("✅ Confirm", CancelOrder(one.id)), Button("✖️ Cancel", Go(f"order:{one.id}"))), wording.back_home())
    return Screen(text, rows)


def my_orders(
    *, orders: Sequence[tuple[int, str, str, str, int]], unpaid: Sequence[tuple[int, str, Money]], older: str | None
) -> Screen:
    """`orders`: id, plan, link, state, percent done. `unpaid`: open invoices, so that none is forgotten."""
    parts = [Html("📦 <b>My Orders</b>")]
    if not orders:
        parts.append(Html("\nYou have no orders yet. Send me the link of a post to make the first one."))
    for i, plan, link, state, percent in orders:
        icon, name = STATES[state]
        parts.append(
            markup(
                "\n{icon} <b>#{id}</b> {plan} · {name}\n{bar} {percent}% · {link}",
                icon=icon,
                id=i,
                plan=plan,
                name=name,
                bar=wording.bar(percent, 100),
                percent=percent,
                link=link,
            )
        )
    if unpaid:
        parts.append(Html("\n<b>Unpaid invoices</b>"))
        parts += [markup("#{id} {title}, {total}", id=i, title=t, total=wording.money(m)) for i, t, m in unpaid]
    ways = [Button(f"#{i}", Go(f"order:{i}")) for i, *_ in orders]
    rows = [tuple(ways[i : i + 5]) for i in range(0, len(ways), 5)]
    rows += [(Button(f"▶️ Pay invoice #{i}", Go(f"invoice:{i}")),) for i, _, _ in unpaid]
    rows.append((buttons.SUBMIT, *((Button("⏬ Older", Go(older)),) if older else ())))
    return Screen(lines(*parts), (*rows, wording.back_home()), route="orders")


def _links(links: Sequence[str]) -> Html:
    if len(links) == 1:
        return markup("🔗 {link}", link=links[0])
    return lines(markup("🔗 <b>{n} links</b>", n=len(links)), *(markup("• {link}", link=link) for link in links))


def _problems(problems: Sequence[tuple[str, str]]) -> Html | None:
    if not problems:
        return None
    told = [markup("• {text}: {why}", text=text[:60], why=errors.link_problem(reason)) for text, reason in problems]
    return lines(Html("\n⚠️ Not taken:"), *told)


def percent(lines_done: Sequence[tuple[int, int]]) -> int:
    """How much of an order is delivered, all lines weighing the same; 100 only when all of it is."""
    shares = [min(Decimal(done) / total, Decimal(1)) for done, total in lines_done if total > 0]
    return int(sum(shares, Decimal(0)) * 100 / len(shares)) if shares else 0
