"""The frozen settings of payments: settings/payments.toml, and the addresses and nodes from the environment."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from eth_utils.address import is_checksum_address
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Positive = Annotated[int, Field(gt=0)]
Share = Annotated[Decimal, Field(ge=0, lt=1)]
Dollars = Annotated[Decimal, Field(gt=0, decimal_places=2)]


class Invoices(_Frozen):
    minutes: Positive
    max_open: Positive
    reservation_hours: Positive
    wallet_enabled: bool


class Rules(_Frozen):
    native_tolerance: Share
    stable_tolerance: Share
    tolerance_cap: Annotated[Decimal, Field(ge=0, le=Decimal("0.05"))]
    inexact_window: Share
    early_seconds: Annotated[int, Field(ge=0)]
    early_inexact_seconds: Annotated[int, Field(ge=0)]
    future_seconds: Annotated[int, Field(ge=0)]
    two_nodes_from_usd: Dollars
    tail_digits: Annotated[int, Field(ge=2, le=6)]
    tail_rise_cents: Positive
    tail_rises: Positive

    @model_validator(mode="after")
    def _capped(self) -> Rules:
        for name in ("native_tolerance", "stable_tolerance"):
            if getattr(self, name) > self.tolerance_cap:
                raise ValueError(f"{name} is above tolerance_cap ({self.tolerance_cap})")
        return self


class Claims(_Frozen):
    first_delay_seconds: Positive
    longest_delay_seconds: Positive
    not_found_minutes: Positive
    give_up_hours: Positive
    per_user_checking: Positive


class Watcher(_Frozen):
    seconds: Positive
    blocks_per_call: Positive
    blocks_per_run: Positive
    fresh_blocks: Annotated[int, Field(ge=0)]
    settle_per_run: Positive
    settle_at_once: Positive


class Prices(_Frozen):
    check_seconds: Positive
    cache_seconds: Positive
    last_good_seconds: Positive
    divergence: Share
    peg_low: Decimal
    peg_high: Decimal


class Asset(_Frozen):
    """One coin on one network. `contract` empty: the native coin. `shown`: decimals of the amount people are asked for.

    `coingecko` and `second` are its names at the two price sources; a stable one needs no second.
    """

    enabled: bool = True
    contract: str = ""
    decimals: Annotated[int, Field(ge=0, le=30)]
    shown: Annotated[int, Field(ge=0, le=18)]
    stable: bool = False
    coingecko: Annotated[str, Field(min_length=1)]
    second: str = ""

    @model_validator(mode="after")
    def _sound(self) -> Asset:
        if self.shown > self.decimals:
            raise ValueError("shown is finer than the coin's own decimals")
        if self.contract and not is_checksum_address(self.contract):
            raise ValueError("contract is not an address, or its check-sum (EIP-55) fails")
        if not self.stable and not self.second:
            raise ValueError("second (its name at the second price source) is missing")
        return self


class Network(_Frozen):
    enabled: bool = True
    chain_id: Positive
    requests_per_second: Positive
    requests_at_once: Positive
    connect_seconds: Positive
    read_seconds: Positive
    breaker_failures: Positive
    breaker_seconds: Positive
    batch_blocks: Positive
    batch_receipts: Positive
    assets: dict[str, Asset]

    @model_validator(mode="after")
    def _one_native(self) -> Network:
        contracts = [asset.contract.lower() for asset in self.assets.values()]
        if len(set(contracts)) != len(contracts):
            raise ValueError("two assets share one contract")
        return self


class PaymentsConfig(_Frozen):
    """Everything payments is told. The last block comes from the environment, under the same names in capitals."""

    invoices: Invoices
    rules: Rules
    claims: Claims
    watcher: Watcher
    prices: Prices
    networks: dict[str, Network]

    bsc_rpc_url: tuple[str, ...] = ()
    bsc_deposit_address: str | None = None
    coingecko_base_url: str = "https://api.coingecko.com/api/v3"
    cm_api_key: SecretStr | None = None
    price_second_base_url: str = "https://data-api.binance.vision"

    @model_validator(mode="before")
    @classmethod
    def _no_empty_address(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("bsc_deposit_address") == "":
            return {**values, "bsc_deposit_address": None}
        return values

    @model_validator(mode="after")
    def _known(self) -> PaymentsConfig:
        unknown = sorted(set(self.networks) - {"bsc"})
        if unknown:
            raise ValueError(f"networks that are not built yet: {', '.join(unknown)}")
        names = {asset for network in self.networks.values() for asset in network.assets}
        for name in names:
            prices = {
                (asset.coingecko, asset.second, asset.stable)
                for network in self.networks.values()
                for key, asset in network.assets.items()
                if key == name
            }
            if len(prices) > 1:
                raise ValueError(f"{name} is priced differently on two networks")
        return self

    def deposit_address(self, network: str) -> str | None:
        """Where money on this network is sent, as to be copied; None: the network is not offered."""
        return {"bsc": self.bsc_deposit_address}.get(network)

    def asset(self, network: str, asset: str) -> Asset:
        return self.networks[network].assets[asset]
