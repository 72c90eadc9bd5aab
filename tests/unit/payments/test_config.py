"""settings/payments.toml and what may not stand in it."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from viralcore.payments.config import PaymentsConfig

FILE = Path(__file__).parents[3] / "settings/payments.toml"

MINT = "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"


def table() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text())


def test_the_shipped_file_holds_the_numbers_of_the_product() -> None:
    config = PaymentsConfig.model_validate(table())
    assert (config.invoices.minutes, config.invoices.max_open, config.invoices.reservation_hours) == (20, 3, 24)
    assert (config.rules.native_tolerance, config.rules.stable_tolerance) == (Decimal("0.01"), Decimal("0.005"))
    assert (config.rules.early_seconds, config.rules.tail_digits) == (60, 4)
    assert config.rules.inexact_window == Decimal("0.10")
    assert (config.prices.cache_seconds, config.prices.last_good_seconds) == (300, 1800)
    assert config.prices.divergence == Decimal("0.03")
    usdt, bnb = config.asset("bsc", "USDT"), config.asset("bsc", "BNB")
    assert (usdt.contract, usdt.decimals, usdt.shown, usdt.stable) == (
        "0x55d398326f99059fF775485246999027B3197955",
        18,
        6,
        True,
    )
    assert (bnb.contract, bnb.decimals, bnb.shown, bnb.second) == ("", 18, 8, "BNBUSDT")
    assert config.networks["bsc"].chain_id == 56
    assert config.deposit_address("bsc") is None
    usdt, sol = config.asset("solana", "USDT"), config.asset("solana", "SOL")
    assert (usdt.contract, usdt.decimals, usdt.shown, usdt.stable) == (MINT, 6, 6, True)
    assert (sol.contract, sol.decimals, sol.shown, sol.second) == ("", 9, 8, "SOLUSDT")
    assert config.networks["solana"].genesis == "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
    assert config.deposit_address("solana") is None
    usdt, trx = config.asset("tron", "USDT"), config.asset("tron", "TRX")
    assert (usdt.contract, usdt.decimals, usdt.shown, usdt.stable) == (
        "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        6,
        6,
        True,
    )
    assert (trx.contract, trx.decimals, trx.shown, trx.coingecko, trx.second) == ("", 6, 6, "tron", "TRXUSDT")
    assert config.networks["tron"].chain_id == 0x2B6653DC


def broken(path: str, value: Any) -> dict[str, Any]:
    whole = table()
    *folders, name = path.split("/")
    inner = whole
    for folder in folders:
        inner = inner[folder]
    inner[name] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rules/tolerance_cap", "0.06"),
        ("rules/native_tolerance", "0.051"),
        ("invoices/minutes", 0),
        ("invoices/unknown", 1),
        ("networks/bsc/assets/USDT/contract", "0x55d398326f99059Ff775485246999027B3197955"),
        ("networks/bsc/assets/USDT/shown", 19),
        ("networks/bsc/assets/BNB/second", ""),
        ("networks/bsc/assets/BNB/contract", "0x55d398326f99059fF775485246999027B3197955"),
        ("networks/bsc/assets/USDT/contract", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
        ("networks/solana/assets/USDT/contract", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8Ben"),
        ("networks/solana/assets/USDT/contract", "0x55d398326f99059fF775485246999027B3197955"),
        ("networks/tron/assets/USDT/contract", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u"),
        ("networks/tron/assets/USDT/contract", "0x55d398326f99059fF775485246999027B3197955"),
        ("networks/tron/list_pages", 0),
        ("networks/dogecoin", {}),
    ],
)
def test_a_dangerous_value_stops_the_start(path: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        PaymentsConfig.model_validate(broken(path, value))


def urls(*configured: str, environment: str = "production", key: str | None = "a&b/c") -> tuple[str, ...]:
    facts = {"environment": environment, "helius_api_key": key, "solana_rpc_url": configured}
    return PaymentsConfig.model_validate({**table(), **facts}).node_urls("solana")


def test_a_helius_key_puts_its_node_first() -> None:
    assert urls("https://one", "https://two", "https://one") == (
        "https://mainnet.helius-rpc.com/?api-key=a%26b%2Fc",
        "https://one",
        "https://two",
    )
    assert urls("https://one", key=None) == ("https://one",)


def test_one_machine_is_not_two_witnesses() -> None:
    own = "https://mainnet.helius-rpc.com/?api-key=own"
    assert urls("https://one", own) == ("https://one", own)


def test_a_sandbox_never_talks_to_helius() -> None:
    assert urls("http://127.0.0.1:1", environment="sandbox") == ("http://127.0.0.1:1",)
    assert PaymentsConfig.model_validate({**table(), "helius_api_key": "k"}).node_urls("solana") == ()
