"""The crowd engine: posts are opened with their orders, given to groups in rotation, and closed in the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from viralcore.boosts.api import Engine, LineView, TaskPartView
from viralcore.boosts.config import CrowdConfig
from viralcore.boosts.domain import crowd as rules
from viralcore.boosts.domain.states import FINAL_ORDER, Line, Order
from viralcore.boosts.domain.steering import Situation
from viralcore.boosts.events import ClaimExpired, CrowdMessageDue, CrowdPostChanged, OrderCreated, OrderProgressed
from viralcore.boosts.repository import claims, crowd, groups, orders
from viralcore.boosts.repository.crowd import Message, Post
from viralcore.boosts.service.delivery import Delivery
from viralcore.boosts.service.engines import LineEngine
from viralcore.boosts.service.groups import Groups
from viralcore.core.db import Database, Tx
from viralcore.core.log import correlated, correlation_id

log = structlog.get_logger(__name__)


class CrowdEngine:
    """Implements `LineEngine` for the crowd. Locks: order, post, claims and messages."""

    def __init__(
        self,
        db: Database,
        config: CrowdConfig,
        *,
        delivery: Delivery,
        registry: Groups,
        team: LineEngine | None = None,
    ) -> None:
        """`team`: who takes what is missing when no group is left."""
        self._db = db
        self._config = config
        self._delivery = delivery
        self._registry = registry
        self._team = team

    @property
    def name(self) -> Engine:
        return "crowd"

    async def takes(self, tx: Tx, platform: str, line: LineView) -> bool:
        """As long as there is a comment group."""
        return line.channel == "crowd" and line.metric in rules.METRICS and await groups.any_comments(tx.conn)

    # --- opening -----------------------------------------------------------------------------------------------------

    async def open(self, tx: Tx, order: Order, line: Line) -> None:
        """All lines of an order are one post; each brings what it needs of groups."""
        closes_at = tx.now + timedelta(hours=self._config.open_hours)
        await crowd.add_post(tx.conn, order_id=order.id, now=tx.now, closes_at=closes_at)
        post = await crowd.post_of(tx.conn, order.id, lock=True)
        if post is None:
            raise RuntimeError("a post is gone")
        await crowd.add_part(
            tx.conn,
            post_id=post.id,
            line_id=line.id,
            metric=line.metric,
            wanted=line.quantity,
            verified=line.verified,
        )
        await self._ask_groups(tx, post)

    async def _ask_groups(self, tx: Tx, post: Post) -> None:
        wanted = sum(part.wanted for part in await crowd.parts(tx.conn, post.id) if part.metric == rules.COMMENTS)
        asked = await crowd.messages(tx.conn, post.id)
        pointer = await groups.take_pointer(tx.conn)
        there = [group.id for group in await groups.with_role(tx.conn, "comments")]
        needed = rules.groups_needed(wanted, self._config.per_group, len(there)) - len(asked)
        turn = rules.rotation(there, pointer, {message.group_id for message in asked})[: max(0, needed)]
        for number, group_id in enumerate(turn, start=len(asked)):
            await crowd.add_message(
                tx.conn,
                kind="comments",
                order_id=post.order_id,
                post_id=post.id,
                group_id=group_id,
                share=0,
                due_at=post.opened_at + timedelta(minutes=number * self._config.interval_minutes),
                correlation_id=correlation_id.get(),
            )
        if turn:
            await groups.set_pointer(tx.conn, turn[-1])
        asked = await crowd.messages(tx.conn, post.id)
        for message, share in zip(asked, rules.shares(wanted, len(asked)) if asked else [], strict=True):
            await crowd.share(tx.conn, message.id, share)

    async def tell_likes_group(self, tx: Tx, event: OrderCreated) -> None:
        """Every post at once, whoever works at it. What becomes of this message concerns nobody else."""
        order = await orders.get(tx.conn, event.order_id)
        group = await groups.likes_group(tx.conn)
        if order is None or group is None or group.state != "in":
            return
        lines = (await orders.lines_of(tx.conn, [order.id])).get(order.id, [])
        likes, comments = (
            sum(line.quantity for line in lines if line.metric == name) for name in ("likes", "comments")
        )
        if not likes and not comments:
            return  # no post: followers, members, votes
        await crowd.add_message(
            tx.conn,
            kind="likes",
            order_id=order.id,
            post_id=None,
            group_id=group.id,
            share=max(0, likes - comments),
            due_at=tx.now,
            correlation_id=correlation_id.get(),
        )

    # --- the clock ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send what is due, end claims without proof, close posts, bring counts up to date; each on its own."""
        now, config = self._db.clock.now(), self._config
        told_before = now - timedelta(seconds=config.edit_seconds)
        async with self._db.read() as conn:
            due = await crowd.due(conn, now=now, told_before=told_before, limit=config.dispatch_messages)
        await self._each(due.messages, self._send)
        await self._each(due.expired, self._expire)
        await self._each(due.posts, self._look)
        await self._each(due.stale, self._tell)
        await self._each(await self._homeless(now), self._leave)

    async def next_due(self) -> datetime | None:
        async with self._db.read() as conn:
            found = await crowd.next_due(conn, edit_after=timedelta(seconds=self._config.edit_seconds))
            if self._team is None or await groups.any_comments(conn) or not await crowd.any_open(conn):
                return found
            leaves = self._leaves_at(await groups.empty_since(conn), self._db.clock.now())
        return leaves if found is None else min(found, leaves)

    async def _each(self, ids: Sequence[int], work: Callable[[int, Tx], Awaitable[None]]) -> None:
        for one in ids:
            try:
                await self._db.run(partial(work, one))
            except Exception:
                log.exception("crowd_work_failed", work=work.__name__, id=one)

    # --- messages ----------------------------------------------------------------------------------------------------

    async def _send(self, message_id: int, tx: Tx) -> None:
        message = await crowd.message(tx.conn, message_id)
        post = None if message is None or message.post_id is None else await self._locked(tx, message.post_id)
        message = await crowd.message(tx.conn, message_id, lock=True)
        if message is None or message.state != "waiting":
            return
        if post is not None and post.state != "open":
            await crowd.move_message(tx.conn, message, "cancelled", reason="closed")
            return
        await self._offer(tx, post, message)

    async def _offer(self, tx: Tx, post: Post | None, message: Message) -> None:
        """Send it to its group; when the bot is not there any longer, to the next."""
        group = await groups.get(tx.conn, message.group_id)
        if group is None or group.state != "in" or group.role != message.kind:
            await crowd.move_message(tx.conn, message, "skipped", reason="not_there")
            await self._pass_on(tx, post, message)
            return
        await crowd.move_message(tx.conn, message, "sending")
        with correlated(message.correlation_id or correlation_id.get()):
            tx.record(
                CrowdMessageDue(
                    message_id=message.id, order_id=message.order_id, chat_id=group.chat_id, kind=message.kind
                )
            )

    async def _pass_on(self, tx: Tx, post: Post | None, message: Message) -> None:
        """The next group that has not seen the post gets the share of one that could not be told."""
        if post is None or post.state != "open":
            return
        pointer = await groups.take_pointer(tx.conn)
        there = [group.id for group in await groups.with_role(tx.conn, "comments")]
        seen = {one.group_id for one in await crowd.messages(tx.conn, post.id)}
        turn = rules.rotation(there, pointer, seen)
        if not turn:
            log.warning("no_group_left", post_id=post.id, share=message.share)
            return
        await groups.set_pointer(tx.conn, turn[0])
        new_id = await crowd.add_message(
            tx.conn,
            kind="comments",
            order_id=post.order_id,
            post_id=post.id,
            group_id=turn[0],
            share=message.share,
            due_at=tx.now,
            correlation_id=message.correlation_id,
        )
        new = None if new_id is None else await crowd.message(tx.conn, new_id, lock=True)
        if new is not None:
            await self._offer(tx, post, new)

    async def message_sent(self, tx: Tx, *, message_id: int, shown_as: int) -> None:
        post, message = await self._sending(tx, message_id)
        if message is None or message.state not in {"sending", "failed"}:
            return
        await crowd.move_message(tx.conn, message, "sent", message_id=shown_as, sent_at=tx.now)
        if post is not None and post.posted_at is None:
            closes_at = tx.now + timedelta(hours=self._config.open_hours)
            await crowd.posted(tx.conn, post.id, now=tx.now, closes_at=closes_at)

    async def message_failed(self, tx: Tx, *, message_id: int, reason: str, gone: bool) -> None:
        post, message = await self._sending(tx, message_id)
        if message is None:
            return
        if gone:
            await self._registry.lost(tx, message.group_id)
        if message.state == "sending":
            log.warning("crowd_message_failed", message_id=message_id, kind=message.kind, reason=reason)
            await crowd.move_message(tx.conn, message, "failed", reason=reason)
            await self._pass_on(tx, post, message)

    async def _sending(self, tx: Tx, message_id: int) -> tuple[Post | None, Message | None]:
        message = await crowd.message(tx.conn, message_id)
        post = None if message is None or message.post_id is None else await self._locked(tx, message.post_id)
        return post, await crowd.message(tx.conn, message_id, lock=True)

    # --- closing -----------------------------------------------------------------------------------------------------

    async def close(self, tx: Tx, order: Order, line: Line) -> None:
        """Its order, or the rest of it, was cancelled before anybody had begun: then nobody had begun any line of the
        post. Each of its lines asks; the first closes the post."""
        post = await crowd.post_of(tx.conn, order.id, lock=True)
        if post is not None and post.state != "closed":
            await self._close(tx, post)

    async def _whole(self, tx: Tx, post_id: int) -> tuple[Order, Post]:
        """Both locked."""
        found = await crowd.post(tx.conn, post_id)
        order = None if found is None else await orders.lock(tx.conn, found.order_id)
        if order is None:
            raise LookupError(f"the order of post {post_id} is gone")
        return order, await self._locked(tx, post_id)

    async def _expire(self, post_id: int, tx: Tx) -> None:
        order, post = await self._whole(tx, post_id)
        self._tell_expired(tx, await claims.expire(tx.conn, post_id, until=tx.now))
        await self.count(tx, order, post, ())

    async def _look(self, post_id: int, tx: Tx) -> None:
        """The time of a post may be over."""
        order, post = await self._whole(tx, post_id)
        if post.next_at is None or post.next_at > tx.now:
            return
        self._tell_expired(tx, await claims.expire(tx.conn, post_id, until=None))
        if post.state == "open" and await claims.undecided(tx.conn, post_id):
            until = post.closes_at + timedelta(hours=self._config.review_hours)
            await crowd.review(tx.conn, post, until=until)
            await self._announce(tx, post, "review")
        else:
            await self.finish(tx, order, post)

    async def finish(self, tx: Tx, order: Order, post: Post) -> None:
        """Close it, and tell the delivery what there is of each line: there will be no more, or the team goes on."""
        await self._close(tx, post)
        lines, counts = await self._lines(tx, order), await self._counts(tx, post)
        for part in await crowd.parts(tx.conn, post.id):
            line, count = lines[part.line_id], counts[part.metric]
            if line.finished_at is not None:
                continue
            if post.to_staff and count.counted < part.wanted:
                await self._hand_over(tx, order, line)
            else:
                order = await self._worked(tx, order, line.id, count, ended=True)

    async def count(self, tx: Tx, order: Order, post: Post, metrics: Collection[str]) -> None:
        """Something was decided. Of `metrics` more is approved by now: a line that has all it wants ends, and with the
        last one the post."""
        if post.state == "closed":
            return
        full, counts = True, await self._counts(tx, post)
        for part in await crowd.parts(tx.conn, post.id):
            count = counts[part.metric]
            ended = count.counted >= part.wanted
            full = full and ended
            if part.metric in metrics:
                order = await self._worked(tx, order, part.line_id, count, ended=ended)
        if full or (post.state == "review" and not await claims.unfinished(tx.conn, post.id)):
            await self.finish(tx, order, post)
        else:
            await self.changed(tx, post)

    async def begun(self, tx: Tx, order: Order, post: Post) -> None:
        """Somebody is at work: the order cannot be cancelled any longer."""
        lines = await self._lines(tx, order)
        for part in await crowd.parts(tx.conn, post.id):
            if lines[part.line_id].state == "scheduled":
                order = await self._worked(tx, order, part.line_id, None)

    async def _worked(
        self, tx: Tx, order: Order, line_id: int, count: TaskPartView | None, *, ended: bool = False
    ) -> Order:
        """The order as it is after that. `count` None: nothing is there yet."""
        if order.state not in FINAL_ORDER:
            if count is not None and count.verified:
                await orders.set_verified(tx.conn, line_id, count.approved_verified)
            done = 0 if count is None else count.counted
            await self._delivery.worked(tx, order, line_id, delivered=done, ended=ended)
        after = await orders.lock(tx.conn, order.id)
        if after is None:
            raise RuntimeError("an order is gone")
        return after

    @staticmethod
    async def _counts(tx: Tx, post: Post) -> Mapping[str, TaskPartView]:
        return {part.metric: part for part in (await crowd.counts(tx.conn, [post.id])).get(post.id, ())}

    @staticmethod
    async def _lines(tx: Tx, order: Order) -> Mapping[int, Line]:
        return {line.id: line for line in (await orders.lines_of(tx.conn, [order.id])).get(order.id, [])}

    async def _close(self, tx: Tx, post: Post) -> None:
        self._tell_expired(tx, await claims.expire(tx.conn, post.id, until=None))
        await crowd.close(tx.conn, post, now=tx.now)
        await self._announce(tx, post, "closed")

    # --- when no group is left ---------------------------------------------------------------------------------------

    def _leaves_at(self, since: datetime | None, now: datetime) -> datetime:
        """When the team takes over, if there has been no group since then; now: that is still to be noted."""
        return now if since is None else since + timedelta(minutes=self._config.without_groups_minutes)

    async def _homeless(self, now: datetime) -> Sequence[int]:
        """Open posts that no group is there for, and has not been for a while: whoever takes one away and adds another
        is given the time."""
        if self._team is None:
            return ()
        async with self._db.read() as conn:
            there, since = await groups.any_comments(conn), await groups.empty_since(conn)
            found = () if there else await crowd.open_posts(conn, limit=self._config.dispatch_messages)
        if there != (since is None):
            async with self._db.transaction() as tx:
                await groups.set_empty_since(tx.conn, None if there else tx.now)
        return found if since is not None and self._leaves_at(since, now) <= now else ()

    async def _leave(self, post_id: int, tx: Tx) -> None:
        """Nobody claims any longer; what people are at is waited for, the rest goes to the team."""
        order, post = await self._whole(tx, post_id)
        if post.state != "open" or await groups.any_comments(tx.conn):
            return
        log.warning("post_without_groups", post_id=post_id, order_id=order.id)
        await crowd.review(tx.conn, post, until=tx.now + timedelta(hours=self._config.review_hours), to_staff=True)
        await self._announce(tx, post, "review")
        await self.count(tx, order, await self._locked(tx, post_id), ())

    async def _hand_over(self, tx: Tx, order: Order, line: Line) -> None:
        """The team goes on from what was approved. The groups are done with it, so nobody else delivers it."""
        if self._team is None:
            raise RuntimeError("a post waits for a team that is not there")
        await orders.hand_over(tx.conn, line.id, before=self.name, now=self._team.name)
        await self._team.open(tx, order, line)
        tx.record(OrderProgressed(order_id=order.id, user_id=order.user_id, state=order.state))

    # --- telling -----------------------------------------------------------------------------------------------------

    async def situation(self, tx: Tx, line: Line) -> Situation:
        """For its buyer: until when replies are taken, and when the next group is asked."""
        post = await crowd.post_of(tx.conn, line.order_id)
        if post is None:
            raise LookupError(f"order {line.order_id} has no post")
        if post.state == "review":
            return Situation("crowd_review", post.next_at)
        asked = await crowd.messages(tx.conn, post.id)
        return Situation(
            "crowd", post.closes_at, min((one.due_at for one in asked if one.state == "waiting"), default=None)
        )

    async def changed(self, tx: Tx, post: Post) -> None:
        """Counts moved: the groups see it now, or when they may be bothered again."""
        if post.told_at is None or tx.now - post.told_at >= timedelta(seconds=self._config.edit_seconds):
            await self._announce(tx, post, post.state)
        else:
            await crowd.stale(tx.conn, post.id)

    async def _tell(self, post_id: int, tx: Tx) -> None:
        post = await self._locked(tx, post_id)
        if post.stale:
            await self._announce(tx, post, post.state)

    @staticmethod
    async def _announce(tx: Tx, post: Post, state: str) -> None:
        await crowd.told(tx.conn, post.id, tx.now)
        tx.record(CrowdPostChanged(post_id=post.id, order_id=post.order_id, state=state))

    @staticmethod
    def _tell_expired(tx: Tx, ended: Sequence[claims.Claim]) -> None:
        for claim in ended:
            tx.record(ClaimExpired(claim_id=claim.id, user_id=claim.user_id, order_id=claim.order_id, given_up=False))

    @staticmethod
    async def _locked(tx: Tx, post_id: int) -> Post:
        post = await crowd.post(tx.conn, post_id, lock=True)
        if post is None:
            raise LookupError(f"post {post_id} is gone")
        return post
