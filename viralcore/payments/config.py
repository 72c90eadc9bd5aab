"""The frozen settings of payments: settings/payments.toml, and the addresses and nodes from the environment."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from viralcore.core import formats
from viralcore.core.addresses import canonical_address


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


class Wallet(_Frozen):
    """Top-ups, in USD; and `shares`: percent of the affiliate balance that are offered to be moved."""

    minimum: Dollars
    maximum: Dollars
    presets: tuple[Dollars, ...]
    shares: tuple[Annotated[int, Field(gt=0, le=100)], ...]

    @model_validator(mode="after")
    def _ordered(self) -> Wallet:
        if self.minimum > self.maximum:
            raise ValueError("minimum is above maximum")
        if any(not self.minimum <= preset <= self.maximum for preset in self.presets):
            raise ValueError("a preset is below minimum or above maximum")
        return self


class Rules(_Frozen):
    native_tolerance: Share
    stable_tolerance: Share
    bank_tolerance: Share
    tolerance_cap: Annotated[Decimal, Field(ge=0, le=Decimal("0.05"))]
    inexact_window: Share
    early_seconds: Annotated[int, Field(ge=0)]
    early_inexact_seconds: Annotated[int, Field(ge=0)]
    future_seconds: Annotated[int, Field(ge=0)]
    two_nodes_from_usd: Dollars
    second_look_seconds: Positive
    tail_digits: Annotated[int, Field(ge=2, le=6)]
    tail_rise_cents: Positive
    tail_rises: Positive

    @model_validator(mode="after")
    def _capped(self) -> Rules:
        for name in ("native_tolerance", "stable_tolerance", "bank_tolerance"):
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
    run_seconds: Positive
    settle_per_run: Positive
    settle_at_once: Positive


class Stray(_Frozen):
    owner_alert_usd: Dollars
    owner_alert_hours: Positive
    check_seconds: Positive


class Prices(_Frozen):
    check_seconds: Positive
    cache_seconds: Positive
    last_good_seconds: Positive
    divergence: Share
    peg_low: Decimal
    peg_high: Decimal


class Fx(_Frozen):
    """The naira rate. `spread_ngn`: added to what one dollar costs."""

    fetch_seconds: Positive
    retry_seconds: Positive
    longest_age_hours: Positive
    spread_ngn: Annotated[Decimal, Field(ge=0, decimal_places=2)]


class Bank(_Frozen):
    """Bank transfers. `manual`: to the shop's own account, with a photo of the receipt, instead of by Flutterwave."""

    enabled: bool
    email_domain: Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]
    account_grace_minutes: Annotated[int, Field(ge=0)]
    first_poll_seconds: Positive
    longest_poll_seconds: Positive
    poll_seconds: Positive
    polls_per_run: Positive
    polls_at_once: Positive
    verify_at_once: Positive
    give_up_hours: Positive
    early_minutes: Positive
    looking_minutes: Positive
    keep_webhooks_days: Positive
    requests_per_second: Positive
    requests_at_once: Positive
    connect_seconds: Positive
    read_seconds: Positive
    manual: bool
    manual_account_number: str = ""
    manual_bank_name: str = ""
    manual_account_name: str = ""

    @model_validator(mode="after")
    def _account(self) -> Bank:
        shown = (self.manual_account_number, self.manual_bank_name, self.manual_account_name)
        if self.manual and not all(text.strip() for text in shown):
            raise ValueError("manual needs manual_account_number, manual_bank_name and manual_account_name")
        if any("\n" in text for text in shown):
            raise ValueError("the account details are one line each")
        return self


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
        if not self.stable and not self.second:
            raise ValueError("second (its name at the second price source) is missing")
        return self


class Network(_Frozen):
    """How one network is read. Spans are counted in the unit of its cursor (see ports.Chain)."""

    enabled: bool = True
    requests_per_second: Positive
    requests_at_once: Positive
    connect_seconds: Positive
    read_seconds: Positive
    breaker_failures: Positive
    breaker_seconds: Positive
    span_per_call: Positive
    span_per_run: Positive
    fresh_span: Annotated[int, Field(ge=0)]
    overlap_span: Annotated[int, Field(ge=0)] = 0
    lag_span: Positive
    rest_seconds: Positive
    assets: dict[str, Asset]
    chain_id: Annotated[int, Field(ge=0)] = 0
    batch_blocks: Positive = 8
    batch_receipts: Positive = 4
    genesis: str = ""
    list_pages: Positive = 100


