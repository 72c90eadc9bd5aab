"""Our transfers against the provider's, and what we owe against what we hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from viralcore.core.money import NGN, USD, Money
from viralcore.withdrawals.api import TransferView

Kind = Literal["missing", "extra", "twice", "amount", "status", "balance"]
UNDER_WAY = ("new", "pending")


@dataclass(frozen=True, slots=True)
class Theirs:
    """A transfer as the provider lists it."""

    id: str
    reference: str
    status: str  # new | pending | successful | failed
    amount: Money
    last4: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Difference:
    """`facts` equal: the same difference, however often it is found."""

    kind: Kind
    reference: str
    provider_id: str
    ours: int | None
    ours_state: str
    theirs: int | None
    theirs_asset: str
    theirs_status: str
    last4: str
    on_day: date

    @property
    def place(self) -> tuple[str, str, str]:
        return self.kind, self.reference, self.provider_id

    @property
    def facts(self) -> tuple[object, ...]:
        return self.ours, self.ours_state, self.theirs, self.theirs_asset, self.theirs_status


def compare(
    ours: Sequence[TransferView], theirs: Sequence[Theirs], *, now: datetime, settle: timedelta
) -> tuple[Difference, ...]:
    """Everything that does not agree, of transfers older than `settle`: younger ones are still on their way.

    `ours` of which nothing can be said: sending and unknown ones that are not in the list. They may never have
    arrived, and are asked about one by one.
    """
    listed: dict[str, list[Theirs]] = {}
    for one in theirs:
        listed.setdefault(one.reference, []).append(one)
    found: list[Difference] = []
    for mine in ours:
        # The oldest first, whichever list they stood in: that one is taken for ours, the others are there twice.
        records = sorted(listed.pop(mine.reference, []), key=lambda one: (len(one.id), one.id))
        if mine.sent_at is None or now - mine.sent_at < settle:
            continue
        if not records:
            if mine.state in ("accepted", "succeeded"):
                found.append(_difference("missing", mine, None, now))
            continue
        found += [_difference("twice", mine, again, now) for again in records[1:]]
        record = records[0]
        if record.amount != mine.net:
            found.append(_difference("amount", mine, record, now))
        if not _agrees(mine.state, record.status):
            found.append(_difference("status", mine, record, now))
    for records in listed.values():
        found += [_difference("extra", None, one, now) for one in records if one.at is None or now - one.at >= settle]
    return tuple(found)


def _agrees(ours: str, theirs: str) -> bool:
    """What is under way here may be anything but at an end there: an end is told within minutes."""
    if ours == "succeeded":
        return theirs == "successful"
    if ours == "failed":
        return theirs == "failed"
    return theirs in UNDER_WAY


def _difference(kind: Kind, mine: TransferView | None, record: Theirs | None, now: datetime) -> Difference:
    moment = (mine.sent_at if mine is not None else None) or (record.at if record is not None else None) or now
    return Difference(
        kind=kind,
        reference=mine.reference if mine is not None else record.reference if record is not None else "",
        provider_id=record.id if record is not None else "",
        ours=None if mine is None else mine.net.minor,
        ours_state="" if mine is None else mine.state,
        theirs=None if record is None else record.amount.minor,
        theirs_asset=NGN if record is None else record.amount.asset,
        theirs_status="" if record is None else record.status,
        last4="" if record is None else record.last4,
        on_day=moment.date(),
    )


def balance_difference(
    *, before: int, spent_before: int, balance: int, spent: int, transfers: int, tolerance: Decimal, today: date
) -> Difference | None:
    """More left the provider's balance between two looks than our transfers explain. Less is no difference: money is
    also put in. Kobo; `tolerance`: naira, beside a kobo for each transfer, whose fee is told rounded up."""
    expected = before - (spent - spent_before)
    if expected - balance <= int(tolerance * 100) + transfers:
        return None
    return Difference("balance", today.isoformat(), "", expected, "", balance, NGN, "", "", today)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is owed and held, in cents, by name."""

    owed: Mapping[str, int]
    held: Mapping[str, int]
    gap: int


def standing(owed: Mapping[str, Money], held: Mapping[str, Money], *, rate: Decimal, cover: Decimal) -> Standing:
    """In dollars at `rate` naira each: what is owed rounded up, what is held rounded down."""
    owed_cents = {name: cents(money, rate, up=True) for name, money in owed.items()}
    held_cents = {name: cents(money, rate, up=False) for name, money in held.items()}
    wanted = int((sum(owed_cents.values()) * cover).to_integral_value(ROUND_CEILING))
    return Standing(owed_cents, held_cents, max(0, wanted - sum(held_cents.values())))


def cents(money: Money, rate: Decimal, *, up: bool) -> int:
    if money.asset == USD:
        return money.minor
    exact = Decimal(money.minor) / rate
    return int(exact.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))


def acts(gap: int, told_gap: int, *, again: Decimal) -> bool:
    """Whether a gap is news: the first since all was covered, or grown by the share `again` since it was acted upon.
    An owner who lifts the stop has seen the gap that was told."""
    return gap > 0 and (told_gap == 0 or gap > told_gap * (1 + again))
