"""The affiliate program: the link, who came through it, what it earned. Moving the money is in `topup`."""

from __future__ import annotations

from viralcore.boosts.api import UnknownPlan
from viralcore.bot.turn import ROUTES, Turn, Viewer, command, number, route
from viralcore.core.money import USD, Money
from viralcore.core.screen import Screen
from viralcore.referrals.api import CommissionView
from viralcore.texts import referrals as texts
from viralcore.texts.pictures.earnings import MonthBar, recipe
from viralcore.texts.referrals import AffiliateText, CommissionText

WITHDRAW = "withdraw"


@route("affiliate")
async def program(viewer: Viewer, _: str) -> Screen:
    found = await viewer.doors.referrals.stats(user_id=viewer.user.id)
    one = AffiliateText(
        link=_link(viewer),
        percent=viewer.doors.referrals.percent(),
        people=found.people,
        active=found.active,
        earned=found.earned,
        this_month=found.this_month,
        available=found.available,
        receivable=found.receivable,
    )
    return texts.program(one, withdraw=WITHDRAW in ROUTES)


@command("referral")
async def referral_command(turn: Turn, _: str) -> Screen:
    return await program(turn.viewer, "")


@route("share")
async def share(viewer: Viewer, _: str) -> Screen:
    return texts.share(link=_link(viewer), percent=viewer.doors.referrals.percent())


@route("earnings")
async def earnings(viewer: Viewer, _: str) -> Screen:
    months = await viewer.doors.referrals.by_month(user_id=viewer.user.id)
    stats = await viewer.doors.referrals.stats(user_id=viewer.user.id)
    latest = await viewer.doors.referrals.commissions(user_id=viewer.user.id, limit=texts.LATEST + 1)
    bars = [MonthBar(one.month, one.earned, one.reversed) for one in months]
    return texts.earnings(
        chart=recipe(viewer.config.shop_name, bars),
        months=len(months),
        earned=Money(sum((one.earned - one.reversed).minor for one in months), USD),
        receivable=stats.receivable,
        latest=[await _line(viewer, one) for one in latest[: texts.LATEST]],
        more=len(latest) > texts.LATEST,
    )


@route("commissions")
async def commissions(viewer: Viewer, before: str) -> Screen:
    size = viewer.config.history_per_page
    found = await viewer.doors.referrals.commissions(
        user_id=viewer.user.id, before_id=number(before) if before else None, limit=size + 1
    )
    shown = found[:size]
    older = f"commissions:{shown[-1].id}" if len(found) > size else None
    return texts.commissions(shown=[await _line(viewer, one) for one in shown], older=older, first=not before)


def _link(viewer: Viewer) -> str:
    return viewer.doors.referrals.link(user_id=viewer.user.id, bot_username=viewer.doors.bot_username())


async def _line(viewer: Viewer, one: CommissionView) -> CommissionText:
    """A plan made for one person has a name that is theirs: it is not told, and not even asked for."""
    try:
        private = one.item_ref.startswith("custom-")
        title = texts.PRIVATE if private else (await viewer.doors.boosts.find_plan(one.item_ref)).title
    except UnknownPlan:
        title = ""
    return CommissionText(amount=one.amount, title=title, at=one.at)
