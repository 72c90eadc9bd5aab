"""What a person has: balance, posts, history."""

from __future__ import annotations

from viralcore.bot.turn import Turn, Viewer, command, number, route
from viralcore.bot.user.invoices import row_of
from viralcore.bot.user.start import usable, wallet
from viralcore.core.money import NGN, USD, Money
from viralcore.core.screen import Screen
from viralcore.ledger.api import AFFILIATE, REPLY
from viralcore.texts import invoices
from viralcore.texts import wallet as texts


@route("balance")
async def balance(viewer: Viewer, _: str) -> Screen:
    balances = await viewer.doors.ledger.balances(user_id=viewer.user.id)
    own, bonus = wallet(balances)
    left = usable(viewer, await viewer.doors.boosts.credits_in(balances))
    unpaid = await viewer.doors.payments.count_open_invoices(user_id=viewer.user.id)
    return texts.balance(
        wallet=own,
        bonus=bonus,
        posts=[(one.plan.title, one.available) for one in left],
        affiliate=Money(sum(one.available for one in balances if one.account.name == AFFILIATE), USD),
        reply=Money(sum(one.available for one in balances if one.account.name == REPLY), NGN),
        open_invoices=unpaid,
    )


@command("balance")
async def balance_command(turn: Turn, _: str) -> Screen:
    return await balance(turn.viewer, "")


@route("credits")
async def credits_left(viewer: Viewer, _: str) -> Screen:
    found = await viewer.doors.boosts.credits(user_id=viewer.user.id)
    now = viewer.clock.now()
    return texts.credits_screen(
        [
            (
                one.plan.id,
                one.plan.title,
                one.available,
                one.plan.until,
                one.plan.until is not None and one.plan.until <= now,
            )
            for one in found
        ]
    )


@route("history")
async def history(viewer: Viewer, before: str) -> Screen:
    """Invoices on the first page; movements on all."""
    size = viewer.config.history_per_page
    made = () if before else await viewer.doors.payments.invoices(user_id=viewer.user.id, limit=5)
    lines = await viewer.doors.ledger.statement(
        user_id=viewer.user.id, before_id=number(before) if before else None, limit=size + 1
    )
    titles = {plan.asset: plan.title for plan in viewer.doors.boosts.plans() if plan.kind == "credits"}
    for asset in {line.account.asset for line in lines if line.account.asset.startswith("custom-")}:
        titles[asset] = (await viewer.doors.boosts.find_plan(asset)).title
    older = f"history:{lines[size - 1].entry_id}" if len(lines) > size else None
    return invoices.history(
        invoices=[row_of(one) for one in made],
        movements=[
            (
                line.at,
                *texts.movement(
                    kind=line.kind,
                    amount=Money(line.amount, line.account.asset),
                    plan=titles.get(line.account.asset),
                ),
            )
            for line in lines[:size]
        ],
        older=older,
    )


@command("history")
async def history_command(turn: Turn, _: str) -> Screen:
    return await history(turn.viewer, "")
