"""The first contact, the menu, help, support, terms."""

from __future__ import annotations

import re
from collections.abc import Sequence

from viralcore.boosts.api import CreditView
from viralcore.bot.admin.orders import from_link as order_from_link
from viralcore.bot.admin.payments import receipt_of_card
from viralcore.bot.turn import ON_LOOK, Turn, Viewer, command, on, render, route
from viralcore.bot.user.boost import ask_for_link
from viralcore.bot.user.crowd import from_group, waiting_claim
from viralcore.core.errors import NotFound
from viralcore.core.money import USD, Money
from viralcore.core.screen import Screen
from viralcore.ledger.api import BONUS, WALLET, Balance
from viralcore.texts import errors, home, shop, wording
from viralcore.texts.actions import Agree, Go
from viralcore.texts.crowd import CLAIMS_START

_ORDER = re.compile(r"o_([0-9]{1,18})")


def wallet(balances: Sequence[Balance]) -> tuple[Money, Money]:
    """What can be spent: wallet money and bonus money."""
    found = {one.account.name: one.available for one in balances}
    return Money(found.get(WALLET, 0), USD), Money(found.get(BONUS, 0), USD)


def usable(viewer: Viewer, found: Sequence[CreditView]) -> list[CreditView]:
    """Posts that can be used now: a custom plan may have ended."""
    now = viewer.clock.now()
    return [one for one in found if one.plan.until is None or one.plan.until > now]


async def _home(viewer: Viewer, *, banner: bool) -> Screen:
    balances = await viewer.doors.ledger.balances(user_id=viewer.user.id)
    own, bonus = wallet(balances)
    posts = sum(credit.available for credit in usable(viewer, await viewer.doors.boosts.credits_in(balances)))
    return home.home(
        first_name=viewer.user.first_name,
        staff=viewer.user.staff,
        posts=posts,
        balance=wording.money(own + bonus),
        banner=banner,
    )


@route("home")
async def show_home(viewer: Viewer, _: str) -> Screen:
    return await _home(viewer, banner=False)


@command("start")
async def start(turn: Turn, payload: str) -> Screen:
    """The menu; from the button of a card, for those who may, what it is about; from a group, the claim made
    there; from a link of an order, that order when it is theirs, or when they are staff."""
    if (where := receipt_of_card(turn.viewer, payload)) is not None:
        return await render(turn.viewer, where)
    if payload == CLAIMS_START and "replies.approve" in turn.user.rights:
        return await render(turn.viewer, "claims")
    if (order := _ORDER.fullmatch(payload)) is not None:
        try:
            return await order_from_link(turn.viewer, order.group(1))
        except NotFound as error:
            return shop.with_note(errors.words(error), await _home(turn.viewer, banner=False))
    return await from_group(turn, payload) or await _home(turn.viewer, banner=True)


@command("menu")
async def menu(turn: Turn, _: str) -> Screen:
    return await _home(turn.viewer, banner=False)


@route("terms")
async def terms(viewer: Viewer, _: str) -> Screen:
    version = viewer.doors.users.terms_version()
    return home.terms(version=version, accepted=viewer.user.terms_accepted, first_name=viewer.user.first_name)


@command("terms")
async def terms_command(turn: Turn, _: str) -> Screen:
    return await terms(turn.viewer, "")


@on(Agree)
async def agree(turn: Turn, act: Agree) -> Screen:
    user = await turn.doors.users.accept_terms(key=turn.key, user_id=turn.user.id, version=act.version)
    viewer = Viewer(turn.doors, turn.viewer.config, turn.viewer.clock, user)
    return await waiting_claim(turn) or await _home(viewer, banner=True)


@route("help")
async def help_route(_: Viewer, __: str) -> Screen:
    return home.help_screen()


@command("help")
async def help_command(_: Turn, __: str) -> Screen:
    return home.help_screen()


@route("support")
async def support(viewer: Viewer, _: str) -> Screen:
    return home.support(contact=viewer.config.support_contact, user_id=viewer.user.id)


@command("support")
async def support_command(turn: Turn, _: str) -> Screen:
    return await support(turn.viewer, "")


@on(Go)
async def go(turn: Turn, act: Go) -> Screen | None:
    """Look at a route; some also ask a question, as ``submit`` does for a link."""
    if act.route == "submit":
        return await ask_for_link(turn)
    name, _, argument = act.route.partition(":")
    if name in ON_LOOK:
        return await ON_LOOK[name](turn, argument)
    return await render(turn.viewer, act.route)
