"""Stray money: finance says whose it is, and owners hear of what is large or lies long. See domain/finance.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.payments.api import CannotAssign, ReceiptTaken
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.chain import ChainTransaction
from viralcore.payments.domain.quotes import plain, shown_amount
from viralcore.payments.domain.states import Receipt
from viralcore.payments.events import ReceiptAssigned, StrayNeedsOwner
from viralcore.payments.repository import finance, invoices, money
from viralcore.payments.service.booking import Booking, Case, Unpriced, Worthless
from viralcore.payments.service.crediting import Crediting
from viralcore.payments.service.views import scale
from viralcore.users.api import NotYourself, Users

RIGHT = "payments.assign"
BATCH = 100

Give = Callable[[Case, Receipt], Awaitable[int]]
"""Credits a held receipt; the user whose wallet it went to."""


class Assigning:
    def __init__(self, *, config: PaymentsConfig, users: Users, booking: Booking, crediting: Crediting) -> None:
        self._config = config
        self._users = users
        self._booking = booking
        self._crediting = crediting

    async def to_invoice(self, tx: Tx, *, key: str, actor: int, receipt_id: int, invoice_id: int, reason: str) -> None:
        """Raises NotAllowed, SessionExpired, Blocked, NotYourself, NotFound, ReceiptTaken, CannotAssign."""

        async def give(case: Case, receipt: Receipt) -> int:
            invoice = (await invoices.lock_invoices(tx.conn, [invoice_id])).get(invoice_id)
            if invoice is None:
                raise NotFound(what="invoice")
            _not_oneself(actor, invoice.user_id)
            await self._booking.assign(case, receipt, invoice, by=actor)
            return invoice.user_id

        await self._assign(tx, key, actor, receipt_id, reason, give, invoice_id=invoice_id)

    async def to_wallet(self, tx: Tx, *, key: str, actor: int, receipt_id: int, user_id: int, reason: str) -> None:
        """Raises as `to_invoice`. A blocked person's money is still theirs."""

        async def give(case: Case, receipt: Receipt) -> int:
            await self._users.get(user_id=user_id)
            _not_oneself(actor, user_id)
            await self._booking.to_wallet(case, receipt, user_id, by=actor)
            return user_id

        await self._assign(tx, key, actor, receipt_id, reason, give, user_id=user_id)

    async def _assign(
        self, tx: Tx, key: str, actor: int, receipt_id: int, reason: str, give: Give, **target: int
    ) -> None:
        """Authorised, decided once, audited."""
        await self._users.authorize(tx, actor=actor, right=RIGHT)

        async def run() -> dict[str, Any]:
            await self._give(tx, actor, receipt_id, reason, give)
            return {}

        inputs = {"actor": actor, "receipt_id": receipt_id, "reason": reason, **target}
        await tx.once(scope="payments.assign", key=key, inputs=inputs, run=run)

    async def _give(self, tx: Tx, actor: int, receipt_id: int, reason: str, give: Give) -> None:
        if not reason.strip():
            raise ValueError("an assignment has a reason")
        case, receipt = await self._held(tx, receipt_id)
        try:
            user_id = await give(case, receipt)
        except Unpriced:
            raise CannotAssign(receipt_id=receipt_id, reason="price") from None
        except Worthless:
            raise CannotAssign(receipt_id=receipt_id, reason="dust") from None
        after = await finance.get_receipt(tx.conn, receipt_id)
        if after is None or after.state != "credited":
            raise RuntimeError("an assigned receipt is not credited")
        await self._crediting.decide_all(case, {}, new=False)
        tx.record(
            ReceiptAssigned(
                receipt_id=receipt_id,
                user_id=user_id,
                invoice_id=after.invoice_id,
                network=receipt.network,
                asset=receipt.asset,
                amount=self._shown(receipt),
                usd=after.usd_cents,
                actor=actor,
            )
        )
        await self._users.audit(
            tx,
            actor=actor,
            action="payment.assigned",
            subject=f"receipt:{receipt_id}",
            before={"state": "suspense", "usd_cents": receipt.usd_cents},
            after={
                "state": "credited",
                "user_id": user_id,
                "invoice_id": after.invoice_id,
                "usd_cents": after.usd_cents,
            },
            reason=reason,
        )

    async def _held(self, tx: Tx, receipt_id: int) -> tuple[Case, Receipt]:
        """The receipt with everything that could decide it otherwise held, in the order the judge takes it."""
        seen = await finance.get_receipt(tx.conn, receipt_id)
        if seen is None:
            raise NotFound(what="receipt")
        await finance.hold_sighting(tx.conn, seen.network, seen.hash)
        claims = await money.lock_claims_on(tx.conn, seen.network, seen.hash)
        receipt = await finance.lock_receipt(tx.conn, receipt_id)
        if receipt is None:
            raise NotFound(what="receipt")
        if receipt.state != "suspense":
            raise ReceiptTaken(
                receipt_id=receipt_id,
                user_id=receipt.user_id,
                invoice_id=receipt.invoice_id,
                by=receipt.assigned_by,
            )
        found = ChainTransaction(
            network=receipt.network,
            hash=receipt.hash,
            success=True,
            final=True,
            block=receipt.block,
            block_time=receipt.block_time,
            movements=(),
        )
        return Case(tx, found, claims), receipt

    def _shown(self, receipt: Receipt) -> str:
        return plain(shown_amount(receipt.amount_raw, scale(self._config, receipt.network, receipt.asset)))


class StrayWatch:
    """Tells owners of stray money: once because it is much, once because it has waited long. What is worth nothing is
    told to nobody: nobody could assign it."""

    def __init__(self, *, db: Database, config: PaymentsConfig) -> None:
        self._db = db
        self._config = config
        self._large = int(config.stray.owner_alert_usd * 100)
        self._old = timedelta(hours=config.stray.owner_alert_hours)

    async def run(self) -> None:
        """The job: look at the table; each batch is a transaction of its own."""
        while True:
            async with self._db.transaction() as tx:
                told = await self._tell(tx, "large", self._large, tx.now)
                told += await self._tell(tx, "old", 1, tx.now - self._old)
            if told < BATCH:
                return

    async def next_due(self) -> datetime | None:
        async with self._db.read() as conn:
            oldest = await finance.oldest_untold(conn)
        return None if oldest is None else oldest + self._old

    async def _tell(self, tx: Tx, why: finance.Why, from_cents: int, seen_by: datetime) -> int:
        found = await finance.to_tell(tx.conn, why, from_cents=from_cents, seen_by=seen_by, limit=BATCH)
        for receipt in found:
            if not await finance.note_told(tx.conn, receipt.id, why, tx.now):
                continue
            shown = shown_amount(receipt.amount_raw, scale(self._config, receipt.network, receipt.asset))
            tx.record(
                StrayNeedsOwner(
                    receipt_id=receipt.id,
                    network=receipt.network,
                    asset=receipt.asset,
                    amount=plain(shown),
                    hash=receipt.hash,
                    usd=receipt.usd_cents,
                    why=why,
                )
            )
        return len(found)


def _not_oneself(actor: int, user_id: int) -> None:
    """Who decides whose money it is does not decide that it is theirs."""
    if actor == user_id:
        raise NotYourself()
