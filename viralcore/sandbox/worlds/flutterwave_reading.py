"""What the simulated Flutterwave reads of a request, and how it refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.requests import Request

from viralcore.core.money import parse_decimal
from viralcore.sandbox.worlds.flutterwave_book import KOBO

_MOST = Decimal(10**12)


class RefusedError(Exception):
    """Goes back as ``{"status": "error", "message": ..., "data": null}``. `bare`: without ``data``, as some do."""

    def __init__(self, message: str, status: int = 400, *, bare: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.bare = bare


async def read_body(request: Request) -> Mapping[str, Any]:
    if "application/json" not in request.headers.get("content-type", ""):
        raise RefusedError("Content-Type must be application/json")
    try:
        body: Any = json.loads(await request.body(), parse_float=Decimal, parse_constant=lambda _: None)
    except ValueError:
        raise RefusedError("Invalid JSON in request body") from None
    if not isinstance(body, dict):
        raise RefusedError("Request body must be an object")
    return body


def read_text(body: Mapping[str, Any], name: str, most: int, default: str | None = None) -> str:
    value = body.get(name)
    if value is None or value == "":
        if default is None:
            raise RefusedError(f"{name} is required")
        return default
    if not isinstance(value, str) or len(value) > most:
        raise RefusedError(f"{name} must be a string of at most {most} characters")
    return value


def read_amount(body: Mapping[str, Any]) -> Decimal:
    """A number or the text of one."""
    value = body.get("amount")
    if value is None or value == "":
        raise RefusedError("amount is required")
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise ValueError("not a number")
        amount = parse_decimal(value if isinstance(value, str) else f"{Decimal(value):f}")
    except ValueError:
        raise RefusedError("amount must be a number") from None
    if not 0 < amount < _MOST:
        raise RefusedError("amount must be a positive number")
    if amount != amount.quantize(KOBO):
        raise RefusedError("amount must have at most 2 decimal places")
    return amount
