"""Paying reply guys: for claims from the groups, bonuses and corrections, and what everybody was paid so far.

Money moves in one transaction with the row that says why (`reply_pays`, written once) and the posting, whose key is
that row's: a crash leaves all of it or nothing. Lock order: submission, reply links by name, ledger accounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from viralcore.boosts.api import (
    BadPay,
    BelowZero,
    EarnersView,
    EarnerView,
    NoReason,
    PayKind,
    ReplyDayView,
    ReplyPanelView,
    ReplyPayView,
)
from viralcore.boosts.config import ReplyGuys
from viralcore.boosts.domain.replies import Reply
from viralcore.boosts.events import ReplyPaid
from viralcore.boosts.repository import replies as rows
from viralcore.boosts.repository.replies import NewPay, Sums
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import NGN, Money, exact
from viralcore.core.one_line import one_line
from viralcore.ledger.api import REPLY, Entry, InsufficientFunds, Kind, Ledger, house_account, user_account
from viralcore.users.api import NotYourself, Users

log = structlog.get_logger(__name__)
COST = "reply_cost"
"""The house account that reply pay comes from."""
MANAGE, ADJUST, TASKS = "reply_guys.manage", "balances.adjust", "tasks"
_NOTHING = Sums(0, 0, 0, 0, 0, None)


def ngn(kobo: int) -> Money:
    return Money(kobo, NGN)


class ReplyPay:
    """The money side; `book` is what approvals use as well."""

    def __init__(self, db: Database, config: ReplyGuys, ledger: Ledger, users: Users) -> None:
        self._db = db
        self._config = config
        self._ledger = ledger
        self._users = users
        self.rate = exact(config.per_reply, NGN)
        self.largest = exact(config.largest_bonus, NGN)

    def rate_of(self, metrics: Sequence[str]) -> Money:
        """What one of each pays."""
        return ngn(self.rate.minor * sum(metric in self._config.paid_metrics for metric in metrics))

    async def book(self, tx: Tx, new: NewPay, *, kind: Kind, description: str) -> int | None:
        """The row and its posting. None when this claim was settled before. Raises BelowZero."""
        pay_id = await rows.add_pay(tx.conn, new, tx.now)
        if pay_id is None or new.kobo == 0:
            return pay_id
        entries = (
            Entry(user_account(new.user_id, REPLY, NGN), new.kobo),
            Entry(house_account(COST, NGN), -new.kobo),
        )
        try:
            await self._ledger.post(
                tx, key=f"boosts.reply_pay:{pay_id}", kind=kind, entries=entries, description=description
            )
        except InsufficientFunds as error:
            raise BelowZero(available=int(error.fields.get("available", 0))) from error
        return pay_id

    # --- claims -------------------------------------------------------------------------------------------------------

    async def pay_claim(
        self, tx: Tx, *, claim_id: int, user_id: int, metric: str, count: int, actor: int, proofs: Sequence[Reply]
    ) -> None:
        """Approved work from a group or a task: only reply guys are paid, and no reply that a submission counts."""
        if metric not in self._config.paid_metrics or count <= 0:
            return
        person = await self._users.get(user_id=user_id)
        if "reply_guy" not in person.roles:
            return
        names = {proof.name for proof in proofs}
        counted = names - await rows.claim_links(tx.conn, proofs, user_id=user_id, claim_id=claim_id)
        new = NewPay(
            user_id=user_id,
            kind="claim",
            kobo=0 if counted else self.rate.minor * count,
            day=tx.now.astimezone(self._config.zone).date(),
            actor=actor,
            replies=0 if counted else count,
            reason="counted" if counted else "",
            claim_id=claim_id,
            metric=metric,
        )
        pay_id = await self.book(tx, new, kind="reply_pay", description=f"Task {claim_id}: {count} {metric}")
        if pay_id is None:
            log.info("claim_paid_before", claim_id=claim_id, metric=metric)
            return
        tx.record(ReplyPaid(pay_id=pay_id, user_id=user_id, kind="claim", kobo=new.kobo))

    # --- by hand ------------------------------------------------------------------------------------------------------

    async def by_hand(
        self, kind: PayKind, *, key: str, actor: int, user_id: int, amount: Money, reason: str
    ) -> ReplyPayView:
        """A bonus or a correction."""
        kobo = amount.minor

        async def work(tx: Tx) -> ReplyPayView:
            await self._users.authorize(tx, actor=actor, right=ADJUST)
            if actor == user_id:
                raise NotYourself
            await self._users.get(user_id=user_id)
            why = self.reason(reason)
            if amount.asset != NGN or not self._allowed(kind, kobo):
                raise BadPay(most=self.largest.minor)

            async def run() -> Mapping[str, Any]:
                before = await self._ledger.balance(account=user_account(user_id, REPLY, NGN), tx=tx)
                day = tx.now.astimezone(self._config.zone).date()
                new = NewPay(user_id=user_id, kind=kind, kobo=kobo, day=day, actor=actor, reason=why)
                words = "Bonus" if kind == "bonus" else "Correction"
                pay_id = await self.book(tx, new, kind="adjustment", description=f"{words}: {why}")
                await self._users.audit(
                    tx,
                    actor=actor,
                    action=f"reply_pay.{kind}",
                    subject=f"user:{user_id}",
                    before={"kobo": before.balance},
                    after={"kobo": before.balance + kobo},
                    reason=why,
                )
                tx.record(ReplyPaid(pay_id=pay_id or 0, user_id=user_id, kind=kind, kobo=kobo))
                return {"pay_id": pay_id}

            inputs = {"actor": actor, "user_id": user_id, "kobo": kobo, "reason": why}
            done = await tx.once(scope=f"boosts.reply_{kind}", key=key, inputs=inputs, run=run)
            return await self.get(pay_id=int(done["pay_id"]))

        return await self._db.run(work)

    def reason(self, text: str) -> str:
        """Why, on one line. Raises NoReason."""
        why = one_line(text)
        if not why or len(why) > self._config.longest_reason:
            raise NoReason(limit=self._config.longest_reason)
        return why

    def _allowed(self, kind: PayKind, kobo: int) -> bool:
        return kobo != 0 and abs(kobo) <= self.largest.minor and (kind != "bonus" or kobo > 0)

    # --- looking ------------------------------------------------------------------------------------------------------

    async def get(self, *, pay_id: int) -> ReplyPayView:
        async with self._db.read() as conn:
            found = await rows.get_pay(conn, pay_id)
        if found is None:
            raise NotFound(what="reply pay")
        return found

    async def panel(self, *, user_id: int) -> ReplyPanelView:
        person = await self._users.get(user_id=user_id)
        today = self._db.clock.now().astimezone(self._config.zone).date()
        first = today - timedelta(days=self._config.bars - 1)
        monday = today - timedelta(days=today.weekday())
        async with self._db.read() as conn:
            found = await rows.days(conn, user_id=user_id, since=min(first, monday))
            total = (await rows.sums_of(conn, [user_id])).get(user_id, _NOTHING)
            pending = await rows.pending_of(conn, user_id)
        balance = await self._ledger.balance(account=user_account(user_id, REPLY, NGN))
        shown = [first + timedelta(days=n) for n in range(self._config.bars)]
        return ReplyPanelView(
            active="reply_guy" in person.roles,
            rate=self.rate,
            today=found.get(today, (0, 0))[0],
            week=sum(replies for day, (replies, _) in found.items() if day >= monday),
            total=total.replies,
            earned=ngn(total.earned),
            balance=ngn(balance.available),
            held=ngn(balance.held),
            days=tuple(ReplyDayView(d, found.get(d, (0, 0))[0], ngn(found.get(d, (0, 0))[1])) for d in shown),
            pending=pending,
        )

    async def earner(self, *, user_id: int) -> EarnerView:
        person = await self._users.get(user_id=user_id)
        async with self._db.read() as conn:
            found = await rows.sums_of(conn, [user_id])
        return await self._earner(user_id, "reply_guy" in person.roles, found)

    async def earners(self, *, offset: int = 0, limit: int = 20) -> EarnersView:
        active = frozenset(await self._users.staff_ids(right=TASKS))
        async with self._db.read() as conn:
            people, shown = await rows.everybody(conn, active, offset=max(0, offset), limit=max(1, limit))
            found = await rows.sums_of(conn, shown)
            total = await rows.sums(conn)
        return EarnersView(
            rows=tuple([await self._earner(user_id, user_id in active, found) for user_id in shown]),
            people=people,
            active=len(active),
            replies=total.replies,
            paid=ngn(total.paid),
            bonus=ngn(total.bonus),
            corrected=ngn(total.corrected),
        )

    async def _earner(self, user_id: int, active: bool, found: Mapping[int, Sums]) -> EarnerView:
        sums = found.get(user_id, _NOTHING)
        balance = await self._ledger.balance(account=user_account(user_id, REPLY, NGN))
        return EarnerView(
            user_id=user_id,
            active=active,
            replies=sums.replies,
            paid=ngn(sums.paid),
            bonus=ngn(sums.bonus),
            corrected=ngn(sums.corrected),
            balance=ngn(balance.available),
            last_at=sums.last_at,
        )
