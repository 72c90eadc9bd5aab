"""The door's part about the crowd: groups, the tasks they are asked to do, and claims on them with their proofs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from viralcore.boosts.door.orders import LinkView
from viralcore.boosts.door.plans import Metric
from viralcore.core.db import Tx
from viralcore.core.errors import DomainError

GroupRole = Literal["none", "comments", "likes"]
"""comments: posts are sent there to be replied to; likes: every post is sent there to be liked (one group at most)."""
GroupState = Literal["in", "left", "kicked"]
CrowdPostState = Literal["open", "review", "closed"]
ClaimState = Literal["claimed", "submitted", "approved", "rejected", "expired"]


@dataclass(frozen=True, slots=True)
class GroupView:
    """A Telegram group the bot is or was in. Titles repeat: `id` is what tells groups apart. `posts`: messages sent
    there; `claims`: made there; `approved`: of those."""

    id: int
    chat_id: int
    title: str
    role: GroupRole
    state: GroupState
    added_at: datetime
    posts: int
    claims: int
    approved: int
    last_sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class TaskPartView:
    """`taken`: slots somebody holds or was paid for; `approved`: of those, checked by staff.

    `verified`: so many of `wanted` must come from verified accounts. Others have the slots beside those; what they did
    beyond them does not count. `taken_verified`, `approved_verified`: of `taken`, of `approved`.
    """

    metric: Metric
    wanted: int
    taken: int
    approved: int
    verified: int = 0
    taken_verified: int = 0
    approved_verified: int = 0

    @property
    def free(self) -> int:
        """Slots for anybody with a verified account."""
        return max(0, self.wanted - self._of(self.taken, self.taken_verified))

    @property
    def free_plain(self) -> int:
        """Slots for everybody."""
        return max(0, min(self.free, self.wanted - self.verified - (self.taken - self.taken_verified)))

    @property
    def free_verified(self) -> int:
        """Of `free`, those that only verified accounts can have as far as is known now."""
        return min(self.free, max(0, self.verified - self.taken_verified))

    @property
    def counted(self) -> int:
        """What is delivered by now."""
        return min(self.wanted, self._of(self.approved, self.approved_verified))

    def _of(self, of_all: int, verified: int) -> int:
        return verified + min(of_all - verified, self.wanted - self.verified)


@dataclass(frozen=True, slots=True)
class TaskView:
    """A post that the groups were asked to reply to. ``review``: nobody can claim any longer, the last proofs are
    being checked."""

    post_id: int
    order_id: int
    link: LinkView
    state: CrowdPostState
    parts: tuple[TaskPartView, ...]
    opened_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class ClaimView:
    """Somebody's slot: what they do for a post. `metrics`: one of each; `proofs`: the links they handed in;
    `group_id` None: taken from the list of tasks. `again`: whether they may claim once more after it was turned down or
    ran out."""

    id: int
    post_id: int
    order_id: int
    user_id: int
    link: LinkView
    group_id: int | None
    metrics: tuple[Metric, ...]
    state: ClaimState
    proofs: tuple[str, ...]
    reason: str
    claimed_at: datetime
    expires_at: datetime  # until when the proof must be here
    submitted_at: datetime | None
    decided_at: datetime | None
    decided_by: int | None
    again: bool
    verified: bool = False  # from a verified account: as they say, and once it is approved as staff say
    version: int = 0  # rises when proof is handed in: a decision names what was seen


@dataclass(frozen=True, slots=True)
class TakenView:
    """`new`: this press took a slot; False: they had it already. `part`: of what, with its counts after that."""

    claim: ClaimView
    new: bool
    part: TaskPartView


@dataclass(frozen=True, slots=True)
class GroupMessageView:
    """What one message in a group says now. `share`: comments wanted of this group, or likes. `state`: of the post;
    a message to the likes group is open as long as its order runs."""

    id: int
    kind: Literal["comments", "likes"]
    order_id: int
    post_id: int | None
    chat_id: int
    link: LinkView
    share: int
    parts: tuple[TaskPartView, ...]
    state: CrowdPostState
    correlation_id: str
    created_at: datetime


class TaskClosed(DomainError):
    """The post takes no claims any longer. Fields: post_id."""

    code = "boosts.task_closed"


class NoSlot(DomainError):
    """Everything wanted of this kind is taken; `verified`: but what only verified accounts can do. Fields: post_id,
    metric, verified."""

    code = "boosts.no_slot"


class OwnPost(DomainError):
    """Nobody works at their own order. Fields: order_id."""

    code = "boosts.own_post"


class ClaimClosed(DomainError):
    """The claim cannot move that way any longer. Fields: claim_id, state."""

    code = "boosts.claim_closed"


class ClaimChanged(DomainError):
    """Other proof was handed in than the one this decision is about. Fields: claim_id."""

    code = "boosts.claim_changed"


class BadProof(DomainError):
    """`reason`: no_link, too_many, not_supported, other_platform, the_post (the link of the post itself), used (by
    somebody, for any post), no_reply (a reply is claimed and none of the links is one). Fields: reason, link, limit."""

    code = "boosts.bad_proof"


class BadReason(DomainError):
    """Staff turned a claim down without saying why. Fields: limit."""

    code = "boosts.bad_reason"


class Crowd(Protocol):
    """The groups, what they are asked to do, and who did it. At `Boosts.crowd`."""

    # --- groups ---

    async def groups(self, *, limit: int | None = None, offset: int = 0) -> tuple[GroupView, ...]:
        """Groups: those the bot is in first, then by id."""
        ...

    async def group(self, *, group_id: int) -> GroupView:
        """Raises core NotFound."""
        ...

    async def set_role(self, *, key: str, actor: int, group_id: int, role: GroupRole) -> GroupView:
        """Right ``groups``. The likes group is one: another that was it becomes none. Raises core NotFound, users
        NotAllowed."""
        ...

    async def bot_moved(self, *, chat_id: int, title: str, state: GroupState, by: int | None, at: datetime) -> None:
        """Telegram says where the bot stands in a group. `at`: when, so that what is older changes nothing."""
        ...

    async def group_renamed(self, *, chat_id: int, title: str) -> None: ...

    async def group_migrated(self, tx: Tx, *, old_chat_id: int, new_chat_id: int) -> None:
        """The group is a supergroup now, under another id. Told by its update or by a send that failed; once is
        enough."""
        ...

    # --- tasks ---

    async def tasks(self, *, user_id: int, limit: int = 10, offset: int = 0) -> tuple[TaskView, ...]:
        """Posts that still need something and that this person may claim, those that need most first, then the newest.
        Not their own."""
        ...

    async def task(self, *, post_id: int) -> TaskView:
        """Raises core NotFound."""
        ...

    async def take(
        self,
        *,
        key: str,
        user_id: int,
        post_id: int,
        metric: Metric | None = None,
        chat_id: int | None = None,
        verified: bool = False,
    ) -> TakenView:
        """Claim a slot of what is named (None: the first that is free, comments before others), as a new claim or as
        one more part of the one they hold before its proof is handed in. `chat_id`: the group it was pressed in; None:
        the list of tasks, right ``tasks``. `verified`: they say that their account is. Raises core NotFound,
        TaskClosed, NoSlot, OwnPost, ClaimClosed, users Blocked, NotAllowed."""
        ...

    async def submit(self, *, key: str, user_id: int, claim_id: int, text: str) -> ClaimView:
        """Hand in the links in `text` as proof; as long as nobody has decided, they replace earlier ones. Raises core
        NotFound, BadProof, ClaimClosed."""
        ...

    async def give_up(self, *, key: str, user_id: int, claim_id: int) -> ClaimView:
        """Free the slot before anything was handed in. Raises core NotFound, ClaimClosed."""
        ...

    async def claim(self, *, claim_id: int, user_id: int | None = None) -> ClaimView:
        """With `user_id`, only that person's. Raises core NotFound."""
        ...

    async def claim_of(self, *, user_id: int, post_id: int) -> ClaimView | None: ...

    async def claims(self, *, user_id: int, before_id: int | None = None, limit: int = 20) -> tuple[ClaimView, ...]:
        """A person's, newest first."""
        ...

    async def under_way(self, *, user_id: int, limit: int = 100) -> tuple[ClaimView, ...]:
        """A person's that are not decided: those that want proof first, the most urgent before the others."""
        ...

    # --- staff ---

    async def waiting(self, *, after_id: int = 0, limit: int = 20) -> tuple[ClaimView, ...]:
        """Submitted claims that nobody has decided, by id."""
        ...

    async def waiting_count(self, *, order_id: int | None = None) -> int:
        """How many there are, of one order or of all."""
        ...

    async def approve(
        self, *, key: str, actor: int, claim_id: int, seen: int, verified: bool = False, tx: Tx | None = None
    ) -> ClaimView:
        """Right ``replies.approve``. Counts for the order if it still runs, and is announced by ClaimApproved once for
        each metric in any case: the work was done. `seen`: the version that was looked at; `verified`: it came from a
        verified account, as its person said. Raises core NotFound, ClaimClosed, ClaimChanged, users NotAllowed."""
        ...

    async def reject(
        self, *, key: str, actor: int, claim_id: int, seen: int, reason: str, tx: Tx | None = None
    ) -> ClaimView:
        """The same right; frees the slot. Raises as `approve`, and BadReason."""
        ...

    # --- what was sent to groups ---

    async def group_message(self, *, message_id: int) -> GroupMessageView:
        """What a message to a group says now. Raises core NotFound."""
        ...

    async def post_messages(self, *, post_id: int) -> tuple[int, ...]:
        """The ids of a post's messages that stand in groups or are on their way."""
        ...

    async def message_sent(self, tx: Tx, *, message_id: int, shown_as: int) -> None:
        """It stands in the group, as Telegram's message `shown_as`."""
        ...

    async def message_failed(self, tx: Tx, *, message_id: int, reason: str, gone: bool) -> None:
        """It could not be sent; `gone`: the bot may not write there. The next group gets its share."""
        ...
