"""Claims: a pasted hash is stored first, then looked at until the chain has told its story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from viralcore.core.clock import Clock
from viralcore.core.db import Database, Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Silence, Succeeded
from viralcore.core.errors import NotFound
from viralcore.payments.api import BadHash, HashUsed
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.hashes import ChainHash
from viralcore.payments.domain.states import Claim
from viralcore.payments.events import ClaimDecided, ClaimMoved
from viralcore.payments.repository import invoices, money
from viralcore.payments.service.verifying import Verifier, Waiting

log = structlog.get_logger(__name__)

KIND = "payments.verify"


class Claiming:
    def __init__(self, *, db: Database, clock: Clock, config: PaymentsConfig, verifier: Verifier) -> None:
        self._db = db
        self._clock = clock
        self._config = config
        self._verifier = verifier

    async def submit(
        self, tx: Tx, *, key: str, user_id: int, pasted: Sequence[ChainHash], invoice_id: int | None
    ) -> int:
        """Store a pasted hash, with the effect that looks at it; the claim's id. Raises NotFound, BadHash, HashUsed.

        `pasted`: what the text can be, one for each network.
        """

        async def run() -> dict[str, Any]:
            return {"claim_id": await self._submit(tx, user_id, pasted, invoice_id)}

        hashes = [[each.network, each.hash] for each in pasted]
        inputs = {"user_id": user_id, "hash": hashes, "invoice_id": invoice_id}
        result = await tx.once(scope="payments.submit_hash", key=key, inputs=inputs, run=run)
        return int(result["claim_id"])

    async def _submit(self, tx: Tx, user_id: int, pasted: Sequence[ChainHash], invoice_id: int | None) -> int:
        await invoices.lock_person(tx.conn, user_id)
        if invoice_id is not None:
            invoice = await invoices.get_invoice(tx.conn, invoice_id)
            if invoice is None or invoice.user_id != user_id:
                raise NotFound(what="invoice")
        claim = None
        for each in pasted:
            claim = claim or await money.find_claim(tx.conn, each.network, each.hash, user_id)
        if claim is not None and claim.state == "checking":
            return claim.id
        for each in pasted:
            await self._refuse_used(tx, user_id, each)
        if await money.checking_count(tx.conn, user_id) >= self._config.claims.per_user_checking:
            raise BadHash(reason="too_many")
        if claim is not None:
            await money.reopen_claim(tx.conn, claim, invoice_id=invoice_id or claim.invoice_id, now=tx.now)
            claim_id, round_ = claim.id, claim.round + 1
        else:
            round_ = 1
            claim_id = await self._add(tx, user_id, pasted, invoice_id)
        self._ask(tx, claim_id, f"{round_}", due_in=0)
        return claim_id

    async def _add(self, tx: Tx, user_id: int, pasted: Sequence[ChainHash], invoice_id: int | None) -> int:
        """On the network this person was asked to pay on, if it can be there; else on the likeliest."""
        asked = await invoices.asked_networks(tx.conn, user_id, invoice_id)
        first, *others = sorted(
            pasted, key=lambda each: asked.index(each.network) if each.network in asked else len(asked)
        )
        return await money.add_claim(
            tx.conn,
            user_id=user_id,
            network=first.network,
            hash=first.hash,
            others=[[each.network, each.hash] for each in others],
            invoice_id=invoice_id,
            state="checking",
            reason="",
            round=1,
            checks=0,
            created_at=tx.now,
            opened_at=tx.now,
        )

    async def _refuse_used(self, tx: Tx, user_id: int, pasted: ChainHash) -> None:
        """Raises HashUsed when everything this transaction brought has its owner."""
        receipts = await money.receipts_of(tx.conn, pasted.network, pasted.hash)
        if not receipts or any(receipt.state == "suspense" for receipt in receipts):
            return
        mine = [receipt for receipt in receipts if receipt.user_id == user_id]
        if mine:
            raise HashUsed(yours=True, invoice_id=mine[0].invoice_id)
        raise HashUsed(yours=False)

    def _ask(self, tx: Tx, claim_id: int, suffix: str, *, due_in: float) -> None:
        due = tx.now + timedelta(seconds=due_in) if due_in else None
        key = f"claim:{claim_id}:{suffix}"
        tx.effect(kind=KIND, key=key, payload={"claim_id": claim_id}, due=due, ref=f"claim:{claim_id}")

    async def check(self, claim_id: int) -> float | None:
        """One look at a claim. Returns the seconds of business time until the next one; None when it is decided."""
        async with self._db.read() as conn:
            claim = await money.get_claim(conn, claim_id)
        if claim is None or claim.state != "checking":
            return None
        waiting = await self._verifier.verify(claim.network, claim.hash)
        if waiting is not None and waiting.reason in ("unknown_tx", "node_down") and claim.others:
            elsewhere, sure = await self._elsewhere(claim)
            if elsewhere:
                return 0
            waiting = replace(waiting, sure=waiting.sure and sure)
        async with self._db.transaction() as tx:
            claim = await money.lock_claim(tx.conn, claim_id)
            if claim is None or claim.state != "checking":
                return None
            if waiting is None:
                return float(
                    self._config.claims.first_delay_seconds
                )  # pasted while the judging transaction was ending: the next look decides it
            if self._over(claim, waiting):
                await money.decide_claim(
                    tx.conn, claim, "not_found", waiting.reason, invoice_id=claim.invoice_id, now=tx.now
                )
                self._tell(tx, claim, "not_found", waiting.reason)
                return None
            await money.note_check(tx.conn, claim, waiting.reason)
            if waiting.reason != claim.reason:
                self._tell(tx, claim, "checking", waiting.reason)
            return self._delay(claim)

    async def _elsewhere(self, claim: Claim) -> tuple[bool, bool]:
        """Does another network know this hash? Then the claim moves there. And: are all of them sure?"""
        sure = True
        for network, canonical_hash in claim.others:
            looked = await self._verifier.look(network, canonical_hash)
            if isinstance(looked, Waiting) and looked.reason in ("unknown_tx", "node_down"):
                sure = sure and looked.sure
                continue
            async with self._db.transaction() as tx:
                moved = await money.move_claim(tx.conn, claim, network, canonical_hash)
                if moved:
                    tx.record(
                        ClaimMoved(claim_id=claim.id, user_id=claim.user_id, network=claim.network, hash=claim.hash)
                    )
                return moved, sure
        return False, sure

    def _over(self, claim: Claim, waiting: Waiting) -> bool:
        """ "Not found" needs time and enough nodes; anything else ends only after days."""
        limits, age = self._config.claims, self._clock.now() - claim.opened_at
        if waiting.reason == "unknown_tx" and waiting.sure and age >= timedelta(minutes=limits.not_found_minutes):
            return True
        return waiting.reason in ("unknown_tx", "node_down") and age >= timedelta(hours=limits.give_up_hours)

    def _delay(self, claim: Claim) -> float:
        limits = self._config.claims
        return float(min(limits.first_delay_seconds * 2 ** min(claim.checks, 20), limits.longest_delay_seconds))

    def _tell(self, tx: Tx, claim: Claim, state: str, reason: str) -> None:
        tx.record(
            ClaimDecided(
                claim_id=claim.id, invoice_id=claim.invoice_id, user_id=claim.user_id, state=state, reason=reason
            )
        )

    async def ask_again(self, tx: Tx, claim_id: int, effect_id: int) -> None:
        """The effect that looked at a claim broke down for good: another takes its place while the claim is open."""
        claim = await money.get_claim(tx.conn, claim_id)
        if claim is not None and claim.state == "checking":
            self._ask(tx, claim_id, f"{claim.round}:after{effect_id}", due_in=self._config.claims.longest_delay_seconds)


class VerifyEffect:
    """The effect kind: asks nodes, changes nothing outside, so silence is simply asked again."""

    name = KIND
    silence: Silence = "repeat"
    max_attempts = 5
    urgent = True
    parallelism = 4

    def __init__(self, claiming: Claiming) -> None:
        self._claiming = claiming

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        """Pace and breaker are per node, inside the chain's adapter: one node's trouble must not hold the question."""
        return nullcontext()

    async def call(self, call: EffectCall) -> Outcome | Later:
        seconds = await self._claiming.check(int(call.payload["claim_id"]))
        return Succeeded() if seconds is None else Later(seconds, "still_checking")

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        if not isinstance(outcome, Succeeded):
            await self._claiming.ask_again(tx, int(call.payload["claim_id"]), call.effect_id)
