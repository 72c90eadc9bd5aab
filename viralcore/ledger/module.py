"""Builds the ledger from its dependencies."""

from __future__ import annotations

from dataclasses import dataclass

from viralcore.core.db import Database
from viralcore.core.effects import EffectKind
from viralcore.core.events import Subscription
from viralcore.core.figures import FigureReader
from viralcore.core.jobs import Job
from viralcore.ledger import jobs
from viralcore.ledger.service import LedgerService


@dataclass(frozen=True, slots=True)
class LedgerModule:
    """What bootstrap registers and hands on."""

    service: LedgerService
    figures: FigureReader
    effects: tuple[EffectKind, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    jobs: tuple[Job, ...] = ()


def build(db: Database) -> LedgerModule:
    service = LedgerService(db)
    return LedgerModule(service=service, figures=service.figures, jobs=(jobs.nightly(service),))
