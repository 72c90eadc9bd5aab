"""Many people with $50.00 each, of whom each asks for $20.00 of it; set up in sets, as asking is tried elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from viralcore.core.crypto import Cipher
from viralcore.core.db import Database
from viralcore.ledger.api import Entry, Ledger, NewPosting, house_account, user_account
from viralcore.withdrawals.domain.accounts import PURPOSE, identity

EARNED, ASKED, FEE = 5000, 2000, 1075
_PEOPLE = """
INSERT INTO withdrawals.accounts
    (user_id, bank_id, bank_code, bank_name, sealed, print, last4, holder, created_at, used_at)
SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:banks AS bigint[]), CAST(:codes AS text[]), CAST(:names AS text[]),
    CAST(:sealed AS text[]), CAST(:prints AS text[]), CAST(:last4 AS text[]), CAST(:names AS text[]),
    CAST(:at AS timestamptz[]), CAST(:at AS timestamptz[]))
"""
_REQUESTS = """
INSERT INTO withdrawals.requests
    (user_id, source, amount, state, rate, gross, fee, terms_at, account_id, needed, created_at)
SELECT user_id, 'affiliate', 2000, 'pending', :rate, :gross, 1075, :now, id, 1, :now FROM withdrawals.accounts
RETURNING id, user_id
"""

_HOLDS = """
UPDATE withdrawals.requests r SET hold_id = h.id FROM ledger.holds h WHERE h.key = 'withdrawals.request:' || r.id
"""


async def crowd(
    db: Database,
    books: Ledger,
    cipher: Cipher,
    people: Sequence[int],
    *,
    rate: Decimal = Decimal(1500),
    bank: tuple[int, str, str] = (1, "044", "Access Bank"),
) -> list[int]:
    """The ids of their requests, which wait for approval. `rate`: naira a dollar is paid out at."""
    numbers = [f"{user:010}" for user in people]
    many = len(people)
    async with db.transaction() as tx:
        values: dict[str, Any] = {
            "ids": list(people),
            "banks": [bank[0]] * many,
            "codes": [bank[1]] * many,
            "names": [bank[2]] * many,
            "sealed": [cipher.encrypt(number) for number in numbers],
            "prints": [cipher.fingerprint(PURPOSE, identity(bank[1], number)) for number in numbers],
            "last4": [number[-4:] for number in numbers],
            "at": [tx.now] * many,
        }
        await tx.conn.execute(text(_PEOPLE), values)
        terms = {"now": tx.now, "rate": rate, "gross": int(rate * ASKED)}
        rows = (await tx.conn.execute(text(_REQUESTS), terms)).all()
        postings = [
            NewPosting(
                f"earn:{user}",
                "commission",
                (Entry(user_account(user, "affiliate"), EARNED), Entry(house_account("revenue"), -EARNED)),
                "earned",
            )
            for user in people
        ]
        assert all(verdict.done for verdict in await books.post_many(tx, postings))
        for row in rows:
            await books.hold(
                tx,
                key=f"withdrawals.request:{row.id}",
                account=user_account(row.user_id, "affiliate"),
                amount=ASKED,
                reason="x",
            )
        await tx.conn.execute(text(_HOLDS))
    return [row.id for row in rows]
