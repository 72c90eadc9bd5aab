"""Links and orders: what will be delivered, what is being delivered, what came back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from viralcore.core.money import Money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import buttons, errors, wording
from viralcore.texts.actions import CancelOrder, ChoosePlan, ConfirmDraft, DiscardDraft, Go
from viralcore.texts.order_text import OrderText
from viralcore.texts.shop import LineText
from viralcore.texts.ways import WayText, ahead


def ask_link() -> Screen:
    text = Html(
        "🔗 Send me the link of the post, like <code>https://x.com/name/status/123</code>. Several links in one "
        "message are fine, up to 20. /cancel to stop."
    )
    return Screen(text, (wording.back_home(),))


def choose_plan(
    *,
    draft_id: int,
    links: Sequence[str],
    problems: Sequence[tuple[str, str]],
    choices: Sequence[tuple[str, str, int, datetime | None]],
) -> Screen:
    """`choices`: plan id, title, posts left, when it ends (most never do)."""
    n, short = len(links), sum(1 for _, reason in problems if reason == "no_post_left")
    text = lines(
        _short(n, short) if short else None,
        _links(links),
        _problems(problems),
        Html("\nWhich plan should be used?"),
    )
    rows: list[tuple[Button, ...]] = [
        (Button(f"{title} ({left:,} left{_until(until)})", ChoosePlan(draft_id, plan)),)
        for plan, title, left, until in choices
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
    ways: Sequence[WayText],
    refund: Money | None,
    choices: int,
) -> Screen:
    """Exactly what will be delivered and when, before anything is used."""
    n, short = len(links), sum(1 for _, reason in problems if reason == "no_post_left")
    now, later = [x for x in delivered if not x.later], [x for x in delivered if x.later]
    back = _back(now, later, refund, each=n > 1) if later else None
    text = lines(
        _short(n, short) if short else None,
        _links(links),
        _problems(problems),
        markup("\n<b>{plan}</b>\n{each}:", plan=plan, each="Each link gets" if n > 1 else "You get"),
        *(line.html() for line in now),
        Html(""),
        *ahead(ways),
        back,
        markup("\nThis uses <b>{n}</b> of your {left}.", n=wording.count(n, "post"), left=f"{left:,}"),
    )
    rows: list[tuple[Button, ...]] = [
        (Button("✅ Confirm", ConfirmDraft(draft_id)), Button("✖️ Cancel", DiscardDraft(draft_id)))
    ]
    if short:
        rows.append((buttons.MENU,))
    if choices > 1:
        rows.append((Button("🔁 Another plan", Go(f"plans:{draft_id}")),))
    rows.append(wording.back_home())
    return Screen(text, tuple(rows), route=f"draft:{draft_id}")


def _short(taken: int, short: int) -> Html:
    """Not enough posts for all of them: an offer for the first ones, never a silent cut."""
    return markup(
        "⚠️ You sent {all} links, and your posts are enough for the first <b>{n}</b>. Confirm boosts {these}; "
        "buy more posts "
        "and send the others again.\n",
        all=taken + short,
        n=taken,
        these="these" if taken > 1 else "this one",
    )


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


def posts_left(plan: str, left: int) -> str:
    """``7 posts left in X Tier 3.``"""
    return f"{wording.count(left, 'post') if left else 'No posts'} left in {plan}."


def _until(at: datetime | None) -> str:
    return f", until {at:%d %b}" if at is not None else ""


def discarded() -> Screen:
    return Screen(
        Html("All right, nothing was ordered and nothing was used."),
        ((buttons.SUBMIT, *wording.back_home()),),
    )


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
        back="what you paid for it goes back to your wallet" if one.goods else "the post goes back to your plan",
        link=one.link,
    )
    rows = (
        (Button("✅ Confirm", CancelOrder(one.id)), Button("✖️ Cancel", Go(f"order:{one.id}"))),
        wording.back_home(f"order:{one.id}"),
    )
    return Screen(text, rows)


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
