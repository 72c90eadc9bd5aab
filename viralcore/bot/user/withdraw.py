"""Taking money out, step by step: which balance, how much, which bank, which number, and what the bank said.

Where somebody stands is in the route (``withdraw:affiliate:2500:12``: source, minor units, bank), so every button goes
on where it was, after a restart too; what is asked there is an open question. Nothing is kept of an account number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from viralcore.bot import dialogue
from viralcore.bot.turn import Turn, UnknownRoute, Viewer, answer, command, looking, number, on, render, route
from viralcore.bot.user.amounts import dollars, naira
from viralcore.core.errors import DomainError, NotFound
from viralcore.core.money import USD, Money
from viralcore.core.screen import Html, Screen
from viralcore.texts import errors, home
from viralcore.texts import withdrawals as texts
from viralcore.texts.withdrawal_actions import ConfirmWithdrawal, ForgetAccount, WithdrawTo
from viralcore.withdrawals.api import (
    BadAccount,
    BadAmount,
    NoRate,
    NotEnough,
    PayoutsPaused,
    QuoteView,
    RequestOpen,
    SourceView,
    TermsChanged,
    TooLittle,
    TooMany,
    TooMuch,
)

AMOUNTS = (BadAmount, NotEnough, TooLittle, TooMuch)
"""Refusals that another amount answers."""
LATER = (NoRate, PayoutsPaused, TooMany)
"""Refusals that time answers: where one was stays one press away."""
Asked = tuple[str, dict[str, Any]]
Step = tuple[Screen, Asked | None]


@command("withdraw")
async def withdraw_command(turn: Turn, _: str) -> Screen:
    return await looked(turn, "")


@route("withdraw")
async def withdraw(viewer: Viewer, argument: str) -> Screen:
    return (await _step(viewer, argument))[0]


@looking("withdraw")
async def looked(turn: Turn, argument: str, problem: Html | None = None) -> Screen:
    """Go to a step, and wait there for what is typed."""
    try:
        screen, asked = await _step(turn.viewer, argument, problem)
    except AMOUNTS as error:
        screen, asked = await _step(turn.viewer, argument.partition(":")[0], errors.words(error))
    except RequestOpen:
        screen, asked = await _step(turn.viewer, argument.partition(":")[0])
    if asked is not None:
        await turn.ask(asked[0], **asked[1])
    return screen


async def _step(viewer: Viewer, argument: str, problem: Html | None = None) -> Step:
    """Raises UnknownRoute, and what `quote` raises."""
    source, *rest = argument.split(":")
    if len(rest) > 2:
        raise UnknownRoute(argument[:40])
    found = await viewer.doors.withdrawals.sources(user_id=viewer.user.id)
    if not source:
        rich = [one for one in found if one.available.minor > 0]
        if len(rich) != 1:
            return texts.sources(found), None
        return await _amount(viewer, rich[0], problem)
    mine = next((one for one in found if one.name == source), None)
    if mine is None:
        raise UnknownRoute(argument[:40])
    if not rest:
        return await _amount(viewer, mine, problem)
    amount = Money(number(rest[0]), mine.available.asset)
    quote = await viewer.doors.withdrawals.quote(user_id=viewer.user.id, source=mine.name, amount=amount)
    return await (_bank(viewer, quote, problem) if len(rest) == 1 else _number(viewer, quote, number(rest[1]), problem))


async def _amount(viewer: Viewer, one: SourceView, problem: Html | None) -> Step:
    low, high = one.minimum, one.maximum
    parts = [(n, Money(one.available.minor * n // 100, one.available.asset)) for n in _shares(viewer)]
    shares = [(n, part) for n, part in parts if low is not None and high is not None and low <= part <= high]
    rate = await viewer.doors.withdrawals.desk.live_rate()
    screen = texts.amount(one, rate=rate, shares=shares, problem=problem)
    return screen, None if one.problem else (dialogue.WITHDRAW_AMOUNT, {"source": one.name})


def _shares(viewer: Viewer) -> Sequence[int]:
    return viewer.doors.payments.wallet_offer().shares


async def _bank(viewer: Viewer, quote: QuoteView, problem: Html | None) -> Step:
    saved = await viewer.doors.withdrawals.accounts(user_id=viewer.user.id)
    asked = {"source": quote.source, "amount": quote.amount.minor}
    return texts.bank(quote, saved, problem=problem), (dialogue.WITHDRAW_BANK, asked)


async def _number(viewer: Viewer, quote: QuoteView, bank_id: int, problem: Html | None) -> Step:
    try:
        bank = await viewer.doors.withdrawals.bank(bank_id=bank_id)
    except NotFound:
        return await _bank(viewer, quote, errors.words(BadAccount(problem="bank")))
    asked = {"source": quote.source, "amount": quote.amount.minor, "bank": bank.id}
    screen = texts.account_number(quote, bank_id=bank.id, bank_name=bank.name, problem=problem)
    return screen, (dialogue.WITHDRAW_ACCOUNT, asked)


# --- typed ------------------------------------------------------------------------------------------------------------


@answer(dialogue.WITHDRAW_AMOUNT)
async def amount_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    source = str(data["source"])
    amount = dollars(text) if await _asset(turn, source) == USD else naira(text)
    if amount is None:
        return await looked(turn, source, errors.words(BadAmount()))
    return await looked(turn, f"{source}:{amount.minor}")


async def _asset(turn: Turn, source: str) -> str:
    found = await turn.doors.withdrawals.sources(user_id=turn.user.id)
    return next((one.available.asset for one in found if one.name == source), USD)


@answer(dialogue.WITHDRAW_BANK)
async def bank_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    where = f"{data['source']}:{data['amount']}"
    if len(re.sub(r"\D", "", text)) >= 6 and not re.search(r"[^\W\d_]", text):
        return await looked(turn, where, texts.digits_first())
    amount = Money(int(data["amount"]), await _asset(turn, str(data["source"])))
    try:
        quote = await turn.doors.withdrawals.quote(user_id=turn.user.id, source=data["source"], amount=amount)
    except (*AMOUNTS, RequestOpen):
        return await looked(turn, where)
    except LATER as error:
        return home.refused(errors.words(error), back=f"withdraw:{where}")
    found = await turn.doors.withdrawals.search_banks(text=text[:100])
    known = bool(found or await turn.doors.withdrawals.search_banks(text="bank", limit=1))
    await turn.ask(dialogue.WITHDRAW_BANK, **data)
    return texts.banks(quote, [(one.id, one.name) for one in found], typed=text, known=known)


@answer(dialogue.WITHDRAW_ACCOUNT)
async def number_typed(turn: Turn, data: Mapping[str, Any], text: str) -> Screen:
    source, bank = data["source"], int(data["bank"])
    where = f"{source}:{data['amount']}"
    amount = Money(int(data["amount"]), await _asset(turn, str(source)))
    try:
        check = await turn.doors.withdrawals.check(
            key=turn.key, user_id=turn.user.id, source=source, amount=amount, bank_id=bank, account_number=text
        )
    except BadAccount:
        typed = re.sub(r"[\s.\-]", "", text)
        digits = len(typed) if typed.isascii() and typed.isdigit() else 0
        return await looked(turn, f"{where}:{bank}", texts.wrong_digits(digits))
    except (*AMOUNTS, RequestOpen):
        return await looked(turn, where)
    except LATER as error:
        return home.refused(errors.words(error), back=f"withdraw:{where}:{bank}")
    return await render(turn.viewer, f"wcheck:{check.id}")


# --- the check --------------------------------------------------------------------------------------------------------


@on(WithdrawTo)
async def saved_pressed(turn: Turn, act: WithdrawTo) -> Screen:
    found = await turn.doors.withdrawals.sources(user_id=turn.user.id)
    mine = next((one for one in found if one.name == act.source), None)
    if mine is None:
        raise UnknownRoute(act.source[:40])
    amount = Money(act.amount, mine.available.asset)
    try:
        check = await turn.doors.withdrawals.check_saved(
            key=turn.key, user_id=turn.user.id, source=mine.name, amount=amount, account_id=act.account
        )
    except (*AMOUNTS, RequestOpen):
        return await looked(turn, f"{act.source}:{act.amount}")
    except LATER as error:
        return home.refused(errors.words(error), back=f"withdraw:{act.source}:{act.amount}")
    return await render(turn.viewer, f"wcheck:{check.id}")


@route("wcheck")
async def check(viewer: Viewer, argument: str) -> Screen:
    found = await viewer.doors.withdrawals.get_check(user_id=viewer.user.id, check_id=number(argument))
    return texts.check(found, now=viewer.clock.now())


@on(ConfirmWithdrawal)
async def confirm(turn: Turn, act: ConfirmWithdrawal) -> Screen:
    door = turn.doors.withdrawals
    try:
        one = await door.request(key=turn.key, user_id=turn.user.id, check_id=act.check)
    except NotFound:
        raise
    except TooMany as error:
        return home.refused(errors.words(error), back=f"wcheck:{act.check}")
    except DomainError as error:
        if not error.code.startswith("withdrawals."):
            raise
        asked = (await door.get_check(user_id=turn.user.id, check_id=act.check)).quote
        step = f"withdraw:{asked.source}" + (f":{asked.amount.minor}" if isinstance(error, TermsChanged) else "")
        return home.refused(errors.words(error), back=step)
    return await render(turn.viewer, f"withdrawal:{one.id}")


# --- saved accounts ---------------------------------------------------------------------------------------------------


@route("accounts")
async def accounts(viewer: Viewer, _: str) -> Screen:
    return texts.accounts(await viewer.doors.withdrawals.accounts(user_id=viewer.user.id))


@on(ForgetAccount)
async def forget(turn: Turn, act: ForgetAccount) -> Screen:
    await turn.doors.withdrawals.forget_account(key=turn.key, user_id=turn.user.id, account_id=act.account)
    return await accounts(turn.viewer, "")
