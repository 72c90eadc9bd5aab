"""Withdrawals for tests: the real settings, and a provider of transfers whose book is its own."""

from __future__ import annotations

import asyncio
import random
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from viralcore.core.crypto import Cipher, new_key
from viralcore.core.db import assert_no_transaction
from viralcore.core.money import NGN, Money
from viralcore.withdrawals.config import WithdrawalsConfig
from viralcore.withdrawals.ports import (
    Balance,
    BankRow,
    Declined,
    DuplicateReference,
    NotResolved,
    NotSent,
    PayoutsDown,
    Queued,
    Resolved,
    SendOutcome,
    Silent,
    TransferPage,
    TransferRecord,
    TransferStatus,
    Why,
)

SETTINGS = Path(__file__).parents[2] / "settings"
CIPHER = Cipher([new_key()], "f" * 32)
RATE = Decimal("1500")
Fault = Literal["", "lost", "lost_unmade", "not_sent", "account", "passing", "config", "final"]
"""lost: made, and no answer came. lost_unmade: not made, and no answer came."""


def settings(**sections: dict[str, Any] | Any) -> WithdrawalsConfig:
    """The real numbers; a section given changes some of them, anything else replaces a value of the environment."""
    raw: dict[str, Any] = {}
    for name in ("withdrawals.toml", "payouts.toml"):
        raw |= tomllib.loads((SETTINGS / name).read_text())
    for name, change in sections.items():
        raw[name] = {**raw[name], **change} if isinstance(change, dict) else change
    return WithdrawalsConfig.model_validate(raw)


@dataclass
class Made:
    """A transfer in the provider's own book."""

    id: str
    reference: str
    bank_code: str
    account_number: str
    amount: Money
    status: TransferStatus = "new"
    why: Why | None = None
    words: str = ""
    fee: Money = field(default_factory=lambda: Money(1075, NGN))


class FakePayouts:
    """Takes a reference once, for ever. `fault` says what goes wrong with a call of `send`; `wait` is awaited in the
    middle of it, so that a test can stop the world there."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.book: dict[str, Made] = {}
        self.fault: Callable[[str], Fault] = lambda reference: ""
        self.down: Callable[[], bool] = lambda: False
        self.wait: Callable[[str, str], Any] = _at_once
        self.sent: list[str] = []
        self.calling = 0
        self.most_calling = 0
        self.holders: dict[str, str] = {}
        self.fee_minor = 1075
        self.hidden: set[str] = set()  # references it does not show yet

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        yield

    async def banks(self) -> tuple[BankRow, ...]:
        self._ask()
        names = ("Access Bank", "GTBank PLC", "Kuda", "Opay", "PalmPay", "First Bank PLC", "Zenith Bank", "Wema Bank")
        rows = [BankRow(n, f"{40 + n:03}", name) for n, name in enumerate(names, 1)]
        return (*rows, *(BankRow(n, f"{n:05}", f"Microfinance Number {n}") for n in range(100, 130)))

    async def resolve(self, *, bank_code: str, account_number: str) -> Resolved | NotResolved:
        self._ask()
        name = self.holders.get(account_number, "ADA OBI")
        return Resolved(name) if name else NotResolved("Sorry, that account number is invalid")

    async def fee(self, amount: Money) -> Money:
        self._ask()
        return Money(self.fee_minor, NGN)

    async def send(
        self, *, reference: str, bank_code: str, account_number: str, name: str, amount: Money, narration: str
    ) -> SendOutcome:
        assert_no_transaction("sending")
        self.calling += 1
        self.most_calling = max(self.most_calling, self.calling)
        try:
            await self.wait("before", reference)
            answer = self._take(reference, bank_code, account_number, amount)
            await self.wait("after", reference)
            return answer
        finally:
            self.calling -= 1

    def _take(self, reference: str, bank_code: str, account_number: str, amount: Money) -> SendOutcome:
        fault = self.fault(reference)
        if fault == "not_sent":
            return NotSent("ConnectError")
        self.sent.append(reference)
        if reference in self.book:
            return DuplicateReference()
        if fault == "lost_unmade":
            return Silent("http_503")
        if fault in ("account", "passing", "config", "final"):
            return Declined(fault, f"declined: {fault}")
        made = Made(str(7000 + len(self.book)), reference, bank_code, account_number, amount)
        self.book[reference] = made
        return Silent("http_503") if fault == "lost" else Queued(made.id, "new", made.fee)

    async def by_reference(self, reference: str) -> tuple[TransferRecord, ...]:
        self._ask()
        made = self.book.get(reference)
        return () if made is None or reference in self.hidden else (self._record(made),)

    async def by_id(self, provider_id: str) -> TransferRecord | None:
        self._ask()
        return next((self._record(made) for made in self.book.values() if made.id == provider_id), None)

    async def page(self, *, since: date, until: date, page: int) -> TransferPage:
        return TransferPage(tuple(self._record(made) for made in self.book.values()), 1, 1)

    async def balance(self, currency: str) -> Balance:
        return Balance(Money(10**12, NGN), Money(10**12, NGN))

    # --- the world ---------------------------------------------------------------------------------------------------

    def decide(self, reference: str, status: TransferStatus, *, why: Why | None = None, words: str = "") -> None:
        made = self.book[reference]
        made.status, made.why, made.words = status, why, words

    def paid(self) -> dict[str, int]:
        """How often each request was paid, by the book."""
        found: dict[str, int] = {}
        for made in self.book.values():
            if made.status == "successful":
                request = made.reference.rsplit("-a", 1)[0]
                found[request] = found.get(request, 0) + 1
        return found

    def _ask(self) -> None:
        assert_no_transaction("asking")
        if self.down():
            raise PayoutsDown("http_503")

    def _record(self, made: Made) -> TransferRecord:
        return TransferRecord(
            id=made.id,
            reference=made.reference,
            status=made.status,
            amount=made.amount,
            fee=made.fee,
            bank_code=made.bank_code,
            account_number=made.account_number,
            complete_message=made.words,
            why=made.why,
            created_at=self._now(),
        )


async def _at_once(when: str, reference: str) -> None:
    await asyncio.sleep(0)


def dice(seed: int) -> random.Random:
    return random.Random(seed)


__all__ = ["CIPHER", "RATE", "FakePayouts", "Fault", "Made", "dice", "replace", "settings"]
