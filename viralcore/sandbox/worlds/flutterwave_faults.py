"""What the bank does wrong on demand, and how that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from viralcore.sandbox.worlds.control import Amount, Body, choice, swallow
from viralcore.sandbox.worlds.faults import OUTAGES

SLOW, SLOW_BOOKED = "503_slow", "503_slow_booked"
LOST = "lost"  # done, and the connection cut instead of an answer
PENDING_FIRST = 60  # seconds
SENT, LATE, ONCE, OFF = "on", "late", "once", "off"
WRONG, MISSING = "wrong", "missing"
MIXED, LIVE, LEGACY = "mixed", "live", "legacy"


def _switch(value: object) -> object:
    if value is True or value is None:
        return SENT
    if value is False:
        return OFF
    if value in (SENT, LATE, ONCE, OFF):
        return value
    raise ValueError(f"must be true, false or one of: {SENT}, {LATE}, {ONCE}, {OFF}")


def _copies(value: object) -> object:
    """How many more than one; -1: one or two, by chance."""
    if value is None or value is False:
        return 0
    if value is True:
        return -1
    if isinstance(value, int) and 0 <= value <= 20:
        return value
    raise ValueError("must be true, false or how many more, up to 20")


def _seconds(value: object) -> object:
    if value is None or value is False:
        return 0
    if value is True:
        return PENDING_FIRST
    if isinstance(value, int) and 0 <= value <= 30 * 86_400:
        return value
    raise ValueError("must be true, false or seconds, up to 30 days")


@dataclass(slots=True)
class Faults:
    """`webhooks`: on; late (30 minutes); once (one that is not taken is lost); off (all are lost).

    `outage`: one of OUTAGES, or the gateway's own 503 after `slow_seconds`, with nothing done or (booked) with
    everything done. `pending_first`: how long new payments are undecided when asked for. `lie`: webhooks say that it
    went well, ten times over. `payer_pays_fee`: what is to be sent is more than what was asked for.

    Of payouts. `whitelist`, `unapproved`: it refuses our address, or us. `approval`: new ones wait for a person in its
    dashboard. `decide_after`: they end by themselves within so many seconds, `fail_percent` of them in failure; 0: not
    before somebody decides. `storm`: how many of a hundred go wrong on the way.
    """

    outage: str = ""
    latency_ms: int = 0
    slow_seconds: int = 3
    swallow_next: int = 0
    webhooks: str = SENT
    duplicate_webhooks: int = 0
    shuffle: bool = False
    wrong_secret: str = ""
    envelope: str = MIXED
    lie: bool = False
    pending_first: int = 0
    payer_pays_fee: bool = False
    whitelist: bool = False
    unapproved: bool = False
    approval: bool = False
    decide_after: int = 0
    fail_percent: int = 0
    storm: int = 0

    def json(self) -> dict[str, Any]:
        """As they are asked for."""
        return {
            "outage": self.outage,
            "latency_ms": self.latency_ms,
            "slow_seconds": self.slow_seconds,
            "swallow_next": "hang" if self.swallow_next < 0 else self.swallow_next,
            "webhooks": self.webhooks,
            "duplicate_webhooks": True if self.duplicate_webhooks < 0 else self.duplicate_webhooks,
            "shuffle": self.shuffle,
            "wrong_secret": self.wrong_secret,
            "envelope": self.envelope,
            "lie": self.lie,
            "pending_first": self.pending_first,
            "payer_pays_fee": self.payer_pays_fee,
            "whitelist": self.whitelist,
            "unapproved": self.unapproved,
            "approval": self.approval,
            "decide_after": self.decide_after,
            "fail_percent": self.fail_percent,
            "storm": self.storm,
        }


class BankBody(Body):
    """What is not named stays as it is. `balance`: naira there are for payouts."""

    outage: Annotated[str, choice(*OUTAGES, SLOW, SLOW_BOOKED, yes="503")] = ""
    latency_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    slow_seconds: Annotated[int, Field(ge=0, le=60)] = 0
    swallow_next: Annotated[int, BeforeValidator(swallow)] = 0
    webhooks: Annotated[str, BeforeValidator(_switch)] = SENT
    duplicate_webhooks: Annotated[int, BeforeValidator(_copies)] = 0
    shuffle: bool = False
    wrong_secret: Annotated[str, choice(WRONG, MISSING, yes=WRONG)] = ""
    envelope: Annotated[str, choice(MIXED, LIVE, LEGACY, yes=MIXED)] = MIXED
    lie: bool = False
    pending_first: Annotated[int, BeforeValidator(_seconds)] = 0
    payer_pays_fee: bool = False
    whitelist: bool = False
    unapproved: bool = False
    approval: bool = False
    decide_after: Annotated[int, BeforeValidator(_seconds)] = 0
    fail_percent: Annotated[int, Field(ge=0, le=100)] = 0
    storm: Annotated[int, Field(ge=0, le=100)] = 0
    balance: Amount = Decimal(0)
