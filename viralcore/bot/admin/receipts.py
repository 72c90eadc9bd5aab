"""Staff: the cards of photographed bank receipts. Who may decide is checked when they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.bot import dialogue
from viralcore.bot.turn import Turn, answer, on, render
from viralcore.core.screen import Html, Screen
from viralcore.payments.api import ProofClosed
from viralcore.texts import home, staff
from viralcore.texts.actions import ApproveProof, RejectProof
from viralcore.users.api import NotAllowed


@on(ApproveProof)
async def approve(turn: Turn, act: ApproveProof) -> Screen | None:
    await turn.doors.payments.approve_proof(key=turn.key, actor=turn.user.id, proof_id=act.proof)
    turn.toast = staff.proof_approved(proof=act.proof)
    return await render(turn.viewer, "admin") if turn.private else None


@on(RejectProof)
async def reject(turn: Turn, act: RejectProof) -> Screen | None:
    """Ask why: the payer is to know what to do next."""
    if not turn.user.staff:
        raise NotAllowed(right="payments.assign")
    proof = await turn.doors.payments.get_proof(proof_id=act.proof)
    if proof.state != "waiting":
        raise ProofClosed(proof_id=act.proof, state=proof.state)
    await turn.ask(dialogue.PROOF_REASON, proof=act.proof)
    return _said(turn, staff.ask_proof_reason(proof=act.proof, invoice_id=proof.invoice_id))


@answer(dialogue.PROOF_REASON)
async def reason_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen | None:
    proof_id = int(data["proof"])
    await turn.doors.payments.reject_proof(key=turn.key, actor=turn.user.id, proof_id=proof_id, reason=text)
    return _said(turn, staff.proof_rejected(proof=proof_id))


def _said(turn: Turn, words: Html) -> Screen | None:
    if turn.private:
        return home.notice(words, back="admin")
    turn.reply = words
    return None
