"""An order's own screen: what can be done with it, why it takes long, and its course as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Picture, Screen, lines, markup
from viralcore.texts import buttons, errors, wording
from viralcore.texts.actions import Go
from viralcore.texts.order_actions import CancelRest, PauseOrder, Reorder, ResumeOrder
from viralcore.texts.order_text import STATES, OrderLineText, OrderPartText, OrderText, body
from viralcore.texts.panel_actions import RefillOrder

FILTERS = (("", "All"), ("running", "Running"), ("finished", "Finished"), ("problems", "Problems"))
_NOTHING = {
    "": "You have no orders yet. Send me the link of a post to make the first one.",
    "running": "Nothing is on its way at the moment.",
    "finished": "No order has ended yet.",
    "problems": "No order has a problem.",
}
FILTER_ROUTES = {
    "": "orders",
    "running": "orders:running",
    "finished": "orders:finished",
    "problems": "orders:problems",
}


@dataclass(frozen=True, slots=True)
class Ways:
    """What can be done with an order. `link`: opens it in the bot, for support."""

    can_cancel: bool = False
    can_pause: bool = False
    can_resume: bool = False
    can_cancel_rest: bool = False
    can_reorder: bool = False
    can_refill: bool = False
    running: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class SlowText:
    """One reason, as the door words it (`code`), and what it is about."""

    code: str
    metric: str
    quantity: int
    done: int = 0
    at: datetime | None = None
    asked_at: datetime | None = None
    next_at: datetime | None = None


def order(one: OrderText, ways: Ways) -> Screen:
    rows = [_first(one, ways), _second(one, ways), _third(one, ways), wording.back_home("orders")]
    return Screen(body(one), tuple(row for row in rows if row), route=f"order:{one.id}")


def _first(one: OrderText, ways: Ways) -> tuple[Button, ...]:
    row: list[Button] = []
    if ways.can_resume:
        row.append(Button("▶️ Resume", ResumeOrder(one.id)))
    if ways.can_pause:
        row.append(Button("⏸ Pause", PauseOrder(one.id)))
    if ways.can_cancel:
        row.append(Button("✖️ Cancel this order", Go(f"ocancel:{one.id}")))
    elif ways.can_cancel_rest:
        row.append(Button("✂️ Cancel the rest", Go(f"orest:{one.id}")))
    return tuple(row)


def _second(one: OrderText, ways: Ways) -> tuple[Button, ...]:
    timeline = (Button("📈 Timeline", Go(f"timeline:{one.id}")),)
    return ((Button("🐢 Slow?", Go(f"slow:{one.id}")),) if ways.running else ()) + timeline


def _third(one: OrderText, ways: Ways) -> tuple[Button, ...]:
    again = (Button("🔁 Reorder", Reorder(one.id)),) if ways.can_reorder else ()
    refill = (Button("♻️ Ask for a refill", RefillOrder(one.id)),) if ways.can_refill else ()
    return again + refill + ((Button("🔗 Copy link for support", copy=ways.link),) if ways.link else ())


def confirm_rest(one: OrderText) -> Screen:
    waiting: dict[str, int] = {}
    for part in one.parts:
        if part.state == "waiting":
            waiting[part.metric] = waiting.get(part.metric, 0) + part.quantity
    for line in one.lines:
        if line.engine and line.state == "scheduled":
            waiting[line.metric] = line.quantity
    told = wording.join([wording.metric(metric, quantity) for metric, quantity in waiting.items()]) or "nothing"
    text = markup(
        "Cancel the rest of order #{id}? {what} will not be delivered. What has begun still arrives; when it has, "
        "what you paid for the undelivered part goes back to your wallet.\n{link}",
        id=one.id,
        what=told.capitalize(),
        link=one.link,
    )
    rows = (
        (Button("✅ Confirm", CancelRest(one.id)), Button("✖️ Cancel", Go(f"order:{one.id}"))),
        wording.back_home(f"order:{one.id}"),
    )
    return Screen(text, rows)


# --- why it takes long -----------------------------------------------------------------------------------------------


def slow(one: OrderText, told: Sequence[SlowText], *, usual: timedelta | None, longer: bool) -> Screen:
    """The real reason, from our own rows, in plain words."""
    waits = [each for each in told if each.code != "done"]
    if not waits:
        words: tuple[Html | None, ...] = (markup("It has ended: {state}.", state=STATES[one.state][1]),)
    else:
        words = tuple(reason(each) for each in told)
    text = lines(
        markup("🐢 <b>Why order #{id} is where it is</b>\n{link}\n", id=one.id, link=one.link),
        *words,
        _usual(usual, longer=longer) if waits else None,
    )
    rows = ((Button("🔄 Look again", Go(f"slow:{one.id}")), buttons.SUPPORT), wording.back_home(f"order:{one.id}"))
    return Screen(text, rows)


def _usual(usual: timedelta | None, *, longer: bool) -> Html | None:
    if usual is None:
        return None
    if longer:
        return markup(
            "\n⏱ Orders like this are usually done after {span}, so this one takes longer than that. Write to "
            "support if "
            "you would like us to look at it.",
            span=wording.span(usual),
        )
    return markup("\n⏱ Orders like this are usually done {span} after they are placed.", span=wording.span(usual))


_REASONS = {
    "paused": "⏸ {what}: you paused the order at {at}. It goes on when you press Resume.",
    "due": "🕐 {what}: not late. They are sent at {at}.",
    "busy": "🔁 {what}: another order for this link is still running at our suppliers, and they take one at a time. We "
    "try again at {at}.",
    "outage": "🔌 {what}: none of our suppliers could take them since {at}. We keep trying.",
    "refused": "🔁 {what}: our suppliers did not accept them. We try again at {at}; if it stays so, their part is paid "
    "back.",
    "sending": "📤 {what}: being handed to a supplier right now.",
    "staff_decides": "🔎 {what}: a supplier did not answer when they were sent at {at}. Our team checks whether "
    "it took "
    "them, so that nothing is sent twice.",
    "crowd_review": "💬 {what}: the groups have replied, {done} of {quantity} are approved so far. Our team "
    "checks the last replies, until {at} at the latest.",
    "staff_waits": "👤 {what}: done by hand, and waiting for somebody in our team since {at}; {done} of {quantity} "
    "done so far.",
    "staff": "👤 {what}: in the hands of somebody in our team since {at}; {done} of {quantity} done so far.",
    "paid_back": "ℹ️ {what}: we cannot deliver these yet. What you paid for them comes back when the rest is done.",
    "done": "✅ {what}: {done} of {quantity} delivered.",
}


def reason(one: SlowText) -> Html:
    values: dict[str, object] = {
        "what": wording.metric(one.metric, one.quantity),
        "at": wording.moment(one.at) if one.at is not None else "an unknown time",
        "done": f"{one.done:,}",
        "quantity": f"{one.quantity:,}",
    }
    if one.code == "accepted":
        asked = f", asked at {wording.moment(one.asked_at)}" if one.asked_at is not None else ""
        return markup(
            "🚚 {what}: a supplier took them at {at} and says {done} of {quantity} are done{asked}.",
            asked=asked,
            **values,
        )
    if one.code == "crowd":
        until = f", open until {values['at']}" if one.at is not None else ""
        more = f" The next group is asked at {wording.moment(one.next_at)}." if one.next_at is not None else ""
        return markup(
            "💬 {what}: people reply in our groups, {done} of {quantity} are approved so far{until}.{more}",
            until=until,
            more=more,
            **values,
        )
    return markup(_REASONS[one.code], **values)


# --- its course ------------------------------------------------------------------------------------------------------


def timeline(one: OrderText, recipe: str) -> Screen:
    text = lines(
        markup("📈 <b>Timeline of order #{id}</b>\n", id=one.id),
        *(_course(line, [part for part in one.parts if part.metric == line.metric]) for line in one.lines),
    )
    return Screen(text, (wording.back_home(f"order:{one.id}"),), picture=Picture("timeline", recipe))


def _course(line: OrderLineText, parts: Sequence[OrderPartText]) -> Html:
    """``❤️ likes: 38 (51 %) at 14:30, 37 (49 %) at 15:00``."""
    name, total = f"{wording.METRICS[line.metric][1]}s", sum(part.quantity for part in parts)
    if not parts:
        return markup(
            "{icon} {name}: {done} of {all}",
            icon=wording.icon(line.metric),
            name=name,
            done=f"{line.delivered:,}",
            all=f"{line.quantity:,}",
        )
    days = {part.due_at.date() for part in parts}
    told = [
        f"{part.quantity:,} ({round(part.quantity * 100 / total)} %) at "
        + (f"{part.due_at:%H:%M}" if len(days) == 1 else f"{part.due_at:%d %b %H:%M}")
        for part in sorted(parts, key=lambda each: each.number)
    ]
    return markup("{icon} {name}: {told} UTC", icon=wording.icon(line.metric), name=name, told=", ".join(told))


# --- lists -----------------------------------------------------------------------------------------------------------


def my_orders(
    *,
    orders: Sequence[tuple[int, str, str, str, int]],
    unpaid: Sequence[tuple[int, str, Money]],
    older: str | None,
    which: str = "",
) -> Screen:
    """`orders`: id, plan, link, state, percent done. `unpaid`: open invoices, so that none is forgotten. `which`: the
    filter in force, one of `FILTERS`."""
    parts = [Html("📦 <b>My Orders</b>")]
    if which:
        parts = [markup("📦 <b>My Orders</b>: {which}", which=dict(FILTERS)[which].lower())]
    if not orders:
        parts.append(Html(f"\n{_NOTHING[which]}"))
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
    rows.append(tuple(Button(f"• {name}" if key == which else name, Go(FILTER_ROUTES[key])) for key, name in FILTERS))
    rows.append((buttons.SUBMIT, *((Button("⏬ Older", Go(older)),) if older else ())))
    return Screen(lines(*parts), (*rows, wording.back_home()), route=FILTER_ROUTES[which])


def placed(
    *, draft_id: int, orders: Sequence[tuple[int, str, str]], problems: Sequence[tuple[str, str]], left: str
) -> Screen:
    """After confirming, one summary: `orders` (id, link, state) that were made, what was not taken and why, and
    (`left`) what remains of the plan. The live message of each order follows below."""
    many = len(orders) > 1
    told = [
        markup("{icon} <b>Order #{id}</b> · {link}", icon=STATES[state][0], id=i, link=link)
        if many
        else markup("📦 <b>Order #{id}</b>\n{link}", id=i, link=link)
        for i, link, state in orders
    ]
    refused = [markup("• {text}: {why}", text=text[:60], why=errors.link_problem(why)) for text, why in problems]
    text = lines(
        Html("✅ <b>Ordered.</b> A message below follows the delivery; I keep it up to date.\n")
        if not many
        else markup(
            "✅ <b>Ordered.</b> {n} links are on their way. Each order has a message below that follows its "
            "delivery.\n",
            n=len(orders),
        ),
        *told,
        Html("\n⚠️ Not taken:") if refused else None,
        *refused,
        markup("\n🎟 {left}", left=left) if left else None,
    )
    ways = [buttons.order(i) if not many else Button(f"#{i}", Go(f"order:{i}")) for i, *_ in orders]
    rows = [tuple(ways[i : i + 5]) for i in range(0, len(ways), 5)]
    rows.append((Button("🔗 Submit another link", Go("submit")), buttons.ORDERS))
    return Screen(text, (*rows, wording.back_home()), route=f"placed:{draft_id}")
