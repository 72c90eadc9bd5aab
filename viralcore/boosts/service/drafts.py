"""Drafts: links read out of a message, a plan chosen, and the confirmation that makes orders of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal, cast

from viralcore.boosts.api import (
    BadLink,
    CannotReorder,
    CreditView,
    DraftExpired,
    DraftView,
    LinkProblem,
    LinkView,
    NoCredits,
    OrderView,
    PlacedView,
    PlanChanged,
    PlanEnded,
    PlanView,
    TooManyLinks,
    WayView,
)
from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain.custom import usable
from viralcore.boosts.domain.links import read_links
from viralcore.boosts.domain.plans import Catalogue
from viralcore.boosts.repository import drafts, orders, views
from viralcore.boosts.repository.drafts import Draft
from viralcore.boosts.repository.orders import NewOrder
from viralcore.boosts.service.custom import Customs
from viralcore.boosts.service.givebacks import CREDITS_USED
from viralcore.boosts.service.placing import Placing
from viralcore.boosts.service.shelves import Shelves
from viralcore.boosts.service.sources import debit_key
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.core.ids import new_uuid
from viralcore.ledger.api import CREDITS, Balance, Entry, InsufficientFunds, Ledger, LotUse, house_account, user_account
from viralcore.users.api import Users


class Drafts:
    """From pasted links to orders."""

    def __init__(
        self,
        db: Database,
        config: BoostsConfig,
        catalogue: Catalogue,
        customs: Customs,
        placing: Placing,
        ledger: Ledger,
        users: Users,
        shelves: Shelves,
    ) -> None:
        self._shelves = shelves
        self._db = db
        self._config = config.drafts
        self._open_hours = config.crowd.open_hours
        self._catalogue = catalogue
        self._customs = customs
        self._placing = placing
        self._ledger = ledger
        self._users = users

    async def credits(self, *, user_id: int) -> tuple[CreditView, ...]:
        """Plans with credits left, in the order shown."""
        return await self.credits_in(await self._ledger.balances(user_id=user_id))

    async def credits_in(self, found: Sequence[Balance]) -> tuple[CreditView, ...]:
        """The same of balances the caller has read already."""
        left = {one.account.asset: one.available for one in found if one.account.name == CREDITS and one.available > 0}
        plans = (*self._catalogue.all(), *await self._customs.by_assets(left))
        return tuple(CreditView(plan, left[plan.asset]) for plan in plans if plan.asset in left)

    async def draft(self, *, key: str, user_id: int, text: str) -> DraftView:
        found = read_links(text, max_length=self._config.max_link_length)
        if len(found.links) > self._config.max_links:
            raise TooManyLinks(limit=self._config.max_links, given=len(found.links))
        async with self._db.transaction() as tx:
            await self._shelves.fresh(tx)
            await self._users.require_active(tx, user_id=user_id)

            async def make() -> Mapping[str, Any]:
                links, blocked = await self._blocked(tx, found.links)
                problems = (*found.problems, *blocked)
                if not links:
                    raise BadLink(problems=problems)
                fits = await self._fitting(user_id, links)
                over = [LinkProblem(link.canonical, "no_post_left") for link in links[fits:]]
                return {"draft_id": await self._add(tx, user_id, links[:fits], (*over, *problems))}

            inputs = {"user_id": user_id, "text": text}
            made = await tx.once(scope="boosts.draft", key=key, inputs=inputs, run=make)
            return await self._view(tx, await self._open(tx, user_id, int(made["draft_id"])))

    async def choose_plan(self, *, user_id: int, draft_id: int, plan_id: str) -> DraftView:
        async with self._db.transaction() as tx:
            await self._shelves.fresh(tx)
            draft = await self._open(tx, user_id, draft_id)
            await self._choose(tx, draft.id, user_id, await self._customs.hold(tx, plan_id), draft.links)
            return await self._view(tx, await self._open(tx, user_id, draft_id))

    async def get(self, *, user_id: int, draft_id: int) -> DraftView:
        async with self._db.transaction() as tx:
            return await self._view(tx, await self._open(tx, user_id, draft_id))

    async def placed(self, *, user_id: int, draft_id: int) -> PlacedView:
        async with self._db.read() as conn:
            draft = await drafts.get(conn, draft_id)
            if draft is None or draft.user_id != user_id or draft.state != "confirmed":
                raise NotFound(what="draft")
            made = await views.order_views(conn, await orders.of_draft(conn, draft_id))
        return PlacedView(made, draft.problems)

    async def reorder(self, *, key: str, user_id: int, order_id: int) -> DraftView:
        async with self._db.transaction() as tx:
            await self._shelves.fresh(tx)
            await self._users.require_active(tx, user_id=user_id)
            order = await orders.get(tx.conn, order_id)
            if order is None or order.user_id != user_id:
                raise NotFound(what="order")
            if not order.asset:
                raise CannotReorder(order_id=order_id)
            link = LinkView(cast(Literal["x", "telegram"], order.platform), order.link, order.handle, order.post_id)

            async def make() -> Mapping[str, Any]:
                _, blocked = await self._blocked(tx, [link])
                if blocked:
                    raise BadLink(problems=blocked)
                await self._fitting(user_id, [link])
                choices = await self._choices(user_id, [link])
                wanted = next((one.plan for one in choices if one.plan.id == order.plan_id), None)
                return {"draft_id": await self._add(tx, user_id, [link], (), wanted)}

            made = await tx.once(scope="boosts.reorder", key=key, inputs={"order_id": order_id}, run=make)
            return await self._view(tx, await self._open(tx, user_id, int(made["draft_id"])))

    async def discard(self, *, user_id: int, draft_id: int) -> None:
        async with self._db.transaction() as tx:
            draft = await self._mine(tx, user_id, draft_id)
            if draft.state == "confirmed":
                raise DraftExpired(draft_id=draft_id)
            await drafts.close(tx.conn, draft_id, "discarded")

    async def confirm(self, *, user_id: int, draft_id: int) -> tuple[OrderView, ...]:
        return await self._db.run(lambda tx: self._confirm(tx, user_id, draft_id))

    async def tidy(self) -> int:
        """Forget drafts that never became orders."""
        async with self._db.transaction() as tx:
            return await drafts.forget(tx.conn, before=tx.now - timedelta(days=self._config.keep_days))

    async def _confirm(self, tx: Tx, user_id: int, draft_id: int) -> tuple[OrderView, ...]:
        """Locked by the draft's row: a double press finds it confirmed and gets the same orders."""
        draft = await self._mine(tx, user_id, draft_id)
        if draft.state == "confirmed":
            return await views.order_views(tx.conn, await orders.of_draft(tx.conn, draft_id))
        draft = await self._open(tx, user_id, draft_id)
        await self._users.require_active(tx, user_id=user_id)
        await self._shelves.fresh(tx)
        _, blocked = await self._blocked(tx, draft.links)
        if blocked:
            raise BadLink(problems=blocked)
        if draft.plan_id is None:
            raise NoCredits(needed=len(draft.links), platform=draft.links[0].platform)
        plan = await self._customs.hold(tx, draft.plan_id)
        if not usable(plan, tx.now):
            raise PlanEnded(title=plan.title, at=plan.until)
        if plan.version != draft.plan_version or not any(line.available for line in plan.lines):
            raise PlanChanged(plan_id=plan.id)
        lots = await self._debit(tx, debit_key(draft.id), user_id, plan, draft.links)
        for position, (link, unit_cost) in enumerate(zip(draft.links, _prices(lots), strict=True)):
            new = NewOrder(draft.user_id, plan, link, unit_cost, draft_id=draft.id, position=position)
            await self._placing.place(tx, new)
        if not await drafts.close(tx.conn, draft.id, "confirmed"):
            raise RuntimeError("a draft moved while it was locked")
        return await views.order_views(tx.conn, await orders.of_draft(tx.conn, draft_id))

    async def _debit(
        self, tx: Tx, key: str, user_id: int, plan: PlanView, links: Sequence[LinkView]
    ) -> tuple[LotUse, ...]:
        entries = (
            Entry(user_account(user_id, CREDITS, plan.asset), -len(links)),
            Entry(house_account(CREDITS_USED, plan.asset), len(links)),
        )
        description = f"{plan.title}: {len(links)} {'post' if len(links) == 1 else 'posts'}"
        try:
            posting = await self._ledger.post(tx, key=key, kind="boost", entries=entries, description=description)
        except InsufficientFunds as short:
            raise NoCredits(needed=len(links), platform=plan.platform) from short
        return posting.lots

    async def _price_paid(self, tx: Tx, user_id: int, plan: PlanView, links: Sequence[LinkView]) -> Decimal:
        """The lowest price paid among the credits these links would use: what is promised back is not less.

        Asked by debiting them and taking it back: only the ledger knows its lots.
        """
        savepoint = await tx.conn.begin_nested()
        try:
            lots = await self._debit(tx, f"boost:preview:{new_uuid()}", user_id, plan, links)
        finally:
            await savepoint.rollback()
        return min(lot.unit_cost for lot in lots)

    async def _fitting(self, user_id: int, links: Sequence[LinkView]) -> int:
        """For how many of these links, from the first, some plan has posts. Raises NoCredits when for none."""
        fits, platform = await self._of_platform(user_id, links[0].platform), links[0].platform
        most = max((one.available for one in fits if usable(one.plan, self._db.clock.now())), default=0)
        if most:
            return min(most, len(links))
        ended = next((one.plan for one in fits), None)
        told = {} if ended is None else {"ended_title": ended.title, "ended_at": ended.until}
        raise NoCredits(needed=len(links), platform=platform, **told)

    async def _add(
        self,
        tx: Tx,
        user_id: int,
        links: Sequence[LinkView],
        problems: Sequence[LinkProblem],
        wanted: PlanView | None = None,
    ) -> int:
        draft_id = await drafts.add(
            tx.conn,
            user_id=user_id,
            links=links,
            problems=problems,
            plan=None,
            now=tx.now,
            expires_at=tx.now + timedelta(minutes=self._config.minutes),
        )
        choices = await self._choices(user_id, links)
        plan = wanted or (choices[0].plan if len(choices) == 1 else None)
        if plan is not None:
            await self._choose(tx, draft_id, user_id, await self._customs.hold(tx, plan.id), links)
        return draft_id

    async def _choose(self, tx: Tx, draft_id: int, user_id: int, plan: PlanView, links: Sequence[LinkView]) -> None:
        if plan.platform != links[0].platform or not any(line.available for line in plan.lines):
            raise NoCredits(needed=len(links), platform=links[0].platform)
        if not usable(plan, tx.now):
            raise PlanEnded(title=plan.title, at=plan.until)
        unit_cost = await self._price_paid(tx, user_id, plan, links)
        if not await drafts.choose(tx.conn, draft_id, plan.id, unit_cost, version=plan.version):
            raise DraftExpired(draft_id=draft_id)

    async def _choices(self, user_id: int, links: Sequence[LinkView]) -> tuple[CreditView, ...]:
        """Plans for this platform with a credit for every link, of which something can be delivered today."""
        now = self._db.clock.now()
        fits = await self._of_platform(user_id, links[0].platform)
        return tuple(one for one in fits if one.available >= len(links) and usable(one.plan, now))

    async def _of_platform(self, user_id: int, platform: str) -> list[CreditView]:
        return [
            one
            for one in await self.credits(user_id=user_id)
            if one.plan.platform == platform and any(line.available for line in one.plan.lines)
        ]

    async def _blocked(self, tx: Tx, links: Sequence[LinkView]) -> tuple[tuple[LinkView, ...], tuple[LinkProblem, ...]]:
        free: list[LinkView] = []
        problems: list[LinkProblem] = []
        for link in links:
            if (
                await self._users.is_blocked(tx, kind="link", value=link.canonical)
                or await self._users.is_blocked(tx, kind="link", value=link.post)
                or await self._users.is_blocked(tx, kind="handle", value=link.handle)
            ):
                problems.append(LinkProblem(link.canonical, "blocked"))
            else:
                free.append(link)
        return tuple(free), tuple(problems)

    async def _mine(self, tx: Tx, user_id: int, draft_id: int) -> Draft:
        draft = await drafts.get(tx.conn, draft_id, lock=True)
        if draft is None or draft.user_id != user_id:
            raise NotFound(what="draft")
        return draft

    async def _open(self, tx: Tx, user_id: int, draft_id: int) -> Draft:
        draft = await self._mine(tx, user_id, draft_id)
        if draft.state != "open" or draft.expires_at <= tx.now:
            raise DraftExpired(draft_id=draft_id)
        return draft

    async def _ways(self, tx: Tx, plan: PlanView) -> tuple[WayView, ...]:
        found = []
        for line in plan.lines:
            engine = await self._placing.worker(tx, plan.platform, line)
            parts = tuple(phase.minutes for phase in self._catalogue.phases(plan, line))
            if engine is not None:
                found.append(WayView(line.metric, engine, hours=self._open_hours if engine == "crowd" else 0))
            elif parts:
                found.append(WayView(line.metric, "panel", parts))
        return tuple(found)

    async def _view(self, tx: Tx, draft: Draft) -> DraftView:
        plan = None if draft.plan_id is None else await self._customs.plan(draft.plan_id)
        refund = None
        if plan is not None and draft.unit_cost is not None:
            refund = self._catalogue.refund_per_unit(plan, draft.unit_cost)
        return DraftView(
            id=draft.id,
            user_id=draft.user_id,
            links=draft.links,
            problems=draft.problems,
            choices=await self._choices(draft.user_id, draft.links),
            plan=plan,
            ways=() if plan is None else await self._ways(tx, plan),
            refunded_share=Decimal(0) if plan is None else self._catalogue.refunded_share(plan),
            refund_per_unit=refund,
            expires_at=draft.expires_at,
        )


def _prices(lots: Sequence[LotUse]) -> list[Decimal]:
    """The price paid for each credit, first in first out."""
    return [lot.unit_cost for lot in lots for _ in range(lot.quantity)]
