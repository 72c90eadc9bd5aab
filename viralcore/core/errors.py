"""Typed refusals. A DomainError carries a code and fields, never a sentence: `texts.errors` finds the words."""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """A use case said no, for a reason the person can be told.

    Subclasses set `code` (``module.reason``) and pass the facts their sentence needs as keyword fields.
    """

    code: ClassVar[str] = "core.refused"

    def __init__(self, **fields: Any) -> None:
        super().__init__(self.code)
        self.fields = fields

    def __str__(self) -> str:
        inner = ", ".join(f"{name}={value!r}" for name, value in sorted(self.fields.items()))
        return f"{self.code}({inner})"


class KeyReused(DomainError):
    """An idempotency key came back with other inputs: a programming error or a forgery, never a retry."""

    code = "core.key_reused"


class NotFound(DomainError):
    """The thing asked for does not exist, or is not this person's to see. Fields: `what`."""

    code = "core.not_found"


class OpenTransaction(RuntimeError):
    """A network call, or a second transaction, was tried while a transaction is open (DESIGN law 3)."""


class CannotStart(Exception):
    """Starting again is pointless until a person changes something. The message is for whoever runs the shop."""
