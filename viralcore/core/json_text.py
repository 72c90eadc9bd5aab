"""JSON out, as money needs it: what is a Decimal here is a number there, digit by digit."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def write_json(value: Any) -> str:
    """A value as compact JSON. Raises TypeError or ValueError for what is none."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except TypeError:
        return _with_decimals(value)


def _with_decimals(value: Any) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError("not a number")
        return f"{value:f}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(key))}:{_with_decimals(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_with_decimals(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
