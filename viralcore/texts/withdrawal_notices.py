"""What a person is told of their withdrawal without having asked. Each says what it means for the money."""

from __future__ import annotations

from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import buttons, wording
from viralcore.texts import withdrawal_words as words
from viralcore.texts.actions import Go
from viralcore.texts.withdrawal_shapes import Request

_PROGRESS = {
    "approved": ("👍", "is approved"),
    "processing": ("🏦", "is sent to the bank"),
    "unconfirmed": ("❔", "is sent; the bank has not confirmed it yet"),
    "completed": ("✅", "has arrived"),
    "failed": ("⚠️", "could not be paid"),
}


_GOING = frozenset({"approved", "processing", "unconfirmed"})


def progress(one: Request) -> Screen:
    """One message that follows it from the approval on."""
    icon, state = _PROGRESS.get(one.state, words.state(one.state))
    text = lines(
        markup("{icon} <b>Your withdrawal #{id} {state}</b>", icon=icon, id=one.id, state=state),
        markup("{worth} to {account}", worth=words.worth(one.quote), account=words.account(one)),
        markup("You get <b>{net}</b>.", net=words.net(one.quote)) if one.state in _GOING else None,
        markup("\n{outcome}", outcome=words.outcome(one)) if one.state in ("approved", "processing") else None,
        markup("\n🕑 {timeline}", timeline=words.timeline(one)),
    )
    return Screen(text, _rows(one))


def told(one: Request) -> Screen:
    """How it ended, or that its end is not known yet."""
    heads = {
        "completed": ("🎉", "has arrived"),
        "failed": ("⚠️", "could not be paid"),
        "rejected": ("✖️", "was rejected"),
        "cancelled": ("✖️", "was cancelled"),
        "unconfirmed": ("❔", "is not confirmed yet"),
    }
    icon, state = heads.get(one.state, words.state(one.state))
    text = lines(
        markup("{icon} <b>Your withdrawal #{id} {state}</b>\n", icon=icon, id=one.id, state=state),
        words.outcome(one),
        markup("Reference: <code>{reference}</code>", reference=one.reference) if one.reference else None,
        markup("\n🕑 {timeline}", timeline=words.timeline(one)),
    )
    return Screen(text, _rows(one))


def terms_changed(one: Request, *, why: str) -> Screen:
    """`why`: age | rate. Nothing goes on until its owner confirms."""
    reason = (
        "The naira rate has moved since you asked" if why == "rate" else "It has waited for longer than its terms hold"
    )
    now = None
    if one.again is not None:
        now = markup(
            "You would get <b>{net}</b> now, at {rate}; before it was {before}.",
            net=words.net(one.again),
            rate=words.rate(one.again.rate),
            before=words.net(one.quote),
        )
    text = lines(
        markup("🔁 <b>Please look at your withdrawal #{id}</b>\n", id=one.id),
        markup(
            "{reason}, so we ask you first. Your {money} stays reserved; nothing is paid until you confirm.",
            reason=Html(reason),
            money=wording.money(one.quote.amount),
        ),
        now,
    )
    return Screen(text, ((Button("🔁 See the new terms", Go(f"withdrawal:{one.id}")), buttons.HOME),))


def _rows(one: Request) -> tuple[tuple[Button, ...], ...]:
    here = Button(f"🏧 Withdrawal #{one.id}", Go(f"withdrawal:{one.id}"))
    if one.state in ("failed", "rejected"):
        return ((here, buttons.SUPPORT), (buttons.HOME,))
    return ((here, buttons.HOME),)
