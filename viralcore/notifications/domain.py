"""What a notice is, what names a live one, and when one that looks the same is the same. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from viralcore.core.ids import nonce
from viralcore.core.screen import Screen
from viralcore.notifications.api import Channel, NoticeState

OWNERS_HAVE = "switches"
"""A right only owners have: who has it is told what owners are told."""
FOR_STAFF = "for_staff"
"""Marks, among its facts, a staff notice that stands in an owner's private chat."""
GONE = "message_gone"
UNREACHABLE = "unreachable"
"""Reasons: its message was taken away, so it is never shown again; its person has blocked the bot, so it is not tried
until something new happens (they may have come back by then)."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A stored message. `chat_id`: where it goes now, if its group has moved."""

    id: int
    channel: Channel
    chat_id: int
    user_id: int | None
    template: str
    params: Mapping[str, Any]
    state: NoticeState
    wanted: int
    message_id: int | None
    digest: str
    created_at: datetime

    @property
    def for_staff(self) -> bool:
        """What staff must know or decide, wherever it stands."""
        return self.channel == "admin_group" or bool(self.params.get(FOR_STAFF))


def copy_key(live_key: str, owner: int) -> str:
    """One owner's copy of a live staff notice, where there is no admin group."""
    return f"{live_key}:to:{owner}"


def order_key(order_id: int) -> str:
    """The live message of an order."""
    return f"order:{order_id}"


def phase_key(phase_id: int) -> str:
    """The staff card of an unknown phase."""
    return f"phase:{phase_id}"


def stuck_key(phase_id: int) -> str:
    """The staff card of an order at a panel that does not end."""
    return f"stuck:{phase_id}"


def card_key(card_id: int) -> str:
    """The card of a line that staff work at."""
    return f"card:{card_id}"


def stray_key(receipt_id: int, user_id: int | None) -> str:
    """The admin group's card of a stray receipt, one for each who pasted its hash and one for nobody."""
    return f"stray:{receipt_id}:{user_id or 0}"


def owner_key(receipt_id: int, why: str, owner: int) -> str:
    """What one owner was told of a stray receipt."""
    return f"stray:{receipt_id}:{why}:owner:{owner}"


def proof_key(proof_id: int) -> str:
    """The staff card of a photographed bank receipt."""
    return f"proof:{proof_id}"


def transfer_key(network: str, tx_hash: str, user_id: int) -> str:
    """The live message that follows one transfer for one person, seen or pasted."""
    return f"transfer:{network}:{tx_hash}:{user_id}"


def trouble_key(panel: str, what: str, detail: str, now: datetime, minutes: int) -> str:
    """The same trouble within one stretch of time has one key."""
    stretch = int(now.timestamp()) // (minutes * 60)
    return f"trouble:{panel}:{what}:{hashlib.sha256(detail.encode()).hexdigest()[:16]}:{stretch}"


def digest(screen: Screen) -> str:
    """Equal for screens that look and act the same."""
    return hashlib.sha256(repr((str(screen.text), screen.rows)).encode()).hexdigest()


def nonce_of(notice_id: int) -> str:
    """What makes the buttons of one message its own. No secret: what a button does checks its own rights."""
    return nonce("notifications", notice_id)


TOPICS: Mapping[str, str] = {
    "withdrawal_card": "withdrawals",
    "payout_trouble": "withdrawals",
    "payout_switched": "withdrawals",
    "staff_deposit": "payments",
    "staff_paid": "payments",
    "staff_stray": "payments",
    "staff_refund": "payments",
    "proof": "payments",
    "staff_order": "orders",
    "staff_finished": "orders",
    "staff_card": "team",
    "replies": "replies",
    "work_claims": "replies",
    "group_joined": "replies",
    "group_lost": "replies",
    "panel_trouble": "panels",
    "unknown_phase": "panels",
    "stuck": "panels",
    "books_report": "books",
    "books_difference": "books",
    "books_short": "books",
    "ledger_problem": "books",
}
"""Templates of the admin group, and the kind whose topic they go to when the group is a forum."""
ALERTS = "alerts"
"""Of every other."""
ABOUT_TOPICS = "topic_trouble"
SUPERGROUPS = -1_000_000_000_000
"""Ids of groups that can be forums are not above this."""


def topic_of(template: str) -> str | None:
    """The kind of topic a card belongs in; None: it is about topics, and has to be seen without any."""
    return None if template == ABOUT_TOPICS else TOPICS.get(template, ALERTS)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of one kind in a forum.

    ``wanted``: being made. ``open``: it is there. ``refused``: Telegram said no. ``unknown``: asked for, and no answer
    came. ``lost``: it was there.
    """

    state: str
    thread_id: int | None
    generation: int
    at: datetime
