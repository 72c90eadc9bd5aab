"""Goods, from the quantity to the order. States and crashes: domain/goods.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog

from viralcore.boosts.api import (
    BadAnswer,
    LinkView,
    NotOnSale,
    PlanView,
    RequestClosed,
    RequestView,
    Unanswered,
    UnknownPlan,
)
from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain import goods
from viralcore.boosts.domain.plans import Catalogue
from viralcore.boosts.events import GoodsReturned
from viralcore.boosts.repository import goods as requests
from viralcore.boosts.repository import orders
from viralcore.boosts.repository.goods import Request
from viralcore.boosts.repository.orders import NewOrder
from viralcore.boosts.service.placing import Placing
from viralcore.boosts.service.shelves import Shelves
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import USD, ceil_money
from viralcore.payments.api import Back, Item, Payments
from viralcore.users.api import Users

log = structlog.get_logger(__name__)
MOST_UNFINISHED = 5


class GoodsDesk:
    """Implements `boosts.api.Goods`."""

    def __init__(
        self,
        db: Database,
        config: BoostsConfig,
        catalogue: Catalogue,
        placing: Placing,
        shelves: Shelves,
        *,
        payments: Payments,
        users: Users,
    ) -> None:
        self._db = db
        self._rules = config.goods
        self._max_link = config.drafts.max_link_length
        self._keep = timedelta(days=config.drafts.keep_days)
        self._catalogue = catalogue
        self._placing = placing
        self._shelves = shelves
        self._payments = payments
        self._users = users

    async def begin(self, *, key: str, user_id: int, plan_id: str, quantity: int) -> RequestView:
        async with self._db.transaction() as tx:
            await self._shelves.fresh(tx)
            plan = self._on_sale(plan_id)
            self._catalogue.check_quantity(plan, quantity)
            await self._users.require_active(tx, user_id=user_id)

            async def make() -> Mapping[str, Any]:
                request_id = await requests.add(
                    tx.conn,
                    user_id=user_id,
                    plan_id=plan.id,
                    quantity=quantity,
                    now=tx.now,
                    expires_at=tx.now + timedelta(hours=self._rules.hours),
                )
                return {"request_id": request_id}

            inputs = {"user_id": user_id, "plan_id": plan_id, "quantity": quantity}
            made = await tx.once(scope="boosts.goods", key=key, inputs=inputs, run=make)
            return self._view(await self._mine(tx, user_id, int(made["request_id"])))

    async def get(self, *, user_id: int, request_id: int) -> RequestView:
        async with self._db.read() as conn:
            request = await requests.get(conn, request_id)
        if request is None or request.user_id != user_id:
            raise NotFound(what="request")
        return self._view(request)

    async def unfinished(self, *, user_id: int) -> tuple[RequestView, ...]:
        now = self._db.clock.now()
        async with self._db.read() as conn:
            found = await requests.unfinished(conn, user_id, now=now, limit=MOST_UNFINISHED)
        known = {plan.id for plan in self._catalogue.all()}
        return tuple(self._view(request) for request in found if request.plan_id in known)

    async def of_invoice(self, *, user_id: int, invoice_id: int) -> RequestView | None:
        async with self._db.read() as conn:
            request = await requests.of_invoice(conn, invoice_id)
        mine = request is not None and request.user_id == user_id
        return self._view(request) if mine and request is not None else None

    async def answer(self, *, key: str, user_id: int, request_id: int, question: str, text: str) -> RequestView:
        """Whatever the key: the same answer given twice is the same row."""
        async with self._db.transaction() as tx:
            request = await self._open(tx, user_id, request_id)
            plan = self._catalogue.get(request.plan_id)
            if question not in plan.questions:
                raise NotFound(what="question")
            limit = self._limit(question, request.quantity)
            value = goods.read_answer(question, text, limit=limit, max_length=self._max_link)
            if question in goods.LINKS:
                await self._refuse_blocked(tx, question, goods.link_of(question, value, max_length=self._max_link))
            given = {**request.answers, question: value}
            answers = {one: given[one] for one in plan.questions if one in given}
            await requests.answer(tx.conn, request, answers)
            return self._view(await self._mine(tx, user_id, request_id))

    async def invoice(self, *, key: str, user_id: int, request_id: int) -> int:
        """Whatever the key: a request has one invoice. The row is locked while it is opened."""
        async with self._db.transaction() as tx:
            request = await self._mine(tx, user_id, request_id)
            if request.invoice_id is not None:
                return request.invoice_id
            request = await self._open(tx, user_id, request_id)
            await self._shelves.fresh(tx)
            plan = self._on_sale(request.plan_id)
            self._catalogue.check_quantity(plan, request.quantity)
            left = goods.missing(plan.questions, request.answers)
            if left:
                raise Unanswered(missing=left)
            await self._users.require_active(tx, user_id=user_id)
            for question in goods.LINKS & request.answers.keys():
                link = goods.link_of(question, request.answers[question], max_length=self._max_link)
                await self._refuse_blocked(tx, question, link)
            opened = await self._payments.open_invoice(
                key=f"goods:{request.id}",
                user_id=user_id,
                item=Item(kind="goods", ref=plan.id, title=plan.title, data={"unit": plan.unit}),
                quantity=request.quantity,
                unit_price=plan.price,
                tx=tx,
            )
            await requests.invoiced(tx.conn, request, opened.id)
            return opened.id

    async def discard(self, *, key: str, user_id: int, request_id: int) -> None:
        async with self._db.transaction() as tx:
            request = await self._mine(tx, user_id, request_id)
            if request.state == "discarded":
                return
            if request.state != "open":
                raise RequestClosed(request_id=request_id, state=request.state)
            await requests.ended(tx.conn, request, "discarded")

    async def paid(self, tx: Tx, *, invoice_id: int, user_id: int, cents: int) -> None:
        """A paid invoice of goods becomes its order, once, whoever is blocked and whatever is off sale by now."""
        request = await requests.of_invoice(tx.conn, invoice_id, lock=True)
        if request is not None and request.state != "invoiced":
            return
        await self._shelves.fresh(tx)
        plan = None if request is None else self._known(request.plan_id)
        if request is None or plan is None:
            await self._give_back(tx, invoice_id, user_id, cents)
            if request is not None:
                await requests.ended(tx.conn, request, "returned")
            return
        if await orders.of_invoice(tx.conn, invoice_id) is not None:
            raise RuntimeError(f"invoice {invoice_id} has an order its request does not know")
        new = NewOrder(
            request.user_id,
            plan,
            goods.target(request.answers, max_length=self._max_link),
            Decimal(cents) / 100,
            invoice_id=invoice_id,
            units=request.quantity,
            answers=request.answers,
        )
        await self._placing.place(tx, new)
        await requests.ended(tx.conn, request, "ordered")

    async def tidy(self) -> int:
        """Forget what never had an invoice."""
        async with self._db.transaction() as tx:
            return await requests.forget(tx.conn, before=tx.now - self._keep)

    async def _give_back(self, tx: Tx, invoice_id: int, user_id: int, cents: int) -> None:
        log.error("goods_without_plan", invoice_id=invoice_id)
        key, why = f"goods:invoice:{invoice_id}:back", f"Could not be ordered: invoice {invoice_id}"
        (back,) = await self._payments.give_back(
            tx, key=key, user_id=user_id, backs=[Back(key, invoice_id, cents, why)]
        )
        tx.record(
            GoodsReturned(
                invoice_id=invoice_id,
                user_id=user_id,
                cents=back.cents,
                to_wallet=back.wallet,
                to_bonus=back.bonus,
            )
        )

    async def _refuse_blocked(self, tx: Tx, question: str, link: LinkView) -> None:
        for kind, value in (("link", link.canonical), ("link", link.post), ("handle", link.handle)):
            if await self._users.is_blocked(tx, kind="link" if kind == "link" else "handle", value=value):
                raise BadAnswer(question=question, reason="blocked")

    async def _mine(self, tx: Tx, user_id: int, request_id: int) -> Request:
        request = await requests.get(tx.conn, request_id, lock=True)
        if request is None or request.user_id != user_id:
            raise NotFound(what="request")
        return request

    async def _open(self, tx: Tx, user_id: int, request_id: int) -> Request:
        request = await self._mine(tx, user_id, request_id)
        if request.state != "open" or request.expires_at <= tx.now:
            state = "expired" if request.state == "open" else request.state
            raise RequestClosed(request_id=request_id, state=state, invoice_id=request.invoice_id)
        return request

    def _on_sale(self, plan_id: str) -> PlanView:
        plan = self._catalogue.get(plan_id)
        if not plan.on_sale or plan.kind != "goods":
            raise NotOnSale(plan_id=plan_id)
        return plan

    def _known(self, plan_id: str) -> PlanView | None:
        try:
            return self._catalogue.get(plan_id)
        except UnknownPlan:
            return None

    def _limit(self, question: str, quantity: int) -> int:
        if question == "poll_option":
            return self._rules.poll_options
        return min(self._rules.most_days, quantity) if question == "days" else 0

    def _view(self, request: Request) -> RequestView:
        plan = self._catalogue.get(request.plan_id)
        left = goods.missing(plan.questions, request.answers)
        return RequestView(
            id=request.id,
            user_id=request.user_id,
            plan=plan,
            quantity=request.quantity,
            total=ceil_money(plan.price * request.quantity, USD),
            answers=request.answers,
            missing=left,
            state=request.state,
            invoice_id=request.invoice_id,
            expires_at=request.expires_at,
            limits={question: self._limit(question, request.quantity) for question in plan.questions},
        )
