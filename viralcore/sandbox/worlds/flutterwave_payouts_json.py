"""JSON shapes of Flutterwave v3 (transfers), as recorded: answers of the API and bodies of its webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from viralcore.sandbox.worlds.flutterwave_book import NAIRA
from viralcore.sandbox.worlds.flutterwave_json import PAGE, envelope, moment, number
from viralcore.sandbox.worlds.flutterwave_payouts import Transfer


def _meta(transfer: Transfer) -> Any:
    """null, an array or an object: all three have been seen."""
    return (None, [{"beneficiary_country": "NG"}], {"AccountId": 835106, "merchant_id": "5758113"})[transfer.id % 3]


def transfer_json(transfer: Transfer, now: datetime, *, approver: bool = True) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": transfer.id,
        "account_number": transfer.account,
        "bank_code": transfer.bank_code,
        "full_name": transfer.name,
        "created_at": moment(transfer.at),
        "currency": NAIRA,
        "debit_currency": NAIRA,
        "amount": number(transfer.amount),
        "fee": number(transfer.fee),
        "status": transfer.shown(now),
        "reference": transfer.reference,
        "meta": _meta(transfer),
        "narration": transfer.narration,
    }
    if approver:
        data["approver"] = None
    return data | {
        "complete_message": transfer.message,
        "requires_approval": int(transfer.waits),
        "is_approved": int(not transfer.waits),
        "bank_name": transfer.bank_name,
    }


def created_json(transfer: Transfer, now: datetime) -> dict[str, Any]:
    return envelope("Transfer Queued Successfully", transfer_json(transfer, now, approver=False))


def transfers_json(transfers: Sequence[Transfer], page: int, now: datetime) -> dict[str, Any]:
    """GET /transfers: newest first; an empty list has page 0 of 0."""
    pages = -(-len(transfers) // PAGE)
    rows = [transfer_json(one, now) for one in transfers[(page - 1) * PAGE : page * PAGE]]
    info = {"total": len(transfers), "current_page": page if transfers else 0, "total_pages": pages}
    return {"status": "success", "message": "Transfers fetched", "meta": {"page_info": info}, "data": rows}


def fee_json(fee: Decimal) -> dict[str, Any]:
    return envelope("Transfer fee fetched", [{"currency": NAIRA, "fee_type": "value", "fee": number(fee)}])


def transfer_event(transfer: Transfer, now: datetime) -> dict[str, Any]:
    """transfer.completed, which does not say that it went well: `data.status` does. The holder is `fullname` here."""
    data = transfer_json(transfer, now)
    order = ("id", "account_number", "bank_name", "bank_code", "fullname", "created_at", "currency", "debit_currency")
    data["fullname"] = data.pop("full_name")
    rest = [name for name in data if name not in order]
    event: dict[str, Any] = {"event": "transfer.completed"}
    if transfer.id % 2:
        event["event.type"] = "Transfer"
    return event | {"data": {name: data[name] for name in (*order, *rest)}}


def legacy_transfer_event(transfer: Transfer, now: datetime) -> dict[str, Any]:
    """The same in the envelope of version 2."""
    data = transfer_json(transfer, now)
    data |= {"fullname": data.pop("full_name"), "date_created": data.pop("created_at"), "debit_currency": None}
    order = ("id", "account_number", "bank_code", "fullname", "date_created")
    return {"event.type": "Transfer", "transfer": {name: data.pop(name) for name in order} | data}
