"""What the provider's words mean. Pure: the dialect is settings."""

from __future__ import annotations

from typing import Literal

from viralcore.withdrawals.payout_config import Payout

Meaning = Literal["passing", "account", "final", "config"]
Status = Literal["new", "pending", "successful", "failed"]


def meaning(settings: Payout, words: str) -> Meaning | None:
    """Why a transfer was not made (`ports.Why`), by the first row whose words occur; None: nobody knows these words."""
    said = " ".join(words.lower().split())
    return next((row.means for row in settings.dialect if any(word in said for word in row.words)), None)


def status(settings: Payout, word: str) -> Status | None:
    """`ports.TransferStatus` for a status word of theirs; None: unknown, which is never an end."""
    said = word.strip().lower()
    kinds = settings.statuses
    if said in kinds.successful:
        return "successful"
    if said in kinds.failed:
        return "failed"
    if said in kinds.pending:
        return "pending"
    return "new" if said in kinds.new else None
