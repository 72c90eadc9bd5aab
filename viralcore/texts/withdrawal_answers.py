"""What staff are asked and told when they press something on the card of a withdrawal."""

from __future__ import annotations

from viralcore.core.screen import Html, markup
from viralcore.texts import withdrawal_words as words
from viralcore.texts.withdrawal_cards import SHORT, People
from viralcore.texts.withdrawal_shapes import Card


def account_shown(one: Card) -> str:
    """In an alert that only the one who pressed can see."""
    request = one.request
    return f"{one.account_number}\n{request.bank_name[:60]}\n{request.account_name[:80]}"


def approved(one: Card) -> str:
    request = one.request
    if request.state == "pending":
        return f"Your approval of #{request.id} counts. Somebody else has to give the second one."
    if request.mode == "manual":
        return f"#{request.id} is approved. Pay it by hand, then press Mark paid."
    return f"#{request.id} is approved and will be sent."


def faster(one: Card, people: People, *, you: int) -> str:
    """Somebody else was first; or it was the one who presses, `you`, a moment ago."""
    request = one.request
    state = SHORT.get(request.state, request.state)
    if request.state == "cancelled":
        return f"Too late: #{request.id} was cancelled. You changed nothing."
    actor = one.decided_by or (one.approved_by[-1].actor if one.approved_by else None)
    if actor == you:
        return f"You have decided that already: #{request.id} is {state}."
    found = people.get(actor) if actor else None
    who = "Somebody" if found is None else f"@{found.handle}" if found.handle else found.name
    return f"{who} was faster: #{request.id} is {state}. You changed nothing."


def looking(withdrawal: int) -> str:
    return f"The bank is asked about #{withdrawal}. The card changes when it answers."


def ask_reject(withdrawal: int) -> Html:
    return markup(
        "Why is withdrawal #{id} rejected? Reply to this message with a sentence; the person reads it, and the money "
        "is free again at once. /cancel to stop.",
        id=withdrawal,
    )


def ask_paid(one: Card) -> Html:
    request = one.request
    if request.state == "unconfirmed":
        return markup(
            "Did withdrawal #{id} really leave? Reply to this message with the bank's reference, a space, and how you "
            "know. Only do this when the bank's own record says it was paid. /cancel to stop.",
            id=request.id,
        )
    return markup(
        "What is the reference of the {net} payment for withdrawal #{id}? Reply to this message with it; the person "
        "sees it and can ask the bank for it. /cancel to stop.",
        net=words.net(request.quote),
        id=request.id,
    )


def paid_needs_both() -> Html:
    return Html("Send both in one line: the bank's reference, a space, and how you know that it was paid.")


def ask_fail(withdrawal: int) -> Html:
    return markup(
        "Why can withdrawal #{id} not be paid? Reply to this message with a sentence; it is kept in the audit log, and "
        "the money is free again at once. /cancel to stop.",
        id=withdrawal,
    )


def ask_give_back(withdrawal: int) -> Html:
    return markup(
        "Withdrawal #{id} has not been found at the bank for a long time. How do you know that it was not paid? Reply "
        "to this message with a sentence; the money goes back and it is never sent again. /cancel to stop.",
        id=withdrawal,
    )


def ask_by_hand(withdrawal: int) -> Html:
    return markup(
        "Why does one of us pay withdrawal #{id}? Nothing of it has left, and nothing will be sent any more. Reply to "
        "this message with a sentence; then pay it and press Mark paid, or Cannot be paid to give it back. /cancel to "
        "stop.",
        id=withdrawal,
    )


def ask_owner_again(withdrawal: int) -> Html:
    return markup(
        "Has nobody paid withdrawal #{id} yet? Then reply to this message with a sentence: the person is asked to "
        "confirm the current terms, and it is approved anew. If it was paid, press Mark paid instead. /cancel to stop.",
        id=withdrawal,
    )


def moved(one: Card) -> Html:
    """In answer to a typed line."""
    told = {
        "rejected": "is rejected. The person reads your reason, and the money is free again.",
        "completed": "is paid. The person is told.",
        "failed": "was closed without payment. The money is free again, and the person is told.",
        "approved": "is yours to pay by hand. Nothing will be sent any more.",
        "pending": "waits for the person, who is asked to confirm the current terms.",
    }
    return markup("☑️ Withdrawal #{id} {told}", id=one.request.id, told=told.get(one.request.state, "was changed."))
