"""Builds users from its dependencies."""

from __future__ import annotations

from dataclasses import dataclass

from viralcore.core.clock import Clock
from viralcore.core.db import Database
from viralcore.core.effects import EffectKind
from viralcore.core.events import Subscription
from viralcore.core.jobs import Job
from viralcore.users.config import UsersConfig
from viralcore.users.service import UsersService


@dataclass(frozen=True, slots=True)
class UsersModule:
    """What bootstrap registers and hands on. Bootstrap calls `service.ensure_owners(ADMIN_IDS)` at start."""

    service: UsersService
    effects: tuple[EffectKind, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    jobs: tuple[Job, ...] = ()


def build(db: Database, clock: Clock, config: UsersConfig) -> UsersModule:
    return UsersModule(service=UsersService(db, clock, config))
