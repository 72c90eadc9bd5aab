"""The bank's book of payouts: queued, undecided until somebody decides, paid once. Knows nothing of HTTP.

Money leaves the balance when a transfer is accepted and comes back when it fails. One that the balance does not cover
is accepted all the same, as at the real bank, and fails minutes later by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from viralcore.sandbox.worlds.flutterwave_book import Book
from viralcore.sandbox.worlds.flutterwave_faults import Faults

FIRST_ID = 71_780_293
QUEUED_FOR = timedelta(seconds=5)  # NEW, then PENDING
SHORT_AFTER = timedelta(minutes=2)
NEW, PENDING, SUCCESSFUL, FAILED = "NEW", "PENDING", "SUCCESSFUL", "FAILED"
DONE = "Transaction was successful"
SHORT = (
    "DISBURSE FAILED: Insufficient funds in customer wallet",
    "DISBURSE FAILED: Insufficient funds in customer balance",
    "DISBURSE FAILED: Insufficient funds",
)
ENDS = (
    "DISBURSE FAILED: Invalid account number",
    "DISBURSE FAILED: This transaction could not be completed at this time",
    "DISBURSE FAILED: Destination bank is unavailable",
    *SHORT,
    "DISBURSE FAILED: Unable to obtain user details",
    "DISBURSE FAILED: wallet currently restricted. please contact administrator",
    "DISBURSE FAILED: You can only spend NGN 100.00 at once",
    "DISBURSE FAILED: A fatal error occured while proccesing your request.",
    "Payout was made to a blacklisted account number",
)
"""What failed transfers have been seen to say, the most decided first: it is what an unexplained failure says here."""
PASSING = ENDS[1:6]
_TIERS = ((Decimal(5_000), Decimal("10.75")), (Decimal(50_000), Decimal("26.875")))
_TOP = Decimal("53.75")


def transfer_fee(amount: Decimal) -> Decimal:
    """What sending naira to an account costs."""
    return next((fee for most, fee in _TIERS if amount <= most), _TOP)


@dataclass(slots=True)
class Transfer:
    """A payout. `covered`: its money has left the balance. `ends_at`: when it ends by itself, if it does."""

    id: int
    reference: str
    account: str
    bank_code: str
    bank_name: str
    name: str
    amount: Decimal
    fee: Decimal
    narration: str
    at: datetime
    answered: bool
    covered: bool
    waits: bool  # for somebody to approve it in the dashboard
    status: str = NEW
    message: str = ""
    decided_at: datetime | None = None
    ends_at: datetime | None = None
    ends_as: tuple[str, str] = ("", "")

    @property
    def total(self) -> Decimal:
        return self.amount + self.fee

    @property
    def decided(self) -> bool:
        return self.decided_at is not None

    def shown(self, now: datetime) -> str:
        """Its status at this moment."""
        if self.decided or self.waits:
            return self.status
        return PENDING if now >= self.at + QUEUED_FOR else NEW


class PayoutBook:
    """`told`: called with every transfer that ends."""

    def __init__(
        self, now: Callable[[], datetime], rng: Random, book: Book, faults: Faults, told: Callable[[Transfer], None]
    ) -> None:
        self._now = now
        self._rng = rng
        self._book = book
        self._faults = faults
        self._told = told
        self._next_id = FIRST_ID
        self.transfers: dict[str, Transfer] = {}  # by reference, oldest first
        self.refused: list[str] = []  # references that were used before, each time one was sent again

    def accept(
        self,
        *,
        reference: str,
        account: str,
        bank: tuple[str, str],
        name: str,
        amount: Decimal,
        narration: str,
        answered: bool,
    ) -> Transfer:
        """Take a transfer nobody sent before."""
        now, fee = self._now(), transfer_fee(amount)
        covered = amount + fee <= self._book.available
        self._next_id += self._rng.randrange(1, 400)
        transfer = Transfer(
            id=self._next_id,
            reference=reference,
            account=account,
            bank_code=bank[0],
            bank_name=bank[1],
            name=name,
            amount=amount,
            fee=fee,
            narration=narration,
            at=now,
            answered=answered,
            covered=covered,
            waits=self._faults.approval,
        )
        if covered:
            self._book.available -= transfer.total
            if self._faults.decide_after:
                transfer.ends_at = now + timedelta(seconds=self._rng.randrange(1, self._faults.decide_after + 1))
                transfer.ends_as = self._chosen()
        else:
            transfer.ends_at, transfer.ends_as = now + SHORT_AFTER, (FAILED, self._rng.choice(SHORT))
        self.transfers[reference] = transfer
        return transfer

    def _chosen(self) -> tuple[str, str]:
        if self._rng.randrange(100) < self._faults.fail_percent:
            return FAILED, self._rng.choice(PASSING if self._rng.randrange(2) else ENDS)
        return SUCCESSFUL, DONE

    def decide(self, transfer: Transfer, status: str, message: str) -> bool:
        """End it. False: it has ended already, or there is no money for it."""
        if transfer.decided or (status == SUCCESSFUL and not self._cover(transfer)):
            return False
        if status == FAILED and transfer.covered:
            self._book.available += transfer.total
            transfer.covered = False
        transfer.status, transfer.message = status, message or (DONE if status == SUCCESSFUL else ENDS[0])
        transfer.decided_at, transfer.ends_at, transfer.waits = self._now(), None, False
        self._told(transfer)
        return True

    def _cover(self, transfer: Transfer) -> bool:
        if not transfer.covered and transfer.total <= self._book.available:
            self._book.available -= transfer.total
            transfer.covered = True
        return transfer.covered

    def settle(self, now: datetime) -> None:
        """End what ends by itself."""
        for transfer in list(self.transfers.values()):
            if transfer.ends_at is not None and transfer.ends_at <= now:
                self.decide(transfer, *transfer.ends_as)

    def next_due(self, now: datetime) -> datetime | None:
        return min((one.ends_at for one in self.transfers.values() if one.ends_at and one.ends_at > now), default=None)

    def of_id(self, number: int) -> Transfer | None:
        return next((one for one in self.transfers.values() if one.id == number), None)

    def paid(self) -> Decimal:
        """All that has left for good, fees included."""
        done = (one.total for one in self.transfers.values() if one.status == SUCCESSFUL)
        return sum(done, Decimal(0))
