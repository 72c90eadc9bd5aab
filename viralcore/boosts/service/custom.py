"""Custom plans: made, changed and ended by an owner; their posts given and taken back by postings of the ledger.

Lock order: the plan's row, then the ledger. An order that is settled holds the plan's row shared (`credit_usable`), so
a credit never comes back to a plan that ends at that moment: it is money then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from viralcore.boosts.api import BadCustomPlan, CustomPlanView, CustomSpec, PlanChanged, PlanView, UnknownPlan
from viralcore.boosts.config import Custom
from viralcore.boosts.domain import custom as rules
from viralcore.boosts.domain.custom import CustomPlan, asset_of, number_of
from viralcore.boosts.domain.plans import Catalogue
from viralcore.boosts.events import CreditsRefunded, CustomPlanChanged
from viralcore.boosts.repository import custom as rows
from viralcore.boosts.service.sources import invoice_of_lot
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import USD, Money, floor_money
from viralcore.ledger.api import CREDITS, Entry, InsufficientFunds, Ledger, LotUse, house_account, user_account
from viralcore.payments.api import Back, MoneyBack, Payments, purchase_key
from viralcore.users.api import Users

RIGHT = "plans"
GRANTS = "grants"
LONGEST_REASON = 300
NOBODYS = 0
"""In place of an invoice: no purchase is known."""
Work = Callable[[], Awaitable[Mapping[str, Any]]]


class Customs:
    """Implements `boosts.api.CustomPlans`, and finds plans of both kinds for the others."""

    def __init__(
        self, db: Database, catalogue: Catalogue, config: Custom, ledger: Ledger, users: Users, payments: Payments
    ) -> None:
        self._db = db
        self._catalogue = catalogue
        self._config = config
        self._ledger = ledger
        self._users = users
        self._payments = payments

    # --- finding -----------------------------------------------------------------------------------------------------

    async def plan(self, plan_id: str) -> PlanView:
        """Of either kind. Raises UnknownPlan."""
        number = number_of(plan_id)
        if number is None:
            return self._catalogue.get(plan_id)
        async with self._db.read() as conn:
            found = await rows.get(conn, number)
        if found is None:
            raise UnknownPlan(plan_id=plan_id)
        return self.shown(found)

    async def by_assets(self, assets: Collection[str]) -> tuple[PlanView, ...]:
        """Custom plans among these assets, newest first. Nothing is asked when there are none."""
        numbers = [number for number in map(number_of, assets) if number is not None]
        if not numbers:
            return ()
        async with self._db.read() as conn:
            return tuple(self.shown(plan) for plan in await rows.get_many(conn, numbers))

    async def owner(self, plan_id: str) -> int | None:
        """Whose a custom plan is; None: anybody may buy it, it is of the catalogue."""
        number = number_of(plan_id)
        if number is None:
            return None
        async with self._db.read() as conn:
            found = await rows.get(conn, number)
        return None if found is None else found.user_id

    async def hold(self, tx: Tx, plan_id: str) -> PlanView:
        """As `plan`; a custom one stays what it is until the transaction ends. Raises UnknownPlan."""
        number = number_of(plan_id)
        if number is None:
            return self._catalogue.get(plan_id)
        found = await rows.get(tx.conn, number, lock="share")
        if found is None:
            raise UnknownPlan(plan_id=plan_id)
        return self.shown(found)

    def shown(self, plan: CustomPlan) -> PlanView:
        """As an entry of the catalogue."""
        view = rules.view(asset_of(plan.id), plan.spec, self._catalogue, self._config)
        return PlanView(**{**_fields(view), "until": plan.until, "version": plan.version})

    async def of_user(self, *, user_id: int) -> tuple[CustomPlanView, ...]:
        balances = await self._ledger.balances(user_id=user_id)
        left = {one.account.asset: one.available for one in balances if one.account.name == CREDITS}
        async with self._db.read() as conn:
            found = await rows.of_user(conn, user_id)
        views = [self._view(plan, left.get(asset_of(plan.id), 0), 0) for plan in found]
        return tuple(sorted(views, key=lambda one: one.state != "live"))

    async def get(self, *, plan_id: int) -> CustomPlanView:
        async with self._db.transaction() as tx:
            plan = await rows.get(tx.conn, plan_id)
            if plan is None:
                raise NotFound(what="custom plan")
            return await self._now(tx, plan)

    def preview(self, spec: CustomSpec) -> tuple[PlanView, Decimal]:
        rules.check(spec, self._config, 0, self._db.clock.now())
        view = rules.view("custom", spec, self._catalogue, self._config)
        for line in view.lines:
            if line.channel == "panel" and not line.available:
                raise BadCustomPlan(reason="undeliverable", metric=line.metric)
        return view, self._catalogue.worst_cost(view)

    # --- changing ----------------------------------------------------------------------------------------------------

    async def create(
        self, *, key: str, actor: int, user_id: int, spec: CustomSpec, give: int, reason: str
    ) -> CustomPlanView:
        async with self._db.transaction() as tx:
            await self._users.authorize(tx, actor=actor, right=RIGHT)

            async def make() -> Mapping[str, Any]:
                self._check(tx, spec, give, reason)
                if give < 0:
                    raise BadCustomPlan(reason="posts", most=self._config.most_posts)
                plan = await rows.add(tx.conn, user_id=user_id, spec=spec, now=tx.now)
                await self._give(tx, plan, give, f"custom:{plan.id}:made", reason)
                await self._noted(tx, actor, plan, "made", spec=spec, give=give, back=MoneyBack(), reason=reason)
                return {"plan_id": plan.id}

            inputs = {"user_id": user_id, **_told(spec), "give": give, "reason": reason}
            made = await tx.once(scope="boosts.custom_create", key=key, inputs={"actor": actor, **inputs}, run=make)
            return await self._now(tx, await self._row(tx, int(made["plan_id"])))

    async def edit(
        self, *, key: str, actor: int, plan_id: int, version: int, spec: CustomSpec, give: int, reason: str
    ) -> CustomPlanView:
        async def change(tx: Tx, plan: CustomPlan) -> tuple[int, MoneyBack]:
            if plan.ended_at is not None:
                raise BadCustomPlan(reason="ended")
            if plan.version != version:
                raise PlanChanged(plan_id=asset_of(plan.id))
            self._check(tx, spec, give, reason)
            await rows.change(tx.conn, plan, spec)
            if give < 0:
                return give, await self._take(tx, plan, -give, f"custom:{plan.id}:v{version}", reason)
            await self._give(tx, plan, give, f"custom:{plan.id}:v{version}", reason)
            return give, MoneyBack()

        inputs = {"version": version, **_told(spec), "give": give}
        return await self._change("edited", key, actor, plan_id, inputs, reason, change, spec)

    async def end(self, *, key: str, actor: int, plan_id: int, reason: str) -> CustomPlanView:
        async def change(tx: Tx, plan: CustomPlan) -> tuple[int, MoneyBack]:
            if not reason:
                raise BadCustomPlan(reason="reason")
            await rows.end(tx.conn, plan, now=tx.now)
            return await self.clear(tx, plan, f"custom:{plan.id}:end:{key}", reason)

        return await self._change("ended", key, actor, plan_id, {}, reason, change, None)

    async def bought(self, tx: Tx, plan_id: str, invoice_id: int) -> None:
        """An invoice of a custom plan was paid. When the plan could not be used any more by then, its money goes back
        at once. What else is left of a plan whose time is over waits for an owner, who may prolong it."""
        number = number_of(plan_id)
        plan = None if number is None else await rows.get(tx.conn, number, lock="update")
        if plan is not None and plan.state(tx.now) != "live":
            reason, lot = "The plan had ended before it was paid", purchase_key(invoice_id)
            account = user_account(plan.user_id, CREDITS, asset_of(plan.id))
            left = {one.posting_key: one.remaining for one in await self._ledger.lots(tx, account=account)}.get(lot, 0)
            if left:
                back = await self._take(tx, plan, left, f"custom:{plan.id}:invoice:{invoice_id}", reason, lot=lot)
                self._tell(tx, plan, "ended", -left, back, reason)

    async def clear(self, tx: Tx, plan: CustomPlan, key: str, reason: str) -> tuple[int, MoneyBack]:
        """Take back all posts that are left: (minus how many, what was paid back)."""
        left = await self._left(tx, plan)
        return (-left, await self._take(tx, plan, left, key, reason)) if left else (0, MoneyBack())

    async def _change(
        self,
        what: str,
        key: str,
        actor: int,
        plan_id: int,
        inputs: Mapping[str, Any],
        reason: str,
        change: Callable[[Tx, CustomPlan], Awaitable[tuple[int, MoneyBack]]],
        spec: CustomSpec | None,
    ) -> CustomPlanView:
        """Authorised, done once, audited and told, under the lock of the plan's row."""

        async def work(tx: Tx) -> CustomPlanView:
            await self._users.authorize(tx, actor=actor, right=RIGHT)

            async def run() -> Mapping[str, Any]:
                plan = await self._row(tx, plan_id, lock="update")
                give, back = await change(tx, plan)
                await self._noted(tx, actor, plan, what, spec=spec, give=give, back=back, reason=reason)
                return {}

            told = {"actor": actor, "plan_id": plan_id, "reason": reason, **inputs}
            await tx.once(scope=f"boosts.custom_{what}", key=key, inputs=told, run=run)
            return await self._now(tx, await self._row(tx, plan_id))

        return await self._db.run(work)  # orders that end may cross it

    def _check(self, tx: Tx, spec: CustomSpec, give: int, reason: str) -> None:
        rules.check(spec, self._config, give, tx.now)
        self.preview(spec)
        if not 1 <= len(reason) <= LONGEST_REASON:
            raise BadCustomPlan(reason="reason")

    async def _give(self, tx: Tx, plan: CustomPlan, posts: int, key: str, reason: str) -> None:
        if posts:
            asset = asset_of(plan.id)
            entries = (
                Entry(user_account(plan.user_id, CREDITS, asset), posts, unit_cost=Decimal(0)),
                Entry(house_account(GRANTS, asset), -posts),
            )
            await self._ledger.post(tx, key=key, kind="adjustment", entries=entries, description=_words(plan, reason))

    async def _take(
        self, tx: Tx, plan: CustomPlan, posts: int, key: str, reason: str, *, lot: str | None = None
    ) -> MoneyBack:
        """Posts back to the house (`lot`: of that one), and what was paid for them back to where it came from."""
        asset = asset_of(plan.id)
        entries = (
            Entry(user_account(plan.user_id, CREDITS, asset), -posts, lot=lot),
            Entry(house_account(GRANTS, asset), posts),
        )
        words = _words(plan, reason)
        try:
            taken = await self._ledger.post(tx, key=key, kind="adjustment", entries=entries, description=words)
        except InsufficientFunds as short:
            raise BadCustomPlan(reason="too_few_left", left=await self._left(tx, plan)) from short
        if not _worth(taken.lots):
            return MoneyBack()
        return await self._pay_back(tx, plan, key, taken.lots, words)

    async def _pay_back(self, tx: Tx, plan: CustomPlan, key: str, lots: Sequence[LotUse], words: str) -> MoneyBack:
        """By the purchase they came from: what was earned by it is owed back."""
        owed: dict[int, int] = {}
        for lot, use in zip(await self._ledger.lots_taken(tx, key=key), lots, strict=True):
            cents = _worth([use])
            if cents:
                invoice_id = await invoice_of_lot(tx, self._ledger, lot.posting_key) or NOBODYS
                owed[invoice_id] = owed.get(invoice_id, 0) + cents
        backs = [
            Back(f"{key}:back:{invoice_id or 'unknown'}", invoice_id or None, cents, words)
            for invoice_id, cents in sorted(owed.items())
        ]
        given = await self._payments.give_back(tx, key=f"{key}:back", user_id=plan.user_id, backs=backs)
        for back, parts in zip(backs, given, strict=True):
            if back.invoice_id is not None and parts.cents:
                tx.record(
                    CreditsRefunded(
                        source=key,
                        user_id=plan.user_id,
                        invoice_id=back.invoice_id,
                        cents=parts.cents,
                        to_wallet=parts.wallet,
                    )
                )
        return sum(given, MoneyBack())

    async def _noted(
        self,
        tx: Tx,
        actor: int,
        plan: CustomPlan,
        what: str,
        *,
        spec: CustomSpec | None,
        give: int,
        back: MoneyBack,
        reason: str,
    ) -> None:
        after = {**({} if spec is None else _told(spec)), "posts_given": give, "refunded_cents": back.cents}
        await self._users.audit(
            tx,
            actor=actor,
            action=f"boosts.custom_plan_{what}",
            subject=f"custom_plan:{plan.id}",
            before=None if what == "made" else _told(plan.spec),
            after={"user_id": plan.user_id, **after},
            reason=reason,
        )
        self._tell(tx, plan, what, give, back, reason)

    @staticmethod
    def _tell(tx: Tx, plan: CustomPlan, what: str, give: int, back: MoneyBack, reason: str) -> None:
        tx.record(
            CustomPlanChanged(
                plan_id=plan.id,
                user_id=plan.user_id,
                what=what,
                given=give,
                refunded=back.cents,
                to_bonus=back.bonus,
                reason=reason,
            )
        )

    async def _row(self, tx: Tx, plan_id: int, *, lock: str = "") -> CustomPlan:
        plan = await rows.get(tx.conn, plan_id, lock=lock)
        if plan is None:
            raise NotFound(what="custom plan")
        return plan

    async def _left(self, tx: Tx, plan: CustomPlan) -> int:
        account = user_account(plan.user_id, CREDITS, asset_of(plan.id))
        return (await self._ledger.balance(account=account, tx=tx)).available

    async def _now(self, tx: Tx, plan: CustomPlan) -> CustomPlanView:
        account = user_account(plan.user_id, CREDITS, asset_of(plan.id))
        lots = await self._ledger.lots(tx, account=account)
        cents = _worth([LotUse(lot.remaining, lot.unit_cost) for lot in lots])
        return self._view(plan, sum(lot.remaining for lot in lots), cents)

    def _view(self, plan: CustomPlan, left: int, cents: int) -> CustomPlanView:
        shown = self.shown(plan)
        return CustomPlanView(
            id=plan.id,
            user_id=plan.user_id,
            spec=plan.spec,
            plan=shown,
            state=plan.state(self._db.clock.now()),
            left=left,
            paid_back=Money(cents, USD),
            worst_cost=self._catalogue.worst_cost(shown),
        )


def _worth(lots: Sequence[LotUse]) -> int:
    """What was paid for them, lot by lot rounded down to the cent."""
    return sum(floor_money(lot.unit_cost * lot.quantity, USD).minor for lot in lots)


def _words(plan: CustomPlan, reason: str) -> str:
    return f"{plan.title}: {reason}"[:400]


def _told(spec: CustomSpec) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else str(value) for name, value in asdict(spec).items()}


def _fields(view: PlanView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in PlanView.__dataclass_fields__}
