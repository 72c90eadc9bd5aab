"""When what arrives, and by whom: before an order for each line, and on its page for what is still to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from viralcore.core.screen import Html, markup
from viralcore.texts import wording

PANEL, CROWD, STAFF = "panel", "crowd", "staff"


@dataclass(frozen=True, slots=True)
class WayText:
    """How one line will be delivered. `minutes`: when a panel is sent its parts; `hours`: how long our groups have."""

    metric: str
    by: str
    minutes: tuple[int, ...] = ()
    hours: int = 0


def ahead(ways: Sequence[WayText]) -> list[Html]:
    """One line for all that comes in the same way. What nobody delivers has a line of its own elsewhere."""
    groups: dict[WayText, list[str]] = {}
    for way in ways:
        groups.setdefault(WayText("", way.by, way.minutes, way.hours), []).append(way.metric)
    return [_ahead(way, names) for way, names in groups.items() if way.by in (PANEL, CROWD, STAFF)]


def _ahead(way: WayText, names: Sequence[str]) -> Html:
    what = wording.join(names).capitalize()
    if way.by == CROWD:
        return markup(
            "👥 {what} come from people in our groups, from now on and within {hours} hours; what is "
            "missing then is paid back.",
            what=what,
            hours=way.hours,
        )
    if way.by == STAFF:
        return markup("🧰 {what} are done by our team by hand, as soon as they can.", what=what)
    when = wording.join([f"in {minutes} min" for minutes in way.minutes])
    if len(way.minutes) > 1:
        return markup("🕐 {what} are sent in {k} parts: {when}.", what=what, k=len(way.minutes), when=when)
    return markup("🕐 {what} are sent {when}.", what=what, when=when)


def by_people(*, crowd: Sequence[str], until: datetime | None, staff: Sequence[str], begun: bool) -> list[Html]:
    """Of an order that runs: what groups and the team still work at."""
    told = []
    if crowd:
        what = wording.join(crowd)
        told.append(
            markup("People in our groups send the {what} bit by bit, until {at}.", what=what, at=wording.moment(until))
            if until is not None
            else markup("People in our groups send the {what} bit by bit.", what=what)
        )
    if staff:
        what = wording.join(staff)
        told.append(
            markup("Somebody in our team is doing the {what} by hand.", what=what)
            if begun
            else markup("Somebody in our team does the {what} by hand, as soon as they can.", what=what)
        )
    return told
