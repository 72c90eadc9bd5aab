"""The topics of an admin group that is a forum: their names, and what staff are told when one cannot be had."""

from __future__ import annotations

from collections.abc import Mapping

from viralcore.core.screen import Html, Screen, markup

_NAMES: Mapping[str, str] = {
    "withdrawals": "💸 Withdrawals",
    "payments": "💰 Payments",
    "orders": "📦 Orders",
    "team": "🛠 Team work",
    "replies": "💬 Replies and groups",
    "panels": "🧩 Panels",
    "books": "📒 Books",
    "alerts": "🚨 Alerts",
}


def topic_name(kind: str) -> str:
    """What the topic of a kind of card is called; at most 128 characters."""
    return _NAMES.get(kind, kind.capitalize())


def trouble(*, what: str, kind: str) -> Screen:
    """To the admin group, in General."""
    name = topic_name(kind)
    if what == "no_right":
        words = Html(
            "🧵 <b>I may not make topics here</b>\n"
            "This group has topics, and I would put each kind of card into one of its own. Please give me the right "
            "<b>Manage Topics</b>: group settings → Administrators → this bot → Manage Topics.\n"
            "Until then everything comes here, to General. Nothing is lost."
        )
    elif what == "closed":
        words = markup(
            "🧵 <b>The topic {name} is closed</b>\n"
            "I may not write in it, so its cards come here, to General. Please open it again, or give me the right "
            "<b>Manage Topics</b>: group settings → Administrators → this bot → Manage Topics.",
            name=name,
        )
    elif what == "unknown":
        words = markup(
            "🧵 <b>There may be a topic {name} that I do not know</b>\n"
            "I asked Telegram to make it and got no answer. If an empty topic of that name stands here, please delete "
            "it: I shall never write in it. Its cards come here, to General, and in some minutes I ask for a new one.",
            name=name,
        )
    else:
        words = markup(
            "🧵 <b>Telegram does not make the topic {name}</b>\n"
            "Its cards come here, to General, and I try again from time to time. Please see whether I am an "
            "administrator of this group with the right <b>Manage Topics</b>.",
            name=name,
        )
    return Screen(words)
