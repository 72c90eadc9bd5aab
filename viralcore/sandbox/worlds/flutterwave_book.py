"""The bank's books: one-off accounts, what was paid into them, the balances. Knows nothing of HTTP.

Payouts (`flutterwave_payouts`) come out of `available`, as what was paid in goes into `collected`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from random import Random

NAIRA = "NGN"
KOBO = Decimal("0.01")
LASTS = timedelta(hours=1)  # an account whose charge does not say how long
FEE = Decimal("0.014")
FIRST_ID = 1_312_406_045
BANKS = ("WEMA BANK", "Sterling BANK PLC", "Flutterwave MFB")
PAYERS = (
    ("OKORO - ADAEZE", "OPAY DIGITAL SERVICES LIMITED"),
    ("BÁMIDÉLÉ ỌLÁ", "KUDA MICROFINANCE BANK"),
    ("MUSA IBRAHIM", "FIRST BANK OF NIGERIA"),
)


@dataclass(frozen=True, slots=True)
class Customer:
    id: int
    email: str
    name: str
    phone: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """What a charge was asked for. `fee`: what the payer pays on top when fees are his."""

    tx_ref: str
    amount: Decimal
    email: str
    name: str
    phone: str
    narration: str
    lasts: timedelta
    fee: Decimal


@dataclass(slots=True)
class Charge:
    """A one-off account. It takes any amount, at any time: what that means is for its owner to judge."""

    number: int
    order: Order
    account: str
    bank: str
    reference: str
    customer: Customer
    at: datetime
    answered: bool  # False when the answer was swallowed
    payments: list[Payment] = field(default_factory=list)

    @property
    def expires_at(self) -> datetime:
        return self.at + self.order.lasts

    @property
    def due(self) -> Decimal:
        """What the payer is told to send."""
        return self.order.amount + self.order.fee


@dataclass(slots=True)
class Payment:
    """A transfer into an account of ours: the transaction. Undecided until `settles_at`."""

    id: int
    charge: Charge
    paid: Decimal
    currency: str
    failed: bool
    at: datetime
    settles_at: datetime
    session: str  # what the banks call it
    payer: tuple[str, str]

    def status(self, now: datetime) -> str:
        if now < self.settles_at:
            return "pending"
        return "failed" if self.failed else "successful"

    @property
    def amount(self) -> Decimal:
        """What it counts for: what was paid, less what was told to be paid on top."""
        return max(self.paid - self.charge.order.fee, KOBO)

    @property
    def settled(self) -> Decimal:
        return self.amount if self.charge.order.fee else self.paid - fee_of(self.paid)


def fee_of(amount: Decimal) -> Decimal:
    """Flutterwave's fee, in kobo, in its favour."""
    return (amount * FEE).quantize(KOBO, ROUND_CEILING)


class Book:
    """Everything the bank knows of us."""

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self._now = now
        self._rng = rng
        self._next_id = FIRST_ID
        self._customers: dict[str, Customer] = {}
        self.charges: dict[str, Charge] = {}  # by account number, oldest first
        self.payments: dict[int, Payment] = {}
        self.available = Decimal(2_000_000)  # naira for payouts
        self.opened = Decimal("253125.82")  # naira collected before the world began

    def open(self, order: Order, *, answered: bool) -> Charge:
        """A charge with an account of its own. References may repeat, as they may at the real bank."""
        now = self._now()
        charge = Charge(
            number=len(self.charges) + 1,
            order=order,
            account=self._account(),
            bank=self._rng.choice(BANKS),
            reference=f"FLW-{self._rng.getrandbits(128):032x}",
            customer=self._customer(order, now),
            at=now,
            answered=answered,
        )
        self.charges[charge.account] = charge
        return charge

    def pay(self, charge: Charge, amount: Decimal, currency: str, *, failed: bool, undecided: timedelta) -> Payment:
        """Money comes in. `undecided`: how long the bank says so."""
        now = self._now()
        payment = Payment(
            id=self._number(),
            charge=charge,
            paid=amount,
            currency=currency,
            failed=failed,
            at=now,
            settles_at=now + undecided,
            session=f"100004{now:%y%m%d%H%M%S}{self._rng.randrange(10**12):012d}",
            payer=self._rng.choice(PAYERS),
        )
        charge.payments.append(payment)
        self.payments[payment.id] = payment
        return payment

    def of_reference(self, tx_ref: str) -> Payment | None:
        """The newest payment under a reference."""
        found = (item for item in reversed(self.payments.values()) if item.charge.order.tx_ref == tx_ref)
        return next(found, None)

    def collected(self, currency: str) -> Decimal:
        """What came in and is ours, less fees."""
        now = self._now()
        start = self.opened if currency == NAIRA else Decimal(0)
        return start + sum(
            (
                item.settled
                for item in self.payments.values()
                if item.currency == currency and item.status(now) == "successful"
            ),
            Decimal(0),
        )

    def next_due(self, now: datetime) -> datetime | None:
        """When the next undecided payment is decided."""
        return min((item.settles_at for item in self.payments.values() if item.settles_at > now), default=None)

    def _number(self) -> int:
        self._next_id += self._rng.randrange(1, 5000)
        return self._next_id

    def _account(self) -> str:
        while True:
            account = f"9{self._rng.randrange(10**9):09d}"
            if account not in self.charges:
                return account

    def _customer(self, order: Order, now: datetime) -> Customer:
        known = self._customers.get(order.email)
        if known is None:
            number = 823_510_840 + len(self._customers)
            known = self._customers[order.email] = Customer(number, order.email, order.name, order.phone, now)
        return known
