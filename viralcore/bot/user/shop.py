"""Choosing a plan and how many of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from viralcore.boosts.api import BadQuantity, NotOnSale, PlanView, UnknownPlan
from viralcore.bot import dialogue
from viralcore.bot.turn import Turn, UnknownRoute, Viewer, answer, command, on, render, route
from viralcore.bot.user.goods import begin
from viralcore.bot.user.views import invoice_row, plan_text
from viralcore.core.screen import Screen
from viralcore.payments.api import TooManyInvoices
from viralcore.texts import errors, invoices, shop
from viralcore.texts.actions import AskQuantity, Buy

_NUMBER = re.compile(r"[0-9]{1,9}|[0-9]{1,3}(?:[ ,._'\u00a0\u202f][0-9]{3}){1,2}")
"""Digits, or groups of three: ``1,000`` is a thousand, while ``9.5`` and ``1,0`` are no whole numbers."""


def whole(text: str) -> int | None:
    """A typed quantity; None when it is not a whole number."""
    found = _NUMBER.fullmatch(text.strip())
    return int(re.sub(r"[^0-9]", "", found.group())) if found else None


def _shown(viewer: Viewer, platform: str) -> list[PlanView]:
    return [p for p in viewer.doors.boosts.plans() if p.platform == platform and (p.on_sale or p.kind == "contact")]


@route("menu")
async def service_menu(viewer: Viewer, _: str) -> Screen:
    platforms = [p for p in ("x", "telegram") if _shown(viewer, p)]
    return shop.service_menu(platforms=platforms, reply_guy="tasks" in viewer.user.rights)


@route("p")
async def platform(viewer: Viewer, name: str) -> Screen:
    plans = _shown(viewer, name)
    if not plans:
        raise UnknownRoute(name[:40])
    groups = list(dict.fromkeys(plan.group for plan in plans if plan.kind != "contact"))
    contacts = [(plan.id, plan.title) for plan in plans if plan.kind == "contact"]
    return shop.platform(name=name, groups=groups, contacts=contacts, contact=viewer.config.support_contact)


@route("g")
async def group(viewer: Viewer, which: str) -> Screen:
    of, _, name = which.partition(":")
    plans = [plan_text(p) for p in _shown(viewer, of) if p.group == name and p.kind != "contact"]
    if not plans:
        raise UnknownRoute(which[:40])
    sized = [p for p in _shown(viewer, of) if p.group == name and p.variant is not None]
    if len(sized) == len(plans) and len({p.family for p in sized}) == 1:
        return shop.sizes(name=name, of=of, choices=[(p.variant or 0, p.id, p.price) for p in sized])
    return shop.group(name=name, of=of, plans=plans)


@route("contact")
async def contact(viewer: Viewer, plan_id: str) -> Screen:
    plan = viewer.doors.boosts.plan(plan_id)
    return shop.contact_entry(title=plan.title, contact=viewer.config.support_contact, back=f"p:{plan.platform}")


@route("plan")
async def plan(viewer: Viewer, plan_id: str) -> Screen:
    one = await viewer.doors.boosts.find_plan(plan_id)
    if one.group == "custom":
        return await render(viewer, f"custom:{plan_id.removeprefix('custom-')}")
    if not one.on_sale:
        raise NotOnSale(plan=plan_id)
    return shop.plan(plan_text(one))


async def _theirs(turn: Turn, plan_id: str) -> PlanView:
    """A plan this person may know of: one made for somebody else is none. Raises UnknownPlan."""
    one = await turn.doors.boosts.find_plan(plan_id)
    if one.group == "custom":
        mine = await turn.doors.boosts.custom.of_user(user_id=turn.user.id)
        if all(each.plan.id != plan_id for each in mine):
            raise UnknownPlan(plan=plan_id)
    return one


@on(AskQuantity)
async def ask_quantity(turn: Turn, act: AskQuantity) -> Screen:
    one = await _theirs(turn, act.plan)
    if not one.on_sale:
        raise NotOnSale(plan=act.plan)
    await turn.ask(dialogue.QUANTITY, plan=act.plan)
    return shop.ask_quantity(plan_text(one))


@answer(dialogue.QUANTITY)
async def quantity_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    one = await _theirs(turn, str(data["plan"]))
    quantity = whole(text)
    if quantity is None:
        await turn.ask(dialogue.QUANTITY, plan=one.id)
        wrong = BadQuantity(minimum=one.minimum, maximum=one.maximum, step=one.step, asked=text[:20])
        return shop.bad_quantity(plan_text(one), errors.words(wrong))
    return await buy(turn, one.id, quantity)


@on(Buy)
async def buy_pressed(turn: Turn, act: Buy) -> Screen:
    return await buy(turn, act.plan, act.quantity)


@command("buy")
async def buy_command(turn: Turn, arguments: str) -> Screen:
    """``/buy t3 10`` opens the invoice, ``/buy t3`` the plan, ``/buy`` the shop."""
    words = arguments.split()
    if not words:
        return await render(turn.viewer, "menu")
    if words[0].lower() == "ct":  # the old bot's name for "has custom plans"
        return await render(turn.viewer, "customs")
    family = next((p for p in turn.doors.boosts.plans() if p.family == words[0].lower()), None)
    if family is not None:  # one plan in several sizes: which, comes first
        return await render(turn.viewer, f"g:{family.platform}:{family.group}")
    if len(words) == 1:
        try:
            return await plan(turn.viewer, words[0].lower())
        except (UnknownPlan, NotOnSale) as error:
            return shop.with_note(errors.words(error), await render(turn.viewer, "menu"))
    quantity = whole(" ".join(words[1:]))
    if quantity is None:
        menu = await render(turn.viewer, "menu")
        return shop.with_note(shop.buy_usage(example="t3"), menu)
    return await buy(turn, words[0].lower(), quantity)


async def buy(turn: Turn, plan_id: str, quantity: int) -> Screen:
    """Open the invoice and show it; when something is in the way, say what and how to go on."""
    try:
        if (await _theirs(turn, plan_id)).kind == "goods":
            return await begin(turn, plan_id, quantity)
        invoice = await turn.doors.boosts.buy(key=turn.key, user_id=turn.user.id, plan_id=plan_id, quantity=quantity)
    except (UnknownPlan, NotOnSale) as error:
        return shop.with_note(errors.words(error), await render(turn.viewer, "menu"))
    except BadQuantity as error:
        await turn.ask(dialogue.QUANTITY, plan=plan_id)
        return shop.bad_quantity(plan_text(await turn.doors.boosts.find_plan(plan_id)), errors.words(error))
    except TooManyInvoices as error:
        open_ones = await turn.doors.payments.invoices(user_id=turn.user.id, open_only=True)
        return invoices.already_have(
            limit=int(error.fields["limit"]), open_invoices=[invoice_row(one) for one in open_ones]
        )
    return await render(turn.viewer, f"invoice:{invoice.id}")
