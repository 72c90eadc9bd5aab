"""What the rules must not let pass: a door, refusals and an event that break them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import httpx

from viralcore.boosts.api import LinkView
from viralcore.boosts.domain.links import Found
from viralcore.core.errors import DomainError
from viralcore.core.events import Event


@dataclass(frozen=True)
class View:
    client: httpx.Client


class Door(Protocol):
    async def ask(self, *, many: tuple[httpx.Response, ...]) -> dict[str, httpx.URL]: ...

    async def look(self, *, fine: LinkView) -> Found: ...


class Nameless(DomainError):
    pass


class Stranger(DomainError):
    code = "payments.stranger"


class TwinA(DomainError):
    code = "architecture.twin"


class TwinB(DomainError):
    code = "architecture.twin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rich(Event):
    NAME: ClassVar[str] = "Rich"
    who: dict[str, int]