_ADDRESSES = {
    "bsc": formats.bsc_address,
    "solana": formats.solana_address,
    "tron": formats.tron_address,
    "aptos": formats.aptos_address,
}
"""The networks that are built, and how an address or a token contract of each is checked."""

HELIUS_HOST = "mainnet.helius-rpc.com"


class PaymentsConfig(_Frozen):
    """Everything payments is told. The last block comes from the environment, under the same names in capitals."""

    invoices: Invoices
    wallet: Wallet
    rules: Rules
    claims: Claims
    watcher: Watcher
    stray: Stray
    prices: Prices
    fx: Fx
    bank: Bank
    networks: dict[str, Network]

    environment: Literal["production", "sandbox"] = "sandbox"
    bsc_rpc_url: tuple[str, ...] = ()
    solana_rpc_url: tuple[str, ...] = ()
    tron_api_url: tuple[str, ...] = ()
    aptos_api_url: tuple[str, ...] = ()
    helius_api_key: SecretStr | None = None
    trx_grid_api_key: SecretStr | None = None
    bsc_deposit_address: str | None = None
    sol_deposit_address: str | None = None
    trx_deposit_address: str | None = None
    aptos_deposit_address: str | None = None
    coingecko_base_url: str = "https://api.coingecko.com/api/v3"
    cm_api_key: SecretStr | None = None
    price_second_base_url: str = "https://data-api.binance.vision"
    flutterwave_api_key: SecretStr | None = None
    flutterwave_base_url: str = "https://api.flutterwave.com/v3"
    flutterwave_webhook_secret: SecretStr | None = None
    exchange_api_key: SecretStr | None = None
    exchange_base_url: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_empty_address(cls, values: Any) -> Any:
        if isinstance(values, dict):
            return {k: None if v == "" and k.endswith("_deposit_address") else v for k, v in values.items()}
        return values

    @model_validator(mode="after")
    def _known(self) -> PaymentsConfig:
        unknown = sorted(set(self.networks) - set(_ADDRESSES))
        if unknown:
            raise ValueError(f"networks that are not built: {', '.join(unknown)}")
        for network, settings in self.networks.items():
            _sound_contracts(network, settings)
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

    @property
    def exchange_url(self) -> str:
        """Where naira rates come from: keyed with a key, the keyless daily feed without."""
        keyed = "https://v6.exchangerate-api.com/v6"
        return self.exchange_base_url or (keyed if self.exchange_api_key else "https://open.er-api.com/v6")

    @property
    def bank_method(self) -> str | None:
        """The code of the one way to pay by bank that is switched on; None: there is none."""
        if not self.bank.enabled:
            return None
        if self.bank.manual:
            return "bank:manual"
        return "bank:NGN" if self.flutterwave_api_key is not None else None

    def deposit_address(self, network: str) -> str | None:
        """Where money on this network is sent, as to be copied; None: the network is not offered."""
        return {
            "bsc": self.bsc_deposit_address,
            "solana": self.sol_deposit_address,
            "tron": self.trx_deposit_address,
            "aptos": self.aptos_deposit_address,
        }.get(network)

    def node_urls(self, network: str) -> tuple[str, ...]:
        """Its nodes, each once, in the order they are asked."""
        urls = {
            "bsc": self.bsc_rpc_url,
            "solana": (*self._helius(), *self.solana_rpc_url),
            "tron": self.tron_api_url,
            "aptos": self.aptos_api_url,
        }[network]
        return tuple(dict.fromkeys(urls))

    def _helius(self) -> tuple[str, ...]:
        """The node a Helius key opens, unless it is named among the others: one machine must not be two witnesses.

        A sandbox talks to nobody outside, whatever keys it was given.
        """
        named = any(urlsplit(url).hostname == HELIUS_HOST for url in self.solana_rpc_url)
        if self.helius_api_key is None or self.environment != "production" or named:
            return ()
        return (f"https://{HELIUS_HOST}/?api-key={quote(self.helius_api_key.get_secret_value(), safe='')}",)

    def asset(self, network: str, asset: str) -> Asset:
        return self.networks[network].assets[asset]


def _sound_contracts(network: str, settings: Network) -> None:
    """Raises ValueError: a token contract that is none there, or that two assets share."""
    seen: set[str] = set()
    for name, asset in settings.assets.items():
        if asset.contract:
            try:
                _ADDRESSES[network](asset.contract)
            except ValueError as error:
                raise ValueError(f"networks.{network}.assets.{name}.contract {error}") from None
        contract = canonical_address(network, asset.contract)
        if contract in seen:
            raise ValueError(f"networks.{network}: two assets share one contract")
        seen.add(contract)
