"""What the clock calls."""

from __future__ import annotations

from viralcore.core.jobs import Job
from viralcore.ledger.service import LedgerService

DAY = 86_400


def nightly(service: LedgerService) -> Job:
    """The audit and the snapshots, once a day."""
    return Job(name="ledger.nightly", every_seconds=DAY, run=service.nightly, order=900)
