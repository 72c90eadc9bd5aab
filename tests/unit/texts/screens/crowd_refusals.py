"""Everything the crowd refuses, made as the service makes it."""

from __future__ import annotations

from tests.unit.texts.screens import hostile
from viralcore.boosts import api
from viralcore.core.errors import DomainError
from viralcore.texts import crowd_errors

REFUSALS: dict[str, DomainError] = {
    "crowd: task closed": api.TaskClosed(post_id=3),
    "crowd: the rest is for verified accounts": api.NoSlot(post_id=3, metric="comments", verified=True),
    "crowd: other proof": api.ClaimChanged(claim_id=5),
    **{f"crowd: no {metric} left": api.NoSlot(post_id=3, metric=metric) for metric in ("comments", "reposts")},
    "crowd: own post": api.OwnPost(order_id=7),
    **{
        f"crowd: claim {state}": api.ClaimClosed(claim_id=5, state=state)
        for state in ("claimed", "submitted", "approved", "rejected", "expired")
    },
    **{
        f"crowd: proof {reason}": api.BadProof(reason=reason, link=hostile.TITLE, limit=5)
        for reason in crowd_errors.PROOFS
    },
    "crowd: no reason": api.BadReason(limit=200),
}
