"""The environment: every problem at once, in plain words; a sandbox meets no world, and production no simulator."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from eth_utils.address import to_checksum_address

from viralcore import settings
from viralcore.core.problems import SettingsError

BSC = to_checksum_address("0x" + "ab" * 20)
EXAMPLE = Path(__file__).parents[3] / ".env.example"
LOOPBACK = {
    "TELEGRAM_API_BASE_URL": "http://127.0.0.1:9001",
    "COINGECKO_BASE_URL": "http://localhost:9002/api/v3",
    "BSC_RPC_URL": "http://127.0.0.1:9003, http://[::1]:9004",
}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for field in settings.Environ.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings").symlink_to(Path(__file__).parents[3] / "settings")
    return tmp_path


def give(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def enough(monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    give(
        monkeypatch,
        TELEGRAM_BOT_TOKEN="7001234567:AAHcanaryCANARYcanaryCANARYcanary_-1",
        ADMIN_IDS="1000, 1001",
        ENCRYPTION_KEYS=Fernet.generate_key().decode(),
        FINGERPRINT_KEY="f" * 32,
        **more,
    )


def problems(**options: object) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        settings.load(**options)  # type: ignore[arg-type]
    return {problem.key: problem.reason for problem in caught.value.problems}


def test_production_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    enough(monkeypatch, BSC_DEPOSIT_ADDRESS=BSC)
    env = settings.load().env
    assert env.admin_ids == (1000, 1001)
    assert env.telegram_api_base_url == "https://api.telegram.org"
    assert env.exchange_url == "https://open.er-api.com/v6"
    assert env.http_port == 8081
    assert env.bsc_deposit_address == BSC
    assert env.data_dir == Path(".data")


def test_payments_knows_whether_its_helius_key_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    enough(monkeypatch, HELIUS_API_KEY="canary-helius")
    made = settings.load()
    assert made.payments.node_urls("solana") == (
        "https://mainnet.helius-rpc.com/?api-key=canary-helius",
        "https://api.mainnet.solana.com",
    )
    assert "canary-helius" in made.secrets()
    assert "canary" not in repr(made)
    give(monkeypatch, ENVIRONMENT="sandbox")
    assert settings.load().payments.node_urls("solana") == (settings.CLOSED_DOOR,)


def test_the_example_file_names_everything() -> None:
    wanted = re.findall(r"^#? ?([A-Z_]+)=", EXAMPLE.read_text(), flags=re.MULTILINE)
    assert len(wanted) == len(set(wanted)) == 58
    assert {field.upper() for field in settings.Environ.model_fields} == set(wanted)


def test_every_problem_at_once_in_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    give(
        monkeypatch,
        TELEGRAM_BOT_TOKEN="canary",
        ADMIN_IDS="1000,bob",
        HTTP_PORT="web",
        LOG_LEVEL="LOUD",
        CLOCK_FILE="/tmp/clock",
        FLUTTERWAVE_BASE_URL="https://api.flutterwave.com",
        TELEGRAM_API_BASE_URL="https://api.telegram.org/bot",
        SMTP_HOST="mail.example",
        BSC_DEPOSIT_ADDRESS=BSC.lower(),
        ENCRYPTION_KEYS="canary",
        SETTINGS_DIR="nowhere",
        ADMIN_LIKES_GROUP_ENABLED="yes",
        TELEGRAM_WEBHOOK_URL="http://bot.example/x",
    )
    found = problems()
    assert set(found) == {
        "TELEGRAM_BOT_TOKEN",
        "ADMIN_IDS",
        "HTTP_PORT",
        "LOG_LEVEL",
        "CLOCK_FILE",
        "FLUTTERWAVE_BASE_URL",
        "TELEGRAM_API_BASE_URL",
        "EMAIL_FROM",
        "BSC_DEPOSIT_ADDRESS",
        "ENCRYPTION_KEYS",
        "FINGERPRINT_KEY",
        "SETTINGS_DIR",
        "ADMIN_LIKES_GROUP_CHAT_ID",
        "TELEGRAM_WEBHOOK_URL",
        "TELEGRAM_WEBHOOK_SECRET",
    }
    assert "canary" not in str(found)
    assert "check-sum" in found["BSC_DEPOSIT_ADDRESS"]
    assert "whole number" in found["HTTP_PORT"]
    assert "'DEBUG'" in found["LOG_LEVEL"]


def test_what_the_database_commands_need(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.load(needs="database")
    assert {"TELEGRAM_BOT_TOKEN", "ADMIN_IDS", "ENCRYPTION_KEYS", "FINGERPRINT_KEY"} == set(problems(needs="run"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BSC_DEPOSIT_ADDRESS", "0x" + "0" * 40),
        ("BSC_DEPOSIT_ADDRESS", BSC.swapcase().replace("0X", "0x")),
        ("BSC_DEPOSIT_ADDRESS", BSC[:-1]),
        ("SOL_DEPOSIT_ADDRESS", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8Benw"),
        ("SOL_DEPOSIT_ADDRESS", "0OIl"),
        ("TRX_DEPOSIT_ADDRESS", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T"),
        ("APTOS_DEPOSIT_ADDRESS", "0xzz"),
        ("DATABASE_URL", "mysql://x"),
        ("ADMIN_IDS", "-5"),
        ("TELEGRAM_WEBHOOK_SECRET", "short"),
        ("BSC_RPC_URL", "ftp://x"),
        ("APTOS_API_URL", "https://fullnode.mainnet.aptoslabs.com"),
        ("FINGERPRINT_KEY", "short"),
    ],
)
def test_misspelt_values(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    enough(monkeypatch)
    give(monkeypatch, **{name: value})
    assert set(problems()) == {name}


def test_good_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    enough(
        monkeypatch,
        SOL_DEPOSIT_ADDRESS="Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB",
        TRX_DEPOSIT_ADDRESS="TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        APTOS_DEPOSIT_ADDRESS="0x357b0b74bc833e95a115ad22604854d6b0fca151cecd94111770e5d6ffc9dc2b",
    )
    settings.load()


def test_production_refuses_simulators(monkeypatch: pytest.MonkeyPatch) -> None:
    enough(monkeypatch, **LOOPBACK, SMMFLARE_BASE_URL="http://0.0.0.0:1/api/v2")
    assert set(problems()) == {*LOOPBACK, "SMMFLARE_BASE_URL"}


def test_sandbox_refuses_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    enough(monkeypatch, ENVIRONMENT="sandbox", TELEGRAM_API_BASE_URL="https://api.telegram.org")
    assert set(problems()) == {"TELEGRAM_API_BASE_URL"}


def test_sandbox_may_turn_the_clock_and_reaches_nobody_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    enough(monkeypatch, ENVIRONMENT="sandbox", CLOCK_FILE="clock", **LOOPBACK)
    env = settings.load().env
    assert env.clock_file == Path("clock")
    assert env.bsc_rpc_url == ("http://127.0.0.1:9003", "http://[::1]:9004")
    assert env.smmflare_base_url == "http://127.0.0.1:9/api/v2"
    assert env.exchange_url == "http://127.0.0.1:9/v6"
    assert env.solana_rpc_url == ("http://127.0.0.1:9",)
    assert env.slack_webhook_url is None
    real = [url for _, url in settings._provider_urls(env) if not settings._is_loopback(url)]
    assert real == []


def test_dotenv_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, clean: Path) -> None:
    (clean / ".env").write_text("HTTP_PORT=9000\nHTTP_HOST=10.0.0.1\nSOMEBODY_ELSES=1\nLOG_LEVEL=\n")
    enough(monkeypatch, HTTP_HOST="10.0.0.2", LOG_FORMAT="")
    loaded = settings.load()
    assert (loaded.env.http_host, loaded.env.http_port, loaded.env.log_level) == ("10.0.0.2", 9000, "INFO")
    origins = {source.name: source.origin for source in loaded.sources}
    assert origins["HTTP_HOST"] == "environment"
    assert origins["HTTP_PORT"] == ".env"
    assert origins["LOG_LEVEL"] == "default"


def test_a_sandbox_reads_no_dotenv(monkeypatch: pytest.MonkeyPatch, clean: Path) -> None:
    (clean / ".env").write_text("SLACK_WEBHOOK_URL=https://hooks.slack.com/services/real\nHTTP_PORT=9000\n")
    enough(monkeypatch, ENVIRONMENT="sandbox")
    env = settings.load().env
    assert env.slack_webhook_url is None
    assert env.http_port == 8081


def test_business_numbers_say_their_file(monkeypatch: pytest.MonkeyPatch) -> None:
    enough(monkeypatch)
    sources = {source.name: source for source in settings.load().sources}
    assert sources["payments.invoices.minutes"].origin == "payments.toml"
    assert sources["payments.invoices.minutes"].shown == "20"
    assert sources["boosts.plans"].shown.endswith("entries")
    assert "boosts.smmflare_api_key" not in sources


def test_bad_toml_joins_the_other_problems(monkeypatch: pytest.MonkeyPatch, clean: Path) -> None:
    real = clean / "settings"
    (clean / "mine").mkdir()
    for path in real.glob("*.toml"):
        text = path.read_text()
        if path.name == "payments.toml":
            text = re.sub(r"^minutes = .*$", 'minutes = "soon"', text, count=1, flags=re.MULTILINE)
        (clean / "mine" / path.name).write_text(text)
    enough(monkeypatch, SETTINGS_DIR="mine", HTTP_PORT="web")
    found = problems()
    assert found["invoices.minutes"] == "must be a whole number, not 'soon'"
    assert set(found) == {"invoices.minutes", "HTTP_PORT"}


def test_nothing_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    enough(
        monkeypatch,
        DATABASE_URL="postgresql://viral:canary-db@db.example/x",
        SMMFLARE_API_KEY="canary-panel",
        BSC_RPC_URL="https://node.example/?api-key=canary-node",
        SLACK_WEBHOOK_URL="https://hooks.slack.com/services/canary-slack",
    )
    loaded = settings.load()
    shown = " ".join(source.shown for source in loaded.sources) + repr(loaded.env.model_dump(exclude={"bsc_rpc_url"}))
    assert "canary" not in shown
    assert "node.example" in shown
    secrets = loaded.secrets()
    assert {"canary-panel", "canary-node"} <= set(secrets)
    assert any("canary-db" in secret for secret in secrets)


def test_only_a_simulator_may_be_written_to_faster(monkeypatch: pytest.MonkeyPatch, clean: Path) -> None:
    fast = clean / "fast"
    fast.mkdir()
    for file in (clean / "settings").glob("*.toml"):
        (fast / file.name).write_text(file.read_text().replace("per_second = 30", "per_second = 5000"))
    pace = (fast / "bot.toml").read_text().replace("group_per_minute = 20", "group_per_minute = 21")
    (fast / "bot.toml").write_text(pace)
    enough(monkeypatch, SETTINGS_DIR=str(fast))
    assert set(problems()) == {"pace.per_second", "pace.group_per_minute"}
    give(monkeypatch, ENVIRONMENT="sandbox")
    assert settings.load().bot.pace.per_second == 5000
