"""The frozen settings of whoever pays out, of the books compared with theirs, and of the watch over what we owe."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _exact(value: object) -> object:
    if isinstance(value, float):
        raise ValueError(f'must be written in "quotes", as an exact decimal: "{value}"')
    return value


Positive = Annotated[int, Field(gt=0)]
Share = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=1)]
Naira = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, decimal_places=2, max_digits=15)]
Word = Annotated[str, Field(min_length=1, pattern=r"^[^A-Z]+$")]  # compared with lower-cased text
Words = Annotated[tuple[Word, ...], Field(min_length=1)]


class Means(_Frozen):
    """A row of the dialect: words that occur, and what they mean (`ports.Why`)."""

    means: Literal["passing", "account", "final", "config"]
    words: Words


class TransferStatuses(_Frozen):
    """What a status word means, whatever its case."""

    new: Words
    pending: Words
    successful: Words
    failed: Words

    @model_validator(mode="after")
    def _once(self) -> TransferStatuses:
        words = [*self.new, *self.pending, *self.successful, *self.failed]
        twice = sorted({word for word in words if words.count(word) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)}: means two things")
        return self


class Payout(_Frozen):
    """How transfers are understood. The first row whose words occur decides; what no row knows is for staff."""

    dialect: Annotated[tuple[Means, ...], Field(min_length=1)]
    statuses: TransferStatuses
    reference_pages: Positive  # how many pages are read for one reference before it is an answer nobody can use


class KnownBank(_Frozen):
    """A bank that is offered where no list can be read: nobody pays for us, and staff pay by hand."""

    id: Positive
    code: Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[0-9A-Za-z]+$")]
    name: Annotated[str, Field(min_length=1)]


class BankSynonym(_Frozen):
    """What people call a bank, and the words in the list that mean it."""

    said: Words
    means: Words


class Banks(_Frozen):
    """The list of banks. `keep_hours`: as old as it may be before it is read again; the last good one always serves."""

    keep_hours: Positive
    retry_minutes: Positive
    fewest: Positive  # a list shorter than this is an answer gone wrong and replaces nothing
    close: Annotated[Decimal, BeforeValidator(_exact), Field(gt=0, le=1)]  # how alike a misspelt name must be
    old_codes: tuple[str, ...]  # codes that were given up for others: not offered
    synonyms: tuple[BankSynonym, ...]
    known: tuple[KnownBank, ...]

    @model_validator(mode="after")
    def _known_once(self) -> Banks:
        if len({one.id for one in self.known}) < len(self.known):
            raise ValueError("known: an id stands there twice")
        return self


class Reconciliation(_Frozen):
    """The daily comparison of our transfers with the provider's. `days`: how far back; `settle_minutes`: what is
    younger is still on its way; `tolerance`: naira the balance may differ by from what transfers explain;
    `at_most_seconds`: when the clock of the machine says so, what was not looked at is left for the next time;
    `look_ups`: open differences of older days that are looked up by their reference each time."""

    at_hour: Annotated[int, Field(ge=0, le=23)]
    days: Annotated[int, Field(gt=0, le=30)]
    at_most_seconds: Annotated[int, Field(ge=10, le=240)]  # a call is cut off at 300
    look_ups: Annotated[int, Field(gt=0, le=500)]
    settle_minutes: Positive
    most_pages: Positive
    tolerance: Naira


class Solvency(_Frozen):
    """The watch. `cover`: the share of what we owe that must be held; below it automatic payouts stop."""

    check_minutes: Positive
    cover: Share
    again: Share  # how much a gap must have grown to stop payouts again after an owner let them go on
    stale_hours: Positive  # a balance read longer ago counts as nothing
