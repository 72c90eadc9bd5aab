"""The simulated price feeds answer in recorded shapes and fail in recorded ways."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.clock import FakeClock
from tests.support.worlds import client, control_client, seeded, shape
from viralcore.sandbox.worlds.prices import EXCHANGE_KEY, PricesWorld

RECORDED = Path(__file__).parents[1] / "fixtures" / "prices"
SYMBOLS = '["BNBUSDT","SOLUSDT","TRXUSDT","APTUSDT"]'


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> PricesWorld:
    return PricesWorld(clock.now, seeded())


async def get(world: PricesWorld, path: str, **query: str) -> httpx.Response:
    async with client(world.app) as http:
        return await http.get(path, params=query)


async def change(world: PricesWorld, **fields: Any) -> httpx.Response:
    async with control_client(world) as http:
        return await http.post("/sandbox/prices", json=fields)


async def simple(world: PricesWorld, ids: str = "binancecoin,tether", **query: str) -> Any:
    answer = await get(world, "/api/v3/simple/price", ids=ids, vs_currencies="usd", **query)
    return json.loads(answer.text, parse_float=Decimal)


async def test_coingecko_answers_numbers_exactly(world: PricesWorld) -> None:
    await change(world, bnb="612.100000000000000001", usdt="1.001")
    one = await get(world, "/api/v3/simple/price", ids="tether", vs_currencies="usd")
    assert one.json() == recorded("coingecko_simple_price_tether_usd.json")
    both = await simple(world, include_last_updated_at="true")
    assert both["binancecoin"]["usd"] == Decimal("612.100000000000000001")
    assert isinstance(both["tether"]["last_updated_at"], int)


async def test_coingecko_leaves_out_what_it_does_not_know(world: PricesWorld) -> None:
    assert await simple(world, ids="nosuchcoin") == {}
    answer = await get(world, "/api/v3/simple/price", ids="tether", vs_currencies="xyz")
    assert answer.json() == {"tether": recorded("coingecko_id_without_vs_currency.json")["bitcoin"]}


async def test_the_second_source_has_the_recorded_shapes(world: PricesWorld) -> None:
    many = (await get(world, "/api/v3/ticker/price", symbols=SYMBOLS)).json()
    assert shape(many) == shape(recorded("binance_ticker_price_multi.json"))
    assert [row["symbol"] for row in many] == ["BNBUSDT", "SOLUSDT", "TRXUSDT", "APTUSDT"]
    one = (await get(world, "/api/v3/ticker/price", symbol="BNBUSDT")).json()
    assert shape(one) == shape(recorded("binance_ticker_price_single.json"))
    assert one == many[0]


async def test_one_bad_symbol_fails_the_batch(world: PricesWorld) -> None:
    answer = await get(world, "/api/v3/ticker/price", symbols='["BNBUSDT","NOPEUSDT"]')
    assert (answer.status_code, answer.json()) == (400, recorded("binance_400_invalid_symbol.json"))
    assert (await get(world, "/api/v3/ticker/price", symbols="BNBUSDT")).status_code == 400


async def test_the_rate_feeds_use_different_keys(world: PricesWorld) -> None:
    free = (await get(world, "/v6/latest/USD")).json()
    keyed = (await get(world, f"/v6/{EXCHANGE_KEY}/latest/USD")).json()
    pair = (await get(world, f"/v6/{EXCHANGE_KEY}/pair/USD/NGN")).json()
    assert set(free) == set(recorded("open_er_api_latest_eur_2025.json"))
    assert set(keyed) == set(recorded("v6_exchangerate_api_latest_usd.json"))
    assert set(pair) == set(recorded("v6_exchangerate_api_pair.json"))
    assert free["rates"]["NGN"] == keyed["conversion_rates"]["NGN"] == pair["conversion_rate"] == 1530.5
    wrong = await get(world, "/v6/wrong/latest/USD")
    assert (wrong.status_code, wrong.json()) == (403, recorded("v6_error_invalid_key.json"))
    assert (await get(world, "/v6/latest/XXX")).json() == recorded("v6_error_unsupported_code.json")


async def test_a_price_moves_every_source_and_the_second_can_part(world: PricesWorld) -> None:
    await change(world, bnb="700", second_source={"bnb": "500"})
    second = (await get(world, "/api/v3/ticker/price", symbol="BNBUSDT")).json()
    assert ((await simple(world))["binancecoin"]["usd"], second["price"]) == (700, "500.00000000")
    await change(world, bnb="600")
    second = (await get(world, "/api/v3/ticker/price", symbol="BNBUSDT")).json()
    assert second["price"] == "600.00000000"


@pytest.mark.parametrize(
    ("kind", "path", "status", "name"),
    [
        ("429", "/api/v3/simple/price", 429, "coingecko_429.json"),
        ("429_as_200", "/api/v3/simple/price", 200, "coingecko_429.json"),
        ("429", "/api/v3/ticker/price", 429, "binance_429_weight.json"),
        ("451", "/api/v3/ticker/price", 451, "binance_451_geo_block.json"),
        ("429", "/v6/latest/USD", 429, "open_er_api_429.json"),
    ],
)
async def test_recorded_failures(world: PricesWorld, kind: str, path: str, status: int, name: str) -> None:
    await change(world, outage=kind)
    answer = await get(world, path, ids="tether", vs_currencies="usd")
    assert (answer.status_code, answer.json()) == (status, recorded(name))


async def test_quiet_failures(world: PricesWorld) -> None:
    await change(world, outage="empty")
    assert await simple(world) == {}
    await change(world, outage="null")
    assert (await simple(world))["tether"] == {"usd": None}
    await change(world, outage=True)
    assert (await get(world, "/api/v3/simple/price")).status_code == 503
    await change(world, outage=False, second_source={"outage": True})
    assert (await simple(world))["tether"]["usd"] == Decimal("1.0002")
    assert (await get(world, "/api/v3/ticker/price", symbol="BNBUSDT")).status_code == 503


async def test_the_age_of_rates_follows_the_clock(world: PricesWorld, clock: FakeClock) -> None:
    first = (await get(world, "/v6/latest/USD")).json()["time_last_update_unix"]
    clock.advance(86_400)
    assert (await get(world, "/v6/latest/USD")).json()["time_last_update_unix"] == first + 86_400
    await change(world, rates={"stale_seconds": 3 * 86_400})
    assert (await get(world, "/v6/latest/USD")).json()["time_last_update_unix"] == first - 2 * 86_400


async def test_nonsense_is_refused_in_words(world: PricesWorld) -> None:
    for body in ({"bnb": "-1"}, {"bnb": "0"}, {"bnb": "6e2"}, {"doge": "1"}, {"outage": "maybe"}, {"ngn": None}):
        answer = await change(world, **body)
        assert answer.status_code == 400, body
        assert answer.json()["error"]
    async with control_client(world) as http:
        assert (await http.post("/sandbox/prices", content=b"{")).status_code == 400
        assert (await http.post("/sandbox/prices", content=b"[]")).status_code == 400
