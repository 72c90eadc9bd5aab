"""CoinGecko's simple price (APIS 7.1). Its errors have three shapes and may come under status 200."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import structlog

from viralcore.core.http import HttpFailure, ProviderClient

log = structlog.get_logger(__name__)


class CoinGecko:
    """The port `PriceSource`; names are CoinGecko ids (``binancecoin``)."""

    def __init__(self, client: ProviderClient, *, key: str | None, pro: bool = False) -> None:
        """`pro`: the key belongs to the paid host; both keys look alike, so the address decides."""
        self._client = client
        header = "x-cg-pro-api-key" if pro else "x-cg-demo-api-key"
        self._headers = {header: key} if key else {}

    async def prices(self, names: Sequence[str]) -> dict[str, Decimal]:
        if not names:
            return {}
        params = {"ids": ",".join(sorted(set(names))), "vs_currencies": "usd", "precision": "full"}
        try:
            answer = await self._client.read_json("GET", "simple/price", params=params, headers=self._headers)
        except HttpFailure as failure:
            log.warning("price_source_failed", source="coingecko", reason=failure.reason)
            return {}
        if not answer.ok:
            log.warning("price_source_failed", source="coingecko", reason=f"http_{answer.status}")
            return {}
        return read_prices(answer.body)


def read_prices(body: Any) -> dict[str, Decimal]:
    """USD by id. An error in any of its shapes, an unknown id, a missing or null price: absent."""
    if not isinstance(body, dict) or {"status", "error", "error_code"} & body.keys():
        return {}
    found = {}
    for name, quote in body.items():
        price = positive(quote.get("usd")) if isinstance(quote, dict) else None
        if price is not None:
            found[name] = price
    return found


def positive(value: Any) -> Decimal | None:
    """A price as a Decimal; None for anything that is not a plain number above zero."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        price = Decimal(value)
    except ArithmeticError:
        return None
    return price if price.is_finite() and Decimal("1e-12") < price < Decimal("1e9") else None
