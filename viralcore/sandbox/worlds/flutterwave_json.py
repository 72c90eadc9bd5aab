"""JSON shapes of Flutterwave v3 (collections), as recorded: answers of the API and bodies of its webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from viralcore.sandbox.worlds.flutterwave_book import Charge, Customer, Payment

LAGOS = timezone(timedelta(hours=1))
PAGE = 10
_ACCOUNT_ID = 835106
OTHERS = ("KES", "GHS", "USD", "EUR", "ZAR", "GBP", "TZS", "UGX", "RWF", "ZMW", "INR", "XOF", "MUR", "ETB")


def envelope(message: str, data: Any = None, *, good: bool = True) -> dict[str, Any]:
    return {"status": "success" if good else "error", "message": message, "data": data}


def number(value: Decimal) -> int | float:
    """A JSON number as JavaScript writes it: no ``.0`` on whole ones."""
    return int(value) if value == value.to_integral_value() else float(value)


def noisy_fee(amount: Decimal) -> int | float:
    """The fee as a server that counts in binary floats says it, noise and all: 0.46661999999999998."""
    fee = float(amount) * 1.4 / 100
    return int(fee) if fee.is_integer() else fee


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def expiration(charge: Charge) -> int | str:
    """One of the three spellings that have been seen: milliseconds, and local time with and without AM and PM."""
    local = charge.expires_at.astimezone(LAGOS)
    spelling = charge.number % 3
    if spelling == 1:
        return int(charge.expires_at.timestamp() * 1000)
    if spelling == 2:
        return f"{local:%Y-%m-%d} {local.hour % 12 or 12}:{local:%M:%S} {'AM' if local.hour < 12 else 'PM'}"
    return f"{local:%Y-%m-%d %H:%M:%S}"


def charge_json(charge: Charge) -> dict[str, Any]:
    """POST /charges?type=bank_transfer: there is no ``data``."""
    return {
        "status": "success",
        "message": "Charge initiated",
        "meta": {
            "authorization": {
                "transfer_reference": charge.reference,
                "transfer_account": charge.account,
                "transfer_bank": charge.bank,
                "account_expiration": expiration(charge),
                "transfer_note": "Please make a bank transfer to viralcore FLW",
                "transfer_amount": f"{charge.due:.2f}",
                "mode": "banktransfer",
            }
        },
    }


def _customer(customer: Customer) -> dict[str, Any]:
    return {
        "id": customer.id,
        "name": customer.name,
        "phone_number": customer.phone,
        "email": customer.email,
        "created_at": moment(customer.at),
    }


def transaction_json(payment: Payment, status: str) -> dict[str, Any]:
    """What verification and webhooks share, in their order."""
    words = {"successful": "success", "failed": "Transaction Failed", "pending": "pending"}
    return {
        "id": payment.id,
        "tx_ref": payment.charge.order.tx_ref,
        "flw_ref": payment.session,
        "device_fingerprint": "N/A",
        "amount": number(payment.amount),
        "currency": payment.currency,
        "charged_amount": number(payment.paid),
        "app_fee": noisy_fee(payment.paid),
        "merchant_fee": 0,
        "processor_response": words[status],
        "auth_model": "AUTH",
        "ip": "::ffff:172.16.91.238",
        "narration": payment.charge.order.narration,
        "status": status,
        "payment_type": "bank_transfer",
        "created_at": moment(payment.at),
        "account_id": _ACCOUNT_ID,
    }


def _settled(payment: Payment, status: str) -> int | float | None:
    if status == "pending":
        return None
    if payment.charge.order.fee:
        return number(payment.amount)
    return float(payment.paid) - noisy_fee(payment.paid)


def _originator(payment: Payment) -> dict[str, Any]:
    name, bank = payment.payer
    return {
        "originatorname": name,
        "bankname": bank,
        "originatoramount": "N/A",
        "originatoraccountnumber": f"080*******{payment.id % 100:02d}",
    }


def verify_json(payment: Payment, now: datetime) -> dict[str, Any]:
    """GET /transactions/{id}/verify and /transactions/verify_by_reference."""
    status = payment.status(now)
    data = transaction_json(payment, status)
    data |= {"meta": _originator(payment), "amount_settled": _settled(payment, status)}
    return envelope("Transaction fetched successfully", data | {"customer": _customer(payment.charge.customer)})


def list_json(payments: Sequence[Payment], page: int, now: datetime) -> dict[str, Any]:
    """GET /transactions: newest first; ids are strings here, and the customer is flat."""
    rows = []
    for payment in payments[(page - 1) * PAGE : page * PAGE]:
        status = payment.status(now)
        row = transaction_json(payment, status) | {"id": str(payment.id), "account_id": str(_ACCOUNT_ID)}
        row |= {"amount_settled": _settled(payment, status)}
        customer = payment.charge.customer
        rows.append(row | {"customer_name": customer.name, "customer_email": customer.email})
    info = {"total": len(payments), "current_page": page, "total_pages": -(-len(payments) // PAGE)}
    return {"status": "success", "message": "Transactions fetched", "meta": {"page_info": info}, "data": rows}


def balance_row(currency: str, available: Decimal, collected: Decimal) -> dict[str, Any]:
    return {"currency": currency, "available_balance": number(available), "ledger_balance": number(collected)}


def event_json(payment: Payment, *, meta_data: bool) -> dict[str, Any]:
    """charge.completed, which does not say that it went well: `data.status` does."""
    status = "failed" if payment.failed else "successful"
    data = transaction_json(payment, status) | {"customer": _customer(payment.charge.customer)}
    event: dict[str, Any] = {"event": "charge.completed", "data": data}
    if meta_data:
        event["meta_data"] = _originator(payment)
    if payment.failed:
        event["event.type"] = "BANK_TRANSFER_TRANSACTION"
    return event


def legacy_json(payment: Payment) -> dict[str, Any]:
    """The same in the envelope of version 2, which accounts with old webhooks still get."""
    customer = payment.charge.customer
    return {
        "id": payment.id,
        "txRef": payment.charge.order.tx_ref,
        "flwRef": payment.session,
        "orderRef": f"URF_{int(payment.at.timestamp() * 1000)}_{payment.id % 10**7}",
        "paymentPlan": None,
        "createdAt": moment(payment.at),
        "amount": number(payment.amount),
        "charged_amount": number(payment.paid),
        "status": "failed" if payment.failed else "successful",
        "IP": "41.190.30.39",
        "currency": payment.currency,
        "customer": {
            "id": customer.id,
            "phone": None,
            "fullName": customer.name,
            "customertoken": None,
            "email": customer.email,
            "createdAt": moment(customer.at),
            "updatedAt": moment(customer.at),
            "deletedAt": None,
            "AccountId": _ACCOUNT_ID,
        },
        "entity": {"id": "NO-ENTITY"},
        "event.type": "BANK_TRANSFER_TRANSACTION",
    }
