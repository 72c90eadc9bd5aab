"""The shop: platforms, plans, quantities. Rendered from the catalogue, so what is advertised is what is delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from viralcore.core.money import USD, ceil_money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import buttons, wording
from viralcore.texts.actions import AskQuantity, Buy, Go

PLATFORMS = {"x": "Twitter/X", "telegram": "Telegram"}
GROUPS = {
    "engagement": "❤️ Engagement",
    "followers": "👥 Followers",
    "poll": "🗳 Poll",
    "premium": "⭐ Premium Members",
    "automation": "🤖 Automation",
}


@dataclass(frozen=True, slots=True)
class LineText:
    """One thing a unit delivers. `later`: its channel does not deliver yet, so its share is refunded."""

    metric: str
    quantity: int
    later: bool
    verified: int = 0

    def html(self) -> Html:
        what = wording.metric(self.metric, self.quantity) + wording.verified(self.verified)
        return markup("{icon} {what}", icon=wording.icon(self.metric), what=what)


@dataclass(frozen=True, slots=True)
class PlanText:
    id: str
    title: str
    unit: str
    price: Decimal
    minimum: int
    step: int
    presets: tuple[int, ...]
    lines: tuple[LineText, ...]
    back: str


def service_menu(*, platforms: Sequence[str], reply_guy: bool = False) -> Screen:
    rows: list[tuple[Button, ...]] = [tuple(Button(_platform(p), Go(f"p:{p}")) for p in platforms)]
    rows.append((buttons.ORDERS, buttons.SUBMIT))
    if reply_guy:
        rows.append((buttons.REPLIES,))
    rows.append(wording.back_home())
    return Screen(Html("🛒 <b>Service Menu</b>\n\nWhere should your post be seen?"), tuple(rows), route="menu")


def platform(*, name: str, groups: Sequence[str], contacts: Sequence[tuple[str, str]], contact: str) -> Screen:
    """`contacts`: (id, title) of entries that are arranged with a person."""
    ways = [Button(_group(group), Go(f"g:{name}:{group}")) for group in groups]
    ways += [Button(f"💬 {title}", Go(f"contact:{plan_id}")) for plan_id, title in contacts]
    rows = [tuple(ways[i : i + 2]) for i in range(0, len(ways), 2)]
    if groups:
        text = markup("<b>{name}</b>\n\nWhat do you need?", name=PLATFORMS.get(name, name))
    else:
        text = markup("<b>{name}</b>\n\nPlans here are arranged with a person.", name=PLATFORMS.get(name, name))
    return Screen(text, (*rows, wording.back_home("menu")), route=f"p:{name}")


def contact_entry(*, title: str, contact: str, back: str) -> Screen:
    text = markup(
        "<b>{title}</b>\n\nThis is arranged personally. Write to {contact} and say what you need.",
        title=title,
        contact=contact,
    )
    button = Button("💬 Open chat", url=f"https://t.me/{contact.lstrip('@')}")
    return Screen(text, ((button,), wording.back_home(back)))


def group(*, name: str, of: str, plans: Sequence[PlanText]) -> Screen:
    """The plans of one group, side by side, so that they can be compared."""
    parts = [markup("<b>{platform}</b> · {group}", platform=PLATFORMS.get(of, of), group=_group(name))]
    for plan in plans:
        what = ", ".join(line.html() for line in plan.lines)
        parts.append(
            markup(
                "\n<b>{title}</b>, {price} a {unit}\n{what}",
                title=plan.title,
                price=wording.price(plan.price),
                unit=plan.unit,
                what=Html(what),
            )
        )
    parts += [note for note in (_later([line for plan in plans for line in plan.lines]),) if note is not None]
    ways = [Button(f"{plan.title} · {wording.price(plan.price)}", Go(f"plan:{plan.id}")) for plan in plans]
    rows = [tuple(ways[i : i + 2]) for i in range(0, len(ways), 2)]
    if (of, name) == ("x", "engagement"):
        rows.append((Button("🎁 My Custom Plans", Go("customs")), Button("✨ Custom", Go("customask"))))
    return Screen(lines(*parts), (*rows, wording.back_home(f"p:{of}")), route=f"g:{of}:{name}")


def sizes(*, name: str, of: str, choices: Sequence[tuple[int, str, Decimal]]) -> Screen:
    """One plan in several sizes: how many comments each post gets. `choices`: size, plan id, price a post."""
    told = [markup("{n} comments and reactions: {price}", n=n, price=wording.price(price)) for n, _, price in choices]
    text = lines(
        markup("<b>{platform}</b> · {group}", platform=PLATFORMS.get(of, of), group=_group(name)),
        Html("\nHow many comments should each post get? As many reactions come with them. The price of a post:"),
        *told,
    )
    ways = [Button(str(n), Go(f"plan:{plan_id}")) for n, plan_id, _ in choices]
    rows = [tuple(ways[i : i + 3]) for i in range(0, len(ways), 3)]
    return Screen(text, (*rows, wording.back_home(f"p:{of}")), route=f"g:{of}:{name}")


def plan(one: PlanText) -> Screen:
    told = [line for line in one.lines if (line.quantity, wording.METRICS[line.metric][1]) != (1, one.unit)]
    text = lines(
        markup("<b>{title}</b>", title=one.title),
        markup("{price} a {unit}, from {minimum}", price=wording.price(one.price), unit=one.unit, minimum=_units(one)),
        markup("\nFor each {unit}:", unit=one.unit) if told else None,
        *(line.html() for line in told),
        _later(one.lines),
        markup("\n{totals}", totals=" · ".join(_preset(one, n) for n in one.presets)),
        markup("\nHow many {units} do you want?", units=f"{one.unit}s"),
    )
    rows: list[tuple[Button, ...]] = [tuple(Button(str(n), Buy(one.id, n)) for n in one.presets)]
    rows.append((Button("✏️ Other amount", AskQuantity(one.id)),))
    return Screen(text, (*rows, wording.back_home(one.back)), route=f"plan:{one.id}")


def ask_quantity(one: PlanText) -> Screen:
    text = markup(
        "<b>{title}</b>\n\n✏️ How many {units}? Send a number, at least {minimum}{step}. /cancel to stop.",
        title=one.title,
        units=f"{one.unit}s",
        minimum=f"{one.minimum:,}",
        step=f", in steps of {one.step:,}" if one.step > 1 else "",
    )
    return Screen(text, (wording.back_home(f"plan:{one.id}"),))


def bad_quantity(one: PlanText, why: Html) -> Screen:
    asked = ask_quantity(one)
    return Screen(lines(markup("⚠️ {why}\n", why=why), asked.text), asked.rows)


def buy_usage(*, example: str) -> Html:
    return markup(
        "To buy at once, type the plan and how many, like <code>/buy {example} 10</code>. Or choose from the menu:",
        example=example,
    )


def with_note(note: Html, screen: Screen) -> Screen:
    """The same screen with a sentence above it."""
    return Screen(lines(note, Html(""), screen.text), screen.rows, screen.picture, screen.route)


def _later(all_lines: Sequence[LineText]) -> Html | None:
    later = list(dict.fromkeys(line.metric for line in all_lines if line.later))
    if not later:
        return None
    return markup(
        "\nℹ️ {what} are not delivered yet. Their part of the price goes back to your wallet when the rest is done.",
        what=wording.join(later).capitalize(),
    )


def _units(one: PlanText) -> str:
    return wording.count(one.minimum, one.unit)


def _preset(one: PlanText, quantity: int) -> str:
    return f"{quantity:,} for {wording.money(ceil_money(one.price * quantity, USD))}"


def _group(name: str) -> str:
    return GROUPS.get(name, name.replace("_", " ").capitalize())


def _platform(name: str) -> str:
    return {"x": "🐦 Twitter/X", "telegram": "✈️ Telegram"}.get(name, name)
