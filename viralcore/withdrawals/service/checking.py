"""Whose account is it, and what does sending cost: stored as a question first, then asked of the bank, then shown."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from typing import Any

import structlog

from viralcore.core.db import Connection, Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Refused, Silence, Succeeded
from viralcore.core.errors import NotFound
from viralcore.core.money import NGN, Money
from viralcore.ledger.api import user_account
from viralcore.withdrawals.api import (
    BadAmount,
    BankView,
    CheckView,
    NotEnough,
    PayoutsPaused,
    QuoteView,
    RequestOpen,
    Source,
    SourceOff,
    SourceView,
    TooMany,
)
from viralcore.withdrawals.domain import terms
from viralcore.withdrawals.domain.accounts import number
from viralcore.withdrawals.domain.states import ASSETS, Account, Check
from viralcore.withdrawals.events import AccountChecked
from viralcore.withdrawals.ports import NotResolved, PayoutsDown
from viralcore.withdrawals.repository import accounts, attempts, requests
from viralcore.withdrawals.service.house import SCOPE, House
from viralcore.withdrawals.service.views import check_view, naira

log = structlog.get_logger(__name__)
KIND = "withdrawals.check"
HOUR = timedelta(hours=1)


class Checking:
    def __init__(self, house: House) -> None:
        self._house = house
        self._config = house.config

    # --- what can be asked for ---------------------------------------------------------------------------------------

    def offered(self) -> tuple[Source, ...]:
        on = self._config.sources
        named: tuple[tuple[Source, bool], ...] = (
            ("affiliate", on.affiliate),
            ("reply", on.reply),
            ("wallet", on.wallet),
        )
        return tuple(name for name, offered in named if offered)

    async def sources(self, user_id: int) -> tuple[SourceView, ...]:
        dollar = await self._house.rate()
        async with self._house.db.read() as conn:
            switches, open_id = await attempts.get_desk(conn), await requests.open_of(conn, user_id)
        found = []
        for name in self.offered():
            balance = await self._house.ledger.balance(account=user_account(user_id, name, ASSETS[name]))
            available = Money(balance.available, ASSETS[name])
            low = None if dollar is None else terms.least(name, dollar, self._config.limits)
            high = None if dollar is None else terms.most(name, dollar, self._config.limits)
            problem = ""
            if switches.paused:
                problem = "paused"
            elif open_id is not None:
                problem = "open_request"
            elif low is None:
                problem = "no_rate"
            elif available < low:
                problem = "too_little"
            found.append(SourceView(name, available, low, high, problem, open_id))
        return tuple(found)

    async def require(self, conn: Connection, user_id: int, source: Source, amount: Money) -> terms.Worth:
        """What an amount is worth, if it may be asked for now. Raises as `api.Withdrawals.quote`."""
        if source not in self.offered():
            raise SourceOff(source=source)
        if amount.asset != ASSETS[source]:
            raise BadAmount(problem="asset")
        if amount.minor <= 0:
            raise BadAmount(problem="not_positive")
        if (await attempts.get_desk(conn)).paused:
            raise PayoutsPaused()
        open_id = await requests.open_of(conn, user_id)
        if open_id is not None:
            raise RequestOpen(withdrawal_id=open_id)
        dollar = await self._house.dollar()
        terms.require_within(source, amount.minor, dollar, self._config.limits)
        balance = await self._house.ledger.balance(account=user_account(user_id, source, ASSETS[source]))
        if balance.available < amount.minor:
            raise NotEnough(available=Money(max(balance.available, 0), ASSETS[source]))
        return terms.worth(source, amount.minor, dollar)

    async def quote(self, user_id: int, source: Source, amount: Money) -> QuoteView:
        async with self._house.db.transaction() as tx:
            worth = await self.require(tx.conn, user_id, source, amount)
        return QuoteView(source, amount, worth.rate, naira(worth.gross), None, None)

    # --- the question ------------------------------------------------------------------------------------------------

    async def check(
        self, *, key: str, user_id: int, source: Source, amount: Money, bank: BankView, account_number: str
    ) -> CheckView:
        digits = number(account_number)
        fingerprint = self._house.sealing.print(bank.code, digits)

        async def account(tx: Tx) -> int:
            return await accounts.keep_account(
                tx.conn,
                user_id=user_id,
                bank_id=bank.id,
                bank_code=bank.code,
                bank_name=bank.name,
                sealed=self._house.sealing.seal(digits),
                print=fingerprint,
                last4=digits[-4:],
                now=tx.now,
            )

        inputs = {"user_id": user_id, "source": source, "amount": amount.minor, "account": fingerprint}
        return await self._ask(key, user_id, source, amount, inputs, account)

    async def check_saved(self, *, key: str, user_id: int, source: Source, amount: Money, account_id: int) -> CheckView:
        async def account(tx: Tx) -> int:
            found = (await accounts.get_accounts(tx.conn, [account_id])).get(account_id)
            if found is None or found.user_id != user_id or found.forgotten:
                raise NotFound(what="account")
            return found.id

        inputs = {"user_id": user_id, "source": source, "amount": amount.minor, "account_id": account_id}
        return await self._ask(key, user_id, source, amount, inputs, account)

    async def get(self, user_id: int, check_id: int) -> CheckView:
        async with self._house.db.read() as conn:
            return await self._view(conn, user_id, check_id)

    async def _ask(
        self, key: str, user_id: int, source: Source, amount: Money, inputs: Mapping[str, Any], account: Any
    ) -> CheckView:
        async def work(tx: Tx) -> CheckView:
            await self._house.users.require_active(tx, user_id=user_id)

            async def run() -> Mapping[str, Any]:
                worth = await self.require(tx.conn, user_id, source, amount)
                await self._require_few(tx, user_id)
                check_id = await accounts.add_check(
                    tx.conn,
                    user_id=user_id,
                    source=source,
                    amount=amount.minor,
                    rate=worth.rate,
                    gross=worth.gross,
                    account_id=await account(tx),
                    created_at=tx.now,
                    until=tx.now + timedelta(minutes=self._config.terms.check_minutes),
                )
                tx.effect(
                    kind=KIND,
                    key=f"check:{check_id}",
                    payload={"check_id": check_id},
                    ref=f"user:{user_id}",
                    secret=self._house.db.cipher is not None,
                )
                return {"check_id": check_id}

            done = await tx.once(scope=f"{SCOPE}.check", key=key, inputs=inputs, run=run)
            return await self._view(tx.conn, user_id, int(done["check_id"]))

        return await self._house.db.run(work)

    async def _require_few(self, tx: Tx, user_id: int) -> None:
        limit = self._config.limits.checks_per_hour
        asked, first = await accounts.checks_since(tx.conn, user_id, tx.now - HOUR)
        if first is not None and asked >= limit:
            raise TooMany(what="checks", limit=limit, again_at=first + HOUR)

    async def _view(self, conn: Connection, user_id: int, check_id: int) -> CheckView:
        check = await accounts.get_check(conn, check_id)
        if check is None or check.user_id != user_id:
            raise NotFound(what="check")
        return check_view(check, (await accounts.get_accounts(conn, [check.account_id]))[check.account_id])

    # --- the answer --------------------------------------------------------------------------------------------------

    async def asked(self, check_id: int) -> Outcome | Later:
        """Ask the bank for the holder and the fee. Where nobody can be asked it is paid by hand: without a fee, and the
        holder's name (``""``) is what the bank of whoever pays says."""
        check, account = await self._question(check_id)
        payouts = self._house.payouts
        if check.state != "asking":
            return Succeeded()
        if payouts is None:
            return Succeeded({"holder": "", "fee": 0})
        try:
            said = await payouts.resolve(bank_code=account.bank_code, account_number=self._house.sealing.open(account))
            if isinstance(said, NotResolved):
                return Refused("not_found")
            fee = await payouts.fee(Money(check.gross, NGN))
        except PayoutsDown as trouble:
            return Later(3, trouble.reason, counts=True)
        return Succeeded({"holder": said.name, "fee": fee.minor})

    async def answered(self, tx: Tx, check_id: int, outcome: Outcome) -> None:
        check = await accounts.get_check(tx.conn, check_id, hold=True)
        if check is None or check.state != "asking":
            return
        reason = ""
        if not isinstance(outcome, Succeeded):
            reason = "not_found" if outcome.reason == "not_found" else "unavailable"
        elif int(outcome.data["fee"]) >= check.gross:
            reason = "too_small"
        if reason or not isinstance(outcome, Succeeded):
            await accounts.decide_check(tx.conn, check_id, "failed", reason=reason)
        else:
            holder = str(outcome.data["holder"])[:200]
            await accounts.decide_check(tx.conn, check_id, "ready", holder=holder, fee=int(outcome.data["fee"]))
        state = "failed" if reason else "ready"
        tx.record(AccountChecked(check_id=check_id, user_id=check.user_id, state=state))

    async def _question(self, check_id: int) -> tuple[Check, Account]:
        async with self._house.db.read() as conn:
            check = await accounts.get_check(conn, check_id)
            if check is None:
                raise RuntimeError("a check vanished")
            return check, (await accounts.get_accounts(conn, [check.account_id]))[check.account_id]


class CheckEffect:
    """The effect kind: questions, so silence is asked again; a person waits, so not for long."""

    name = KIND
    silence: Silence = "repeat"
    max_attempts = 3
    urgent = True
    parallelism = 4

    def __init__(self, checking: Checking) -> None:
        self._checking = checking

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        return nullcontext()

    async def call(self, call: EffectCall) -> Outcome | Later:
        return await self._checking.asked(int(call.payload["check_id"]))

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        await self._checking.answered(tx, int(call.payload["check_id"]), outcome)
