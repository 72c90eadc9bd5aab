"""The API of Flutterwave v3 (transfers): a reference pays once for ever, and "queued" is all a success says."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from starlette.requests import Request

from viralcore.sandbox.worlds import flutterwave_banks as banks
from viralcore.sandbox.worlds.flutterwave_book import NAIRA
from viralcore.sandbox.worlds.flutterwave_faults import SLOW_BOOKED, Faults
from viralcore.sandbox.worlds.flutterwave_json import envelope, number
from viralcore.sandbox.worlds.flutterwave_payouts import PayoutBook, Transfer, transfer_fee
from viralcore.sandbox.worlds.flutterwave_payouts_json import created_json, fee_json, transfer_json, transfers_json
from viralcore.sandbox.worlds.flutterwave_reading import RefusedError, read_amount, read_body, read_text

BLACKLISTED = "97"  # the last digits of accounts nobody may pay
_RATE = Decimal("1548.1648")  # naira a dollar
_NUMBER = re.compile(r"[0-9]{5,20}")
Handler = Callable[[Request], Awaitable[dict[str, Any]]]


class TransfersServer:
    """The paying endpoints; `FlutterwaveServer` stands in front of them."""

    def __init__(self, book: PayoutBook, faults: Faults, now: Callable[[], datetime]) -> None:
        self._book = book
        self._faults = faults
        self._now = now

    def handlers(self) -> tuple[tuple[str, str, Handler], ...]:
        """In the order in which paths are tried."""
        return (
            ("POST", "/transfers", self._create),
            ("GET", "/transfers", self._list),
            ("GET", "/transfers/fee", self._fee),
            ("GET", "/transfers/rates", self._rates),
            ("GET", "/transfers/{id}", self._get),
            ("GET", "/banks/{country}", self._banks),
            ("POST", "/accounts/resolve", self._resolve),
        )

    async def _create(self, request: Request) -> dict[str, Any]:
        if self._faults.whitelist:
            raise RefusedError("Please enable IP Whitelisting to access this service", bare=True)
        if self._faults.unapproved:
            raise RefusedError("Merchant requires approval to use resource, please contact support")
        fields = _fields(await read_body(request))
        if fields["reference"] in self._book.transfers:
            self._book.refused.append(fields["reference"])
            raise RefusedError("Payout with this ref already exists")
        if fields["account"].endswith(BLACKLISTED):
            raise RefusedError("Payout was made to a blacklisted account number")
        lost = request.state.lost = self._lost()
        answered = not lost and self._faults.outage != SLOW_BOOKED
        return created_json(self._book.accept(**fields, answered=answered), self._now())

    def _lost(self) -> int:
        lost = self._faults.swallow_next
        self._faults.swallow_next = max(0, lost - 1)
        return lost

    async def _get(self, request: Request) -> dict[str, Any]:
        text = request.path_params["id"]
        self._book.settle(self._now())
        known = self._book.of_id(int(text)) if text.isascii() and text.isdigit() and len(text) < 18 else None
        if known is None:
            raise RefusedError("Transfer not found", 404)
        return envelope("Transfer fetched", transfer_json(known, self._now()))

    async def _list(self, request: Request) -> dict[str, Any]:
        asked, now = request.query_params, self._now()
        self._book.settle(now)
        try:
            page = max(1, int(asked.get("page") or 1))
            since = date.fromisoformat(asked["from"]) if asked.get("from") else date.min
            until = date.fromisoformat(asked["to"]) if asked.get("to") else date.max
        except ValueError:
            raise RefusedError("page must be a number; from and to must be dates (YYYY-MM-DD)") from None

        def fits(one: Transfer) -> bool:
            named = asked.get("reference", "") in ("", one.reference)
            status = asked.get("status", "").upper() in ("", one.shown(now))
            return named and status and since <= one.at.date() <= until

        found = [one for one in reversed(self._book.transfers.values()) if fits(one)]
        return transfers_json(found, page, now)

    async def _fee(self, request: Request) -> dict[str, Any]:
        asked = request.query_params
        if asked.get("currency", NAIRA) != NAIRA:
            raise RefusedError("currency is not supported")
        return fee_json(transfer_fee(read_amount(asked)))

    async def _rates(self, request: Request) -> dict[str, Any]:
        """`amount` is what arrives; `rate`: units of the source for one that arrives."""
        asked = request.query_params
        amount, source = read_amount(asked), asked.get("source_currency", "")
        arrives = asked.get("destination_currency", "")
        if {source, arrives} != {NAIRA, "USD"}:
            raise RefusedError("source_currency and destination_currency must be NGN and USD")
        rate = _RATE if source == NAIRA else (1 / _RATE).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        pays = (amount * _RATE if source == NAIRA else amount / _RATE).quantize(Decimal("0.00001"), ROUND_HALF_UP)
        return envelope(
            "Transfer amount fetched",
            {
                "rate": number(rate),
                "source": {"currency": source, "amount": number(pays)},
                "destination": {"currency": arrives, "amount": number(amount)},
            },
        )

    async def _banks(self, request: Request) -> dict[str, Any]:
        if request.path_params["country"].upper() != "NG":
            raise RefusedError("No banks found for this country")
        rows = [{"id": row.id, "code": row.code, "name": row.name} for row in banks.banks()]
        return envelope("Banks fetched successfully", rows)

    async def _resolve(self, request: Request) -> dict[str, Any]:
        body = await read_body(request)
        account, code = read_text(body, "account_number", 20), read_text(body, "account_bank", 20)
        name = banks.holder(code, account)
        if name is None:
            raise RefusedError(banks.refusal(account))
        return envelope("Account details fetched", {"account_number": account, "account_name": name})


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    code, account = read_text(body, "account_bank", 20), read_text(body, "account_number", 20)
    name = banks.bank_name(code)
    if name is None:
        raise RefusedError("Invalid bank code: account_bank must be a code of the list of banks")
    if not _NUMBER.fullmatch(account):
        raise RefusedError("account_number must be a string of digits")
    if read_text(body, "currency", 10) != NAIRA:
        raise RefusedError("currency must be NGN")
    return {
        "reference": read_text(body, "reference", 100),
        "account": account,
        "bank": (code, name),
        "name": read_text(body, "beneficiary_name", 200, banks.holder(code, account) or "N/A"),
        "amount": read_amount(body),
        "narration": read_text(body, "narration", 100, ""),
    }
