"""The door of users: identity, terms, roles, rights, staff sessions, blocks, audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from viralcore.core.db import Tx
from viralcore.core.errors import DomainError

Role = Literal["user", "reply_guy", "support", "finance", "owner"]
Right = str
"""One of the names in users.domain.RIGHTS, e.g. ``orders.retry``, ``payments.assign``."""
BlockKind = Literal["user", "link", "handle"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What Telegram tells about a person with each update."""

    user_id: int
    first_name: str
    username: str | None = None
    language_code: str | None = None


@dataclass(frozen=True, slots=True)
class UserView:
    id: int
    first_name: str
    username: str | None
    roles: frozenset[Role]
    rights: frozenset[Right]
    terms_accepted: bool  # the terms version in force
    blocked: bool
    unreachable: bool
    created_at: datetime
    session_until: datetime | None = None  # staff session, business time

    @property
    def staff(self) -> bool:
        return bool(self.roles & {"support", "finance", "owner"})


class NotAllowed(DomainError):
    """The right is missing. The edge calls `record_refusal`, a transaction of its own. Fields: right."""

    code = "users.not_allowed"


class SessionExpired(DomainError):
    """A money or role action needs a fresh staff session (``/admin``). The edge records it as it does NotAllowed.
    Fields: right."""

    code = "users.session_expired"


class Blocked(DomainError):
    code = "users.blocked"


class TermsNotAccepted(DomainError):
    code = "users.terms_not_accepted"


class Users(Protocol):
    async def meet(self, *, key: str, profile: Profile, start_payload: str | None = None) -> UserView:
        """First contact or refresh of name and handle; records UserRegistered(payload) on first contact only, and keeps
        the payload. Cheap when nothing changed: one read. ADMIN_IDS become owners at start, before they are met."""
        ...

    async def get(self, *, user_id: int) -> UserView:
        """Raises core NotFound."""
        ...

    async def get_many(self, *, user_ids: Sequence[int]) -> Mapping[int, UserView]: ...

    async def find(self, *, handle: str) -> UserView | None:
        """By @name, case-insensitive."""
        ...

    def terms_version(self) -> str:
        """The version in force, to be shown and handed back to `accept_terms`."""
        ...

    async def accept_terms(self, *, key: str, user_id: int, version: str) -> UserView:
        """Raises core NotFound, TermsNotAccepted (another version is in force by now: show that one)."""
        ...

    async def authorize(self, tx: Tx, *, actor: int, right: Right) -> None:
        """Raises NotAllowed, Blocked, or SessionExpired (money and role rights need an open staff session). Actor 0 is
        the command line and may do everything."""
        ...

    async def require_active(self, tx: Tx, *, user_id: int) -> None:
        """Raises Blocked or TermsNotAccepted; every user use case that orders or spends calls it."""
        ...

    async def open_session(self, *, key: str, actor: int) -> datetime:
        """Opens a staff session for 60 minutes of business time; returns its end. Raises NotAllowed, Blocked."""
        ...

    async def grant_role(self, *, key: str, actor: int, user_id: int, role: Role, reason: str) -> None:
        """Right ``roles``; for ``reply_guy`` right ``reply_guys.manage``. Raises NotAllowed, SessionExpired, Blocked,
        NotYourself. `actor` 0 is the command line. Granting what is there already changes nothing."""
        ...

    async def revoke_role(self, *, key: str, actor: int, user_id: int, role: Role, reason: str) -> None:
        """As `grant_role`; also raises LastOwner."""
        ...

    async def block(self, *, key: str, actor: int, kind: BlockKind, value: str, reason: str) -> None:
        """Right ``limits``. `value`: Telegram id, canonical link, or handle. Raises as `grant_role`, and LastOwner."""
        ...

    async def unblock(self, *, key: str, actor: int, kind: BlockKind, value: str, reason: str) -> None: ...

    async def is_blocked(self, tx: Tx, *, kind: BlockKind, value: str) -> bool: ...

    async def set_unreachable(self, tx: Tx, *, user_id: int, unreachable: bool) -> None:
        """The person blocked the bot (or came back)."""
        ...

    async def staff_ids(self, *, right: Right) -> tuple[int, ...]: ...

    async def audit(
        self,
        tx: Tx,
        *,
        actor: int,
        action: str,
        subject: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
        reason: str = "",
    ) -> None:
        """Append to the audit log, with the correlation id in force. Never changed, never deleted."""
        ...

    async def record_refusal(self, *, actor: int, right: Right, doing: str) -> None:
        """An audit row for a NotAllowed, in a transaction of its own."""
        ...

    async def ensure_owners(self, user_ids: Sequence[int]) -> None:
        """ADMIN_IDS become owners at every start, met or not; what is new is audited by actor 0."""
        ...


class LastOwner(DomainError):
    """There would be no owner left who can act."""

    code = "users.last_owner"


class NotYourself(DomainError):
    """Nobody grants, revokes or blocks themselves."""

    code = "users.not_yourself"
