"""Panels for staff, in the private Admin Panel: how they are, what they sell us, and what they have of an order.

Looking is for staff; what changes something is checked again inside its use case. Which service was shown, and at what
price, is kept in the open question, which the Confirm of another screen does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from viralcore.boosts.api import (
    AskWhat,
    BadService,
    CannotAsk,
    OfferView,
    PanelPage,
    PanelServiceView,
    PanelView,
    PlacementView,
)
from viralcore.bot import dialogue
from viralcore.bot.turn import Turn, UnknownRoute, Viewer, answer, number, on, route
from viralcore.core.errors import NotFound
from viralcore.core.screen import Html, Screen
from viralcore.texts import errors, home, orders, panels
from viralcore.texts import placements as orders_at
from viralcore.texts.panel_actions import (
    AcceptService,
    AskPanel,
    AskPlacements,
    AskService,
    ConfirmService,
    LeaveOutService,
    PreferPanel,
    ReadServices,
    RefillOrder,
)
from viralcore.texts.shop import with_note
from viralcore.users.api import NotAllowed

OWNERS, ASKING = "panels", "orders.retry"


def _staff_only(viewer: Viewer, right: str = "orders.view") -> None:
    if right not in viewer.user.rights:
        raise NotAllowed(right=right)


# --- looking ---------------------------------------------------------------------------------------------------------


@route("panels")
async def listed(viewer: Viewer, _: str) -> Screen:
    _staff_only(viewer)
    return panels.listed([_panel_text(one) for one in await viewer.doors.boosts.panels()])


@route("panel")
async def panel(viewer: Viewer, name: str) -> Screen:
    _staff_only(viewer)
    page = await viewer.doors.boosts.panel_care.page(panel=name)
    return panels.panel(
        _panel_text(page.panel),
        _record_text(page),
        [_service_text(one, page.panel.currency) for one in page.services],
        [
            panels.ChangeText(c.platform, c.metric, c.service, c.what, c.before, c.after, c.quarantined)
            for c in page.changes
        ],
        read_at=page.synced_at,
        waiting=page.sync_asked,
        free=len(page.free),
        may=OWNERS in viewer.user.rights,
    )


@route("pfree")
async def free(viewer: Viewer, name: str) -> Screen:
    _staff_only(viewer, OWNERS)
    page = await viewer.doors.boosts.panel_care.page(panel=name)
    return panels.free(page.panel.name, page.free)


@route("psvc")
async def service(viewer: Viewer, argument: str) -> Screen:
    _staff_only(viewer)
    name, _, what = argument.partition(":")
    page, one = await _service(viewer, name, what)
    if one is None:
        return await panel(viewer, name)
    return panels.service(_service_text(one, page.panel.currency), of=name, may=OWNERS in viewer.user.rights)


async def _service(viewer: Viewer, name: str, what: str) -> tuple[PanelPage, PanelServiceView | None]:
    page = await viewer.doors.boosts.panel_care.page(panel=name)
    return page, next((one for one in page.services if f"{one.platform}:{one.metric}" == what), None)


@route("porder")
async def placements(viewer: Viewer, argument: str) -> Screen:
    _staff_only(viewer)
    found = await viewer.doors.boosts.panel_care.placements(order_id=number(argument))
    texts = [placement_text(one) for one in found]
    return orders_at.placements(number(argument), texts, may=ASKING in viewer.user.rights)


@route("pcancel")
async def confirm_stop(viewer: Viewer, argument: str) -> Screen:
    _staff_only(viewer, ASKING)
    order, _, phase = argument.partition(":")
    found = await viewer.doors.boosts.panel_care.placements(order_id=number(order))
    one = next((one for one in found if one.phase_id == number(phase) and one.can_cancel), None)
    return (
        await placements(viewer, order) if one is None else orders_at.confirm_stop(number(order), placement_text(one))
    )


# --- panels and their services ---------------------------------------------------------------------------------------


@on(PreferPanel)
async def prefer(turn: Turn, act: PreferPanel) -> Screen:
    await turn.doors.boosts.panel_care.prefer(key=turn.key, actor=turn.user.id, panel=act.panel)
    turn.toast = panels.preferred(of=act.panel)
    return await panel(turn.viewer, act.panel)


@on(ReadServices)
async def read_services(turn: Turn, act: ReadServices) -> Screen:
    await turn.doors.boosts.panel_care.ask_services(key=turn.key, actor=turn.user.id, panel=act.panel)
    turn.toast = panels.reading(of=act.panel)
    return await panel(turn.viewer, act.panel)


@on(AskService)
async def ask_service(turn: Turn, act: AskService) -> Screen:
    _staff_only(turn.viewer, OWNERS)
    platform, metric = _parts(act.what)
    await turn.doors.boosts.panel_care.page(panel=act.panel)
    await turn.ask(dialogue.SERVICE_ID, panel=act.panel, what=act.what)
    return panels.ask_service(of=act.panel, platform=platform, metric=metric)


@answer(dialogue.SERVICE_ID)
async def service_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    _staff_only(turn.viewer, OWNERS)
    name, what = str(data["panel"]), str(data["what"])
    platform, metric = _parts(what)
    try:
        return await _show(turn, name, what, text.strip().lstrip("#")[:40])
    except BadService as error:
        await turn.ask(dialogue.SERVICE_ID, panel=name, what=what)
        return panels.ask_service(of=name, platform=platform, metric=metric, problem=errors.words(error))


@on(AcceptService)
async def accept_service(turn: Turn, act: AcceptService) -> Screen:
    _staff_only(turn.viewer, OWNERS)
    _, one = await _service(turn.viewer, act.panel, act.what)
    if one is None:
        return await panel(turn.viewer, act.panel)
    try:
        return await _show(turn, act.panel, act.what, one.service)
    except BadService as error:
        return home.refused(errors.words(error), back=f"psvc:{act.panel}:{act.what}")


async def _show(turn: Turn, name: str, what: str, given: str) -> Screen:
    """What would be used from now on; Confirm takes exactly that. Raises BadService."""
    platform, metric = _parts(what)
    offer = await turn.doors.boosts.panel_care.offer(panel=name, platform=platform, metric=metric, service=given)
    page, before = await _service(turn.viewer, name, what)
    await turn.ask(dialogue.SERVICE_OK, panel=name, what=what, service=offer.service, rate=f"{offer.rate:f}")
    return panels.confirm_service(
        _offer_text(offer, page.panel.currency),
        of=name,
        category=offer.category,
        plans=offer.plans,
        others=offer.others,
        before=None if before is None else _service_text(before, page.panel.currency),
    )


@answer(dialogue.SERVICE_OK)
async def another_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    """Typed instead of pressing Confirm: another id."""
    return await service_typed(turn, data, text)


@on(ConfirmService)
async def confirm_service(turn: Turn, act: ConfirmService) -> Screen:
    _staff_only(turn.viewer, OWNERS)
    asked = await turn.question()
    where = f"{act.panel}:{act.what}"
    if asked is None or asked.name != dialogue.SERVICE_OK or f"{asked.data['panel']}:{asked.data['what']}" != where:
        return with_note(home.TOO_LATE, await service(turn.viewer, where))
    platform, metric = _parts(act.what)
    try:
        await turn.doors.boosts.panel_care.choose_service(
            key=turn.key,
            actor=turn.user.id,
            panel=act.panel,
            platform=platform,
            metric=metric,
            service=str(asked.data["service"]),
            rate=Decimal(str(asked.data["rate"])),
        )
    except BadService as error:
        return home.refused(errors.words(error), back=f"psvc:{where}")
    return await panel(turn.viewer, act.panel)


@on(LeaveOutService)
async def leave_out(turn: Turn, act: LeaveOutService) -> Screen:
    platform, metric = _parts(act.what)
    await turn.doors.boosts.panel_care.leave_out(
        key=turn.key, actor=turn.user.id, panel=act.panel, platform=platform, metric=metric
    )
    return await service(turn.viewer, f"{act.panel}:{act.what}")


# --- orders ----------------------------------------------------------------------------------------------------------


@on(AskPlacements)
async def ask_placements(turn: Turn, _: AskPlacements) -> Screen:
    _staff_only(turn.viewer)
    await turn.ask(dialogue.FIND_PLACEMENTS)
    return orders_at.ask_order()


@answer(dialogue.FIND_PLACEMENTS)
async def order_typed(turn: Turn, _: Mapping[str, Any], text: str) -> Screen:
    digits = text.strip().lstrip("#")
    problem: Html = orders_at.no_order(text.strip())
    if digits.isascii() and digits.isdigit() and len(digits) <= 18:
        try:
            return await placements(turn.viewer, digits)
        except NotFound:
            pass
    await turn.ask(dialogue.FIND_PLACEMENTS)
    return orders_at.ask_order(problem)


@on(AskPanel)
async def ask_panel(turn: Turn, act: AskPanel) -> Screen:
    what: AskWhat = "cancel" if act.what == "cancel" else "refill"
    try:
        made = await turn.doors.boosts.panel_care.ask(key=turn.key, actor=turn.user.id, phase_id=act.phase, what=what)
    except CannotAsk as error:
        where = f"porder:{error.fields['order_id']}" if "order_id" in error.fields else "panels"
        return home.refused(errors.words(error), back=where)
    turn.toast = orders_at.asked(what=what)
    return await placements(turn.viewer, str(made.order_id))


@on(RefillOrder)
async def refill_order(turn: Turn, act: RefillOrder) -> Screen:
    try:
        await turn.doors.boosts.panel_care.refill(key=turn.key, user_id=turn.user.id, order_id=act.order)
    except CannotAsk as error:
        return home.refused(errors.words(error), back=f"order:{act.order}")
    return home.notice(orders.refill_asked(act.order), back=f"order:{act.order}")


# --- from what the door returns to what the screens take -------------------------------------------------------------


def _parts(what: str) -> tuple[str, str]:
    platform, found, metric = what.partition(":")
    if not found:
        raise UnknownRoute(what[:40])
    return platform, metric


def _panel_text(one: PanelView) -> panels.PanelText:
    return panels.PanelText(
        name=one.name,
        active=one.active,
        preferred=one.preferred,
        breaker=one.breaker,
        balance=None if one.balance is None else f"{one.balance:,.2f} {one.currency}",
        checked_at=one.checked_at,
        days_left=one.days_left,
        quarantined=one.quarantined,
    )


def _record_text(page: PanelPage) -> panels.RecordText:
    spent = None if page.spent_a_day is None else f"{page.spent_a_day:,.2f} {page.panel.currency}"
    return panels.RecordText(page.days, page.samples, page.success, page.cancelled, page.first_seconds, spent)


def _service_text(one: PanelServiceView, currency: str) -> panels.ServiceText:
    return panels.ServiceText(
        platform=one.platform,
        metric=one.metric,
        service=one.service,
        name=one.name,
        rate=_rate(one.rate, currency),
        agreed=_rate(one.agreed_rate, currency),
        minimum=one.minimum,
        maximum=one.maximum,
        refill=one.refill,
        cancel=one.cancel,
        state=one.state,
        reason=one.reason,
        read=one.read,
    )


def _offer_text(one: OfferView, currency: str) -> panels.ServiceText:
    return panels.ServiceText(
        platform=one.platform,
        metric=one.metric,
        service=one.service,
        name=one.name,
        rate=_rate(one.rate, currency),
        agreed=_rate(one.rate, currency),
        minimum=one.minimum,
        maximum=one.maximum,
        refill=one.refill,
        cancel=one.cancel,
        state="ok",
        reason="",
        read=True,
    )


def _rate(rate: Decimal, currency: str) -> str:
    """At least two places, more where the price has them."""
    whole, _, fraction = f"{rate.normalize():f}".partition(".")
    return f"{int(whole):,}.{fraction.ljust(2, '0')} {currency}"


def placement_text(one: PlacementView) -> orders_at.PlacementText:
    return orders_at.PlacementText(
        phase=one.phase_id,
        metric=one.metric,
        number=one.number,
        quantity=one.quantity,
        delivered=one.delivered,
        state=one.state,
        panel=one.panel,
        service=one.service,
        panel_order=one.panel_order,
        charge=None if one.charge is None else f"{one.charge:f} {one.currency}".rstrip(),
        rest_of=one.remainder_of is not None,
        can_refill=one.can_refill,
        can_cancel=one.can_cancel,
        requests=tuple((each.what, each.state, each.words) for each in one.requests),
    )
