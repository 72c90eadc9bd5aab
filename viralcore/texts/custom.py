"""Custom plans: what their owners see and buy, and how an owner of the shop makes, changes and ends them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from viralcore.core.money import USD, Money, ceil_money
from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import buttons, wording
from viralcore.texts.actions import AskQuantity, Buy, Go
from viralcore.texts.cards import PersonText, person
from viralcore.texts.order_actions import AskCustom, AskEndCustom, ConfirmCustom, ConfirmEndCustom, FindCustomUser
from viralcore.texts.shop import LineText

NOTHING = Money(0, USD)
PROBLEMS_TOLD = 10
"""Mistakes of a form that are told one by one: a message has its limits, and so has who reads it."""
_STATES = {"live": "🟢", "expired": "⌛", "ended": "⚪"}


@dataclass(frozen=True, slots=True)
class CustomText:
    """`state`: live, expired (its time is over), ended (by an owner). `paid_back`: of what is left, if it ended now."""

    id: int
    title: str
    lines: tuple[LineText, ...]
    price: Decimal
    preset: int
    left: int
    state: str
    until: datetime | None
    paid_back: Money = field(default_factory=lambda: Money(0, USD))
    worst_cost: Decimal = Decimal(0)

    @property
    def plan(self) -> str:
        return f"custom-{self.id}"


# --- the person's ----------------------------------------------------------------------------------------------------


def mine(plans: Sequence[CustomText], *, contact: str) -> Screen:
    if not plans:
        return ask(contact=contact, have=False)
    told = [
        markup(
            "{icon} <b>{title}</b>: {left}{end}\n{what}",
            icon=_STATES[one.state],
            title=one.title,
            left=f"{wording.count(one.left, 'post')} left",
            end=_end(one),
            what=_what(one),
        )
        for one in plans
    ]
    ways = [Button(one.title, Go(f"custom:{one.id}")) for one in plans[:20]]
    rows = [tuple(ways[i : i + 2]) for i in range(0, len(ways), 2)]
    text = lines(Html("🎁 <b>My Custom Plans</b>\n"), *told)
    return Screen(
        text, (*rows, (Button("✨ Custom", Go("customask")),), wording.back_home("g:x:engagement")), route="customs"
    )


def one_of_mine(one: CustomText, *, contact: str) -> Screen:
    text = lines(
        markup("🎁 <b>{title}</b>", title=one.title),
        markup("{left} left{end}", left=wording.count(one.left, "post").capitalize(), end=_end(one)),
        Html("\nFor each post:"),
        *(line.html() for line in one.lines),
        markup(
            "\nIt has ended, so its posts can no longer be used. Write to {contact} if you want to go on.",
            contact=contact,
        )
        if one.state != "live"
        else markup("\n{price} a post.", price=wording.price(one.price))
        if one.price
        else None,
    )
    rows: list[tuple[Button, ...]] = []
    if one.state != "live":
        rows.append((Button("💬 Open chat", url=f"https://t.me/{contact.lstrip('@')}"),))
    else:
        if one.left:
            rows.append((buttons.SUBMIT,))
        if one.price:
            rows.append((*_presets(one), Button("✏️ Other amount", AskQuantity(one.plan))))
    return Screen(text, (*rows, wording.back_home("customs")), route=f"custom:{one.id}")


def ask(*, contact: str, have: bool) -> Screen:
    """The Custom button: such a plan is made by a person."""
    text = markup(
        "✨ <b>Custom</b>\n\n{none}A plan made for you: your own numbers of likes, reposts, comments and views "
        "for each post. "
        "Write to {contact} and say what you need; the plan then appears under My Custom Plans.",
        none="" if have else "You have no custom plan yet. ",
        contact=contact,
    )
    rows: list[tuple[Button, ...]] = [(Button("💬 Open chat", url=f"https://t.me/{contact.lstrip('@')}"),)]
    if have:
        rows.append((Button("🎁 My Custom Plans", Go("customs")),))
    return Screen(text, (*rows, wording.back_home("g:x:engagement")))


def _presets(one: CustomText) -> tuple[Button, ...]:
    if not one.preset:
        return ()
    total = wording.money(ceil_money(one.price * one.preset, USD))
    return (Button(f"🛒 Buy {one.preset:,} for {total}", Buy(one.plan, one.preset)),)


def _end(one: CustomText) -> str:
    if one.until is None:
        return ""
    return f", until {wording.moment(one.until)}" if one.state == "live" else f", ended on {wording.moment(one.until)}"


def _what(one: CustomText) -> Html:
    return Html(", ".join(line.html() for line in one.lines))


# --- the owner's -----------------------------------------------------------------------------------------------------

FORM = (
    "name: VIP for Ada\nlikes: 100\nreposts: 5\ncomments: 10\nviews: 5000\nposts: 20\nprice: 0\nuntil: 2026-12-31\n"
    "reason: thank you for your patience"
)
FORM_PROBLEMS = {
    "unknown": "I do not know the word before the colon. Known are: name, likes, reposts, comments, views, "
    "posts, price, "
    "offer, until, reason.",
    "no_colon": "Write each line as word: value.",
    "twice": "This is said twice.",
    "number": "Say a whole number, like 100.",
    "price": "Say a price in dollars, like 1.50; 0 gives the posts away.",
    "change": "Say how many posts more or less, like +5 or -3.",
    "posts": "Say how many posts, like 20.",
    "until": "Say a day, like 2026-12-31 (or 2026-12-31 18:00), or never. Times are UTC.",
    "past": "That lies in the past.",
    "missing_name": "The line name: is missing.",
    "missing_posts": "The line posts: is missing.",
    "missing_reason": "The line reason: is missing. The person reads it.",
    "nothing": "Nothing is changed by that.",
}


def find(problem: str = "") -> Screen:
    said = markup("⚠️ I know nobody called {who}.\n\n", who=problem[:40]) if problem else Html("")
    text = markup("{said}🎁 <b>Custom plans</b>\n\nWhose? Send the person's id or @name. /cancel to stop.", said=said)
    return Screen(text, (wording.back_home("cadm"),))


def admin() -> Screen:
    text = Html(
        "🎁 <b>Custom plans</b>\n\nPlans made for one person, with any numbers per post: given for free, or sold "
        "at a price "
        "of their own."
    )
    return Screen(text, ((Button("🔎 Find a person", FindCustomUser()),), wording.back_home("admin")), route="cadm")


def of_user(who: PersonText, plans: Sequence[CustomText]) -> Screen:
    told = [_admin_line(one) for one in plans]
    text = lines(
        markup("🎁 <b>Custom plans</b> of {who}\n", who=person(who)), *told, None if told else Html("None yet.")
    )
    ways = [Button(f"#{one.id} {one.title}", Go(f"cplan:{one.id}")) for one in plans[:20]]
    rows = [tuple(ways[i : i + 2]) for i in range(0, len(ways), 2)]
    rows.append((Button("➕ New plan", AskCustom(who.id, 0)),))
    return Screen(text, (*rows, wording.back_home("cadm")), route=f"cuser:{who.id}")


def detail(who: PersonText, one: CustomText) -> Screen:
    text = lines(
        markup("🎁 <b>Custom plan #{id}</b> of {who}\n", id=one.id, who=person(who)),
        _admin_line(one),
        _cost(one.price, one.worst_cost),
    )
    rows: list[tuple[Button, ...]] = []
    if one.state != "ended":
        rows.append((Button("✏️ Change", AskCustom(who.id, one.id)), Button("⛔ End", AskEndCustom(one.id))))
    elif one.left:
        rows.append((Button("⛔ Take back what is left", AskEndCustom(one.id)),))
    return Screen(text, (*rows, wording.back_home(f"cuser:{who.id}")), route=f"cplan:{one.id}")


def _admin_line(one: CustomText) -> Html:
    price = f"sold at {wording.price(one.price)} a post" if one.price else "given for free"
    return markup(
        "{icon} #{id} <b>{title}</b>: {what}; {left} left, {price}{end}",
        icon=_STATES[one.state],
        id=one.id,
        title=one.title,
        what=_what(one),
        left=wording.count(one.left, "post"),
        price=price,
        end=_end(one),
    )


def _cost(price: Decimal, worst: Decimal) -> Html | None:
    """What owners see of the margin."""
    if not worst:
        return None
    told = f"📊 A post may cost us {wording.price(worst.quantize(Decimal('0.0001')))} at the dearest panels"
    if price and worst > price:
        return markup("⚠️ {told}, more than its price.", told=told)
    return markup("{told}.", told=told)


def ask_form(who: PersonText, one: CustomText | None, problems: Sequence[tuple[str, str]] = ()) -> Screen:
    """`problems`: a code of `FORM_PROBLEMS` (or ready words) and the line it is about."""
    said = [
        markup("⚠️ {line}{words}", line=f"“{line[:60]}”: " if line else "", words=FORM_PROBLEMS.get(code, code))
        for code, line in problems[:PROBLEMS_TOLD]
    ]
    if len(problems) > PROBLEMS_TOLD:
        said.append(markup("⚠️ and {n} more.", n=len(problems) - PROBLEMS_TOLD))
    if one is None:
        head = markup("➕ <b>New custom plan</b> for {who}", who=person(who))
        how = lines(
            Html("\nSend it in one message, line by line; leave out what a post does not get:\n"),
            markup("<code>{form}</code>", form=FORM),
            Html(
                "\nprice: 0 gives the posts at once. With a price, posts: is what the person is offered to buy. "
                "Without "
                "until: it never ends. /cancel to stop."
            ),
        )
    else:
        head = markup("✏️ <b>Change plan #{id}</b> {title} of {who}", id=one.id, title=one.title, who=person(who))
        how = lines(
            _admin_line(one),
            Html("\nSend only the lines that change, and why. They hold for orders to come:\n"),
            Html("<code>likes: 120\nposts: +5\nuntil: never\nreason: more likes as agreed</code>"),
            Html(
                "\nposts: +5 gives five for free, -3 takes three back (paid ones are paid back). offer: is how "
                "many are "
                "offered for sale. /cancel to stop."
            ),
        )
    back = f"cuser:{who.id}" if one is None else f"cplan:{one.id}"
    return Screen(lines(*said, Html("") if said else None, head, how), (wording.back_home(back),))


def confirm(who: PersonText, one: CustomText, *, new: bool, give: int, reason: str) -> Screen:
    price = f"{wording.price(one.price)} a post" if one.price else "free"
    text = lines(
        markup("🎁 <b>{what}</b> for {who}?\n", what="Make this plan" if new else "Change the plan", who=person(who)),
        markup("Name: <b>{title}</b>", title=one.title),
        *(line.html() for line in one.lines),
        markup("Price: {price}{offer}", price=price, offer=f", {one.preset:,} offered" if one.preset else ""),
        markup("Ends: {at}", at=wording.moment(one.until) if one.until else "never"),
        _given(give),
        _cost(one.price, one.worst_cost),
        markup("\nReason (the person reads it): {reason}", reason=reason),
        Html("\nAnother message replaces this one."),
    )
    number = 0 if new else one.id
    back = f"cuser:{who.id}" if new else f"cplan:{one.id}"
    rows = (
        (Button("✅ Confirm", ConfirmCustom(who.id, number)), Button("✖️ Cancel", Go(back))),
        wording.back_home(back),
    )
    return Screen(text, rows)


def _given(give: int) -> Html | None:
    if not give:
        return None
    what = wording.count(abs(give), "post")
    if give > 0:
        return markup("🎟 {what} given at once, for free", what=what)
    return markup("🎟 {what} taken back; those paid for are paid back to the wallet", what=what)


def ask_end(who: PersonText, one: CustomText, *, problem: str = "") -> Screen:
    text = lines(
        markup("⚠️ {problem}\n", problem=problem) if problem else None,
        markup("⛔ <b>End plan #{id}</b> {title} of {who}", id=one.id, title=one.title, who=person(who)),
        _what_ends(one),
        Html("\nWhy? Send a sentence; the person reads it. /cancel to stop."),
    )
    return Screen(text, (wording.back_home(f"cplan:{one.id}"),))


def confirm_end(who: PersonText, one: CustomText, *, reason: str) -> Screen:
    text = lines(
        markup("⛔ <b>End plan #{id}</b> {title} of {who}?", id=one.id, title=one.title, who=person(who)),
        _what_ends(one),
        markup("\nReason: {reason}", reason=reason),
    )
    back = f"cplan:{one.id}"
    rows = (
        (Button("✅ Confirm", ConfirmEndCustom(one.id, one.left)), Button("✖️ Cancel", Go(back))),
        wording.back_home(back),
    )
    return Screen(text, rows)


def _what_ends(one: CustomText) -> Html:
    if not one.left:
        return Html("\nNo posts are left in it. Orders that run go on.")
    back = f", and the {wording.money(one.paid_back)} paid goes back to the wallet" if one.paid_back.minor else ""
    return markup(
        "\n{left} left in it: taken back{back}. Orders that run go on.", left=wording.count(one.left, "post"), back=back
    )


def changed(
    one: CustomText, *, what: str, given: int, refunded: Money, reason: str, to_bonus: Money = NOTHING
) -> Screen:
    """What the person is told. `what`: made | edited | ended."""
    heads = {
        "made": "🎁 <b>A custom plan was made for you: {title}</b>",
        "edited": "🎁 <b>Your custom plan {title} was changed</b>",
        "ended": "⛔ <b>Your custom plan {title} has ended</b>",
    }
    text = lines(
        markup(heads[what], title=one.title),
        markup("For each post: {what}", what=_what(one)) if what != "ended" else None,
        markup("You were given {n}.", n=wording.count(given, "post")) if given > 0 else None,
        markup("{n} taken back.", n=f"{wording.count(-given, 'post')} {'was' if given == -1 else 'were'}")
        if given < 0
        else None,
        markup("💰 <b>{money}</b>, what was paid, is back in your wallet.", money=wording.money(refunded))
        if refunded.minor
        else None,
        wording.bonus_again(to_bonus),
        markup("You can buy its posts for {price} each.", price=wording.price(one.price))
        if one.price and what == "made"
        else None,
        markup("It can be used until {at}.", at=wording.moment(one.until)) if one.until and what != "ended" else None,
        markup("\nReason: {reason}", reason=reason),
    )
    way = Button("🎁 My Custom Plans", Go("customs"))
    return Screen(text, ((way, buttons.SUPPORT if what == "ended" else buttons.SUBMIT), (buttons.HOME,)))
