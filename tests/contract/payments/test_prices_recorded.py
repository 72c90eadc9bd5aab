"""The price sources against what they were recorded to say."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.contract.payments.nodes import FIXTURES
from viralcore.core.http import Answer, NoAnswer, parse_json
from viralcore.payments.adapters.binance import Binance, read_tickers
from viralcore.payments.adapters.coingecko import CoinGecko, read_prices

PRICES = FIXTURES / "prices"
NOT_ERRORS = {"coingecko_simple_price_tether_usd.json", "coingecko_response_headers_keyless.json"}


def recorded(name: str) -> Any:
    return parse_json((PRICES / name).read_text())


class Says:
    """Stands for a `ProviderClient`."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}

    async def read_json(self, method: str, path: str, **more: Any) -> Answer:
        self.asked = {"path": path, **more}
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, Answer) else Answer(200, self.answer, {})


def test_a_price_is_a_decimal() -> None:
    assert read_prices(recorded("coingecko_simple_price_tether_usd.json")) == {"tether": Decimal("1.001")}


@pytest.mark.parametrize(
    "name",
    [
        path.name
        for path in sorted(PRICES.glob("coingecko_*.json"))
        if "tether" not in path.name and "headers" not in path.name
    ],
)
def test_every_other_coingecko_answer_gives_no_usd_price(name: str) -> None:
    assert read_prices(recorded(name)) == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        None,
        [],
        "text",
        {"tether": None},
        {"tether": {"usd": None}},
        {"tether": {"usd": True}},
        {"tether": {"usd": 0}},
        {"tether": {"usd": -1}},
        {"tether": {"usd": "NaN"}},
        {"tether": {"usd": "1e99"}},
        {"tether": {"usd": {}}},
        {"status": {"error_code": 429}, "tether": {"usd": 1}},
    ],
)
def test_what_is_not_a_price_is_no_price(body: Any) -> None:
    assert read_prices(body) == {}


def test_binance_answers() -> None:
    assert read_tickers(recorded("binance_ticker_price_single.json")) == {"BNBUSDT": Decimal("290.00000000")}
    assert read_tickers(recorded("binance_ticker_price_multi.json"))["BNBUSDT"] == Decimal("297.5")
    for name in ("400_invalid_symbol", "418_banned", "429_weight", "451_geo_block"):
        assert read_tickers(recorded(f"binance_{name}.json")) == {}


@pytest.mark.parametrize(
    "answer", [Answer(429, {}, {}), Answer(451, {}, {}), Answer(418, {}, {}), NoAnswer("x", "read_timeout"), {}]
)
async def test_a_source_in_trouble_is_silent_and_never_raises(answer: Any) -> None:
    assert await CoinGecko(Says(answer), key=None).prices(["tether"]) == {}  # type: ignore[arg-type]
    assert await Binance(Says(answer)).prices(["BNBUSDT"]) == {}  # type: ignore[arg-type]


async def test_what_is_asked() -> None:
    gecko = Says({"binancecoin": {"usd": Decimal("600.1")}})
    source = CoinGecko(gecko, key="CG-x")  # type: ignore[arg-type]
    assert await source.prices(["binancecoin", "tether"]) == {"binancecoin": Decimal("600.1")}
    assert gecko.asked["params"] == {"ids": "binancecoin,tether", "vs_currencies": "usd", "precision": "full"}
    assert gecko.asked["headers"] == {"x-cg-demo-api-key": "CG-x"}
    ticker = Says([{"symbol": "BNBUSDT", "price": "600"}, {"symbol": "XUSDT", "price": "1"}])
    assert await Binance(ticker).prices(["BNBUSDT"]) == {"BNBUSDT": Decimal(600)}  # type: ignore[arg-type]
    assert json.loads(ticker.asked["params"]["symbols"]) == ["BNBUSDT"]
    assert Path(PRICES).exists()
