"""Manual bank mode: a photo of the receipt, judged by finance. Accepting it credits what was asked for, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import NGN
from viralcore.payments.api import MethodUnavailable, NoProofWanted, OwnReceipt, ProofClosed, ProofState, ProofView
from viralcore.payments.domain.bank import BY_HAND, BankPayment, Proof
from viralcore.payments.domain.states import Quote
from viralcore.payments.events import ProofDecided, ProofSubmitted
from viralcore.payments.repository import bank, invoices
from viralcore.payments.service.bank_crediting import BankCrediting
from viralcore.payments.service.booking import Unpriced
from viralcore.payments.service.views import proof_view
from viralcore.users.api import Users

RIGHT = "payments.assign"
LONGEST_REASON = 300
Decide = Callable[[Tx, Proof, Quote], Awaitable[None]]


class Proofs:
    def __init__(self, *, db: Database, users: Users, crediting: BankCrediting) -> None:
        self._db = db
        self._users = users
        self._crediting = crediting

    async def submit(self, *, key: str, user_id: int, invoice_id: int, file_id: str) -> ProofView:
        async with self._db.transaction() as tx:

            async def run() -> Mapping[str, Any]:
                return {"proof_id": await self._submit(tx, user_id, invoice_id, file_id)}

            inputs = {"user_id": user_id, "invoice_id": invoice_id, "file_id": file_id}
            done = await tx.once(scope="payments.submit_proof", key=key, inputs=inputs, run=run)
            return await self._view(tx, int(done["proof_id"]))

    async def _submit(self, tx: Tx, user_id: int, invoice_id: int, file_id: str) -> int:
        """For the newest amount asked of them; money for an invoice that is closed or paid counts too."""
        invoice = (await invoices.lock_invoices(tx.conn, [invoice_id])).get(invoice_id)
        if invoice is None or invoice.user_id != user_id:
            raise NotFound(what="invoice")
        asked = await invoices.quotes_by_hand(tx.conn, invoice_id)
        if not asked:
            raise NoProofWanted(invoice_id=invoice_id)
        quote = asked[0]
        before = (await bank.latest_proofs(tx.conn, [quote.id])).get(quote.id)
        if before is not None and before.state == "waiting":
            return before.id
        proof_id = await bank.add_proof(
            tx.conn, quote_id=quote.id, invoice_id=invoice_id, user_id=user_id, file_id=file_id, now=tx.now
        )
        if proof_id is None:
            raise NoProofWanted(invoice_id=invoice_id)
        tx.record(ProofSubmitted(proof_id=proof_id, invoice_id=invoice_id, user_id=user_id))
        return proof_id

    async def approve(self, *, key: str, actor: int, proof_id: int) -> ProofView:
        async def credit(tx: Tx, proof: Proof, quote: Quote) -> None:
            payment = BankPayment(
                id=f"manual:{quote.id}",
                reference=f"VC-{proof.invoice_id}",
                currency=NGN,
                amount_raw=quote.amount_raw,
                paid_at=proof.created_at,
            )
            try:
                await self._crediting.credit_by_hand(tx, payment, quote)
            except Unpriced:
                raise MethodUnavailable(method=BY_HAND, reason="rate") from None

        return await self._decide(key, actor, proof_id, "approved", "", credit)

    async def reject(self, *, key: str, actor: int, proof_id: int, reason: str) -> ProofView:
        async def nothing(tx: Tx, proof: Proof, quote: Quote) -> None:
            pass

        return await self._decide(key, actor, proof_id, "rejected", reason.strip()[:LONGEST_REASON], nothing)

    async def get(self, *, proof_id: int) -> ProofView:
        async with self._db.read() as conn:
            proof = await bank.get_proof(conn, proof_id)
            if proof is None:
                raise NotFound(what="proof")
            return proof_view(proof, (await invoices.get_quotes(conn, [proof.quote_id]))[proof.quote_id])

    async def _decide(
        self, key: str, actor: int, proof_id: int, state: ProofState, reason: str, act: Decide
    ) -> ProofView:
        """Authorised, decided once under the row's lock, audited."""
        async with self._db.transaction() as tx:
            await self._users.authorize(tx, actor=actor, right=RIGHT)

            async def run() -> Mapping[str, Any]:
                proof = await bank.get_proof(tx.conn, proof_id, hold=True)
                if proof is None:
                    raise NotFound(what="proof")
                if proof.user_id == actor:
                    raise OwnReceipt(proof_id=proof_id)
                if not await bank.decide_proof(tx.conn, proof, state, reason=reason, actor=actor, now=tx.now):
                    raise ProofClosed(proof_id=proof_id, state=proof.state)
                quote = (await invoices.get_quotes(tx.conn, [proof.quote_id]))[proof.quote_id]
                await act(tx, proof, quote)
                tx.record(
                    ProofDecided(
                        proof_id=proof_id,
                        invoice_id=proof.invoice_id,
                        user_id=proof.user_id,
                        actor=actor,
                        state=state,
                    )
                )
                after = {"state": state, "amount_raw": str(quote.amount_raw), "invoice": proof.invoice_id}
                await self._users.audit(
                    tx,
                    actor=actor,
                    action=f"payments.proof_{state}",
                    subject=f"proof:{proof_id}",
                    before={"state": "waiting"},
                    after=after,
                    reason=reason,
                )
                return {}

            inputs = {"actor": actor, "proof_id": proof_id, "reason": reason}
            await tx.once(scope=f"payments.proof.{state}", key=key, inputs=inputs, run=run)
            return await self._view(tx, proof_id)

    async def _view(self, tx: Tx, proof_id: int) -> ProofView:
        proof = await bank.get_proof(tx.conn, proof_id)
        if proof is None:
            raise NotFound(what="proof")
        return proof_view(proof, (await invoices.get_quotes(tx.conn, [proof.quote_id]))[proof.quote_id])
