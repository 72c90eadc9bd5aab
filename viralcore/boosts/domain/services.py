"""What panels list, and what of it may be used: a price that jumps or a service that vanishes waits for an owner. Pure.

A row in use is ``ok`` or ``quarantined`` with a reason:
- ``price``: the list asks for more or less than the agreed price, by more than the settings allow. A much lower price
  is no luck: panels give old numbers to new services.
- ``vanished``: the list does not have it any more.
- ``kind``: it takes something else than a link and a number now.
- ``owner``: an owner left it out.
Only an owner brings it back. A small change of price is taken over, but the agreed price stays what a jump is measured
from: many small steps are a jump as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from viralcore.boosts.config import Care, Service
from viralcore.boosts.domain.panels import MOST_TEXT, decimal_of, whole_of
from viralcore.core.one_line import one_line

Reason = Literal["", "price", "vanished", "kind", "owner"]
MOST_SERVICE = 20
LARGEST = 10**12


@dataclass(frozen=True, slots=True)
class Offer:
    """A line of a panel's list. `rate`: per 1,000, in the panel's currency."""

    service: str
    name: str
    kind: str
    category: str
    rate: Decimal
    minimum: int
    maximum: int
    refill: bool
    cancel: bool


@dataclass(frozen=True, slots=True)
class InUse:
    """The service of a panel that delivers a metric. `chosen_by`: an owner; None: the settings."""

    panel: str
    platform: str
    metric: str
    service: str
    name: str
    minimum: int
    maximum: int
    rate: Decimal
    agreed_rate: Decimal
    refill: bool
    cancel: bool
    state: Literal["ok", "quarantined"]
    reason: Reason
    chosen_by: int | None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.panel, self.platform, self.metric


@dataclass(frozen=True, slots=True)
class Change:
    """What a reading changed. `what`: price | minimum | maximum | vanished | kind | refill | cancel | name | back."""

    service: str
    what: str
    before: str
    after: str
    quarantined: bool = False


def read_services(body: Any) -> tuple[Offer, ...]:
    """A panel's list; empty when there is nothing usable in it. Lines that make no sense are left out."""
    rows = body.get("services") if isinstance(body, Mapping) else body
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return ()
    found: dict[str, Offer] = {}
    for row in rows:
        offer = _offer(row) if isinstance(row, Mapping) else None
        if offer is not None:
            found.setdefault(offer.service, offer)
    return tuple(found.values())


def _offer(row: Mapping[str, Any]) -> Offer | None:
    number = row.get("service")
    service = str(number).strip() if isinstance(number, int | str) and not isinstance(number, bool) else ""
    rate, minimum, maximum = decimal_of(row.get("rate")), whole_of(row.get("min")), whole_of(row.get("max"))
    usable = 0 < len(service) <= MOST_SERVICE and service.isascii() and service.replace("-", "").isalnum()
    if not usable or rate is None or not 0 <= rate < LARGEST or minimum is None or maximum is None:
        return None
    minimum = max(1, minimum)
    if not minimum <= maximum <= LARGEST:
        return None
    return Offer(
        service=service,
        name=_text(row.get("name")),
        kind=_text(row.get("type")) or "Default",
        category=_text(row.get("category")),
        rate=rate,
        minimum=minimum,
        maximum=maximum,
        refill=_flag(row.get("refill")),
        cancel=_flag(row.get("cancel", True)),  # where a list does not say, it can be tried
    )


def _text(value: object) -> str:
    return one_line(str(value or ""), MOST_TEXT)


def _flag(value: object) -> bool:
    return value is True or str(value).strip().lower() in {"1", "true", "yes"}


def begun(panel: str, told: Service) -> InUse:
    """A service as the settings have it, before its panel was asked."""
    return InUse(
        panel=panel,
        platform=told.platform,
        metric=told.metric,
        service=told.id,
        name="",
        minimum=told.minimum,
        maximum=told.maximum,
        rate=told.rate,
        agreed_rate=told.rate,
        refill=False,
        cancel=False,
        state="ok",
        reason="",
        chosen_by=None,
    )


def usable_kind(offer: Offer, care: Care) -> bool:
    """Whether it takes a link and a number, and nothing else."""
    return offer.kind.lower() in care.kinds


def jumped(agreed: Decimal, now: Decimal, care: Care) -> bool:
    """Whether a price is too far from what was agreed to be taken over."""
    return abs(now - agreed) > agreed * care.price_jump


def compared(row: InUse, offer: Offer | None, care: Care) -> tuple[InUse, tuple[Change, ...]]:
    """A row after its panel's list was read, and what that changed."""
    if offer is None:
        if row.reason == "vanished":
            return row, ()
        after = _quarantined(row, "vanished")
        return after, (Change(row.service, "vanished", row.name, "", after.state != row.state),)
    changes = [
        Change(row.service, what, _plain(before), _plain(now))
        for what, before, now in (
            ("price", row.rate, offer.rate),
            ("minimum", row.minimum, offer.minimum),
            ("maximum", row.maximum, offer.maximum),
            ("name", row.name, offer.name),
            ("refill", row.refill, offer.refill),
            ("cancel", row.cancel, offer.cancel),
        )
        # what the settings never knew is nothing that changed
        if before != now and not (not row.name and what in {"name", "refill", "cancel"})
    ]
    after = replace(
        row,
        name=offer.name,
        rate=offer.rate,
        minimum=offer.minimum,
        maximum=offer.maximum,
        refill=offer.refill,
        cancel=offer.cancel,
    )
    reason: Reason = "" if usable_kind(offer, care) else "kind"
    reason = reason or ("price" if jumped(row.agreed_rate, offer.rate, care) else "")
    if row.reason == "vanished":
        changes.append(Change(row.service, "back", "", offer.name, quarantined=True))
    if reason and row.reason != reason and row.reason != "owner":
        after = _quarantined(after, reason)
        if reason == "kind":
            changes.append(Change(row.service, "kind", "", offer.kind))
        changes = [replace(one, quarantined=one.quarantined or one.what == reason) for one in changes]
    return after, tuple(changes)


def chosen(row: InUse, offer: Offer, actor: int) -> InUse:
    """An owner says: this one, at this price."""
    return replace(
        row,
        service=offer.service,
        name=offer.name,
        minimum=offer.minimum,
        maximum=offer.maximum,
        rate=offer.rate,
        agreed_rate=offer.rate,
        refill=offer.refill,
        cancel=offer.cancel,
        state="ok",
        reason="",
        chosen_by=actor,
    )


def left_out(row: InUse) -> InUse:
    """An owner says: not this one for now."""
    return _quarantined(row, "owner")


def _quarantined(row: InUse, reason: Reason) -> InUse:
    return replace(row, state="quarantined", reason=row.reason if row.reason == "owner" else reason)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
