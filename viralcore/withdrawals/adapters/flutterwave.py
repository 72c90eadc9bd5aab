"""The port `Payouts` over Flutterwave: transfers, banks, accounts, fees, balances (APIS 1.1-1.5, 1.10).

Two things an answer never does here: a success of the POST is never "paid" (it is queued), and a 5xx or silence after
it is never "failed".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import structlog

from viralcore.core.http import BreakerOpen
from viralcore.core.money import NGN, Money, exact, floor_money
from viralcore.core.providers import flutterwave as fw
from viralcore.core.providers.flutterwave import Declined as No
from viralcore.core.providers.flutterwave import Family, Flutterwave, Granted, Reply, Unsent
from viralcore.withdrawals.domain import words
from viralcore.withdrawals.payout_config import Payout
from viralcore.withdrawals.ports import (
    Balance,
    BankRow,
    Declined,
    DuplicateReference,
    NotResolved,
    NotSent,
    PayoutsDown,
    Queued,
    Resolved,
    SendOutcome,
    Silent,
    TransferPage,
    TransferRecord,
    TransferStatus,
    Why,
)

log = structlog.get_logger(__name__)
COUNTRY = "NG"
LONGEST_NARRATION = 100
_CODE = 20


class FlutterwavePayouts:
    def __init__(self, flutterwave: Flutterwave, settings: Payout) -> None:
        self._flutterwave = flutterwave
        self._settings = settings

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        try:
            held = self._flutterwave.slot()
            await held.__aenter__()
        except BreakerOpen as refusal:
            raise PayoutsDown(refusal.reason) from None
        try:
            yield
        finally:
            await held.__aexit__(None, None, None)

    # accounts

    async def banks(self) -> tuple[BankRow, ...]:
        data = _granted(await self._flutterwave.read(f"banks/{COUNTRY}"))
        if not isinstance(data, list):
            raise PayoutsDown("unreadable")
        rows = (_bank(row) for row in data)
        return tuple(row for row in rows if row is not None)

    async def resolve(self, *, bank_code: str, account_number: str) -> Resolved | NotResolved:
        body = {"account_number": account_number, "account_bank": bank_code}
        reply = await self._flutterwave.ask("accounts/resolve", body)
        # The words in front: "could not be validated" under any family is about the account.
        if isinstance(reply, No) and reply.family in ("validation", "not_found"):
            if self._why(reply.message) in ("passing", "config"):
                raise PayoutsDown(reply.family)
            return NotResolved(reply.message)
        data = _granted(reply)
        name = fw.word(data.get("account_name")) if isinstance(data, dict) else ""
        if not name:
            raise PayoutsDown("unreadable")
        if fw.word(data.get("account_number")) not in ("", account_number):
            raise PayoutsDown("another_account")
        return Resolved(name)

    async def fee(self, amount: Money) -> Money:
        reply = await self._flutterwave.read(
            "transfers/fee", amount=f"{amount.decimal:f}", currency=amount.asset, type="account"
        )
        data = _granted(reply)
        for row in data if isinstance(data, list) else ():
            if isinstance(row, dict) and row.get("currency") == amount.asset and row.get("fee_type") == "value":
                minor = fw.minor_fee(row.get("fee"))
                if minor is not None:
                    return Money(minor, amount.asset)
        raise PayoutsDown("unreadable")

    # transfers

    async def send(
        self, *, reference: str, bank_code: str, account_number: str, name: str, amount: Money, narration: str
    ) -> SendOutcome:
        if not (bank_code.isascii() and bank_code.isalnum() and len(bank_code) <= _CODE):  # a name is never a code
            return Declined("final", "not a bank code")
        if not (account_number.isascii() and account_number.isdigit()) or amount.minor <= 0:
            return Declined("final", "not an account number" if amount.minor > 0 else "nothing to send")
        body = {
            "account_bank": bank_code,
            "account_number": account_number,
            "amount": _number(amount),
            "currency": amount.asset,
            "debit_currency": amount.asset,
            "beneficiary_name": name,
            "narration": narration[:LONGEST_NARRATION],
            "reference": reference,
        }
        reply = await self._flutterwave.send("transfers", body)
        if isinstance(reply, Unsent):
            return NotSent(reply.reason)
        if isinstance(reply, No):
            return self._no(reply)
        if not isinstance(reply, Granted):
            return Silent(reply.reason)
        return self._queued(reply.data, reference)

    def _no(self, reply: No) -> SendOutcome:
        if reply.family == "duplicate":
            return DuplicateReference()
        if reply.family == "busy":
            return NotSent("too_many")
        return Declined(self._why(reply.message) or _FAMILIES.get(reply.family, "final"), reply.message)

    def _queued(self, data: Any, reference: str) -> SendOutcome:
        """What cannot be read may be a transfer all the same."""
        if not isinstance(data, dict):
            return Silent("unreadable")
        number, status = fw.word(data.get("id")), self._status(data)
        if not number or status is None:
            return Silent("unreadable")
        if fw.word(data.get("reference")) != reference:
            return Silent("another_reference")
        minor = fw.minor_fee(data.get("fee"))
        return Queued(number, status, None if minor is None else Money(minor, NGN))

    async def by_reference(self, reference: str) -> tuple[TransferRecord, ...]:
        found: list[TransferRecord] = []
        for number in range(1, self._settings.reference_pages + 1):
            reply = await self._flutterwave.read("transfers", reference=reference, page=str(number))
            rows, pages = _rows(reply)
            mine = [row for row in rows if fw.word(row.get("reference")) == reference]
            for row in mine:
                record = self._record(row)
                if record is None:  # ours, and not to be understood: no answer, least of all "there is none"
                    raise PayoutsDown("unreadable")
                found.append(record)
            if found or number >= pages:
                return tuple(found)
        # A list that does not heed the question may hold ours further on.
        raise PayoutsDown("not_filtered")

    async def by_id(self, provider_id: str) -> TransferRecord | None:
        if not (provider_id.isascii() and provider_id.isdigit()):  # it came from outside and becomes part of an address
            return None
        reply = await self._flutterwave.read(f"transfers/{provider_id}")
        if isinstance(reply, No) and reply.family == "not_found":
            return None
        data = _granted(reply)
        record = self._record(data) if isinstance(data, dict) else None
        if record is None or record.id != provider_id:
            raise PayoutsDown("unreadable")
        return record

    async def page(self, *, since: date, until: date, page: int) -> TransferPage:
        reply = await self._flutterwave.read(
            "transfers", **{"from": since.isoformat(), "to": until.isoformat(), "page": str(page)}
        )
        rows, pages = _rows(reply)
        records = [self._record(row) for row in rows]
        return TransferPage(tuple(one for one in records if one), page, pages, sum(one is None for one in records))

    async def balance(self, currency: str) -> Balance:
        data = _granted(await self._flutterwave.read(f"balances/{currency}"))
        if isinstance(data, list):
            data = next((row for row in data if isinstance(row, dict) and row.get("currency") == currency), None)
        if not isinstance(data, dict) or data.get("currency") != currency:
            raise PayoutsDown("unreadable")
        available, ledger = fw.amount(data.get("available_balance")), fw.amount(data.get("ledger_balance"))
        if available is None:
            raise PayoutsDown("unreadable")
        return Balance(floor_money(available, currency), floor_money(ledger or Decimal(0), currency))

    # reading

    def _why(self, said: str) -> Why | None:
        return words.meaning(self._settings, said)

    def _status(self, data: Mapping[str, Any]) -> TransferStatus | None:
        said = fw.word(data.get("status"))
        found = words.status(self._settings, said)
        if found is None and said:
            log.warning("unknown_transfer_status", status=said[:40])
            return "pending"  # neither an end nor nothing: keep asking
        return found

    def _record(self, row: Mapping[str, Any]) -> TransferRecord | None:
        number, reference, status = fw.word(row.get("id")), fw.word(row.get("reference")), self._status(row)
        value, currency = fw.amount(row.get("amount")), fw.word(row.get("currency"))
        if not number or status is None or value is None or not currency:
            return None
        try:
            amount = exact(value, currency)
        except ValueError:
            if currency == NGN:  # we never sent a part of a kobo
                return None
            amount = floor_money(value, currency)
        fee, said = fw.minor_fee(row.get("fee")), fw.word(row.get("complete_message"))
        return TransferRecord(
            id=number,
            reference=reference,
            status=status,
            amount=amount,
            fee=None if fee is None or currency != NGN else Money(fee, NGN),
            bank_code=fw.word(row.get("bank_code")),
            account_number=fw.word(row.get("account_number")),
            complete_message=said,
            why=self._why(said) if status == "failed" else None,
            created_at=fw.moment(row.get("created_at")),
            waits_for_approval=status == "new" and row.get("requires_approval") == 1 and row.get("is_approved") == 0,
        )


_FAMILIES: dict[Family, Why] = {"authorization": "config", "setup": "config", "not_found": "config"}


def _granted(reply: Reply) -> Any:
    """The data of an answer. Raises PayoutsDown for everything else."""
    if isinstance(reply, No):
        raise PayoutsDown(reply.family)
    if not isinstance(reply, Granted):
        raise PayoutsDown(reply.reason)
    return reply.data


def _rows(reply: Reply) -> tuple[list[Mapping[str, Any]], int]:
    """The rows of a list and how many pages there are."""
    data = _granted(reply)
    if not isinstance(data, list) or not isinstance(reply, Granted) or not all(isinstance(row, dict) for row in data):
        raise PayoutsDown("unreadable")
    meta = reply.body.get("meta")
    info = meta.get("page_info") if isinstance(meta, dict) else None
    pages = info.get("total_pages") if isinstance(info, dict) else None
    if isinstance(pages, bool) or not isinstance(pages, int):
        raise PayoutsDown("unreadable")  # without it nobody knows whether this is all
    return data, pages


def _bank(row: Any) -> BankRow | None:
    if not isinstance(row, dict):
        return None
    number, code, name = row.get("id"), fw.word(row.get("code")), " ".join(fw.word(row.get("name")).split())
    if isinstance(number, bool) or not isinstance(number, int) or not code or not name:
        return None
    return BankRow(number, code, name)


def _number(amount: Money) -> int | Decimal:
    """A JSON number: whole naira without a fraction."""
    value = amount.decimal
    return int(value) if value == value.to_integral_value() else value
