"""Builds referrals from its dependencies."""

from __future__ import annotations

from dataclasses import dataclass

from viralcore.core.clock import Clock
from viralcore.core.db import Database
from viralcore.core.effects import EffectKind
from viralcore.core.events import Subscription
from viralcore.core.figures import FigureReader
from viralcore.core.jobs import Job
from viralcore.ledger.api import Ledger
from viralcore.referrals.config import ReferralsConfig
from viralcore.referrals.service.binding import Binding
from viralcore.referrals.service.commissions import Commissions
from viralcore.referrals.service.door import ReferralsService
from viralcore.referrals.subscribers import Subscribers, subscriptions
from viralcore.users.api import Users


@dataclass(frozen=True, slots=True)
class ReferralsModule:
    """What bootstrap registers and hands on."""

    service: ReferralsService
    figures: FigureReader
    effects: tuple[EffectKind, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    jobs: tuple[Job, ...] = ()


def build(*, db: Database, clock: Clock, ledger: Ledger, users: Users, config: ReferralsConfig) -> ReferralsModule:
    service = ReferralsService(db=db, clock=clock, ledger=ledger, config=config)
    commissions = Commissions(ledger=ledger, percent=config.commission_percent)
    binding = Binding(users=users, commissions=commissions)
    hears = Subscribers(binding=binding, commissions=commissions)
    return ReferralsModule(service=service, figures=service.figures, subscriptions=subscriptions(hears))
