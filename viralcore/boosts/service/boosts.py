"""The door, put together from its parts."""

from __future__ import annotations

from collections.abc import Sequence

from viralcore.boosts.api import (
    CreditView,
    DraftView,
    NotOnSale,
    OrderFilter,
    OrderView,
    PanelOrderView,
    PanelView,
    PlacedView,
    PlanEnded,
    PlanView,
    Replies,
    SlowView,
    Unanswered,
    UnknownPhaseView,
    UnknownPlan,
)
from viralcore.boosts.domain.custom import usable
from viralcore.boosts.domain.plans import Catalogue
from viralcore.boosts.service.care import Care
from viralcore.boosts.service.crowd import CrowdService
from viralcore.boosts.service.custom import Customs
from viralcore.boosts.service.drafts import Drafts
from viralcore.boosts.service.goods import GoodsDesk
from viralcore.boosts.service.orders import Orders
from viralcore.boosts.service.staff import StaffDesk
from viralcore.boosts.service.steering import Steering
from viralcore.boosts.service.unspent import Unspent
from viralcore.core.db import Database
from viralcore.core.money import Money
from viralcore.ledger.api import Balance
from viralcore.payments.api import Grant, InvoiceView, Item, Payments
from viralcore.users.api import Users


class BoostsService:
    """Implements `boosts.api.Boosts`."""

    def __init__(
        self,
        db: Database,
        catalogue: Catalogue,
        *,
        customs: Customs,
        drafts: Drafts,
        orders: Orders,
        steering: Steering,
        payments: Payments,
        users: Users,
        care: Care,
        unspent: Unspent,
        replies: Replies,
        crowd: CrowdService,
        goods: GoodsDesk,
        staff: StaffDesk,
    ) -> None:
        self._crowd = crowd
        self._db = db
        self._catalogue = catalogue
        self._customs = customs
        self._drafts = drafts
        self._steering = steering
        self._orders = orders
        self._payments = payments
        self._users = users
        self._care = care
        self._unspent = unspent
        self._goods = goods
        self._staff = staff
        self._replies = replies

    @property
    def panel_care(self) -> Care:
        return self._care

    @property
    def goods(self) -> GoodsDesk:
        return self._goods

    @property
    def staff(self) -> StaffDesk:
        return self._staff

    @property
    def replies(self) -> Replies:
        return self._replies

    @property
    def crowd(self) -> CrowdService:
        return self._crowd

    def plans(self) -> tuple[PlanView, ...]:
        return self._catalogue.all()

    def plan(self, plan_id: str) -> PlanView:
        return self._catalogue.get(plan_id)

    async def buy(self, *, key: str, user_id: int, plan_id: str, quantity: int) -> InvoiceView:
        plan = await self._customs.plan(plan_id)
        if await self._customs.owner(plan_id) not in (None, user_id):
            raise UnknownPlan(plan_id=plan_id)
        if not usable(plan, self._db.clock.now()):
            raise PlanEnded(title=plan.title, at=plan.until)
        if not plan.on_sale:
            raise NotOnSale(plan_id=plan_id)
        self._catalogue.check_quantity(plan, quantity)
        if plan.kind == "goods":
            raise Unanswered(missing=plan.questions)
        async with self._db.transaction() as tx:
            await self._users.require_active(tx, user_id=user_id)
            return await self._payments.open_invoice(
                key=key,
                user_id=user_id,
                item=Item(kind="credits", ref=plan.id, title=plan.title),
                quantity=quantity,
                unit_price=plan.price,
                grants=(Grant(asset=plan.asset, quantity=quantity, unit_cost=plan.price),),
                tx=tx,
            )

    async def credits(self, *, user_id: int) -> tuple[CreditView, ...]:
        return await self._drafts.credits(user_id=user_id)

    async def credits_in(self, balances: Sequence[Balance]) -> tuple[CreditView, ...]:
        return await self._drafts.credits_in(balances)

    async def find_plan(self, plan_id: str) -> PlanView:
        return await self._customs.plan(plan_id)

    @property
    def custom(self) -> Customs:
        return self._customs

    # Drafts, orders and phases are guarded by their own rows: whatever the key, each thing is done once.

    async def draft(self, *, key: str, user_id: int, text: str) -> DraftView:
        return await self._drafts.draft(key=key, user_id=user_id, text=text)

    async def choose_plan(self, *, key: str, user_id: int, draft_id: int, plan_id: str) -> DraftView:
        return await self._drafts.choose_plan(user_id=user_id, draft_id=draft_id, plan_id=plan_id)

    async def get_draft(self, *, user_id: int, draft_id: int) -> DraftView:
        return await self._drafts.get(user_id=user_id, draft_id=draft_id)

    async def confirm(self, *, key: str, user_id: int, draft_id: int) -> tuple[OrderView, ...]:
        return await self._drafts.confirm(user_id=user_id, draft_id=draft_id)

    async def discard(self, *, key: str, user_id: int, draft_id: int) -> None:
        await self._drafts.discard(user_id=user_id, draft_id=draft_id)

    async def get_order(self, *, order_id: int, user_id: int | None = None) -> OrderView:
        return await self._orders.get(order_id=order_id, user_id=user_id)

    async def orders(
        self, *, user_id: int, before_id: int | None = None, limit: int = 10, which: OrderFilter = "all"
    ) -> tuple[OrderView, ...]:
        return await self._orders.page(user_id=user_id, before_id=before_id, limit=limit, which=which)

    async def placed(self, *, user_id: int, draft_id: int) -> PlacedView:
        return await self._drafts.placed(user_id=user_id, draft_id=draft_id)

    async def reorder(self, *, key: str, user_id: int, order_id: int) -> DraftView:
        return await self._drafts.reorder(key=key, user_id=user_id, order_id=order_id)

    async def slow(self, *, order_id: int, user_id: int | None = None) -> SlowView:
        return await self._steering.slow(user_id=user_id, order_id=order_id)

    async def pause(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        return await self._steering.pause(key=key, user_id=user_id, order_id=order_id)

    async def resume(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        return await self._steering.resume(key=key, user_id=user_id, order_id=order_id)

    async def cancel_rest(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        return await self._steering.cancel_rest(key=key, user_id=user_id, order_id=order_id)

    async def cancel(self, *, key: str, user_id: int, order_id: int) -> OrderView:
        return await self._orders.cancel(user_id=user_id, order_id=order_id)

    async def unknown_phase(self, *, phase_id: int) -> UnknownPhaseView:
        return await self._orders.unknown_phase(phase_id=phase_id)

    async def unknown_phases(self, *, after: int = 0, limit: int = 100) -> tuple[UnknownPhaseView, ...]:
        return await self._orders.unknown_phases(after=after, limit=limit)

    async def unknown_count(self) -> int:
        return await self._orders.unknown_count()

    async def resolve_placed(
        self, *, key: str, actor: int, phase_id: int, panel_order: str, attempt: int = 0
    ) -> UnknownPhaseView:
        return await self._orders.resolve_placed(
            key=key, actor=actor, phase_id=phase_id, panel_order=panel_order, attempt=attempt
        )

    async def resolve_not_placed(self, *, key: str, actor: int, phase_id: int, attempt: int = 0) -> UnknownPhaseView:
        return await self._orders.resolve_not_placed(key=key, actor=actor, phase_id=phase_id, attempt=attempt)

    async def panels(self) -> tuple[PanelView, ...]:
        return await self._care.panels()

    async def panel_orders(self, *, after: int = 0, limit: int = 500) -> tuple[PanelOrderView, ...]:
        return await self._orders.panel_orders(after=after, limit=limit)

    async def unspent(self) -> Money:
        return await self._unspent.total()
