"""Everything that is refused about replies, made as the service makes it."""

from __future__ import annotations

from tests.unit.texts.screens import hostile
from viralcore.boosts import api
from viralcore.boosts.api import LinkProblem
from viralcore.core.errors import DomainError
from viralcore.texts import reply_errors

REFUSALS: dict[str, DomainError] = {
    **{f"report: {reason}": api.BadReport(reason=reason, most=200, back=7) for reason in reply_errors.REPORTS},
    "replies: no link": api.BadReplies(problems=(), limit=30),
    "replies: all problems, with markup": api.BadReplies(
        problems=tuple(LinkProblem(hostile.LINK, reason) for reason in reply_errors.PROBLEMS), limit=30
    ),
    "replies: one waits": api.SubmissionPending(submission_id=7),
    **{
        f"replies: {state}": api.SubmissionClosed(submission_id=7, state=state)
        for state in ("approved", "rejected", "withdrawn")
    },
    "replies: bad number to approve": api.BadApproval(count=12),
    "replies: no reason": api.NoReason(limit=300),
    "replies: bad amount": api.BadPay(most=10_000_000),
    "replies: below zero": api.BelowZero(available=120_050),
}
