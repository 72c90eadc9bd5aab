"""The price world: CoinGecko, a Binance-shaped second source and ExchangeRate-API, on one port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from random import Random
from typing import Annotated, Any

from pydantic import Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from viralcore.sandbox.world import Books
from viralcore.sandbox.worlds.control import Amount, Body, NonsenseError, choice, control, read
from viralcore.sandbox.worlds.faults import OUTAGES, Wire, fail

COINGECKO_IDS = {"binancecoin": "bnb", "solana": "sol", "tron": "trx", "aptos": "apt", "tether": "usdt"}
SECOND_SYMBOLS = {"BNBUSDT": "bnb", "SOLUSDT": "sol", "TRXUSDT": "trx", "APTUSDT": "apt"}
COINS = ("bnb", "sol", "trx", "apt", "usdt")
DEFAULTS = {
    "bnb": Decimal("640.25"),
    "sol": Decimal("152.4"),
    "trx": Decimal("0.2815"),
    "apt": Decimal("5.12"),
    "usdt": Decimal("1.0002"),
    "ngn": Decimal("1530.5"),
}
# Naira apart, what else the rate feeds quote; nobody reads these, they only make the answer look like one.
_OTHER_RATES = {"USD": Decimal(1), "EUR": Decimal("0.9013"), "GBP": Decimal("0.7679"), "GHS": Decimal("11.19")}
EXCHANGE_KEY = "sandbox-exchange-key"
COINGECKO_KEY = "CG-sandbox"

Fault = Annotated[str, choice(*OUTAGES, "429_as_200", "451", "empty", "null", yes="503")]
Price = Annotated[Amount, Field(gt=0)] | None

_TOO_MANY = "You've exceeded the Rate Limit. Please visit https://www.coingecko.com/en/api/pricing to subscribe to our \
API plans for higher rate limits."
_WEIGHT = (
    "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. Please use WebSocket Streams \
for live updates to avoid polling the API."
)
_RESTRICTED = "Service unavailable from a restricted location according to 'b. Eligibility' in \
https://www.binance.com/en/terms. Please contact customer service if you believe you received this message in error."
_WRONG_HOST = "If you are using Pro API key, please change your root URL from api.coingecko.com to \
pro-api.coingecko.com Please refer here for more details: https://docs.coingecko.com/v3.0.1/reference/introduction"


class SourceBody(Body):
    """One source apart from the others. A coin set to null is unknown to that source."""

    bnb: Price = None
    sol: Price = None
    trx: Price = None
    apt: Price = None
    outage: Fault = ""
    latency_ms: Annotated[int, Field(ge=0, le=60_000)] = 0


class RatesBody(Body):
    outage: Fault = ""
    latency_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    stale_seconds: Annotated[int, Field(ge=0, le=10**8)] = 0


class PricesBody(Body):
    """A coin at the top moves every source, one in `second_source` only the second. `outage` at the top hits all."""

    bnb: Price = None
    sol: Price = None
    trx: Price = None
    apt: Price = None
    usdt: Price = None
    ngn: Price = None
    outage: Fault = ""
    stale_seconds: Annotated[int, Field(ge=0, le=10**8)] = 0
    first_source: RatesBody | None = None
    second_source: SourceBody | None = None
    rates: RatesBody | None = None


class Source:
    """The state of one of the three feeds."""

    def __init__(self) -> None:
        self.outage = ""
        self.latency_ms = 0
        self.stale_seconds = 0

    def change(self, body: Body) -> None:
        for field in body.model_fields_set & {"outage", "latency_ms", "stale_seconds"}:
            setattr(self, field, getattr(body, field))

    def json(self) -> dict[str, Any]:
        return {"outage": self.outage, "latency_ms": self.latency_ms, "stale_seconds": self.stale_seconds}


class PricesWorld:
    """Implements `viralcore.sandbox.world.World` for every source of prices."""

    name = "prices"

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self._now = now
        self.prices: dict[str, Decimal | None] = dict(DEFAULTS)
        self.second: dict[str, Decimal | None] = {}  # where the second source differs
        self.sources = {"coingecko": Source(), "second": Source(), "rates": Source()}
        self._app = Wire(
            Starlette(
                routes=[
                    Route("/api/v3/simple/price", self._simple_price),
                    Route("/api/v3/ticker/price", self._ticker),
                    Route("/v6/latest/{base}", self._open_rates),
                    Route("/v6/{key}/latest/{base}", self._keyed_rates),
                    Route("/v6/{key}/pair/{base}/{target}", self._pair),
                ]
            )
        )

    @property
    def app(self) -> ASGIApp:
        return self._app

    def environment(self, base_url: str) -> Mapping[str, str]:
        return {
            "COINGECKO_BASE_URL": f"{base_url}/api/v3",
            "CM_API_KEY": COINGECKO_KEY,
            "PRICE_SECOND_BASE_URL": base_url,
            "EXCHANGE_BASE_URL": f"{base_url}/v6",
            "EXCHANGE_API_KEY": EXCHANGE_KEY,
        }

    def control_routes(self) -> list[Route]:
        return [control("/prices", "POST", self._set)]

    async def tick(self, now: datetime) -> None:
        """Prices move only by hand."""

    def pending(self, now: datetime) -> list[str]:
        return []

    def next_due(self, now: datetime) -> datetime | None:
        return None

    def snapshot(self) -> Mapping[str, Any]:
        return {
            "prices": {coin: _text(price) for coin, price in self.prices.items()},
            "second_source": {coin: _text(self._second(coin)) for coin in SECOND_SYMBOLS.values()},
            "price_sources": {name: source.json() for name, source in self.sources.items()},
        }

    def books(self) -> Books:
        return Books()

    def _second(self, coin: str) -> Decimal | None:
        return self.second[coin] if coin in self.second else self.prices[coin]

    # CoinGecko

    async def _simple_price(self, request: Request) -> Response:
        trouble = await self._trouble("coingecko", request)
        if trouble is not None:
            return trouble
        if "x-cg-pro-api-key" in request.headers:
            return _numbers(
                {"timestamp": _stamp(self._now()), "error_code": 10010, "status": {"error_message": _WRONG_HOST}}, 400
            )
        query = request.query_params
        ids, currencies = _listed(query.get("ids")), _listed(query.get("vs_currencies"))
        if not ids or not currencies:
            missing = "ids" if not ids else "vs_currencies"
            return _numbers({"error": f"Missing parameter {missing}"}, 422)
        source = self.sources["coingecko"]
        if source.outage == "empty":
            return _numbers({})
        changed = int(self._now().timestamp()) - 20 - source.stale_seconds
        answer: dict[str, Any] = {}
        for coin_id in ids:
            if coin_id not in COINGECKO_IDS:
                continue
            row = self._row(COINGECKO_IDS[coin_id], currencies, nothing=source.outage == "null")
            if row and query.get("include_last_updated_at") == "true":
                row["last_updated_at"] = changed
            answer[coin_id] = row
        return _numbers(answer, headers={"cache-control": "max-age=30, public, must-revalidate, s-maxage=60"})

    def _row(self, coin: str, currencies: list[str], *, nothing: bool) -> dict[str, Any]:
        usd, ngn = self.prices[coin], self.prices["ngn"]
        row: dict[str, Any] = {}
        if "usd" in currencies:
            row["usd"] = None if nothing else usd
        if "ngn" in currencies:
            row["ngn"] = None if nothing or usd is None or ngn is None else usd * ngn
        return row

    # the second source

    async def _ticker(self, request: Request) -> Response:
        trouble = await self._trouble("second", request)
        if trouble is not None:
            return trouble
        query = request.query_params
        if "symbol" in query and "symbols" in query:
            words = "Combination of optional parameters invalid. Recommendation: 'symbol'"
            return _numbers({"code": -1128, "msg": words}, 400)
        single = query.get("symbol")
        symbols = [single] if single is not None else _symbols(query.get("symbols"))
        if symbols is None:
            legal = "Illegal characters found in parameter 'symbols'; legal range is '^\\[(\"[A-Z0-9]{1,50}\"...)\\]$'."
            return _numbers({"code": -1100, "msg": legal}, 400)
        if self.sources["second"].outage == "empty":
            return _numbers({} if single is not None else [])
        rows = []
        for symbol in symbols:
            price = self._second(SECOND_SYMBOLS[symbol]) if symbol in SECOND_SYMBOLS else None
            if price is None:
                return _numbers({"code": -1121, "msg": "Invalid symbol."}, 400)
            nothing = self.sources["second"].outage == "null"
            rows.append({"symbol": symbol, "price": None if nothing else f"{price:.8f}"})
        return _numbers(rows[0] if single is not None else rows)

    # ExchangeRate-API

    async def _open_rates(self, request: Request) -> Response:
        trouble = await self._trouble("rates", request)
        if trouble is not None:
            return trouble
        return self._rates(request.path_params["base"], keyed=False)

    async def _keyed_rates(self, request: Request) -> Response:
        trouble = await self._trouble("rates", request)
        if trouble is not None:
            return trouble
        if request.path_params["key"] != EXCHANGE_KEY:
            return _rates_error("invalid-key", 403)
        return self._rates(request.path_params["base"], keyed=True)

    async def _pair(self, request: Request) -> Response:
        trouble = await self._trouble("rates", request)
        if trouble is not None:
            return trouble
        if request.path_params["key"] != EXCHANGE_KEY:
            return _rates_error("invalid-key", 403)
        rates = self._table()
        target = request.path_params["target"].upper()
        if request.path_params["base"].upper() != "USD" or target not in rates:
            return _rates_error("unsupported-code", 404)
        return _numbers(self._frame(keyed=True) | {"target_code": target, "conversion_rate": rates[target]})

    def _rates(self, base: str, *, keyed: bool) -> Response:
        if base.upper() != "USD":
            return _rates_error("unsupported-code", 404)
        rates = {} if self.sources["rates"].outage == "empty" else self._table()
        return _numbers(self._frame(keyed=keyed) | {"conversion_rates" if keyed else "rates": rates})

    def _table(self) -> dict[str, Decimal | None]:
        nothing = self.sources["rates"].outage == "null"
        return {**_OTHER_RATES, "NGN": None if nothing else self.prices["ngn"]}

    def _frame(self, *, keyed: bool) -> dict[str, Any]:
        """Both feeds are made once a day."""
        at = self._now() - timedelta(seconds=self.sources["rates"].stale_seconds)
        made = at.astimezone(UTC).replace(hour=0, minute=0, second=1, microsecond=0)
        again = made + timedelta(days=1)
        frame: dict[str, Any] = {"result": "success"}
        if keyed:
            frame |= {
                "documentation": "https://www.exchangerate-api.com/docs",
                "terms_of_use": "https://www.exchangerate-api.com/terms",
            }
        else:
            frame |= {
                "provider": "https://www.exchangerate-api.com",
                "documentation": "https://www.exchangerate-api.com/docs/free",
                "terms_of_use": "https://www.exchangerate-api.com/terms",
            }
        frame |= {
            "time_last_update_unix": int(made.timestamp()),
            "time_last_update_utc": format_datetime(made),
            "time_next_update_unix": int(again.timestamp()),
            "time_next_update_utc": format_datetime(again),
        }
        if not keyed:
            frame["time_eol_unix"] = 0
        frame["base_code"] = "USD"
        return frame

    # faults and control

    async def _trouble(self, name: str, request: Request) -> Response | None:
        source = self.sources[name]
        if source.latency_ms:
            await asyncio.sleep(source.latency_ms / 1000)
        if source.outage in {"429", "429_as_200"}:
            status = 429 if source.outage == "429" else 200
            return _numbers(_throttled(name), status, headers={"retry-after": "17"} if status == 429 else None)
        if source.outage == "451":
            return _numbers({"code": 0, "msg": _RESTRICTED}, 451)
        if source.outage in OUTAGES:
            return await fail(source.outage, request)
        return None

    async def _set(self, request: Request) -> Mapping[str, Any]:
        body = await read(request, PricesBody)
        if "ngn" in body.model_fields_set and body.ngn is None:
            raise NonsenseError("ngn: must be a decimal string; use rates.outage to break the feed")
        for coin in body.model_fields_set & set(DEFAULTS):
            self.prices[coin] = getattr(body, coin)
            self.second.pop(coin, None)
        for source in self.sources.values():
            source.change(body)
        if body.first_source is not None:
            self.sources["coingecko"].change(body.first_source)
        if body.rates is not None:
            self.sources["rates"].change(body.rates)
        if body.second_source is not None:
            self.sources["second"].change(body.second_source)
            for coin in body.second_source.model_fields_set & set(SECOND_SYMBOLS.values()):
                self.second[coin] = getattr(body.second_source, coin)
        return self.snapshot()


def _throttled(name: str) -> dict[str, Any]:
    if name == "coingecko":
        return {"status": {"error_code": 429, "error_message": _TOO_MANY}}
    if name == "second":
        return {"code": -1003, "msg": _WEIGHT}
    return {"result": "error", "error-type": "rate-limited"}


def _rates_error(kind: str, status: int) -> Response:
    body = {
        "result": "error",
        "documentation": "https://www.exchangerate-api.com/docs",
        "terms-of-use": "https://www.exchangerate-api.com/terms",
        "error-type": kind,
    }
    return JSONResponse(body, status_code=status)


def _listed(text: str | None) -> list[str]:
    return [part.strip().lower() for part in (text or "").split(",") if part.strip()][:250]


def _symbols(text: str | None) -> list[str] | None:
    """``["A","B"]`` as Binance reads it; nothing given means every symbol; None when it cannot be read."""
    if text is None:
        return list(SECOND_SYMBOLS)
    try:
        wanted = json.loads(text)
    except ValueError:
        return None
    if not isinstance(wanted, list) or not wanted or not all(isinstance(item, str) for item in wanted):
        return None
    return [str(item) for item in wanted]


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _text(price: Decimal | None) -> str | None:
    return None if price is None else f"{price:f}"


def _numbers(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON in which Decimals are plain numbers, as these feeds send them, without ever being floats."""
    return Response(_encode(body), status_code=status, headers=headers, media_type="application/json")


def _encode(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(key))}:{_encode(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_encode(item) for item in value) + "]"
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return json.dumps(value)
