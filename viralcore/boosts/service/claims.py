"""Claims: who takes a slot of a post, proves it, and what staff make of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from viralcore.boosts.api import (
    BadProof,
    BadReason,
    ClaimChanged,
    ClaimClosed,
    ClaimView,
    LinkView,
    Metric,
    NoSlot,
    OwnPost,
    TakenView,
    TaskClosed,
    TaskPartView,
    TaskView,
)
from viralcore.boosts.config import CrowdConfig
from viralcore.boosts.domain import crowd as rules
from viralcore.boosts.domain.replies import Reply
from viralcore.boosts.domain.states import Order
from viralcore.boosts.events import ClaimApproved, ClaimExpired, ClaimRejected, ClaimSubmitted, ClaimTaken
from viralcore.boosts.repository import claims, crowd, groups, orders, replies
from viralcore.boosts.repository.claims import ACTIVE, Claim
from viralcore.boosts.repository.crowd import Post
from viralcore.boosts.service.crowd_engine import CrowdEngine
from viralcore.core.db import Connection, Database, Tx
from viralcore.core.errors import NotFound
from viralcore.core.one_line import one_line
from viralcore.users.api import Blocked, NotYourself, Users

TASKS, APPROVE = "tasks", "replies.approve"
MOST = 100

Decide = Callable[[Tx, Order, Post, Claim], Awaitable[None]]


class Claims:
    """Everything here locks order, post and claim in this order."""

    def __init__(
        self, db: Database, config: CrowdConfig, *, engine: CrowdEngine, users: Users, max_link_length: int
    ) -> None:
        self._db = db
        self._config = config
        self._engine = engine
        self._users = users
        self._max_link_length = max_link_length

    # --- tasks -------------------------------------------------------------------------------------------------------

    async def tasks(self, *, user_id: int, limit: int, offset: int) -> tuple[TaskView, ...]:
        async with self._db.read() as conn:
            found = await claims.open_tasks(
                conn,
                user_id=user_id,
                now=self._db.clock.now(),
                tries=self._config.tries,
                limit=max(1, min(limit, MOST)),
                offset=max(0, offset),
            )
            return await _task_views(conn, found)

    async def task(self, *, post_id: int) -> TaskView:
        async with self._db.read() as conn:
            return (await _task_views(conn, [post_id]))[0]

    # --- taking ------------------------------------------------------------------------------------------------------

    async def take(
        self, *, user_id: int, post_id: int, metric: Metric | None, chat_id: int | None, verified: bool
    ) -> TakenView:
        return await self._db.run(lambda tx: self._take(tx, user_id, post_id, metric, chat_id, verified))

    async def _take(
        self, tx: Tx, user_id: int, post_id: int, metric: Metric | None, chat_id: int | None, verified: bool
    ) -> TakenView:
        """A second press finds what the first took: guarded by the row of person and post, whatever the key."""
        if chat_id is None:
            await self._users.authorize(tx, actor=user_id, right=TASKS)
        elif await self._users.is_blocked(tx, kind="user", value=str(user_id)):
            raise Blocked
        order, post = await self._locked(tx, post_id)
        if order.user_id == user_id:
            raise OwnPost(order_id=order.id)
        claim = await claims.of(tx.conn, post_id, user_id, lock=True)
        parts = (await crowd.counts(tx.conn, [post_id])).get(post_id, ())
        held = claim.metrics if claim is not None and claim.state in ACTIVE else []
        if claim is not None and held and (metric is None or metric in held):
            return TakenView(
                await self._view(tx.conn, claim), False, _part(parts, held[0] if metric is None else metric)
            )
        if post.state != "open" or post.closes_at <= tx.now:
            raise TaskClosed(post_id=post_id)
        part = _free(parts, post_id, metric, verified)
        group = None if chat_id is None else await groups.at(tx.conn, chat_id)
        claim = await self._hold(tx, post, user_id, claim, part, verified, None if group is None else group.id)
        await self._engine.begun(tx, order, post)
        await self._engine.changed(tx, post)
        tx.record(ClaimTaken(claim_id=claim.id, user_id=user_id, order_id=order.id, group_id=claim.group_id or 0))
        parts = (await crowd.counts(tx.conn, [post_id]))[post_id]
        return TakenView(await self._view(tx.conn, claim), True, _part(parts, part.metric))

    async def _hold(
        self,
        tx: Tx,
        post: Post,
        user_id: int,
        claim: Claim | None,
        part: TaskPartView,
        verified: bool,
        group_id: int | None,
    ) -> Claim:
        metric, verified = part.metric, verified and part.verified > 0
        expires_at = min(tx.now + timedelta(minutes=self._config.claim_minutes), post.closes_at)
        if claim is None:
            return await claims.add(
                tx.conn,
                post_id=post.id,
                order_id=post.order_id,
                user_id=user_id,
                group_id=group_id,
                metric=metric,
                verified=verified,
                now=tx.now,
                expires_at=expires_at,
            )
        if claim.state == "claimed":
            metrics = [each for each in rules.METRICS if each in {*claim.metrics, metric}]
            return await claims.change(tx.conn, claim, metrics=metrics, verified=claim.verified or verified)
        if not self._again(claim):  # nor is anything added to what staff look at, or have decided
            raise ClaimClosed(claim_id=claim.id, state=claim.state)
        return await claims.change(
            tx.conn,
            claim,
            state="claimed",
            metrics=[metric],
            verified=verified,
            group_id=group_id,
            tries=claim.tries + (claim.state == "rejected"),
            claimed_at=tx.now,
            expires_at=expires_at,
            submitted_at=None,
            decided_at=None,
            decided_by=None,
            reason="",
        )

    def _again(self, claim: Claim) -> bool:
        return claim.state == "expired" or (claim.state == "rejected" and claim.tries < self._config.tries)

    # --- proving -----------------------------------------------------------------------------------------------------

    async def submit(self, *, user_id: int, claim_id: int, text: str) -> ClaimView:
        return await self._db.run(lambda tx: self._submit(tx, user_id, claim_id, text))

    async def _submit(self, tx: Tx, user_id: int, claim_id: int, text: str) -> ClaimView:
        order, post, claim = await self._mine(tx, user_id, claim_id)
        if claim.state not in {"claimed", "submitted"} or post.state == "closed":
            raise ClaimClosed(claim_id=claim_id, state=claim.state if claim.state != "claimed" else "expired")
        proofs = rules.read_proofs(
            text,
            post=_link(order),
            post_id=post.id,
            metrics=claim.metrics,
            limit=self._config.max_proofs,
            max_length=self._max_link_length,
        )
        used = await claims.prove(tx.conn, claim_id, proofs) or await self._counted(tx, claim, proofs)
        if used is not None:
            raise BadProof(reason="used", link=used, limit=0)
        claim = await claims.change(
            tx.conn,
            claim,
            state="submitted",
            submitted_at=claim.submitted_at or tx.now,
            version=claim.version + 1,
        )
        tx.record(ClaimSubmitted(claim_id=claim_id, user_id=user_id, order_id=order.id))
        return await self._view(tx.conn, claim)

    @staticmethod
    async def _counted(tx: Tx, claim: Claim, proofs: Sequence[rules.Proof]) -> str | None:
        """Take these replies for the claim, in place of those it had. The link that a submission counts, if one does:
        nothing is paid in two ways, and nobody is told so only when it is approved."""
        given = [Reply(proof.name, proof.link) for proof in proofs if proof.reply]
        await replies.release(tx.conn, claim.id)
        taken = await replies.claim_links(tx.conn, given, user_id=claim.user_id, claim_id=claim.id)
        return next((one.link for one in given if one.name not in taken), None)

    async def give_up(self, *, user_id: int, claim_id: int) -> ClaimView:
        return await self._db.run(lambda tx: self._give_up(tx, user_id, claim_id))

    async def _give_up(self, tx: Tx, user_id: int, claim_id: int) -> ClaimView:
        order, post, claim = await self._mine(tx, user_id, claim_id)
        if claim.state == "claimed":
            claim = await claims.change(tx.conn, claim, state="expired")
            tx.record(ClaimExpired(claim_id=claim_id, user_id=user_id, order_id=order.id, given_up=True))
            await self._engine.count(tx, order, post, ())
        elif claim.state != "expired":
            raise ClaimClosed(claim_id=claim_id, state=claim.state)
        return await self._view(tx.conn, claim)

    async def _mine(self, tx: Tx, user_id: int, claim_id: int) -> tuple[Order, Post, Claim]:
        order, post, claim = await self._load(tx, claim_id)
        if claim.user_id != user_id:
            raise NotFound(what="claim")
        return order, post, claim

    # --- deciding ----------------------------------------------------------------------------------------------------

    async def approve(
        self, *, key: str, actor: int, claim_id: int, seen: int, verified: bool, tx: Tx | None
    ) -> ClaimView:
        async def decide(tx: Tx, order: Order, post: Post, claim: Claim) -> None:
            ok = verified and claim.verified
            await claims.change(tx.conn, claim, state="approved", verified=ok, decided_at=tx.now, decided_by=actor)
            for metric in claim.metrics:
                tx.record(
                    ClaimApproved(
                        claim_id=claim.id,
                        user_id=claim.user_id,
                        order_id=order.id,
                        metric=metric,
                        count=1,
                        actor=actor,
                    )
                )
            await self._engine.count(tx, order, post, claim.metrics)

        told = {"seen": seen, "verified": verified}
        return await self._decide(key, actor, claim_id, "approve", told, decide, tx)

    async def reject(self, *, key: str, actor: int, claim_id: int, seen: int, reason: str, tx: Tx | None) -> ClaimView:
        reason = one_line(reason)
        if not rules.SHORTEST_REASON <= len(reason) <= rules.LONGEST_REASON:
            raise BadReason(limit=rules.LONGEST_REASON)

        async def decide(tx: Tx, order: Order, post: Post, claim: Claim) -> None:
            await claims.change(tx.conn, claim, state="rejected", decided_at=tx.now, decided_by=actor, reason=reason)
            await claims.discard_proofs(tx.conn, claim.id)
            await replies.release(tx.conn, claim.id)
            tx.record(ClaimRejected(claim_id=claim.id, user_id=claim.user_id, order_id=order.id, actor=actor))
            await self._engine.count(tx, order, post, ())

        return await self._decide(key, actor, claim_id, "reject", {"seen": seen, "reason": reason}, decide, tx)

    async def _decide(
        self, key: str, actor: int, claim_id: int, how: str, told: Mapping[str, Any], decide: Decide, tx: Tx | None
    ) -> ClaimView:
        """`told`: what it says of the claim; `seen` is the version it was said about."""
        if tx is None:
            return await self._db.run(lambda own: self._decide(key, actor, claim_id, how, told, decide, own))
        await self._users.authorize(tx, actor=actor, right=APPROVE)
        open_tx = tx

        async def run() -> Mapping[str, Any]:
            order, post, claim = await self._load(open_tx, claim_id)
            if claim.state != "submitted":
                raise ClaimClosed(claim_id=claim_id, state=claim.state)
            if claim.user_id == actor:
                raise NotYourself
            if claim.version != told["seen"]:
                raise ClaimChanged(claim_id=claim_id)
            await decide(open_tx, order, post, claim)
            await self._users.audit(
                open_tx,
                actor=actor,
                action=f"boosts.claim_{how}",
                subject=f"claim:{claim_id}",
                before={"state": claim.state, "verified": claim.verified},
                after={"state": "approved" if how == "approve" else "rejected", **told},
                reason=str(told.get("reason", "")),
            )
            return {}

        inputs = {"actor": actor, "claim_id": claim_id, **told}
        await tx.once(scope=f"boosts.claim.{how}", key=key, inputs=inputs, run=run)
        after = await claims.get(tx.conn, claim_id)
        return await self._view(tx.conn, cast(Claim, after))

    # --- looking -----------------------------------------------------------------------------------------------------

    async def get(self, *, claim_id: int, user_id: int | None) -> ClaimView:
        async with self._db.read() as conn:
            claim = await claims.get(conn, claim_id)
            if claim is None or (user_id is not None and claim.user_id != user_id):
                raise NotFound(what="claim")
            return await self._view(conn, claim)

    async def of(self, *, user_id: int, post_id: int) -> ClaimView | None:
        async with self._db.read() as conn:
            claim = await claims.of(conn, post_id, user_id)
            return None if claim is None else await self._view(conn, claim)

    async def mine(self, *, user_id: int, before_id: int | None, limit: int) -> tuple[ClaimView, ...]:
        async with self._db.read() as conn:
            found = await claims.mine(conn, user_id, before_id=before_id, limit=max(1, min(limit, MOST)))
            return await self._views(conn, found)

    async def under_way(self, *, user_id: int, limit: int) -> tuple[ClaimView, ...]:
        async with self._db.read() as conn:
            return await self._views(conn, await claims.under_way(conn, user_id, limit=max(1, min(limit, MOST))))

    async def waiting(self, *, after_id: int, limit: int) -> tuple[ClaimView, ...]:
        async with self._db.read() as conn:
            found = await claims.waiting(conn, after_id=after_id, limit=max(1, min(limit, MOST)))
            return await self._views(conn, found)

    async def waiting_count(self, order_id: int | None) -> int:
        async with self._db.read() as conn:
            return await claims.waiting_count(conn, order_id)

    async def _view(self, conn: Connection, claim: Claim) -> ClaimView:
        return (await self._views(conn, [claim]))[0]

    async def _views(self, conn: Connection, found: Sequence[Claim]) -> tuple[ClaimView, ...]:
        proofs = await claims.proofs(conn, [claim.id for claim in found])
        told: list[ClaimView] = []
        for claim in found:
            order = await orders.get(conn, claim.order_id)
            post = await crowd.post(conn, claim.post_id)
            if order is None or post is None:
                raise NotFound(what="order")
            told.append(
                ClaimView(
                    id=claim.id,
                    post_id=claim.post_id,
                    order_id=claim.order_id,
                    user_id=claim.user_id,
                    link=_link(order),
                    group_id=claim.group_id,
                    metrics=tuple(claim.metrics),
                    state=claim.state,
                    proofs=proofs.get(claim.id, ()),
                    reason=claim.reason,
                    claimed_at=claim.claimed_at,
                    expires_at=claim.expires_at,
                    submitted_at=claim.submitted_at,
                    decided_at=claim.decided_at,
                    decided_by=claim.decided_by,
                    again=self._again(claim) and post.state == "open",
                    verified=claim.verified,
                    version=claim.version,
                )
            )
        return tuple(told)

    # --- rows --------------------------------------------------------------------------------------------------------

    async def _load(self, tx: Tx, claim_id: int) -> tuple[Order, Post, Claim]:
        found = await claims.get(tx.conn, claim_id)
        if found is None:
            raise NotFound(what="claim")
        order, post = await self._locked(tx, found.post_id)
        claim = await claims.get(tx.conn, claim_id, lock=True)
        return order, post, cast(Claim, claim)

    @staticmethod
    async def _locked(tx: Tx, post_id: int) -> tuple[Order, Post]:
        found = await crowd.post(tx.conn, post_id)
        order = None if found is None else await orders.lock(tx.conn, found.order_id)
        post = await crowd.post(tx.conn, post_id, lock=True)
        if order is None or post is None:
            raise NotFound(what="task")
        return order, post


def _link(order: Order) -> LinkView:
    return LinkView(cast(Any, order.platform), order.link, order.handle, order.post_id)


def _part(parts: Sequence[TaskPartView], metric: str) -> TaskPartView:
    return next(part for part in parts if part.metric == metric)


def _free(parts: Sequence[TaskPartView], post_id: int, metric: Metric | None, verified: bool) -> TaskPartView:
    """What is named, or the first that is free for them. Raises NoSlot."""
    ordered = sorted(parts, key=lambda part: rules.METRICS.index(part.metric))
    wanted = [part for part in ordered if metric is None or part.metric == metric]
    for part in wanted:
        if part.free if verified else part.free_plain:
            return part
    left = any(part.free for part in wanted)
    raise NoSlot(post_id=post_id, metric=metric or ordered[0].metric, verified=left)


async def _task_views(conn: Connection, post_ids: Sequence[int]) -> tuple[TaskView, ...]:
    """Raises NotFound."""
    parts = await crowd.counts(conn, post_ids)
    told: list[TaskView] = []
    for post_id in post_ids:
        post = await crowd.post(conn, post_id)
        order = None if post is None else await orders.get(conn, post.order_id)
        if post is None or order is None:
            raise NotFound(what="task")
        told.append(
            TaskView(
                post_id=post_id,
                order_id=order.id,
                link=_link(order),
                state=post.state,
                parts=parts.get(post_id, ()),
                opened_at=post.opened_at,
                closes_at=post.closes_at,
            )
        )
    return tuple(told)
