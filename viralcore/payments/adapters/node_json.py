"""What is read from any node's JSON, whatever its chain. Strict: what does not fit is NodeFailed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.payments.ports import NodeFailed


def obj(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise NodeFailed("not_an_object")
    return value


def items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise NodeFailed("not_a_list")
    return value
