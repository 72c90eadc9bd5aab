"""Binance's public ticker (APIS 7.2), the second opinion: prices against USDT, as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import structlog

from viralcore.core.http import HttpFailure, ProviderClient
from viralcore.payments.adapters.coingecko import positive

log = structlog.get_logger(__name__)


class Binance:
    """The port `PriceSource`; names are symbols (``BNBUSDT``). One unknown symbol fails the whole call."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    async def prices(self, names: Sequence[str]) -> dict[str, Decimal]:
        if not names:
            return {}
        symbols = json.dumps(sorted(set(names)), separators=(",", ":"))
        try:
            answer = await self._client.read_json("GET", "api/v3/ticker/price", params={"symbols": symbols})
        except HttpFailure as failure:
            log.warning("price_source_failed", source="binance", reason=failure.reason)
            return {}
        if not answer.ok:  # 429 too fast, 418 banned, 451 a country it does not serve, 400 an unknown symbol
            log.warning("price_source_failed", source="binance", reason=f"http_{answer.status}")
            return {}
        return {name: price for name, price in read_tickers(answer.body).items() if name in names}


def read_tickers(body: Any) -> dict[str, Decimal]:
    """Prices by symbol, from a list or a single one; an error object gives none."""
    found = {}
    for each in body if isinstance(body, list) else [body]:
        if not isinstance(each, dict):
            continue
        symbol, price = each.get("symbol"), positive(each.get("price"))
        if isinstance(symbol, str) and price is not None:
            found[symbol] = price
    return found
