"""The crowd's door, put together from its parts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from viralcore.boosts.api import (
    ClaimView,
    CrowdPostState,
    GroupMessageView,
    GroupRole,
    GroupState,
    GroupView,
    LinkView,
    Metric,
    TakenView,
    TaskView,
)
from viralcore.boosts.domain.states import FINAL_ORDER
from viralcore.boosts.repository import crowd, groups, orders
from viralcore.boosts.service.claims import Claims
from viralcore.boosts.service.crowd_engine import CrowdEngine
from viralcore.boosts.service.groups import Groups
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound


class CrowdService:
    """Implements `boosts.api.Crowd`."""

    def __init__(self, db: Database, *, registry: Groups, claims: Claims, engine: CrowdEngine) -> None:
        self._db = db
        self._groups = registry
        self._claims = claims
        self._engine = engine

    async def ensure_likes_group(self) -> None:
        """The likes group of the environment, at every start."""
        await self._groups.ensure_likes_group()

    async def groups(self, *, limit: int | None = None, offset: int = 0) -> tuple[GroupView, ...]:
        return await self._groups.all(limit=limit, offset=offset)

    async def group(self, *, group_id: int) -> GroupView:
        return await self._groups.get(group_id=group_id)

    async def set_role(self, *, key: str, actor: int, group_id: int, role: GroupRole) -> GroupView:
        return await self._groups.set_role(key=key, actor=actor, group_id=group_id, role=role)

    async def bot_moved(self, *, chat_id: int, title: str, state: GroupState, by: int | None, at: datetime) -> None:
        await self._groups.bot_moved(chat_id=chat_id, title=title, state=state, by=by, at=at)

    async def group_renamed(self, *, chat_id: int, title: str) -> None:
        await self._groups.renamed(chat_id=chat_id, title=title)

    async def group_migrated(self, tx: Tx, *, old_chat_id: int, new_chat_id: int) -> None:
        await self._groups.migrated(tx, old_chat_id=old_chat_id, new_chat_id=new_chat_id)

    async def tasks(self, *, user_id: int, limit: int = 10, offset: int = 0) -> tuple[TaskView, ...]:
        return await self._claims.tasks(user_id=user_id, limit=limit, offset=offset)

    async def task(self, *, post_id: int) -> TaskView:
        return await self._claims.task(post_id=post_id)

    # A claim is guarded by its own row: whatever the key, each thing is done once.

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
        return await self._claims.take(
            user_id=user_id, post_id=post_id, metric=metric, chat_id=chat_id, verified=verified
        )

    async def submit(self, *, key: str, user_id: int, claim_id: int, text: str) -> ClaimView:
        return await self._claims.submit(user_id=user_id, claim_id=claim_id, text=text)

    async def give_up(self, *, key: str, user_id: int, claim_id: int) -> ClaimView:
        return await self._claims.give_up(user_id=user_id, claim_id=claim_id)

    async def claim(self, *, claim_id: int, user_id: int | None = None) -> ClaimView:
        return await self._claims.get(claim_id=claim_id, user_id=user_id)

    async def claim_of(self, *, user_id: int, post_id: int) -> ClaimView | None:
        return await self._claims.of(user_id=user_id, post_id=post_id)

    async def claims(self, *, user_id: int, before_id: int | None = None, limit: int = 20) -> tuple[ClaimView, ...]:
        return await self._claims.mine(user_id=user_id, before_id=before_id, limit=limit)

    async def under_way(self, *, user_id: int, limit: int = 100) -> tuple[ClaimView, ...]:
        return await self._claims.under_way(user_id=user_id, limit=limit)

    async def waiting(self, *, after_id: int = 0, limit: int = 20) -> tuple[ClaimView, ...]:
        return await self._claims.waiting(after_id=after_id, limit=limit)

    async def waiting_count(self, *, order_id: int | None = None) -> int:
        return await self._claims.waiting_count(order_id)

    async def approve(
        self, *, key: str, actor: int, claim_id: int, seen: int, verified: bool = False, tx: Tx | None = None
    ) -> ClaimView:
        return await self._claims.approve(key=key, actor=actor, claim_id=claim_id, seen=seen, verified=verified, tx=tx)

    async def reject(
        self, *, key: str, actor: int, claim_id: int, seen: int, reason: str, tx: Tx | None = None
    ) -> ClaimView:
        return await self._claims.reject(key=key, actor=actor, claim_id=claim_id, seen=seen, reason=reason, tx=tx)

    async def group_message(self, *, message_id: int) -> GroupMessageView:
        async with self._db.read() as conn:
            message = await crowd.message(conn, message_id)
            order = None if message is None else await orders.get(conn, message.order_id)
            group = None if message is None else await groups.get(conn, message.group_id)
            if message is None or order is None or group is None:
                raise NotFound(what="message")
            post = None if message.post_id is None else await crowd.post(conn, message.post_id)
            parts = {} if post is None else await crowd.counts(conn, [post.id])
        running: CrowdPostState = "closed" if order.state in FINAL_ORDER else "open"
        return GroupMessageView(
            id=message.id,
            kind=message.kind,
            order_id=order.id,
            post_id=message.post_id,
            chat_id=group.chat_id,
            link=LinkView(cast(Any, order.platform), order.link, order.handle, order.post_id),
            share=message.share,
            parts=() if post is None else parts.get(post.id, ()),
            state=running if post is None else post.state,
            correlation_id=message.correlation_id,
            created_at=order.created_at,
        )

    async def post_messages(self, *, post_id: int) -> tuple[int, ...]:
        async with self._db.read() as conn:
            found = await crowd.messages(conn, post_id)
        return tuple(message.id for message in found if message.state in {"sending", "sent", "failed"})

    async def message_sent(self, tx: Tx, *, message_id: int, shown_as: int) -> None:
        await self._engine.message_sent(tx, message_id=message_id, shown_as=shown_as)

    async def message_failed(self, tx: Tx, *, message_id: int, reason: str, gone: bool) -> None:
        await self._engine.message_failed(tx, message_id=message_id, reason=reason, gone=gone)
