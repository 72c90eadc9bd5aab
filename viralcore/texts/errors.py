"""The words for every refusal, by its code. One clear sentence, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from viralcore.core.errors import DomainError
from viralcore.core.money import USD, Money
from viralcore.core.screen import Html, lines, markup
from viralcore.texts import crowd_errors, reply_errors, withdrawal_errors, wording

LINK_HELP = (
    "Send the link of one post, like <code>https://x.com/name/status/123</code> "
    "or <code>https://t.me/channel/45</code>."
)
LINK_PROBLEMS: Mapping[str, str] = {
    "not_a_post": "that is not a post",
    "profile": "that is a profile, not a post",
    "not_supported": "only X (Twitter) and Telegram posts can be boosted",
    "private": "it leads into a private chat",
    "malformed": "it is broken or incomplete",
    "other_platform": "it is on another platform than the first link, so send it in a message of its own",
    "blocked": "it may not be boosted here",
    "duplicate": "it is in your message twice",
    "no_post_left": "your posts are not enough for it",
    "too_long": "it is too long",
}
METHOD_PROBLEMS: Mapping[str, str] = {
    "price": "We have no price for that coin that we trust right now. Choose another way to pay, or try in a minute.",
    "rate": "We have no naira rate that we trust right now. Choose another way to pay, or try again later.",
    "switched_off": "That way to pay is switched off at the moment. Choose another one.",
    "no_address": "That network is not offered here. Choose another way to pay.",
    "starting": "That network is still starting up. Try again in a minute, or choose another way to pay.",
    "topup": "The wallet cannot top itself up. Choose another way to pay.",
    "unknown": "That is not a way to pay here. Choose one from the list.",
}
HASH_PROBLEMS: Mapping[str, str] = {
    "garbage": "That is not a transaction hash. A hash has 64 letters and digits; your wallet calls it hash, TxID or "
    "transaction id. Copy it from there and send it here.",
    "other_network": "That is a transaction of a network we do not take payments on. If you paid the amount to the "
    "address shown here, it will be found by itself.",
    "address": "That is an address, not a transaction hash. Open the transfer in your wallet and copy its hash (TxID).",
    "too_many": "Several hashes of yours are still being checked. Wait for their outcome before sending more.",
}
ASSIGN_PROBLEMS: Mapping[str, str] = {
    "price": "We have no price for that coin that we trust right now, so it cannot be credited. Try again in a few "
    "minutes; the money stays where it is.",
    "dust": "At the current rate this is worth less than a cent: there is nothing to credit.",
}
REFUND_PROBLEMS: Mapping[str, str] = {
    "unpaid": "That invoice is not paid, so there is nothing to give back.",
    "topup": "That invoice was a top-up: its money is in the wallet already.",
    "goods": "That invoice is an order. What it does not deliver goes back by itself: press Cannot on its card in the "
    "admin group or under Team work, and the missing part is in the buyer's wallet at once.",
    "bundle": "That invoice sold posts of several plans at once; it is settled by hand.",
    "nothing": "All that was paid for that invoice has been given back.",
    "used": "Every post that was bought with that invoice was used, so nothing can be given back now.",
}
CUSTOM_PROBLEMS: Mapping[str, str] = {
    "title": "The name is missing or longer than {most} letters.",
    "nothing": "It delivers nothing: say how many likes, reposts, comments or views each post gets.",
    "quantity": "{metric}: say a whole number from 0 to {most}.",
    "undeliverable": "{metric}: no panel delivers that number for the price. Take more of them, or a higher price.",
    "price": "The price of a post is from 0 to {most} USD, with at most four decimals.",
    "posts": "Say a whole number of posts up to {most}.",
    "too_few_left": "Only {left} left, so no more can be taken.",
    "expiry": "The end of the plan lies in the past.",
    "reason": "Say why in a line that begins with reason: (at most 300 letters). The person reads it.",
    "ended": "That plan has ended. Make a new one.",
}
ANSWER_PROBLEMS: Mapping[str, str] = {
    "poll_link": "Send the link of the post with the poll, like <code>https://x.com/name/status/123</code>.",
    "poll_option": "Send the number of the option that gets the votes, from 1 to {limit}.",
    "profile_link": "Send the link of the X profile, like <code>https://x.com/name</code>, or <code>@name</code>.",
    "days": "Send a number of days from 1 to {limit}.",
    "channel": "Send the channel's name, like <code>@channel</code>, or its link, like "
    "<code>https://t.me/channel</code>.",
}
ANSWER_REASONS: Mapping[str, str] = {
    "link": "That is not a link.",
    "one_link": "That is more than one thing. I need exactly one.",
    "not_x": "That is not on X (Twitter).",
    "not_a_post": "That is not a post.",
    "not_a_profile": "That is not a profile on X.",
    "post": "That is a post, not {what}.",
    "not_telegram": "That is not on Telegram.",
    "not_a_channel": "That is not the name of a Telegram channel.",
    "private": "That leads into a private chat. I need a public channel.",
    "malformed": "That link is broken or incomplete.",
    "too_long": "That is too long.",
    "blocked": "That may not be used here.",
}
_ENDED = {"paid": "is paid already", "expired": "has expired", "cancelled": "was cancelled", "open": "is open"}


def link_problem(reason: str) -> str:
    """Half a sentence about one link that was not taken."""
    return LINK_PROBLEMS.get(reason, "it cannot be boosted")


def _says(text: str) -> Callable[[Mapping[str, Any]], Html]:
    return lambda fields: Html(text)


def _insufficient(fields: Mapping[str, Any]) -> Html:
    asset = str(fields.get("asset", USD))
    if "needed" in fields and asset == USD:
        available, needed = Money(int(fields.get("available", 0)), USD), Money(int(fields["needed"]), USD)
        if fields.get("account") == "affiliate":
            return markup(
                "Your affiliate balance is {available}, so {needed} cannot be moved. Nothing was moved.",
                available=wording.money(available),
                needed=wording.money(needed),
            )
        return markup(
            "Your balance is {available}, but {needed} is needed. Nothing was taken. Choose another way to pay.",
            available=wording.money(available),
            needed=wording.money(needed),
        )
    return Html("Your balance is not enough for that. Nothing was taken.")


def _invoice_closed(fields: Mapping[str, Any]) -> Html:
    if fields.get("state") == "paid":
        return markup("Invoice #{id} is paid already. There is nothing more to pay.", id=fields.get("invoice_id", ""))
    return markup(
        "Invoice #{id} {state}. Open the Service Menu to make a new one.",
        id=fields.get("invoice_id", ""),
        state=_ENDED.get(str(fields.get("state")), "is closed"),
    )


def _too_many_invoices(fields: Mapping[str, Any]) -> Html:
    return markup(
        "You already have {invoices}. Pay or cancel one first, then try again.",
        invoices=wording.count(int(fields.get("limit", 3)), "unpaid invoice"),
    )


def _method(fields: Mapping[str, Any]) -> Html:
    return Html(METHOD_PROBLEMS.get(str(fields.get("reason")), METHOD_PROBLEMS["switched_off"]))


def _bad_hash(fields: Mapping[str, Any]) -> Html:
    return Html(HASH_PROBLEMS.get(str(fields.get("reason")), HASH_PROBLEMS["garbage"]))


def _hash_used(fields: Mapping[str, Any]) -> Html:
    if fields.get("yours") and fields.get("invoice_id"):
        return markup("This transaction was credited to you already, for invoice #{id}.", id=fields["invoice_id"])
    if fields.get("yours"):
        return Html("This transaction was credited to you already: its money went to your wallet.")
    return Html("This transaction was credited before. If it was your payment, write to support.")


def _cannot_assign(fields: Mapping[str, Any]) -> Html:
    return Html(ASSIGN_PROBLEMS.get(str(fields.get("reason")), ASSIGN_PROBLEMS["price"]))


def _not_refundable(fields: Mapping[str, Any]) -> Html:
    return Html(REFUND_PROBLEMS.get(str(fields.get("reason")), REFUND_PROBLEMS["nothing"]))


def _refund_too_much(fields: Mapping[str, Any]) -> Html:
    most, left = (Money(int(fields.get(name, 0)), USD) for name in ("most", "left"))
    if most < left:
        return markup(
            "At most {most} can go back now: the rest of the {left} paid for posts that were used. Nothing was "
            "changed.",
            most=wording.money(most),
            left=wording.money(left),
        )
    return markup("At most {most} can go back. Nothing was changed.", most=wording.money(most))


def _bad_quantity(fields: Mapping[str, Any]) -> Html:
    step = int(fields.get("step", 1))
    text = "Send a whole number from {minimum:,} to {maximum:,}"
    known = {"minimum": int(fields.get("minimum", 1)), "maximum": int(fields.get("maximum", 1_000_000))}
    ending = f", in steps of {step:,}." if step > 1 else "."
    return Html(text.format(**known) + ending)


def _bad_amount(fields: Mapping[str, Any]) -> Html:
    minimum, maximum = Money(int(fields.get("minimum", 1)), USD), Money(int(fields.get("maximum", 1)), USD)
    if maximum < minimum:
        return Html("There is nothing to move. Your affiliate balance is empty.")
    return markup(
        "Send an amount in dollars from {minimum} to {maximum}{like}.",
        like=", like 12 or 12.50" if maximum.minor > 1250 else "",
        minimum=wording.money(minimum),
        maximum=wording.money(maximum),
    )


def _bad_link(fields: Mapping[str, Any]) -> Html:
    problems = tuple(fields.get("problems", ()))[:20]
    if not problems:
        return Html(f"There is no link in that message. {LINK_HELP}")
    if len(problems) == 1:
        why = link_problem(problems[0].reason)
        return lines(markup("This link was not taken: {why}.\n", why=why), Html(LINK_HELP))
    told = [markup("• {text}: {why}", text=one.text[:80], why=link_problem(one.reason)) for one in problems]
    return lines(Html("None of these links was taken:"), *told, Html(f"\n{LINK_HELP}"))


def _too_many_links(fields: Mapping[str, Any]) -> Html:
    return markup(
        "That message has {given} links; at most {limit} fit into one order. Send them in smaller groups.",
        given=fields.get("given", "too many"),
        limit=fields.get("limit", 20),
    )


def _no_credits(fields: Mapping[str, Any]) -> Html:
    needed = int(fields.get("needed", 1))
    if fields.get("ended_title") and isinstance(fields.get("ended_at"), datetime):
        return markup(
            "You have posts left in your plan {title} only, and it ended on {at}: they can no longer be used. Write to "
            "support about them, or buy another plan. Nothing was taken.",
            title=fields["ended_title"],
            at=wording.moment(fields["ended_at"]),
        )
    if needed > 1:
        return markup(
            "None of your plans has the {needed} posts that these links need. Buy more posts, then send the links "
            "again. Nothing was taken.",
            needed=needed,
        )
    return Html("You have no posts left for this link. Buy a plan, then send the link again. Nothing was taken.")


_SERVICE = {
    "unknown": "The panel lists no service <b>{given}</b>. Look the number up in its list; if it is new there, refresh "
    "the services first.",
    "kind": "Service <b>{given}</b> needs more than a link and a number, so it cannot be used here.",
    "unread": "The panel's list was not read yet. Refresh the services first.",
    "metric": "That cannot be bought at a panel.",
    "moved": "The list has changed since it was shown to you. Look at it once more.",
}
_ASK = {
    "not_offered": "The panel does not offer a {what} for this.",
    "open": "The panel has been asked for that already.",
    "done": "That was done already.",
    "not_running": "The panel is not working at it any more.",
    "not_completed": "Only what was completed can be refilled.",
    "soon": "It is too soon: panels refill what was completed a day ago, and once a day.",
    "over": "The days in which it could be refilled are over.",
    "nothing": "Nothing of this order can be refilled now.",
    "panel": "That panel is not in use any more.",
}


def _bad_service(fields: Mapping[str, Any]) -> Html:
    return markup(_SERVICE.get(str(fields.get("reason")), _SERVICE["unknown"]), given=fields.get("given", ""))


def _cannot_ask(fields: Mapping[str, Any]) -> Html:
    return markup(_ASK.get(str(fields.get("reason")), _ASK["nothing"]), what=fields.get("what", "refill"))


def _bad_answer(fields: Mapping[str, Any]) -> Html:
    question, reason = str(fields.get("question")), str(fields.get("reason"))
    what = "a channel" if question == "channel" else "a profile"
    why = markup(ANSWER_REASONS[reason], what=what) if reason in ANSWER_REASONS else None
    how = markup(ANSWER_PROBLEMS.get(question, "Send it again."), limit=fields.get("limit", 1))
    return Html(" ".join(part for part in (why, how) if part is not None))


def _request_closed(fields: Mapping[str, Any]) -> Html:
    if fields.get("invoice_id"):
        return markup(
            "Your answers are part of invoice #{id} already and cannot be changed. Cancel that invoice and start "
            "again if something is wrong.",
            id=fields["invoice_id"],
        )
    return Html("That purchase is no longer open. Choose the plan again.")


def _card_not_yours(fields: Mapping[str, Any]) -> Html:
    return Html(
        "Somebody else has taken this card. They or an owner decide."
        if fields.get("taken")
        else "Nobody has taken this card. Take it first."
    )


def _cannot_cancel(fields: Mapping[str, Any]) -> Html:
    return markup(
        "Order #{id} can no longer be cancelled: its delivery has begun or it has ended.", id=fields.get("order_id", "")
    )


def _plan_ended(fields: Mapping[str, Any]) -> Html:
    at = fields.get("at")
    return markup(
        "Your plan {title} ended{at}, so its posts can no longer be used. Write to support about them. Nothing "
        "was taken.",
        title=fields.get("title", ""),
        at=f" on {wording.moment(at)}" if isinstance(at, datetime) else "",
    )


def _cannot_steer(fields: Mapping[str, Any]) -> Html:
    what = fields.get("what")
    if what == "resume":
        return markup("Order #{id} is not paused.", id=fields.get("order_id", ""))
    if what == "pause" and fields.get("paused"):
        return markup("Order #{id} is paused already.", id=fields.get("order_id", ""))
    return markup(
        "Nothing of order #{id} waits any more: all of it is sent or has ended.", id=fields.get("order_id", "")
    )


def _bad_custom(fields: Mapping[str, Any]) -> Html:
    told = CUSTOM_PROBLEMS.get(str(fields.get("reason")), CUSTOM_PROBLEMS["nothing"])
    left, most = int(fields.get("left", 0)), fields.get("most", "")
    return markup(
        told,
        metric=str(fields.get("metric", "")).capitalize(),
        most=f"{most:,}" if isinstance(most, int) else most,
        left=f"{wording.count(left, 'post')} {'is' if left == 1 else 'are'}",
    )


def _not_found(fields: Mapping[str, Any]) -> Html:
    return Html("That was not found. It may belong to somebody else, or the number is wrong.")


_WORDS: dict[str, Callable[[Mapping[str, Any]], Html]] = {
    "core.refused": _says("That is not possible. Nothing was changed."),
    "core.key_reused": _says("That button was used before for something else. Open the menu and try again."),
    "core.not_found": _not_found,
    "ledger.insufficient_funds": _insufficient,
    "ledger.unbalanced": _says("Something does not add up on our side. Nothing was booked."),
    "ledger.hold_closed": _says("That was settled already."),
    "users.not_allowed": _says("You are not allowed to do that."),
    "users.session_expired": _says("Your staff session has ended. Open it again with /admin, then repeat the action."),
    "users.blocked": _says("Your account is blocked. Write to support if you think this is a mistake."),
    "users.terms_not_accepted": _says("Please accept the terms of use first: /start"),
    "users.last_owner": _says("That would leave the shop without an owner. Nothing was changed."),
    "users.not_yourself": _says("You cannot do that to your own account."),
    "payments.invoice_closed": _invoice_closed,
    "payments.too_many_invoices": _too_many_invoices,
    "payments.method_unavailable": _method,
    "payments.bad_amount": _bad_amount,
    "payments.bad_hash": _bad_hash,
    "payments.hash_used": _hash_used,
    "payments.receipt_taken": _says(
        "This money has an owner already: somebody was faster, or its hash explained it. Open the receipt to see whose "
        "it is. Nothing was changed."
    ),
    "payments.cannot_assign": _cannot_assign,
    "payments.not_refundable": _not_refundable,
    "payments.refund_too_much": _refund_too_much,
    "payments.refund_changed": _says(
        "This invoice has changed since you looked: somebody refunded it, or its posts were used. Nothing was given "
        "back. Open it again and look."
    ),
    "payments.no_proof_wanted": _says(
        "No receipt is needed there: nothing is being paid by bank transfer, or your receipt was accepted already."
    ),
    "payments.proof_closed": _says("Somebody else has decided on that receipt already."),
    "payments.own_receipt": _says("You cannot decide on your own receipt. Somebody else in the team has to."),
    "boosts.unknown_plan": _says("There is no such plan. Open the Service Menu to see what is on offer."),
    "boosts.not_on_sale": _says("That plan is not on sale yet. Open the Service Menu to see what is."),
    "boosts.bad_quantity": _bad_quantity,
    "boosts.bad_link": _bad_link,
    "boosts.too_many_links": _too_many_links,
    "boosts.no_credits": _no_credits,
    "boosts.draft_expired": _says("That confirmation is no longer open. Send the link again."),
    "boosts.cannot_cancel": _cannot_cancel,
    "boosts.bad_service": _bad_service,
    "boosts.cannot_ask": _cannot_ask,
    "boosts.plan_ended": _plan_ended,
    "boosts.plan_changed": _says(
        "That plan was changed since this screen was drawn. Look at it again, then decide. Nothing was taken."
    ),
    "boosts.cannot_steer": _cannot_steer,
    "boosts.cannot_reorder": _says("That order was paid with money. Buy it again from the Service Menu."),
    "boosts.bad_custom_plan": _bad_custom,
    "boosts.already_decided": _says("Somebody else has decided that already."),
    "boosts.not_sent": _says(
        "That order does not run there any more, or its number was put right since this was drawn. Open it again."
    ),
    "boosts.bad_panel_order": _says(
        "That cannot be the panel's order number: it is not a number, or another order has it. Look it up at the "
        "panel and send it again."
    ),
    **withdrawal_errors.WORDS,
    **crowd_errors.WORDS,
    "boosts.unanswered": _says("A few questions come before the invoice. Choose the plan again to answer them."),
    "boosts.bad_answer": _bad_answer,
    "boosts.request_closed": _request_closed,
    "boosts.card_taken": _says("Somebody else has taken this card."),
    "boosts.card_not_yours": _card_not_yours,
    "boosts.bad_progress": lambda fields: markup(
        "Send how many are delivered in all: a whole number from 0 to {most}.", most=f"{int(fields.get('most', 0)):,}"
    ),
    **reply_errors.WORDS,
}
KNOWN: frozenset[str] = frozenset(_WORDS)
"""Every code that has words. An architecture test holds it against all DomainErrors there are."""


def words(error: DomainError) -> Html:
    """What a person reads when a use case refused."""
    return _WORDS.get(error.code, _WORDS["core.refused"])(error.fields)


def trouble(reference: str) -> Html:
    """Something broke on our side: one sentence and the reference to give to support."""
    return markup(
        "Something went wrong on our side, and it was noted. Nothing of yours is lost. If it happens again, give "
        "support this reference: <code>{reference}</code>",
        reference=reference,
    )
