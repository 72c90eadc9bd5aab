"""Panels, for staff: how each of them is, and what it sells us."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import wording
from viralcore.texts.actions import Go
from viralcore.texts.panel_actions import (
    AcceptService,
    AskPlacements,
    AskService,
    ConfirmService,
    LeaveOutService,
    PreferPanel,
    ReadServices,
)

_BREAKER = {"closed": "working", "open": "failing, left out", "half-open": "being tried again"}
_PLATFORM = {"x": "X", "telegram": "Telegram"}
_REASON = {
    "price": "its price jumped",
    "vanished": "the panel does not list it any more",
    "kind": "it needs more than a link and a number now",
    "owner": "an owner left it out",
}
_WHAT = {
    "price": "price",
    "minimum": "smallest order",
    "maximum": "largest order",
    "name": "name",
    "refill": "refill",
    "cancel": "cancel",
    "kind": "kind",
}


@dataclass(frozen=True, slots=True)
class PanelText:
    """`balance`: with its currency; None when it was never read."""

    name: str
    active: bool
    preferred: bool
    breaker: str
    balance: str | None
    checked_at: datetime | None
    days_left: Decimal | None
    quarantined: int


@dataclass(frozen=True, slots=True)
class RecordText:
    """What a panel did for us lately. Parts of 1; None: nobody can say yet."""

    days: int
    samples: int
    success: Decimal | None
    cancelled: Decimal | None
    first_seconds: int | None
    spent: str | None


@dataclass(frozen=True, slots=True)
class ServiceText:
    """Prices are per 1,000, with their currency."""

    platform: str
    metric: str
    service: str
    name: str
    rate: str
    agreed: str
    minimum: int
    maximum: int
    refill: bool
    cancel: bool
    state: str
    reason: str
    read: bool


@dataclass(frozen=True, slots=True)
class ChangeText:
    platform: str
    metric: str
    service: str
    what: str
    before: str
    after: str
    quarantined: bool


def listed(found: Sequence[PanelText]) -> Screen:
    """All panels, in the order in which they are asked."""
    text = lines(
        Html("🔌 <b>Panels</b>\n\nIn the order in which they are asked; 🟢 is where orders go first.\n"),
        *(_line(one) for one in found),
        None if found else Html("No panel has an API key. Orders wait."),
    )
    ways = tuple((Button(f"{'🟢' if one.active else '⚪'} {one.name}", Go(f"panel:{one.name}")),) for one in found)
    rows = (*ways, (Button("🔎 An order at the panels", AskPlacements()),), wording.back_home("admin"))
    return Screen(text, rows, route="panels")


def _line(one: PanelText) -> Html:
    at = f" at {one.checked_at:%H:%M} UTC" if one.checked_at else ""
    lasts = f", lasts {_days(one.days_left)}" if one.days_left is not None else ""
    waits = f"\n⚠️ {wording.count(one.quarantined, 'service')} not used until accepted" if one.quarantined else ""
    return markup(
        "{mark} <b>{name}</b>{star}: {breaker}, balance {balance}{at}{lasts}{waits}",
        mark="🟢" if one.active else "⚪",
        name=one.name,
        star=" ⭐" if one.preferred else "",
        breaker=_BREAKER.get(one.breaker, one.breaker),
        balance=one.balance or "unknown",
        at=at,
        lasts=lasts,
        waits=waits,
    )


def panel(
    one: PanelText,
    record: RecordText,
    services: Sequence[ServiceText],
    changes: Sequence[ChangeText],
    *,
    read_at: datetime | None,
    waiting: bool,
    free: int,
    may: bool,
) -> Screen:
    """One panel. `may`: the person may change something here."""
    text = lines(
        Html("🔌 <b>Panel</b>\n"),
        _line(one),
        Html("⭐ An owner made it active: it is asked first.") if one.preferred else None,
        *_record(record),
        markup("\n<b>Services</b>, {read}", read=_read(read_at, waiting)),
        *(_service(each) for each in services),
        Html("\n<b>Changed lately</b>") if changes else None,
        *(_change(each) for each in changes),
    )
    rows: list[tuple[Button, ...]] = []
    if may:
        first = () if one.preferred else (Button("⭐ Make active", PreferPanel(one.name)),)
        rows.append((*first, Button("🔄 Refresh services", ReadServices(one.name))))
    ways = [
        Button(
            f"{'✅' if each.state == 'ok' else '⚠️'} {_named(each.platform, each.metric)}",
            Go(f"psvc:{one.name}:{each.platform}:{each.metric}"),
        )
        for each in services
    ]
    rows += [tuple(ways[at : at + 2]) for at in range(0, len(ways), 2)]
    if may and free:
        rows.append((Button("➕ Sell something more here", Go(f"pfree:{one.name}")),))
    return Screen(text, (*rows, wording.back_home("panels")), route=f"panel:{one.name}")


def _record(record: RecordText) -> list[Html]:
    if not record.samples or record.success is None:
        return [markup("\nNothing was sent there in the last {n} days.", n=record.days)]
    first = (
        Html("nothing was delivered yet")
        if record.first_seconds is None
        else markup("first delivery after {span} (median)", span=wording.span(timedelta(seconds=record.first_seconds)))
    )
    early = "" if record.cancelled is None else f", ended {_percent(record.cancelled)} of it early"
    found = [
        markup(
            "\nLast {days} days, {n}: took {took}{early}; {first}.",
            days=record.days,
            n=wording.count(record.samples, "order"),
            took=_percent(record.success),
            early=early,
            first=first,
        )
    ]
    return [*found, markup("We spend {spent} a day there.", spent=record.spent)] if record.spent else found


def _read(read_at: datetime | None, waiting: bool) -> str:
    known = f"list read {wording.moment(read_at)}" if read_at else "list not read yet"
    return f"{known}; it is read again in a moment" if waiting else known


def _service(one: ServiceText) -> Html:
    return markup(
        "{mark} {what}: <code>{service}</code>{name}, {rate} per 1,000, {least} to {most}{refill}{why}",
        mark="✅" if one.state == "ok" else "⚠️",
        what=_named(one.platform, one.metric),
        service=one.service,
        name=f" “{one.name[:60]}”" if one.name else "",
        rate=one.rate,
        least=f"{one.minimum:,}",
        most=f"{one.maximum:,}",
        refill=", refill" if one.refill else "",
        why=f". Not used: {_REASON.get(one.reason, one.reason)}" if one.state != "ok" else "",
    )


def _change(one: ChangeText) -> Html:
    of = markup("{what} <code>{service}</code>", what=_named(one.platform, one.metric), service=one.service)
    if one.what == "vanished":
        told = Html("is not listed any more")
    elif one.what == "back":
        told = Html("is listed again")
    else:
        told = markup(
            "{what} {before}→ {after}",
            what=_WHAT.get(one.what, one.what),
            before=f"{one.before[:60]} " if one.before else "",
            after=one.after[:60],
        )
    return markup("{mark} {of}: {told}", mark="⚠️" if one.quarantined else "•", of=of, told=told)


def service(one: ServiceText, *, of: str, may: bool) -> Screen:
    """One service of a panel, and what an owner can do about it."""
    jumped = one.agreed != one.rate
    text = lines(
        markup("🔌 <b>{panel}, {what}</b>\n", panel=of, what=_named(one.platform, one.metric)),
        _service(one),
        markup("The agreed price is {agreed}.", agreed=one.agreed) if jumped else None,
        Html("Only the settings know it so far: the panel's list was not read yet.") if not one.read else None,
        markup("The panel {cancel} cancel it.", cancel="can" if one.cancel else "cannot") if one.read else None,
    )
    what = f"{one.platform}:{one.metric}"
    rows: list[tuple[Button, ...]] = []
    if may and one.state != "ok" and one.reason != "vanished":
        label = "✅ Use it again" if one.reason == "owner" else "✅ Accept the change"
        rows.append((Button(label, AcceptService(of, what)),))
    if may:
        out = (Button("🚫 Leave out", LeaveOutService(of, what)),) if one.reason != "owner" else ()
        rows.append((Button("✏️ Change service id", AskService(of, what)), *out))
    return Screen(text, (*rows, wording.back_home(f"panel:{of}")), route=f"psvc:{of}:{what}")


def free(of: str, found: Sequence[tuple[str, str]]) -> Screen:
    """What a panel has no service for."""
    text = markup("🔌 <b>{panel}</b>\n\nWhat should it deliver as well? I ask for the service id next.", panel=of)
    rows = tuple((Button(_named(p, metric), AskService(of, f"{p}:{metric}")),) for p, metric in found)
    return Screen(text, (*rows, wording.back_home(f"panel:{of}")), route=f"pfree:{of}")


def ask_service(*, of: str, platform: str, metric: str, problem: Html | None = None) -> Screen:
    text = lines(
        problem,
        markup(
            "Which service of <b>{panel}</b> should deliver {what}? Send me its id, the number in the panel's list. "
            "/cancel to stop.",
            panel=of,
            what=_named(platform, metric),
        ),
    )
    return Screen(text, (wording.back_home(f"panel:{of}"),))


def confirm_service(
    one: ServiceText,
    *,
    of: str,
    category: str,
    before: ServiceText | None,
    plans: Sequence[str] = (),
    others: Sequence[str] = (),
) -> Screen:
    """What is used from now on, as the panel lists it, and for what. `others`: plans that leave it to people."""
    text = lines(
        markup("🔌 <b>{panel}, {what}</b>\n", panel=of, what=_named(one.platform, one.metric)),
        markup(
            "From now on: <code>{service}</code> “{name}” ({category})",
            service=one.service,
            name=one.name,
            category=category,
        ),
        markup(
            "{rate} per 1,000, {least} to {most} an order, {refill}, {cancel}.",
            rate=one.rate,
            least=f"{one.minimum:,}",
            most=f"{one.maximum:,}",
            refill="with refill" if one.refill else "no refill",
            cancel="can be cancelled" if one.cancel else "cannot be cancelled",
        ),
        markup("\nSo far: <code>{service}</code> at {agreed} per 1,000.", service=before.service, agreed=before.agreed)
        if before
        else None,
        Html(""),
        *_used_for(plans, others),
        Html("\nCheck that it delivers what the plan promises: I cannot see that from the list."),
    )
    what = f"{one.platform}:{one.metric}"
    rows = ((Button("✅ Confirm", ConfirmService(of, what)), Button("✖️ Cancel", Go(f"psvc:{of}:{what}"))),)
    return Screen(text, (*rows, wording.back_home(f"panel:{of}")))


def _used_for(plans: Sequence[str], others: Sequence[str]) -> list[Html]:
    told = (
        [markup("Used for: {plans}. New orders only.", plans=wording.join(plans))]
        if plans
        else [Html("⚠️ No plan uses it now: it is kept, and nothing is ordered with it.")]
    )
    if others:
        told.append(
            markup(
                "Not used for: {others}. People deliver it there; <code>panel = true</code> in plans.toml moves it.",
                others=wording.join(others),
            )
        )
    return told


_QUARANTINED = re.compile(r"(\S+) (\S+) \((\S+)\): (\S+)")


def waiting(detail: str) -> str:
    """``x likes (101): price; …`` as people read it; what cannot be read so is told as it is."""
    told = []
    for part in detail.split("; "):
        found = _QUARANTINED.fullmatch(part)
        if found is None or found[4] not in _REASON:
            told.append(part)
        else:
            told.append(f"{_named(found[1], found[2])}, service {found[3]}: {_REASON[found[4]]}")
    return "; ".join(told)


def preferred(*, of: str) -> str:
    return f"{of} is asked first from now on."


def reading(*, of: str) -> str:
    return f"The list of {of} is read in a moment."


def _named(platform: str, metric: str) -> str:
    return f"{_PLATFORM.get(platform, platform)} {metric}"


def _percent(part: Decimal) -> str:
    return f"{part * 100:.0f} %"


def _days(days: Decimal) -> str:
    return "less than a day" if days < 1 else f"about {wording.count(int(days), 'day')}"
