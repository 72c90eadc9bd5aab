"""Goods: the questions a plan asks before it is paid for. Pure.

Money first. A request is a row of boosts.goods_requests:
  open       the buyer answers; each answer is stored as it comes, so a restart or another button loses nothing
  invoiced   the invoice was opened in the transaction that froze the answers; a request opens one invoice, whatever key
  ordered    the invoice was paid, and the transaction that heard of it made the order (unique by its invoice)
  returned   it was paid and could not become an order, because its plan is gone: the same transaction put the price
             into the wallet
  discarded  given up before it had an invoice

If the process dies between the payment and the order, the event of the payment is pending and is delivered again; its
delivery row, the request's guarded state and the order's unique invoice each let it happen once. A buyer who is blocked
or a plan that is taken off sale after the invoice was opened changes nothing: what was paid for becomes an order.
What an order of goods does not deliver goes back by its lines. Finance does not refund such an invoice besides: there
would be two who give the same money back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, cast

from viralcore.boosts.api import BadAnswer, LinkView
from viralcore.boosts.domain.links import Bad, address, read_links

Question = Literal["poll_link", "poll_option", "profile_link", "days", "channel"]
LINKS: frozenset[str] = frozenset({"poll_link", "profile_link", "channel"})
"""Questions that are answered with what the order is about."""
_NUMBER = re.compile(r"[0-9]{1,4}")
_PROFILE = re.compile(r"[A-Za-z0-9_]{1,15}")
_CHANNEL = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
_NO_PROFILES = frozenset(
    {"home", "explore", "i", "search", "settings", "notifications", "messages", "compose", "intent", "hashtag"}
    | {"login", "signup", "share", "tos", "privacy", "about", "jobs", "help", "download"}
)
_TABS = frozenset({"with_replies", "media", "likes", "articles", "highlights", "followers", "following"})
_NO_CHANNELS = frozenset({"joinchat", "addstickers", "addemoji", "proxy", "socks", "share", "login", "setlanguage"})


def read_answer(question: str, text: str, *, limit: int, max_length: int) -> str:
    """An answer as it is stored. Raises BadAnswer. `limit`: the last option, the most days."""
    given = text.strip()
    if not given:
        raise BadAnswer(question=question, reason="empty", limit=limit)
    if question in LINKS:
        return link_of(question, given, max_length=max_length).canonical
    number = int(given) if _NUMBER.fullmatch(given) else 0
    if not 1 <= number <= limit:
        raise BadAnswer(question=question, reason="number", limit=limit)
    return str(number)


def link_of(question: str, text: str, *, max_length: int) -> LinkView:
    """What an order is about: a post with a poll, a profile or a channel. Raises BadAnswer."""
    try:
        if len(text) > max_length:
            raise Bad("too_long")
        if question == "poll_link":
            return _poll(text, max_length)
        return _profile(text, max_length) if question == "profile_link" else _channel(text, max_length)
    except Bad as bad:
        raise BadAnswer(question=question, reason=str(bad.args[0])) from None


def target(answers: Mapping[str, str], *, max_length: int) -> LinkView:
    """The same of stored answers. Raises LookupError when none of them is a link."""
    question = next((one for one in answers if one in LINKS), None)
    if question is None:
        raise LookupError("goods that are about nothing")
    return link_of(question, answers[question], max_length=max_length)


def missing(questions: Sequence[str], answers: Mapping[str, str]) -> tuple[str, ...]:
    """Questions without an answer, in the order they are asked."""
    return tuple(question for question in questions if question not in answers)


def _poll(text: str, max_length: int) -> LinkView:
    found = read_links(text, max_length=max_length)
    if len(found.links) > 1:
        raise Bad("one_link")
    if not found.links:
        reason = found.problems[0].reason if found.problems else "link"
        raise Bad("not_x" if reason in ("not_supported", "private") else reason)
    if found.links[0].platform != "x":
        raise Bad("not_x")
    return found.links[0]


def _profile(text: str, max_length: int) -> LinkView:
    if len(text.split()) > 1:
        raise Bad("one_link")
    name = text.removeprefix("@")
    if not text.startswith("@"):
        platform, path = _address(text, max_length)
        if platform != "x":
            raise Bad("not_x")
        if len(path) > 2 or (len(path) == 2 and path[1].lower() not in _TABS):
            raise Bad("post" if len(path) > 2 and path[1].lower() in ("status", "statuses") else "not_a_profile")
        name = path[0].removeprefix("@") if path else ""
    if not _PROFILE.fullmatch(name) or name.lower() in _NO_PROFILES:
        raise Bad("not_a_profile")
    return LinkView("x", f"https://x.com/{name}", name, "")


def _channel(text: str, max_length: int) -> LinkView:
    if len(text.split()) > 1:
        raise Bad("one_link")
    name = text.removeprefix("@")
    if not text.startswith("@"):
        platform, path = _address(text, max_length)
        if platform != "telegram":
            raise Bad("not_telegram")
        path = path[1:] if path[:1] == ["s"] else path
        if path and (path[0].startswith("+") or path[0].lower() in ("joinchat", "c")):
            raise Bad("private")
        if len(path) > 1:
            raise Bad("post")
        name = path[0] if path else ""
    if not _CHANNEL.fullmatch(name) or name.lower() in _NO_CHANNELS:
        raise Bad("not_a_channel")
    return LinkView("telegram", f"https://t.me/{name}", name, "")


def _address(text: str, max_length: int) -> tuple[Literal["x", "telegram"], list[str]]:
    if "." not in text:
        raise Bad("link")
    platform, path = address(text, max_length=max_length)
    return cast(Literal["x", "telegram"], platform), path
