"""Who may do what: the rights table of PRODUCT 1, and the rules about people that need no database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import cast, get_args

from viralcore.users.api import BlockKind, Profile, Right, Role

COMMAND_LINE = 0
"""The actor of `viralcore admin ...` and of the start: whoever has the machine has the shop."""

_USER: frozenset[Right] = frozenset({"buy", "links", "refer", "withdraw"})
_REPLY_GUY: frozenset[Right] = _USER | {"tasks"}
_SUPPORT: frozenset[Right] = frozenset(
    {"users.view", "orders.view", "orders.retry", "tickets", "reply_guys.manage", "replies.approve"}
)
_FINANCE: frozenset[Right] = _SUPPORT | {
    "payments.assign",
    "refunds",
    "withdrawals.decide",
    "balances.adjust",
    "reports",
    "exports",
}
_OWNER: frozenset[Right] = _FINANCE | {
    "roles",
    "plans",
    "panels",
    "groups",
    "limits",
    "broadcast",
    "audit",
    "switches",
}

RIGHTS: Mapping[Role, frozenset[Right]] = {
    "user": _USER,
    "reply_guy": _REPLY_GUY,
    "support": _SUPPORT,
    "finance": _FINANCE,
    "owner": _OWNER,
}
EVERY_RIGHT = _USER | _REPLY_GUY | _OWNER
STAFF: frozenset[Role] = frozenset({"support", "finance", "owner"})
GRANTABLE: frozenset[Role] = frozenset(get_args(Role)) - {"user"}

NEEDS_SESSION: frozenset[Right] = frozenset(
    {
        "payments.assign",
        "refunds",
        "withdrawals.decide",
        "balances.adjust",
        "roles",
        "reply_guys.manage",
        "replies.approve",
        "plans",
        "limits",
        "switches",
    }
)
"""Rights that move money, give credits away, decide who may, or turn payouts on: only within an open staff session."""

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,64}")


def rights_of(roles: Iterable[Role]) -> frozenset[Right]:
    """Everything these roles may do together."""
    return frozenset().union(*(RIGHTS[role] for role in roles))


def roles_with(right: Right) -> frozenset[Role]:
    """Every role that has a right. Raises ValueError on a right that is in no role: a programming error."""
    if right not in EVERY_RIGHT:
        raise ValueError(f"no right is called {right!r}")
    return frozenset(role for role, rights in RIGHTS.items() if right in rights)


def right_to_change(role: Role) -> Right:
    """The right it takes to grant or revoke a role. Raises ValueError on one that cannot be granted."""
    if role not in GRANTABLE:
        raise ValueError(f"the role {role!r} cannot be granted")
    return "reply_guys.manage" if role == "reply_guy" else "roles"


def payload(text: str | None) -> str | None:
    """What followed /start, when it is something Telegram could have passed on from a link."""
    return text if text is not None and _PAYLOAD.fullmatch(text) else None


def tidy(profile: Profile) -> Profile:
    """A profile as it is stored: bounded, without what a database cannot hold."""
    username = (profile.username or "").removeprefix("@")
    return Profile(
        user_id=profile.user_id,
        first_name=profile.first_name.replace("\x00", "").strip()[:256],
        username=username if _HANDLE.fullmatch(username) else None,
        language_code=(profile.language_code or "").replace("\x00", "")[:16] or None,
    )


def block_value(kind: BlockKind, value: str) -> str:
    """One spelling for what is blocked. Raises ValueError on a user id that is none, or nothing at all."""
    value = value.strip().replace("\x00", "")
    if kind == "user":
        if not re.fullmatch(r"[1-9][0-9]{0,18}", value):
            raise ValueError("a user is blocked by Telegram id")
        return value
    if kind == "handle":
        value = value.removeprefix("@").lower()
    if not 1 <= len(value) <= 500:
        raise ValueError("nothing, or far too much, to block")
    return value


def as_roles(names: Iterable[str]) -> frozenset[Role]:
    """Stored role names as roles; everybody is a user."""
    return frozenset({"user", *(cast("Role", name) for name in names)})
