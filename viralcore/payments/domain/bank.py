"""Bank transfers in naira: accounts asked for, payments as the bank's API tells them, photographed receipts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from viralcore.core.money import NGN
from viralcore.payments.api import ProofState
from viralcore.payments.domain.quotes import Scale

BANK = "bank"
"""The network of everything that comes through a bank, in quotes, sightings and receipts."""
SCALE = Scale(decimals=2, shown=2, tail_digits=0)
"""Kobo. No tail: a reference says whose money it is, not the amount."""
BY_ACCOUNT, BY_HAND = "bank:NGN", "bank:manual"
"""Method codes: to an account Flutterwave makes for one payment; to the shop's own, with a photo of the receipt."""

ChargeState = Literal["requested", "open", "failed"]

CHARGE_MOVES: dict[ChargeState, frozenset[ChargeState]] = {
    "requested": frozenset({"open", "failed"}),
    "open": frozenset(),
    "failed": frozenset(),
}
PROOF_MOVES: dict[ProofState, frozenset[ProofState]] = {
    "waiting": frozenset({"approved", "rejected"}),
    "approved": frozenset(),
    "rejected": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Charge:
    """A row of payments.charges. `reference`: our name for it at Flutterwave, made with the row. `transfer_raw`:
    kobo the payer is to transfer, with the bank's fee where it adds one.

    `reason` of a failed one: down, refused, config, closed, silent. `asked_at`: when the payer last said they had paid.
    """

    id: int
    quote_id: int
    reference: str
    state: ChargeState
    reason: str
    account_number: str
    bank_name: str
    transfer_raw: int
    created_at: datetime
    expires_at: datetime | None
    polls: int
    asked_at: datetime | None

    def works(self, now: datetime) -> bool:
        """It takes money, or may soon."""
        return self.state != "failed" and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class BankPayment:
    """Money that came, as the API says it. `id`: the receipt's hash. `amount_raw`: hundredths of `currency`."""

    id: str
    reference: str
    currency: str
    amount_raw: int
    paid_at: datetime

    @property
    def naira(self) -> bool:
        return self.currency == NGN


@dataclass(frozen=True, slots=True)
class Proof:
    """A row of payments.proofs: a photo of a receipt, for one quote."""

    id: int
    quote_id: int
    invoice_id: int
    user_id: int
    file_id: str
    state: ProofState
    reason: str
    actor: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """The shop's account, as it stands in a quote: what was shown stays, whatever settings say later."""

    number: str
    bank: str
    name: str

    def packed(self) -> str:
        return "\n".join((self.number, self.bank, self.name))

    @staticmethod
    def unpacked(address: str) -> OwnAccount:
        number, bank, name = [*address.split("\n"), "", ""][:3]
        return OwnAccount(number, bank, name)


def poll_delay(polls: int, *, first_seconds: int, longest_seconds: int) -> int:
    """Seconds until an account is asked about again: doubling, up to the longest."""
    return int(min(first_seconds * 2 ** min(polls, 20), longest_seconds))


def wait_of(age_seconds: int, *, first_seconds: int, longest_seconds: int) -> int:
    """Seconds until something undecided is asked about again: as long as it has waited already, within bounds."""
    return max(first_seconds, min(age_seconds, longest_seconds))
