"""A shop with groups: what Telegram and its members would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from tests.integration.boosts.conftest import Shop
from viralcore.boosts.api import ClaimView, OrderView, TakenView
from viralcore.boosts.events import OrderCreated
from viralcore.boosts.service.crowd import CrowdService
from viralcore.core.log import correlated

OWNER = 1000
LIKES = -4000


@dataclass
class Town:
    """`shop` with groups in it. Groups have the chat ids -1, -2 ..."""

    shop: Shop

    @property
    def crowd(self) -> CrowdService:
        door: CrowdService = self.shop.door.crowd
        return door

    async def group(self, chat_id: int, role: str = "comments", title: str = "Night owls") -> int:
        await self.crowd.bot_moved(chat_id=chat_id, title=title, state="in", by=7, at=self.shop.clock.now())
        found = next(group for group in await self.crowd.groups() if group.chat_id == chat_id)
        if role != "none":
            await self.crowd.set_role(key=f"r{chat_id}", actor=OWNER, group_id=found.id, role=role)  # type: ignore[arg-type]
        return found.id

    async def groups(self, count: int) -> list[int]:
        return [await self.group(-number) for number in range(1, count + 1)]

    async def order(self, number: int = 1, plan: str = "t1", cost: str = "0.50") -> OrderView:
        """One order with its post. The likes group hears of it as the queue would let it."""
        await self.shop.grant(1, asset=plan, cost=cost)
        (order,) = await self.shop.order(f"https://x.com/shop/status/{1990000000000000000 + number}")
        return order

    async def heard(self, order: OrderView) -> None:
        """OrderCreated arrives at the likes group's subscriber."""
        subscription = next(one for one in self.shop.module.subscriptions if one.name == "boosts.likes_group")
        with correlated("cid-1"):
            async with self.shop.database.transaction() as tx:
                await subscription.handler(tx, "e1", OrderCreated(order_id=order.id, user_id=order.user_id))

    async def run(self, minutes: float = 0) -> None:
        self.shop.clock.advance(minutes * 60)
        await self.shop.job("boosts.crowd")

    async def post(self, order: OrderView) -> int:
        rows = await self.shop.rows(f"SELECT id FROM boosts.crowd_posts WHERE order_id = {order.id}")
        return int(rows[0].id)

    async def messages(self, order: OrderView) -> list[Any]:
        """(group, state, share, minutes after the order), oldest first."""
        rows = await self.shop.rows(
            "SELECT m.*, g.chat_id, p.opened_at FROM boosts.crowd_messages m JOIN boosts.crowd_groups g "
            "ON g.id = m.group_id LEFT JOIN boosts.crowd_posts p ON p.id = m.post_id "
            f"WHERE m.order_id = {order.id} ORDER BY m.id"
        )
        return list(rows)

    async def sends(self) -> list[dict[str, Any]]:
        return await self.shop.events("crowd_message_due")

    async def deliver(self) -> list[int]:
        """Everything that is being sent arrives; the chats it went to."""
        rows = await self.shop.rows(
            "SELECT m.id, g.chat_id FROM boosts.crowd_messages m JOIN boosts.crowd_groups g ON g.id = m.group_id "
            "WHERE m.state = 'sending' ORDER BY m.id"
        )
        for row in rows:
            async with self.shop.database.transaction() as tx:
                await self.crowd.message_sent(tx, message_id=row.id, shown_as=500 + row.id)
        return [row.chat_id for row in rows]

    async def fail(self, chat_id: int, *, gone: bool) -> None:
        rows = await self.shop.rows(
            "SELECT m.id FROM boosts.crowd_messages m JOIN boosts.crowd_groups g ON g.id = m.group_id "
            f"WHERE m.state = 'sending' AND g.chat_id = {chat_id}"
        )
        async with self.shop.database.transaction() as tx:
            await self.crowd.message_failed(tx, message_id=rows[0].id, reason="test", gone=gone)

    async def take(self, post: int, user: int, metric: Any = None, chat: int | None = -1) -> TakenView:
        return await self.crowd.take(key="k", user_id=user, post_id=post, metric=metric, chat_id=chat)

    async def prove(self, claim_id: int, user: int, number: int | None = None) -> ClaimView:
        text = f"https://x.com/fan{user}/status/{2000000000000000000 + (number or user)}"
        return await self.crowd.submit(key="k", user_id=user, claim_id=claim_id, text=text)

    async def approve(self, claim_id: int, key: str = "", *, actor: int = OWNER, verified: bool = False) -> ClaimView:
        """As it stands now."""
        seen = (await self.crowd.claim(claim_id=claim_id)).version
        return await self.crowd.approve(
            key=key or f"a{claim_id}", actor=actor, claim_id=claim_id, seen=seen, verified=verified
        )

    async def reject(
        self, claim_id: int, key: str = "", *, actor: int = OWNER, reason: str = "not a reply"
    ) -> ClaimView:
        seen = (await self.crowd.claim(claim_id=claim_id)).version
        return await self.crowd.reject(
            key=key or f"r{claim_id}", actor=actor, claim_id=claim_id, seen=seen, reason=reason
        )

    async def replied(self, post: int, *users: int, metric: Any = "comments") -> list[int]:
        """People claim and prove; their claims."""
        claims = []
        for user in users:
            taken = await self.take(post, user, metric)
            await self.prove(taken.claim.id, user, post * 1000 + user)
            claims.append(taken.claim.id)
        return claims

    async def break_row(self, statement: str) -> None:
        async with self.shop.database.transaction() as tx:
            await tx.conn.execute(text(statement))
