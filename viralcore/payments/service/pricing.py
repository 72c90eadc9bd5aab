"""The price cache: filled by a job from two sources, kept in a table, read by quotes."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from viralcore.core.clock import Clock
from viralcore.core.db import Connection, Database
from viralcore.core.money import NGN
from viralcore.payments.config import Asset, PaymentsConfig
from viralcore.payments.domain.prices import Limits, Price, Reading, judge
from viralcore.payments.domain.quotes import rate_of
from viralcore.payments.events import PricesStopped
from viralcore.payments.ports import PriceSource
from viralcore.payments.repository import chain_state
from viralcore.payments.service.exchange import Exchange

log = structlog.get_logger(__name__)


class Pricing:
    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        config: PaymentsConfig,
        first: PriceSource,
        second: PriceSource,
        exchange: Exchange,
    ) -> None:
        self._db = db
        self._clock = clock
        self._prices = config.prices
        self._first = first
        self._second = second
        self._exchange = exchange
        # What is switched off as well: money for it still comes, late or astray, and must be worth something.
        self._coins: dict[str, Asset] = {
            name: asset for network in config.networks.values() for name, asset in network.assets.items()
        }
        self._limits = Limits(
            divergence=config.prices.divergence,
            peg_low=config.prices.peg_low,
            peg_high=config.prices.peg_high,
            last_good=timedelta(seconds=config.prices.last_good_seconds),
        )

    async def rate(self, conn: Connection, coin: str, now: datetime) -> Decimal | None:
        """USD per coin from the cache, of naira as it is charged; None while there is no price to trust."""
        if coin == NGN:
            return await self._exchange.rate(conn, now)
        price = (await chain_state.get_prices(conn)).get(coin)
        if price is None or not price.usable(now, self._limits.last_good) or price.usd is None:
            return None
        return rate_of(price.usd)

    async def usable(self, conn: Connection, now: datetime) -> set[str]:
        """Coins that can be quoted now, and naira."""
        known = await chain_state.get_prices(conn)
        found = {coin for coin, price in known.items() if price.usable(now, self._limits.last_good)}
        return found | {NGN} if await self._exchange.rate(conn, now) is not None else found

    async def refresh(self) -> None:
        """The job: ask both sources for what is due, judge, store, tell when a coin's quotes stop or come back."""
        now = self._clock.now()
        async with self._db.read() as conn:
            known = await chain_state.get_prices(conn)
        due = [coin for coin in self._coins if self._due(known.get(coin), now)]
        if not due:
            return
        firsts = await self._first.prices([self._coins[coin].coingecko for coin in due])
        seconds = await self._second.prices([self._coins[coin].second for coin in due if self._coins[coin].second])
        async with self._db.transaction() as tx:
            known = await chain_state.get_prices(tx.conn)
            for coin in due:
                asset, before = self._coins[coin], known.get(coin)
                reading = Reading(firsts.get(asset.coingecko), seconds.get(asset.second) if asset.second else None)
                after = judge(
                    before or Price(coin, "stale", None, None),
                    reading,
                    stable=asset.stable,
                    now=tx.now,
                    limits=self._limits,
                )
                await chain_state.save_price(tx.conn, after)
                if after.state != (before.state if before else "ok"):
                    log.warning("price_state_changed", coin=coin, state=after.state)
                    tx.record(PricesStopped(coin=coin, reason=after.state))

    def _due(self, price: Price | None, now: datetime) -> bool:
        if price is None or price.state != "ok" or price.good_at is None:
            return True
        return now - price.good_at >= timedelta(seconds=self._prices.cache_seconds) or price.good_at > now
