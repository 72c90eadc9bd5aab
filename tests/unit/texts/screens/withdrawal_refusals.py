"""Everything withdrawals refuse, made as the service makes it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from viralcore.core.errors import DomainError
from viralcore.core.money import ngn, usd
from viralcore.withdrawals import api

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

REFUSALS: dict[str, DomainError] = {
    "withdrawal: source off": api.SourceOff(source="wallet"),
    "withdrawal: bad amount": api.BadAmount(problem="not_positive"),
    "withdrawal: too little": api.TooLittle(minimum=ngn(1000), least=usd(Decimal("0.67"))),
    "withdrawal: too much": api.TooMuch(maximum=usd(500), most=ngn(750_000)),
    "withdrawal: not enough": api.NotEnough(available=usd(Decimal("12.50"))),
    "withdrawal: one is open": api.RequestOpen(withdrawal_id=7),
    "withdrawal: too many": api.TooMany(what="requests", limit=5, again_at=AT),
    "withdrawal: too many questions": api.TooMany(what="checks", limit=20, again_at=AT),
    "withdrawal: no rate": api.NoRate(),
    "withdrawal: paused": api.PayoutsPaused(),
    **{f"withdrawal: bad account, {what}": api.BadAccount(problem=what) for what in ("digits", "bank")},
    **{
        f"withdrawal: check {state}": api.CheckClosed(state=state, withdrawal_id=None)
        for state in ("asking", "failed", "expired", "used")
    },
    **{
        f"withdrawal is {state}": api.WrongState(withdrawal_id=7, state=state)
        for state in (
            "pending",
            "approved",
            "processing",
            "unconfirmed",
            "completed",
            "failed",
            "rejected",
            "cancelled",
        )
    },
    "withdrawal: terms outdated": api.TermsOutdated(withdrawal_id=7),
    "withdrawal: terms changed": api.TermsChanged(withdrawal_id=7),
    "withdrawal: own": api.OwnWithdrawal(withdrawal_id=7),
    "withdrawal: another approver": api.SecondApprover(withdrawal_id=7, again_at=None),
    "withdrawal: the only approver": api.SecondApprover(withdrawal_id=7, again_at=AT),
    **{f"withdrawal: {what} missing": api.ReasonMissing(what=what) for what in ("reason", "reference")},
    "withdrawal: cannot give back": api.CannotGiveBack(withdrawal_id=7, since=AT, hours=24),
    "withdrawal: cannot give back, something is there": api.CannotGiveBack(
        withdrawal_id=7, since=None, hours=24, seen="pending"
    ),
    "withdrawal: may have left": api.AlreadySent(withdrawal_id=7),
    "withdrawal: no provider": api.NoProvider(),
    "a difference is closed": api.DifferenceClosed(difference_id=7, state="accepted"),
}
