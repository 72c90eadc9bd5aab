"""The price cache."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.integration.payments.shop import Shop
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.payments.api import MethodUnavailable


async def methods(shop: Shop) -> set[str]:
    return {method.code for method in await shop.door.methods()}


async def stopped(shop: Shop) -> list[tuple[str, str]]:
    return [(event["coin"], event["reason"]) for event in await shop.events("prices_stopped")]


async def test_usdt_is_a_dollar_and_bnb_what_both_sources_say(shop: Shop) -> None:
    usdt = await shop.quoted()
    bnb = await shop.quoted(8, "bsc:BNB")
    assert usdt.quote is not None
    assert bnb.quote is not None
    assert (usdt.quote.rate, bnb.quote.rate) == (Decimal(1), Decimal(600))
    assert await stopped(shop) == []


async def test_a_price_is_fetched_again_after_five_minutes(shop: Shop) -> None:
    shop.coingecko.quotes["binancecoin"] = Decimal(605)
    await shop.tick(299)
    assert (await shop.quoted(8, "bsc:BNB")).quote.rate == Decimal(600)  # type: ignore[union-attr]
    await shop.tick(1)
    assert (await shop.quoted(9, "bsc:BNB")).quote.rate == Decimal(605)  # type: ignore[union-attr]


async def test_disagreement_stops_quotes_for_that_coin_and_tells_staff_once(shop: Shop) -> None:
    shop.binance.quotes["BNBUSDT"] = Decimal(650)
    await shop.tick(300)
    await shop.tick(30)
    assert await methods(shop) == {"bsc:USDT", "wallet"}
    with pytest.raises(MethodUnavailable) as caught:
        await shop.quoted(8, "bsc:BNB")
    assert caught.value.fields == {"method": "bsc:BNB", "reason": "price"}
    assert await stopped(shop) == [("BNB", "diverged")]
    shop.binance.quotes["BNBUSDT"] = Decimal(601)
    await shop.tick(30)
    assert "bsc:BNB" in await methods(shop)
    assert await stopped(shop) == [("BNB", "diverged"), ("BNB", "ok")]


async def test_a_lost_peg_stops_usdt(shop: Shop) -> None:
    shop.coingecko.quotes["tether"] = Decimal("0.95")
    await shop.tick(300)
    assert await methods(shop) == {"bsc:BNB", "wallet"}
    assert await stopped(shop) == [("USDT", "depegged")]


async def test_silence_is_bridged_for_half_an_hour(shop: Shop) -> None:
    shop.coingecko.quotes.clear()
    await shop.tick(1800)
    assert await methods(shop) == {"bsc:USDT", "bsc:BNB", "wallet"}
    await shop.tick(1)
    assert await methods(shop) == {"wallet"}
    assert sorted(await stopped(shop)) == [("BNB", "stale"), ("USDT", "stale")]


async def test_the_second_source_alone_is_not_enough(shop: Shop) -> None:
    shop.binance.quotes.clear()
    await shop.tick(1801)
    assert await methods(shop) == {"bsc:USDT", "wallet"}


async def test_the_cache_survives_a_restart(shop: Shop, database: Database, clock: FakeClock) -> None:
    again = Shop(database, clock, Registry())
    again.coingecko.quotes.clear()
    assert await methods(again) == {"bsc:USDT", "bsc:BNB", "wallet"}


async def test_a_first_start_without_prices_tells_staff(
    database: Database, clock: FakeClock, registry: Registry
) -> None:
    shop = Shop(database, clock, registry)
    shop.coingecko.quotes.clear()
    await shop.start()
    assert await methods(shop) == {"wallet"}
    assert sorted(await stopped(shop)) == [("BNB", "stale"), ("USDT", "stale")]


async def test_an_open_quote_is_honoured_while_prices_are_stopped(shop: Shop) -> None:
    invoice = await shop.quoted(method="bsc:BNB")
    assert invoice.quote is not None
    shop.binance.quotes["BNBUSDT"] = Decimal(100)
    await shop.tick(300)
    shop.send(invoice.quote.amount, "BNB")
    await shop.watch()
    assert (await shop.see(invoice)).state == "paid"
