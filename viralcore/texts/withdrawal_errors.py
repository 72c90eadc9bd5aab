"""The words for what withdrawals refuse, by code. Merged into `errors`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from viralcore.core.money import Money
from viralcore.core.screen import Html, markup
from viralcore.texts import wording

Fields = Mapping[str, Any]
_STATES = {
    "pending": "is waiting for approval",
    "approved": "is approved",
    "processing": "is being paid",
    "unconfirmed": "is waiting for the bank's word",
    "completed": "is paid",
    "failed": "could not be paid",
    "rejected": "was rejected",
    "cancelled": "was cancelled",
}
_CHECKS = {
    "asking": "The bank is still being asked about that account. Wait for its answer.",
    "failed": "The bank did not confirm that account. Start the withdrawal again.",
    "expired": "That confirmation is too old. Start the withdrawal again to see the current rate and fee.",
    "used": "That confirmation was used already. Open your withdrawals to see what became of it.",
}
_MISSING = {
    "reason": "Write a reason: it is kept, and where a request is concerned the person reads it.",
    "reference": "Write the reference of the payment, so that it can be found again.",
}


def _says(text: str) -> Callable[[Fields], Html]:
    html = markup(text)
    return lambda fields: html


def _moment(value: object) -> str:
    return wording.moment(value) if isinstance(value, datetime) else "a while"


def _money(value: object) -> str:
    return wording.money(value) if isinstance(value, Money) else "that"


def _too_little(fields: Fields) -> Html:
    return markup(
        "The smallest withdrawal is {least} (that is {minimum}). Choose a larger amount.",
        least=_money(fields.get("least")),
        minimum=_money(fields.get("minimum")),
    )


def _too_much(fields: Fields) -> Html:
    return markup(
        "The largest withdrawal is {most} at a time. Choose a smaller amount.", most=_money(fields.get("most"))
    )


def _not_enough(fields: Fields) -> Html:
    return markup("You have {available} to withdraw. Choose that or less.", available=_money(fields.get("available")))


def _too_many(fields: Fields) -> Html:
    if fields.get("what") == "checks":
        return markup(
            "You have checked many accounts in the last hour. Try again after {when}.",
            when=_moment(fields.get("again_at")),
        )
    return markup(
        "You can ask for {limit} withdrawals an hour. Try again after {when}.",
        limit=fields.get("limit", "a few"),
        when=_moment(fields.get("again_at")),
    )


def _bad_account(fields: Fields) -> Html:
    if fields.get("problem") == "bank":
        return markup("That bank is not on the list any more. Search for it again.")
    return markup("A Nigerian account number has exactly 10 digits. Check it and send it again.")


def _wrong_state(fields: Fields) -> Html:
    state = _STATES.get(str(fields.get("state")), "has changed")
    return markup(
        "That cannot be done now: withdrawal #{number} {state}. Nothing was changed.",
        number=fields.get("withdrawal_id", ""),
        state=state,
    )


def _second(fields: Fields) -> Html:
    if fields.get("again_at") is None:
        return markup("You have approved this one already. It needs a second approval by somebody else.")
    return markup(
        "You have approved this one already. As the only approver you can give the second approval after {when}.",
        when=_moment(fields.get("again_at")),
    )


def _cannot_give_back(fields: Fields) -> Html:
    if fields.get("seen"):
        return markup(
            "A transfer with its reference is at the bank, so the money stays held. It can be given back only when the "
            "bank says that this transfer has failed. Press Look again, or see what it is in the bank's dashboard."
        )
    return markup(
        "That transfer may still arrive, so the money stays held. It can be given back once the bank has not known it "
        "for {hours} hours, and did not in the last hour either. Press Look again to ask it now.",
        hours=fields.get("hours", 24),
    )


WORDS: Mapping[str, Callable[[Fields], Html]] = {
    "withdrawals.source_off": _says("That balance cannot be withdrawn here."),
    "withdrawals.bad_amount": _says(
        "Send the amount as a number above zero, like <code>25</code> or <code>12.50</code>."
    ),
    "withdrawals.too_little": _too_little,
    "withdrawals.too_much": _too_much,
    "withdrawals.not_enough": _not_enough,
    "withdrawals.request_open": lambda fields: markup(
        "Your withdrawal #{number} is still open. Wait until it is paid, or cancel it first.",
        number=fields.get("withdrawal_id", ""),
    ),
    "withdrawals.too_many": _too_many,
    "withdrawals.no_rate": _says(
        "There is no naira rate that we trust right now, so nothing can be promised. Try again later."
    ),
    "withdrawals.paused": _says("Withdrawals are paused at the moment. Your balance is safe; try again later."),
    "withdrawals.bad_account": _bad_account,
    "withdrawals.check_closed": lambda fields: markup(_CHECKS.get(str(fields.get("state")), _CHECKS["expired"])),
    "withdrawals.wrong_state": _wrong_state,
    "withdrawals.terms_outdated": lambda fields: markup(
        "The terms of withdrawal #{number} are out of date. Its owner is asked to confirm the new ones first.",
        number=fields.get("withdrawal_id", ""),
    ),
    "withdrawals.terms_changed": _says(
        "The rate or the fee has changed since. Look at the new terms and confirm again."
    ),
    "withdrawals.difference_closed": _says("That difference is closed already. Nothing was changed."),
    "withdrawals.own": _says("You cannot decide on your own withdrawal. Somebody else in the team has to."),
    "withdrawals.second_approver": _second,
    "withdrawals.reason_missing": lambda fields: markup(_MISSING.get(str(fields.get("what")), _MISSING["reason"])),
    "withdrawals.already_sent": lambda fields: markup(
        "Withdrawal #{number} may have left already, so it cannot be paid by hand. Press Look again: the bank's word "
        "ends it.",
        number=fields.get("withdrawal_id", ""),
    ),
    "withdrawals.cannot_give_back": _cannot_give_back,
    "withdrawals.no_provider": _says(
        "There is no Flutterwave key, so payouts cannot be automatic. Set FLUTTERWAVE_API_KEY and start again."
    ),
}
