"""The port `Bank` over Flutterwave: an account for one transfer, and what became of it (APIS 1.7, 1.9)."""

from __future__ import annotations

import structlog

from viralcore.core.providers import flutterwave as fw
from viralcore.core.providers.flutterwave import Declined, Flutterwave, Granted, Unsent
from viralcore.payments.domain.bank import SCALE, BankPayment
from viralcore.payments.domain.quotes import plain, shown_amount
from viralcore.payments.ports import (
    AccountGiven,
    BankDown,
    BankLookup,
    NoAccount,
    NotThere,
    PaidIn,
    StillPending,
    WillNotCome,
)

log = structlog.get_logger(__name__)
_ENDED = frozenset({"failed", "cancelled", "error", "reversed"})


class FlutterwaveBank:
    def __init__(self, flutterwave: Flutterwave) -> None:
        self._flutterwave = flutterwave

    async def account(self, *, reference: str, amount_raw: int, email: str, seconds: int) -> AccountGiven | NoAccount:
        body = {
            "tx_ref": reference,
            "amount": plain(shown_amount(amount_raw, SCALE)),
            "currency": "NGN",
            "email": email,
            "expires": seconds,
            "is_permanent": False,
        }
        reply = await self._flutterwave.send("charges", body, type="bank_transfer")
        if isinstance(reply, Unsent):
            return NoAccount("down", reply.reason)
        if isinstance(reply, Declined):
            if reply.family == "busy":
                return NoAccount("down", reply.message)
            return NoAccount("config" if reply.family in ("authorization", "setup") else "refused", reply.message)
        if not isinstance(reply, Granted):
            return NoAccount("silent", reply.reason)
        return read_account(reply, amount_raw)

    async def payment(self, *, payment_id: str, reference: str) -> BankLookup:
        if payment_id.isascii() and payment_id.isdigit():  # it came from outside and becomes part of an address
            reply = await self._flutterwave.read(f"transactions/{payment_id}/verify")
        else:
            reply = await self._flutterwave.read("transactions/verify_by_reference", tx_ref=reference)
        if isinstance(reply, Declined):
            if reply.family == "not_found":
                return NotThere()
            raise BankDown(reply.family)
        if not isinstance(reply, Granted):
            raise BankDown(reply.reason)
        return read_payment(reply)

    async def numbers(self, *, reference: str) -> tuple[str, ...]:
        reply = await self._flutterwave.read("transactions", tx_ref=reference)
        if isinstance(reply, Declined) and reply.family == "not_found":
            return ()
        if not isinstance(reply, Granted) or not isinstance(reply.data, list):
            raise BankDown("no_list")
        rows = [row for row in reply.data if isinstance(row, dict) and fw.word(row.get("tx_ref")) == reference]
        return tuple(number for row in rows if (number := fw.word(row.get("id"))))


def read_account(reply: Granted, amount_raw: int) -> AccountGiven | NoAccount:
    """Everything is in ``meta.authorization``, nothing in ``data``."""
    meta = reply.body.get("meta")
    found = meta.get("authorization") if isinstance(meta, dict) else None
    if not isinstance(found, dict):
        return NoAccount("silent", "no account in the answer")
    number, bank = fw.word(found.get("transfer_account")), fw.word(found.get("transfer_bank"))
    if not (number.isascii() and number.isdigit() and 6 <= len(number) <= 20) or not bank:
        return NoAccount("silent", "no account in the answer")
    asked = fw.minor_units(found.get("transfer_amount"))
    if asked is not None and asked < amount_raw:
        log.warning("bank_asks_for_less", asked=asked, amount=amount_raw)
    return AccountGiven(
        number=number,
        bank=bank,
        provider_reference=fw.word(found.get("transfer_reference")),
        transfer_raw=max(asked or 0, amount_raw),
        expires_at=fw.moment(found.get("account_expiration")),
    )


def read_payment(reply: Granted) -> BankLookup:
    """Only what says of itself that it was successful is money. Raises BankDown for what cannot be read."""
    data = reply.data
    if not isinstance(data, dict):
        raise BankDown("unreadable")
    status = fw.word(data.get("status"))
    if status.lower() in _ENDED:
        return WillNotCome(status)
    if status != "successful":
        return StillPending(status)
    number, currency = fw.word(data.get("id")), fw.word(data.get("currency"))
    amount, paid_at = fw.minor_units(data.get("amount")), fw.moment(data.get("created_at"))
    if not number or not currency or amount is None or paid_at is None:
        raise BankDown("unreadable")
    return PaidIn(BankPayment(number, fw.word(data.get("tx_ref")), currency, amount, paid_at))
