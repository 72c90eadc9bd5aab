"""What reply guys hand in and staff decide: `pending -> approved | rejected`, or `withdrawn` by the person.

A submission leaves `pending` by one guarded UPDATE under its row's lock, in the transaction that pays: of two admins,
or an admin and the person, one is first and the other is told so. A person has one pending submission (a unique index),
and a reply is counted once (the primary key of `reply_links`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal

from viralcore.boosts.api import (
    BadApproval,
    BadReplies,
    BadReport,
    EarnersView,
    EarnerView,
    LinkProblem,
    Metric,
    RecordView,
    ReplyPanelView,
    ReplyPayView,
    ReplyTerms,
    ReportView,
    SubmissionClosed,
    SubmissionPending,
    SubmissionView,
)
from viralcore.boosts.config import ReplyGuys
from viralcore.boosts.domain.replies import NoReport, judge_day, read_replies, read_report
from viralcore.boosts.events import RepliesDecided, RepliesSubmitted, ReplyExportAsked, ReplyGuyChanged
from viralcore.boosts.repository import replies as rows
from viralcore.boosts.repository.replies import NewPay, NewSubmission
from viralcore.boosts.service.reply_pay import TASKS, ReplyPay
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import Money
from viralcore.users.api import NotYourself, Users

APPROVE, EXPORT = "replies.approve", "exports"
MOST = 100
Run = Callable[[], Awaitable[Mapping[str, Any]]]


class RepliesService:
    """Implements `boosts.api.Replies`."""

    def __init__(self, db: Database, config: ReplyGuys, pay: ReplyPay, users: Users) -> None:
        self._db = db
        self._config = config
        self._pay = pay
        self._users = users

    def terms(self) -> ReplyTerms:
        config = self._config
        return ReplyTerms(
            self._pay.rate,
            config.days_back,
            config.max_count,
            config.max_links,
            largest_bonus=self._pay.largest,
            longest_reason=config.longest_reason,
        )

    def pays(self, metrics: Sequence[Metric]) -> Money:
        return self._pay.rate_of(metrics)

    # --- handing in ---------------------------------------------------------------------------------------------------

    def read_report(self, line: str) -> ReportView:
        config = self._config
        found = read_report(line, today=self._today(), back=config.days_back, most=config.max_count)
        if isinstance(found, NoReport):
            raise self._bad_report(found)
        return ReportView(found.count, found.day, Money(self._pay.rate.minor * found.count, self._pay.rate.asset))

    async def report(self, *, key: str, user_id: int, count: int, day: date) -> SubmissionView:
        new = NewSubmission(user_id, "count", count, day, self._pay.rate.minor)

        async def make(tx: Tx) -> Mapping[str, Any]:
            if not 1 <= count <= self._config.max_count:
                raise self._bad_report(NoReport("count"))
            if (wrong := judge_day(day, today=self._today(), back=self._config.days_back)) is not None:
                raise self._bad_report(wrong)
            return {"id": await self._add(tx, new), "problems": []}

        return await self._hand_in(make, key=key, user_id=user_id, inputs={"count": count, "day": day.isoformat()})

    async def submit_links(self, *, key: str, user_id: int, text: str) -> SubmissionView:
        found, unread = read_replies(text, max_length=self._config.max_link_length)
        if len(found) > self._config.max_links:
            raise BadReplies(problems=(), limit=self._config.max_links)

        async def make(tx: Tx) -> Mapping[str, Any]:
            if not found:
                raise BadReplies(problems=unread, limit=self._config.max_links)
            links = tuple(reply.link for reply in found)
            submission_id = await self._add(
                tx, NewSubmission(user_id, "links", len(links), self._today(), self._pay.rate.minor, links)
            )
            elsewhere = await rows.proved(tx.conn, found)
            free = [reply for reply in found if reply.name not in elsewhere]
            taken = await rows.claim_links(tx.conn, free, user_id=user_id, submission_id=submission_id)
            problems = [*unread, *(LinkProblem(reply.link, "used") for reply in found if reply.name not in taken)]
            if not taken:
                raise BadReplies(problems=tuple(problems), limit=self._config.max_links)
            if len(taken) < len(found):
                await rows.shrink(tx.conn, submission_id, [one.link for one in found if one.name in taken])
            return {"id": submission_id, "problems": [[one.text, one.reason] for one in problems]}

        return await self._hand_in(make, key=key, user_id=user_id, inputs={"text": text})

    async def take_back(self, *, key: str, user_id: int, submission_id: int) -> SubmissionView:
        """Guarded by its own row, whatever the key: taken back once."""

        async def work(tx: Tx) -> SubmissionView:
            found = await self._locked(tx, submission_id, user_id=user_id)
            if found.state == "withdrawn":
                return found
            await self._decide(tx, found, "withdrawn")
            return await self.submission(submission_id=submission_id)

        return await self._db.run(work)

    async def _hand_in(
        self, make: Callable[[Tx], Awaitable[Mapping[str, Any]]], *, key: str, user_id: int, inputs: Mapping[str, Any]
    ) -> SubmissionView:
        async def work(tx: Tx) -> SubmissionView:
            await self._users.require_active(tx, user_id=user_id)
            await self._users.authorize(tx, actor=user_id, right=TASKS)
            given = {"user_id": user_id, **inputs}
            done = await tx.once(scope="boosts.replies", key=key, inputs=given, run=lambda: make(tx))
            problems = tuple(LinkProblem(words, reason) for words, reason in done["problems"])
            return replace(await self.submission(submission_id=int(done["id"])), problems=problems)

        return await self._db.run(work)

    async def _add(self, tx: Tx, new: NewSubmission) -> int:
        submission_id = await rows.add(tx.conn, new, tx.now)
        if submission_id is None:
            waiting = await rows.pending_of(tx.conn, new.user_id)
            raise SubmissionPending(submission_id=waiting.id if waiting is not None else 0)
        tx.record(RepliesSubmitted(submission_id=submission_id, user_id=new.user_id))
        return submission_id

    # --- looking ------------------------------------------------------------------------------------------------------

    async def submission(self, *, submission_id: int, user_id: int | None = None) -> SubmissionView:
        async with self._db.read() as conn:
            found = await rows.get(conn, submission_id, user_id=user_id)
        if found is None:
            raise NotFound(what="submission")
        return found

    async def submissions(
        self, *, user_id: int, before_id: int | None = None, limit: int = 10
    ) -> tuple[SubmissionView, ...]:
        async with self._db.read() as conn:
            return await rows.page(conn, user_id=user_id, before_id=before_id, limit=max(1, min(limit, MOST)))

    async def panel(self, *, user_id: int) -> ReplyPanelView:
        return await self._pay.panel(user_id=user_id)

    async def queue(self, *, after_id: int = 0, limit: int = 20) -> tuple[SubmissionView, ...]:
        async with self._db.read() as conn:
            return await rows.queue(conn, after_id=after_id, limit=max(1, min(limit, MOST)))

    async def queue_size(self) -> int:
        async with self._db.read() as conn:
            return await rows.queue_size(conn)

    async def record(self, *, user_id: int, day: date) -> RecordView:
        async with self._db.read() as conn:
            return await rows.record(conn, user_id=user_id, day=day)

    async def pay(self, *, pay_id: int) -> ReplyPayView:
        return await self._pay.get(pay_id=pay_id)

    async def earner(self, *, user_id: int) -> EarnerView:
        return await self._pay.earner(user_id=user_id)

    async def earners(self, *, offset: int = 0, limit: int = 20) -> EarnersView:
        return await self._pay.earners(offset=offset, limit=limit)

    # --- deciding -----------------------------------------------------------------------------------------------------

    async def approve(self, *, key: str, actor: int, submission_id: int, count: int | None = None) -> SubmissionView:
        async def run(tx: Tx) -> None:
            found = await self._undecided(tx, actor, submission_id)
            approved = found.count if count is None else count
            if not 1 <= approved <= found.count:
                raise BadApproval(count=found.count)
            new = NewPay(
                user_id=found.user_id,
                kind="submission",
                kobo=approved * found.rate.minor,
                day=found.day,
                actor=actor,
                replies=approved,
                submission_id=found.id,
            )
            await self._decide(tx, found, "approved", approved=approved, actor=actor, kobo=new.kobo)
            words = f"{approved} {'reply' if approved == 1 else 'replies'}, submission {found.id}"
            await self._pay.book(tx, new, kind="reply_pay", description=words)
            await self._audited(tx, actor, found, {"state": "approved", "approved": approved, "kobo": new.kobo})

        inputs = {"submission_id": submission_id, "count": count}
        return await self._judge(run, "approve", key=key, actor=actor, submission_id=submission_id, inputs=inputs)

    async def reject(self, *, key: str, actor: int, submission_id: int, reason: str) -> SubmissionView:
        async def run(tx: Tx) -> None:
            found = await self._undecided(tx, actor, submission_id)
            why = self._pay.reason(reason)
            await self._decide(tx, found, "rejected", reason=why, actor=actor)
            await self._audited(tx, actor, found, {"state": "rejected"}, why)

        inputs = {"submission_id": submission_id, "reason": reason}
        return await self._judge(run, "reject", key=key, actor=actor, submission_id=submission_id, inputs=inputs)

    async def _judge(
        self,
        run: Callable[[Tx], Awaitable[None]],
        what: str,
        *,
        key: str,
        actor: int,
        submission_id: int,
        inputs: Mapping[str, Any],
    ) -> SubmissionView:
        async def work(tx: Tx) -> SubmissionView:
            await self._users.authorize(tx, actor=actor, right=APPROVE)

            async def once() -> Mapping[str, Any]:
                await run(tx)
                return {}

            await tx.once(scope=f"boosts.replies_{what}", key=key, inputs={"actor": actor, **inputs}, run=once)
            return await self.submission(submission_id=submission_id)

        return await self._db.run(work)

    async def _undecided(self, tx: Tx, actor: int, submission_id: int) -> SubmissionView:
        found = await self._locked(tx, submission_id)
        if found.user_id == actor:
            raise NotYourself
        if found.state != "pending":
            raise SubmissionClosed(submission_id=submission_id, state=found.state)
        return found

    async def _locked(self, tx: Tx, submission_id: int, *, user_id: int | None = None) -> SubmissionView:
        found = await rows.get(tx.conn, submission_id, user_id=user_id, lock=True)
        if found is None:
            raise NotFound(what="submission")
        return found

    async def _decide(self, tx: Tx, found: SubmissionView, state: Any, *, kobo: int = 0, **values: Any) -> None:
        if not await rows.decide(tx.conn, found.id, state, now=tx.now, **values):
            now = await rows.get(tx.conn, found.id)
            raise SubmissionClosed(submission_id=found.id, state=now.state if now is not None else "")
        tx.record(RepliesDecided(submission_id=found.id, user_id=found.user_id, state=state, kobo=kobo))

    async def _audited(
        self, tx: Tx, actor: int, found: SubmissionView, after: Mapping[str, Any], reason: str = ""
    ) -> None:
        await self._users.audit(
            tx,
            actor=actor,
            action=f"replies.{after['state']}",
            subject=f"submission:{found.id}",
            before={"state": found.state, "user_id": found.user_id, "count": found.count},
            after=after,
            reason=reason,
        )

    # --- people -------------------------------------------------------------------------------------------------------

    async def promote(self, *, key: str, actor: int, user_id: int, reason: str = "") -> None:
        await self._change(True, key=key, actor=actor, user_id=user_id, reason=reason)

    async def demote(self, *, key: str, actor: int, user_id: int, reason: str = "") -> None:
        await self._change(False, key=key, actor=actor, user_id=user_id, reason=reason)

    async def _change(self, active: bool, *, key: str, actor: int, user_id: int, reason: str) -> None:
        """The role is users' own transaction; when we die before ours, it is right and only nobody was told."""
        before = "reply_guy" in (await self._users.get(user_id=user_id)).roles
        change = self._users.grant_role if active else self._users.revoke_role
        await change(key=key, actor=actor, user_id=user_id, role="reply_guy", reason=reason)
        if before == active:
            return
        async with self._db.transaction() as tx:
            tx.record(ReplyGuyChanged(user_id=user_id, active=active, actor=actor))

    async def bonus(self, *, key: str, actor: int, user_id: int, amount: Money, reason: str) -> ReplyPayView:
        return await self._pay.by_hand("bonus", key=key, actor=actor, user_id=user_id, amount=amount, reason=reason)

    async def correct(self, *, key: str, actor: int, user_id: int, amount: Money, reason: str) -> ReplyPayView:
        return await self._pay.by_hand(
            "correction", key=key, actor=actor, user_id=user_id, amount=amount, reason=reason
        )

    async def ask_export(self, *, key: str, actor: int, form: Literal["csv", "xlsx"] = "csv") -> None:
        async def work(tx: Tx) -> None:
            await self._users.authorize(tx, actor=actor, right=EXPORT)

            async def run() -> Mapping[str, Any]:
                await self._users.audit(
                    tx,
                    actor=actor,
                    action="reply_guys.exported",
                    subject="reply_guys",
                    before=None,
                    after={"form": form},
                )
                tx.record(ReplyExportAsked(actor=actor, form=form))
                return {}

            await tx.once(scope="boosts.reply_export", key=key, inputs={"actor": actor, "form": form}, run=run)

        await self._db.run(work)

    def _today(self) -> date:
        return self._db.clock.now().astimezone(self._config.zone).date()

    def _bad_report(self, found: NoReport) -> BadReport:
        return BadReport(reason=found.reason, most=self._config.max_count, back=self._config.days_back)
