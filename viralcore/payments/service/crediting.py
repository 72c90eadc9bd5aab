"""The crediting transaction: everything that a final transaction on a chain means here happens in it, or nothing does.

What protects money, in the order it is met: the held sighting row (one judge at a time, once), the unique receipt,
the held invoice row, the ledger's keys. See domain/states.py for who may move what.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import structlog

from viralcore.core.addresses import canonical_address
from viralcore.core.db import Database, Tx
from viralcore.payments.api import ClaimState
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.chain import NATIVE, ChainTransaction, Incoming, incoming, why_nothing
from viralcore.payments.domain.judging import Part, explain, near_range
from viralcore.payments.domain.states import Claim
from viralcore.payments.events import ClaimDecided
from viralcore.payments.repository import chain_state, invoices, money
from viralcore.payments.service.booking import Booking, Case, Unpriced

log = structlog.get_logger(__name__)

Settled = Literal["settled", "unpriced", "starting"]


class Crediting:
    def __init__(self, *, db: Database, config: PaymentsConfig, booking: Booking) -> None:
        self._db = db
        self._config = config
        self._booking = booking

    def contracts(self, network: str) -> dict[str, str]:
        """Contract (canonical) -> asset, of what we take on a network; what is switched off is still ours."""
        return {
            canonical_address(network, asset.contract) if asset.contract else NATIVE: name
            for name, asset in self._config.networks[network].assets.items()
        }

    def coming(self, found: ChainTransaction) -> tuple[Incoming, ...]:
        """What a transaction brought us."""
        ours = self._config.deposit_address(found.network) or ""
        return incoming(found, ours=ours, contracts=self.contracts(found.network))

    async def settle(self, found: ChainTransaction) -> Settled:
        """Judge a final transaction, once: book what it brought, and decide every claim on it. Safe to repeat."""
        if not found.final:
            raise ValueError("only final transactions are judged")
        try:
            return await self._db.run(lambda tx: self._settle(tx, found))
        except Unpriced:
            log.warning("money_waits_for_a_price", network=found.network, hash=found.hash)
            return "unpriced"

    async def _settle(self, tx: Tx, found: ChainTransaction) -> Settled:
        cursor = await chain_state.get_cursor(tx.conn, found.network)
        if cursor is None:
            return "starting"
        coming = self.coming(found)
        if not coming or found.block <= cursor.first_block:
            await money.judged(tx.conn, found.network, found.hash, tx.now)
            claims = await money.lock_claims_on(tx.conn, found.network, found.hash)
            ours = self._config.deposit_address(found.network) or ""
            why = "too_old" if coming else why_nothing(found, ours=ours, contracts=self.contracts(found.network))
            for claim in claims:
                await self._decide(tx, claim, "refused", why, claim.invoice_id)
            return "settled"
        state = await money.lock_sighting(tx.conn, found.network, found.hash, tx.now)
        case = Case(tx, found, await money.lock_claims_on(tx.conn, found.network, found.hash))
        booked = state == "judged" and bool(await money.receipts_of(tx.conn, found.network, found.hash))
        if booked:
            reasons = await self._reconsider(case)
        else:  # also what was judged to have brought nothing, by nodes that did not know better
            reasons = await self._book(case, coming)
            if not await money.judged(tx.conn, found.network, found.hash, tx.now) and state != "judged":
                raise RuntimeError("a held sighting was judged by somebody else")
        await self.decide_all(case, reasons, new=not booked)
        return "settled"

    async def _book(self, case: Case, coming: Sequence[Incoming]) -> dict[int, str]:
        """First judgement. Returns why, by position, for what went to suspense."""
        parts: list[Part] = []
        for each in coming:
            parts += await self._explain(case, each)
        held = await invoices.lock_invoices(case.tx.conn, [part.ask.invoice_id for part in parts if part.ask])
        for part in parts:
            if part.ask is None:
                await self._booking.suspend(case, part)
            else:
                invoice = await invoices.get_invoice(case.tx.conn, part.ask.invoice_id)
                if invoice is None or invoice.id not in held:
                    raise RuntimeError("an invoice vanished")
                await self._booking.credit(case, part, part.ask, invoice, None)
        return {part.position: part.reason for part in parts}

    async def _reconsider(self, case: Case) -> dict[int, str]:
        """Somebody pasted the hash of money that is in suspense: does that explain it?"""
        reasons: dict[int, str] = {}
        if not case.claims:
            return reasons
        for receipt in await money.receipts_of(case.tx.conn, case.found.network, case.found.hash):
            if receipt.state != "suspense":
                continue
            whole = Incoming(receipt.asset, receipt.position, receipt.amount_raw, ())
            (part,) = await self._explain(case, whole)
            reasons[part.position] = part.reason
            if part.ask is None:
                continue
            held = await invoices.lock_invoices(case.tx.conn, [part.ask.invoice_id])
            await self._booking.credit(case, part, part.ask, held[part.ask.invoice_id], receipt)
        return reasons

    async def _explain(self, case: Case, coming: Incoming) -> list[Part]:
        """Parts and their invoices. What is left of a split amount is explained by itself, with its own neighbours."""
        found: list[Part] = []
        for part in await self._split(case, coming):
            if part.exact or part.amount == coming.amount:
                found.append(part)
            else:
                found += await self._split(case, Incoming(part.asset, part.position, part.amount, ()))
        return found

    async def _split(self, case: Case, coming: Incoming) -> tuple[Part, ...]:
        rules = self._config.rules
        amounts = [coming.amount, *(amount for _, amount in coming.parts)]
        low, high = near_range(coming.amount, rules.inexact_window)
        asks = await invoices.asks(case.tx.conn, case.found.network, coming.asset, amounts=amounts, low=low, high=high)
        return explain(
            coming,
            asks=asks,
            claimants=case.claimants,
            block_time=case.found.block_time,
            early=timedelta(seconds=rules.early_seconds),
            early_inexact=timedelta(seconds=rules.early_inexact_seconds),
            window=rules.inexact_window,
        )

    async def decide_all(self, case: Case, reasons: dict[int, str], *, new: bool) -> None:
        """Every claim gets its answer; finance hears of everything in suspense, once without a claimant and once of
        each. `new`: it was booked just now."""
        if not case.claims and not (new and any(reasons.values())):
            return
        receipts = await money.receipts_of(case.tx.conn, case.found.network, case.found.hash)
        waiting = [receipt for receipt in receipts if receipt.state == "suspense"]
        worth = [receipt for receipt in waiting if receipt.usd_cents]
        wanted_by: list[int | None] = []
        for claim in case.claims:
            mine = [receipt for receipt in receipts if receipt.user_id == claim.user_id]
            if mine:
                await self._decide(case.tx, claim, "credited", "", mine[0].invoice_id)
            elif not waiting:
                await self._decide(case.tx, claim, "refused", "used", claim.invoice_id)
            else:
                reason = (reasons.get(worth[0].position) or "ambiguous") if worth else "dust"
                if await self._decide(case.tx, claim, "suspense", reason, claim.invoice_id):
                    wanted_by.append(claim.user_id)
        for user_id in wanted_by or ([None] if new else []):
            for receipt in worth:
                self._booking.stray(case, receipt, user_id)

    async def _decide(self, tx: Tx, claim: Claim, state: ClaimState, reason: str, invoice_id: int | None) -> bool:
        """Move a claim and tell it; False when there was nothing to move."""
        if not await money.decide_claim(tx.conn, claim, state, reason, invoice_id=invoice_id, now=tx.now):
            return False
        tx.record(
            ClaimDecided(claim_id=claim.id, invoice_id=invoice_id, user_id=claim.user_id, state=state, reason=reason)
        )
        return True
