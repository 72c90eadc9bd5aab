"""What doors show of what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from viralcore.core.db import Connection
from viralcore.core.money import NGN, Money
from viralcore.withdrawals.api import (
    AccountView,
    AttemptView,
    CheckView,
    QuoteView,
    TransferView,
    UserRecord,
    WithdrawalView,
)
from viralcore.withdrawals.config import WithdrawalsConfig
from viralcore.withdrawals.domain.states import Account, Attempt, Check, Request, Terms
from viralcore.withdrawals.repository import accounts, requests


def naira(kobo: int) -> Money:
    return Money(kobo, NGN)


def quote_of(request: Request, terms: Terms) -> QuoteView:
    return QuoteView(
        source=request.source,
        amount=request.money,
        rate=terms.rate,
        gross=naira(terms.gross),
        fee=naira(terms.fee),
        net=naira(terms.net),
    )


def check_view(check: Check, account: Account) -> CheckView:
    fee = check.fee
    return CheckView(
        id=check.id,
        user_id=check.user_id,
        state=check.state,
        reason=check.reason,
        quote=QuoteView(
            source=check.source,
            amount=check.money,
            rate=check.rate,
            gross=naira(check.gross),
            fee=None if fee is None else naira(fee),
            net=None if fee is None else naira(check.gross - fee),
        ),
        bank_name=account.bank_name,
        masked=account.masked,
        account_name=check.holder,
        until=check.until,
        withdrawal_id=check.withdrawal_id,
    )


def account_view(account: Account) -> AccountView:
    return AccountView(
        id=account.id,
        bank_name=account.bank_name,
        masked=account.masked,
        holder=account.holder,
        last_used=account.used_at,
    )


async def withdrawal_views(
    conn: Connection, config: WithdrawalsConfig, found: Sequence[Request]
) -> tuple[WithdrawalView, ...]:
    given = await requests.given(conn, [one.id for one in found])
    theirs = await accounts.get_accounts(conn, sorted({one.account_id for one in found}))
    valid = timedelta(hours=config.terms.valid_hours)
    return tuple(
        WithdrawalView(
            id=one.id,
            user_id=one.user_id,
            state=one.state,
            quote=quote_of(one, one.terms),
            terms_until=one.terms_at + valid,
            again=None if one.offered is None or one.state != "pending" else quote_of(one, one.offered),
            bank_name=theirs[one.account_id].bank_name,
            masked=theirs[one.account_id].masked,
            account_name=theirs[one.account_id].holder,
            mode=one.mode,
            needed=one.needed,
            approvals=len(given.get(one.id, ())),
            reason=one.reason,
            reference=one.reference,
            created_at=one.created_at,
            approved_at=one.approved_at,
            ended_at=one.ended_at,
        )
        for one in found
    )


async def withdrawal_view(conn: Connection, config: WithdrawalsConfig, request: Request) -> WithdrawalView:
    return (await withdrawal_views(conn, config, [request]))[0]


def attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        n=attempt.n,
        reference=attempt.reference,
        state=attempt.state,
        provider_id=attempt.provider_id,
        words=attempt.words,
        fee=None if attempt.fee is None else naira(attempt.fee),
        sent_at=attempt.sent_at,
        asked_at=attempt.asked_at,
        seen=attempt.seen,
    )


def transfer_view(row: Any) -> TransferView:
    return TransferView(
        id=row.id,
        withdrawal_id=row.request_id,
        n=row.n,
        reference=row.reference,
        state=row.state,
        provider_id=row.provider_id,
        net=naira(int(row.net)),
        fee=None if row.fee is None else naira(row.fee),
        sent_at=row.sent_at,
        ended_at=row.ended_at,
    )


def record_view(row: Any, user_since: Any) -> UserRecord:
    return UserRecord(
        requests=row.requests,
        completed=row.completed,
        rejected=row.rejected,
        failed=row.failed,
        paid=naira(int(row.paid)),
        first_at=row.first_at,
        user_since=user_since,
    )
