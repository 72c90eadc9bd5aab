"""The words for what the crowd refuses, by code. Merged into `errors`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from viralcore.core.screen import Html, markup
from viralcore.texts import wording

Fields = Mapping[str, Any]
PROOFS: Mapping[str, str] = {
    "no_link": "There is no link in that. Copy the link of your reply (for a repost: of your profile) and send it "
    "here.",
    "too_many": "Send at most {limit} links.",
    "not_supported": "{link} leads somewhere else. Send the link of your reply under the post (for a repost: of your "
    "profile).",
    "other_platform": "{link} is on another platform than the post.",
    "the_post": "That is the link of the post itself. Open <b>your reply</b> under it and copy the link of that "
    "(for a repost: of your profile).",
    "used": "{link} was handed in before. Every reply counts once.",
    "no_reply": "None of these links is a reply. Open your reply under the post, copy its link and send it here.",
}
_CLAIMS: Mapping[str, str] = {
    "submitted": "You have handed that in already. It is being checked, and you will hear from us.",
    "approved": "That was approved already.",
    "rejected": "That was turned down and cannot be tried again.",
    "expired": "Your time for that has run out. If the post still needs replies, take it again.",
    "claimed": "No proof has been handed in for that yet.",
}


def _says(text: str) -> Callable[[Fields], Html]:
    html = Html(text)
    return lambda fields: html


def _no_slot(fields: Fields) -> Html:
    what = wording.METRICS[str(fields["metric"])][1]
    if fields.get("verified"):
        return markup(
            "Thank you, but the {what}s that are still wanted must come from verified accounts. If yours is verified, "
            "take one with the button that says so.",
            what=what,
        )
    return markup("Thank you, but every {what} that was wanted is taken.", what=what)


def _claim_closed(fields: Fields) -> Html:
    return Html(_CLAIMS[str(fields["state"])])


def _bad_proof(fields: Fields) -> Html:
    return markup(PROOFS[str(fields["reason"])], link=fields.get("link", ""), limit=fields.get("limit", 0))


def _bad_reason(fields: Fields) -> Html:
    return markup(
        "Write a reason of 3 to {limit} letters. The person who did the work will read it.",
        limit=fields.get("limit", 200),
    )


WORDS: dict[str, Callable[[Fields], Html]] = {
    "boosts.task_closed": _says("Thank you, but this post needs no more replies."),
    "boosts.no_slot": _no_slot,
    "boosts.own_post": _says("That is your own order: others have to do this one."),
    "boosts.claim_closed": _claim_closed,
    "boosts.claim_changed": _says("Other proof was sent in its place meanwhile. Look at what is there now."),
    "boosts.bad_proof": _bad_proof,
    "boosts.bad_reason": _bad_reason,
}
