"""Commissions and their reversal.

Events say what was paid for a purchase and what went back of it, in any order and more than once. What they say is
stored, and then the books are brought to what is due on it: that is one rule for a commission, for a reversal, and for
a refund that is heard of before its payment. All of it is one transaction.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from viralcore.core.db import Tx
from viralcore.ledger.api import AFFILIATE, Account, Entry, InsufficientFunds, Ledger, house_account, user_account
from viralcore.referrals import domain, repository
from viralcore.referrals.events import CommissionEarned, CommissionReversed
from viralcore.referrals.repository import Purchase

EXPENSE = house_account("commissions")
"""What commissions have cost; stands with a minus."""
RECEIVABLE = house_account("affiliate_receivable")
"""What affiliates owe because a reversal found too little; stands with a minus, as money that is outside does."""
TRIES = 5


class Commissions:
    def __init__(self, *, ledger: Ledger, percent: Decimal) -> None:
        self._ledger = ledger
        self._percent = percent

    async def paid(self, tx: Tx, *, invoice_id: int, user_id: int, item_ref: str, total: int, paid: int) -> None:
        """A purchase was paid; `paid` of its `total` cents pay commission."""
        await repository.lock_buyer(tx.conn, user_id)
        new = await repository.add_purchase(
            tx.conn,
            invoice_id=invoice_id,
            user_id=user_id,
            item_ref=item_ref,
            total=total,
            paid=paid,
            percent=self._percent,
            now=tx.now,
        )
        if new:
            await repository.bought(tx.conn, user_id, now=tx.now)
            await self._settle(tx, invoice_id, cause="paid")

    async def returned(
        self, tx: Tx, *, source: str, invoice_id: int, user_id: int, cents: int, known: Literal["paid", "all"]
    ) -> None:
        """Money of a purchase went back. `known`: `cents` is what had ``paid`` commission, or ``all`` that went
        back. `source` names the refund, so that it counts once."""
        await repository.lock_buyer(tx.conn, user_id)
        new = await repository.add_return(
            tx.conn, source=source, invoice_id=invoice_id, user_id=user_id, cents=cents, known=known, now=tx.now
        )
        if new:
            await self._settle(tx, invoice_id, cause=source)

    async def catch_up(self, tx: Tx, *, user_id: int) -> None:
        """Somebody was bound after their purchases were heard of. Their lock is held."""
        for invoice_id in await repository.purchases_of(tx.conn, user_id):
            await self._settle(tx, invoice_id, cause="bound")

    async def _settle(self, tx: Tx, invoice_id: int, *, cause: str) -> None:
        """Bring the books to what is due on a purchase now."""
        purchase = await repository.lock_purchase(tx.conn, invoice_id)
        referrer_id = await repository.referrer_of(tx.conn, purchase.user_id)
        if referrer_id is None or purchase.paid is None or purchase.percent is None:
            return
        gone = await repository.returned(tx.conn, purchase)
        due = domain.due(paid=purchase.paid, returned=gone, percent=purchase.percent)
        if due == purchase.booked:
            return
        key = f"referral:{invoice_id}:{cause}"
        sums = await repository.lock_affiliate(tx.conn, referrer_id)
        what = await self._post(tx, key, referrer_id, purchase, due - purchase.booked, owed=sums.receivable)
        await repository.book(tx.conn, purchase, due)
        await repository.add_commission(
            tx.conn, key=key, referrer_id=referrer_id, purchase=purchase, what=what, now=tx.now
        )
        _tell(tx, referrer_id, purchase, what)

    async def _post(
        self, tx: Tx, key: str, referrer_id: int, purchase: Purchase, cents: int, *, owed: int
    ) -> domain.Change:
        """One posting. A reversal takes what the balance has free; where a withdrawal or a move takes some of that
        between our look and the posting, we look again."""
        account = user_account(referrer_id, AFFILIATE)
        words = "Commission" if cents > 0 else "Commission taken back"
        for _ in range(TRIES):
            available = 0 if cents > 0 else (await self._ledger.balance(account=account, tx=tx)).available
            what = domain.change(cents, available=available, owed=owed)
            try:
                await self._ledger.post(
                    tx,
                    key=key,
                    kind="commission",
                    entries=_entries(account, what),
                    description=f"{words}, invoice {purchase.invoice_id}",
                )
            except InsufficientFunds:
                continue
            return what
        raise RuntimeError(f"the affiliate balance of {referrer_id} did not hold still")


def _entries(account: Account, what: domain.Change) -> tuple[Entry, ...]:
    legs = ((account, what.to_balance), (RECEIVABLE, -what.receivable), (EXPENSE, -what.cents))
    return tuple(Entry(each, amount) for each, amount in legs if amount)


def _tell(tx: Tx, referrer_id: int, purchase: Purchase, what: domain.Change) -> None:
    facts = {
        "referrer_id": referrer_id,
        "buyer_id": purchase.user_id,
        "invoice_id": purchase.invoice_id,
    }
    if what.cents > 0:
        tx.record(
            CommissionEarned(
                **facts,
                item_ref=purchase.item_ref,
                cents=what.cents,
                to_balance=what.to_balance,
                to_receivable=-what.receivable,
            )
        )
    else:
        tx.record(
            CommissionReversed(
                **facts,
                item_ref=purchase.item_ref,
                cents=-what.cents,
                from_balance=-what.to_balance,
                receivable=what.receivable,
            )
        )
