"""Accounts for bank transfers: stored under a reference first, then asked of the bank, then shown."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

import structlog

from viralcore.core.clock import Clock
from viralcore.core.db import Database, Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Refused, Silence, Succeeded, Unknown
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.bank import Charge
from viralcore.payments.domain.states import Invoice, Quote
from viralcore.payments.events import AccountDecided, BankTrouble
from viralcore.payments.ports import AccountGiven, Bank
from viralcore.payments.repository import bank, invoices

log = structlog.get_logger(__name__)

KIND = "payments.charge"
SHORTEST_SECONDS = 60


class Charging:
    """`bank` None: there is none to ask, and no account is ever wanted."""

    def __init__(self, *, db: Database, clock: Clock, config: PaymentsConfig, bank: Bank | None) -> None:
        self._db = db
        self._clock = clock
        self._config = config
        self._bank = bank

    async def ensure(self, tx: Tx, quote_id: int) -> None:
        """Have an account made for a quote unless one is being made or takes money. The invoice's row is held."""
        charge = (await bank.latest_charges(tx.conn, [quote_id])).get(quote_id)
        if charge is not None and charge.works(tx.now):
            return
        quote = (await invoices.get_quotes(tx.conn, [quote_id]))[quote_id]
        fresh = await bank.add_charge(tx.conn, quote_id=quote_id, transfer_raw=quote.amount_raw, now=tx.now)
        tx.effect(
            kind=KIND,
            key=fresh.reference,
            payload={"charge_id": fresh.id},
            ref=f"invoice:{quote.invoice_id}",
            secret=self._db.cipher is not None,
        )

    async def request(self, charge_id: int) -> Outcome:
        """Ask the bank. What it says is recorded with the effect; until then nobody sees a number."""
        charge, quote, invoice = await self._look(charge_id)
        if charge.state != "requested":
            return Succeeded()
        left = (invoice.expires_at - self._clock.now()).total_seconds()
        if invoice.state_at(self._clock.now()) != "open" or self._bank is None:
            return Refused("closed" if self._bank is not None else "down")
        seconds = int(left) + self._config.bank.account_grace_minutes * 60
        said = await self._bank.account(
            reference=charge.reference,
            amount_raw=quote.amount_raw,
            email=f"{invoice.user_id}@{self._config.bank.email_domain}",
            seconds=max(seconds, SHORTEST_SECONDS),
        )
        if isinstance(said, AccountGiven):
            return Succeeded(
                {
                    "number": said.number,
                    "bank": said.bank,
                    "provider_reference": said.provider_reference,
                    "transfer_raw": str(said.transfer_raw),
                    "expires_at": None if said.expires_at is None else said.expires_at.isoformat(),
                }
            )
        log.warning("no_bank_account", reference=charge.reference, reason=said.reason, detail=said.detail)
        facts = {"detail": said.detail}
        return Unknown("silent", facts) if said.reason == "silent" else Refused(said.reason, facts)

    async def record(self, tx: Tx, charge_id: int, outcome: Outcome) -> None:
        """Decide the charge with what the bank said, once."""
        charge = await bank.get_charge(tx.conn, charge_id)
        if charge is None or charge.state != "requested":
            return
        quote = (await invoices.get_quotes(tx.conn, [charge.quote_id]))[charge.quote_id]
        invoice = await invoices.get_invoice(tx.conn, quote.invoice_id)
        if invoice is None:
            raise RuntimeError("an invoice vanished")
        if isinstance(outcome, Succeeded):
            done = await self._opened(tx, charge, outcome.data)
        else:
            known = ("down", "refused", "config", "closed")
            reason = outcome.reason if outcome.reason in known else "silent"
            done = await bank.decide_charge(tx.conn, charge, "failed", reason=reason, decided_at=tx.now)
            if reason in ("refused", "config"):
                tx.record(BankTrouble(what=reason, detail=str(outcome.data.get("detail", ""))[:200]))
        if done:
            state = "open" if isinstance(outcome, Succeeded) else "failed"
            tx.record(AccountDecided(charge_id=charge.id, invoice_id=invoice.id, user_id=invoice.user_id, state=state))

    async def _opened(self, tx: Tx, charge: Charge, said: Mapping[str, Any]) -> bool:
        expires = said.get("expires_at")
        return await bank.decide_charge(
            tx.conn,
            charge,
            "open",
            account_number=str(said["number"]),
            bank_name=str(said["bank"]),
            provider_reference=str(said["provider_reference"]),
            transfer_raw=int(said["transfer_raw"]),
            expires_at=None if expires is None else datetime.fromisoformat(str(expires)),
            decided_at=tx.now,
            poll_due=tx.now + timedelta(seconds=self._config.bank.first_poll_seconds),
        )

    async def _look(self, charge_id: int) -> tuple[Charge, Quote, Invoice]:
        async with self._db.read() as conn:
            charge = await bank.get_charge(conn, charge_id)
            if charge is None:
                raise RuntimeError("a charge vanished")
            quote = (await invoices.get_quotes(conn, [charge.quote_id]))[charge.quote_id]
            invoice = await invoices.get_invoice(conn, quote.invoice_id)
        if invoice is None:
            raise RuntimeError("an invoice vanished")
        return charge, quote, invoice


class ChargeEffect:
    """The effect kind. `once`: after silence the number that may have been made was shown to nobody, so nobody can pay
    to it; another one is asked for when the payer wants it."""

    name = KIND
    silence: Silence = "once"
    max_attempts = 1
    urgent = True
    parallelism = 4

    def __init__(self, charging: Charging) -> None:
        self._charging = charging

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        """None to wait for: a person sits before the screen, and an open breaker is an answer to them."""
        return nullcontext()

    async def call(self, call: EffectCall) -> Outcome | Later:
        return await self._charging.request(int(call.payload["charge_id"]))

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        await self._charging.record(tx, int(call.payload["charge_id"]), outcome)
