"""ExchangeRate-API (APIS 7.3): dollars in naira, once a day. Its errors may come under status 200."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import structlog

from viralcore.core.http import HttpFailure, ProviderClient
from viralcore.payments.adapters.coingecko import positive
from viralcore.payments.domain.exchange import FxReading

log = structlog.get_logger(__name__)


class ExchangeRate:
    """The port `FxSource`. With a key it is part of the path, and the rates have another name."""

    def __init__(self, client: ProviderClient, *, key: str | None) -> None:
        self._client = client
        self._path = f"{key}/latest/USD" if key else "latest/USD"

    async def rate(self, currency: str) -> FxReading | None:
        try:
            answer = await self._client.read_json("GET", self._path)
        except HttpFailure as failure:
            log.warning("exchange_source_failed", reason=failure.reason)
            return None
        found = read_rate(answer.body, currency) if answer.ok else None
        if found is None:
            log.warning("exchange_source_failed", reason=_reason(answer.status, answer.body))
        return found


def read_rate(body: Any, currency: str) -> FxReading | None:
    """What one dollar costs, and since when. None for an error, another base, or a rate that is not there."""
    if not isinstance(body, dict) or body.get("result") != "success" or body.get("base_code") != "USD":
        return None
    rates = body.get("conversion_rates", body.get("rates"))
    price = positive(rates.get(currency)) if isinstance(rates, dict) else None
    made_at = body.get("time_last_update_unix")
    if price is None or isinstance(made_at, bool) or not isinstance(made_at, int) or not 0 < made_at < 2**33:
        return None
    return FxReading(price, datetime.fromtimestamp(made_at, UTC))


def _reason(status: int, body: Any) -> str:
    word = body.get("error-type") if isinstance(body, dict) else None
    return str(word)[:40] if word else f"http_{status}"
