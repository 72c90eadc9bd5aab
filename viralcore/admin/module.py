"""Builds admin from its dependencies."""

from __future__ import annotations

from dataclasses import dataclass

from viralcore.admin.service import HeldService
from viralcore.core.db import Database
from viralcore.core.held import HeldQueues
from viralcore.users.api import Users


@dataclass(frozen=True, slots=True)
class AdminModule:
    """What bootstrap hands on."""

    held: HeldService


def build(*, db: Database, users: Users) -> AdminModule:
    return AdminModule(HeldService(db, HeldQueues(db), users))
