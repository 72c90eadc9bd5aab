"""Settings: the only reader of the environment. Environment, `.env` and `settings/*.toml` become frozen objects, once.

Precedence: a row in the database (read by the module that owns it) > environment > `.env` > toml > default. Every
problem is found before anything is said. A sandbox is told everything by its environment and reads no `.env`; a
provider address it was not given points at a closed door, so that nothing real is ever called by accident.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from viralcore.boosts.config import BoostsConfig
from viralcore.bot.config import TELEGRAM_GROUP_PER_MINUTE, TELEGRAM_PER_SECOND, BotConfig
from viralcore.core import formats
from viralcore.core.problems import Problem, SettingsError, load_toml, reason
from viralcore.notifications.config import NotificationsConfig
from viralcore.payments.config import PaymentsConfig
from viralcore.referrals.config import ReferralsConfig
from viralcore.users.config import UsersConfig
from viralcore.withdrawals.config import WithdrawalsConfig

CLOSED_DOOR = "http://127.0.0.1:9"
"""The discard port: what a sandbox's provider address is when nobody simulates that provider."""


class Environ(BaseSettings):
    """Every environment name there is (DESIGN 10), lower-cased. The names are a contract with operators."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, validate_default=False)

    environment: Literal["production", "sandbox"] = "production"
    database_url: formats.DatabaseUrl | None = None
    data_dir: Path = Path(".data")
    settings_dir: Path = Path("settings")
    pg_bin: Path | None = None
    clock_file: Path | None = None

    telegram_bot_token: formats.BotToken | None = None
    telegram_api_base_url: formats.BareUrl = "https://api.telegram.org"
    admin_ids: formats.Ids = ()
    telegram_webhook_url: formats.Url | None = None
    telegram_webhook_secret: formats.WebhookSecret | None = None
    admin_telegram_chat_id: int | None = None
    enable_telegram_notifications: bool = True
    admin_likes_group_enabled: bool = False
    admin_likes_group_chat_id: int | None = None

    flutterwave_api_key: formats.Secret | None = None
    flutterwave_base_url: formats.V3Url = "https://api.flutterwave.com/v3"
    flutterwave_webhook_secret: formats.Secret | None = None
    exchange_api_key: formats.Secret | None = None
    exchange_base_url: formats.V6Url | None = None

    smmflare_api_key: formats.Secret | None = None
    plugsmms_api_key: formats.Secret | None = None
    smmstone_api_key: formats.Secret | None = None
    smmflare_base_url: formats.ApiV2Url = "https://smmflare.com/api/v2"
    plugsmms_base_url: formats.ApiV2Url = "https://plugsmms.com/api/v2"
    smmstone_base_url: formats.ApiV2Url = "https://smmstone.com/api/v2"

    bsc_rpc_url: formats.Urls = (
        "https://bsc-dataseed.bnbchain.org",
        "https://bsc-rpc.publicnode.com",
        "https://bsc-dataseed1.bnbchain.org",
        "https://bsc-dataseed.nariox.org",
        "https://bsc-dataseed.defibit.io",
    )
    solana_rpc_url: formats.Urls = ("https://api.mainnet.solana.com",)
    tron_api_url: formats.BareUrls = ("https://api.trongrid.io",)
    aptos_api_url: formats.V1Urls = (
        "https://api.mainnet.aptoslabs.com/v1",
        "https://fullnode.mainnet.aptoslabs.com/v1",
    )
    helius_api_key: formats.Secret | None = None
    sol_api_key: formats.Secret | None = None
    trx_grid_api_key: formats.Secret | None = None
    bsc_deposit_address: formats.BscAddress | None = None
    sol_deposit_address: formats.SolanaAddress | None = None
    trx_deposit_address: formats.TronAddress | None = None
    aptos_deposit_address: formats.AptosAddress | None = None

    coingecko_base_url: formats.ApiV3Url = "https://api.coingecko.com/api/v3"
    cm_api_key: formats.Secret | None = None
    price_second_base_url: formats.BareUrl = "https://data-api.binance.vision"

    smtp_host: str | None = None
    smtp_port: Annotated[int, Field(gt=0, lt=65536)] = 587
    smtp_user: str | None = None
    smtp_password: formats.Secret | None = None
    email_from: str | None = None
    admin_contacts: formats.Words = ()
    slack_webhook_url: formats.SecretUrl | None = None
    disable_notifications: bool = False

    disable_admin_approval: bool = False
    withdrawal_retry_count: Annotated[int, Field(ge=0, le=10)] = 3
    withdrawal_retry_backoff_sec: Annotated[int, Field(ge=1, le=86400)] = 60
    encryption_keys: formats.Keys = ()
    fingerprint_key: Annotated[SecretStr, Field(min_length=16)] | None = None

    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, lt=65536)] = 8081
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    sentry_dsn: formats.SecretUrl | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over: it reads the sources itself, to know where each value came from."""
        return (init_settings,)

    @property
    def exchange_url(self) -> str:
        """The exchange rate source: keyed with a key, the keyless daily feed without."""
        keyed = "https://v6.exchangerate-api.com/v6"
        return self.exchange_base_url or (keyed if self.exchange_api_key else "https://open.er-api.com/v6")


PROVIDERS: Mapping[str, str | None] = {
    "telegram_api_base_url": "",
    "flutterwave_base_url": "/v3",
    "exchange_base_url": "/v6",
    "smmflare_base_url": "/api/v2",
    "plugsmms_base_url": "/api/v2",
    "smmstone_base_url": "/api/v2",
    "bsc_rpc_url": "",
    "solana_rpc_url": "",
    "tron_api_url": "",
    "aptos_api_url": "/v1",
    "coingecko_base_url": "/api/v3",
    "price_second_base_url": "",
    "slack_webhook_url": None,
    "sentry_dsn": None,
}
"""Fields that hold addresses of third parties, with the path each ends in (None: off unless given). Loopback in a
sandbox, never elsewhere."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One module's settings: a field of `Settings`, the model that validates it, the files it is read from.

    Fields of the model that carry an environment name in lower case are filled from the environment.
    """

    field: str
    model: type[BaseModel]
    files: tuple[str, ...]


SLICES: tuple[Slice, ...] = (
    Slice("users", UsersConfig, ("users.toml",)),
    Slice("payments", PaymentsConfig, ("payments.toml",)),
    Slice("boosts", BoostsConfig, ("plans.toml", "schedule.toml", "panels.toml", "replies.toml")),
    Slice("referrals", ReferralsConfig, ("referrals.toml",)),
    Slice("withdrawals", WithdrawalsConfig, ("withdrawals.toml", "payouts.toml")),
    Slice("notifications", NotificationsConfig, ("notifications.toml",)),
    Slice("bot", BotConfig, ("bot.toml",)),
)

Needs = Literal["run", "database"]
"""What a command needs: everything the bot needs, or only what leads to the database."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where one value came from, for `doctor`. `shown`: the value, secrets masked."""

    name: str
    shown: str
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the product was told, validated. Nothing else reads the environment or the settings folder."""

    env: Environ
    users: UsersConfig
    payments: PaymentsConfig
    boosts: BoostsConfig
    withdrawals: WithdrawalsConfig
    referrals: ReferralsConfig
    notifications: NotificationsConfig
    bot: BotConfig
    sources: tuple[Source, ...]

    @property
    def sandbox(self) -> bool:
        return self.env.environment == "sandbox"

    def with_database(self, url: str) -> Settings:
        """The same settings with the database named: an embedded one that is running."""
        return replace(self, env=self.env.model_copy(update={"database_url": SecretStr(url)}))

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for the log's redaction."""
        return tuple(_secrets(self.env))


def load(
    *, needs: Needs = "run", env_file: Path | None = Path(".env"), environ: Mapping[str, str] | None = None
) -> Settings:
    """Read and validate everything. Raises SettingsError with all problems at once. `environ`: instead of our own."""
    raw, origins, problems = _gather(os.environ if environ is None else environ, env_file)
    env, bad, found = _validate(raw)
    problems += found
    problems += [problem for problem in _cross_checks(env, needs) if problem.key.lower() not in bad]
    sources = list(_describe(env, origins))
    slices: dict[str, Any] = {}
    for each in SLICES if env.settings_dir.is_dir() else ():
        given = _given(each.model, env)
        paths = [env.settings_dir / name for name in each.files]
        slices[each.field], wrong = load_toml(paths, each.model, given)
        problems += [problem for problem in wrong if problem.key.lower() not in bad]
        if not wrong:
            sources += _describe_slice(each.field, slices[each.field], ", ".join(each.files), given)
    problems += _pace_check(env, slices.get("bot"))
    if problems:
        raise SettingsError(problems)
    return Settings(env=env, sources=tuple(sources), **slices)


def _given(model: type[BaseModel], env: Environ) -> dict[str, tuple[str, Any]]:
    given: dict[str, tuple[str, Any]] = {}
    for field, info in model.model_fields.items():
        if field in Environ.model_fields:
            value = getattr(env, field)
            if isinstance(value, SecretStr) and "Secret" not in str(info.annotation):
                value = value.get_secret_value()
            given[field] = (field.upper(), value)
    return given


def _gather(environ: Mapping[str, str], env_file: Path | None) -> tuple[dict[str, Any], dict[str, str], list[Problem]]:
    raw: dict[str, Any] = {
        field: environ[field.upper()] for field in Environ.model_fields if environ.get(field.upper())
    }
    origins = dict.fromkeys(raw, "environment")
    if raw.get("environment") == "sandbox":
        for field, suffix in PROVIDERS.items():
            if field not in raw and suffix is not None:
                raw[field], origins[field] = CLOSED_DOOR + suffix, "closed door (sandbox)"
    elif env_file is not None and env_file.is_file():
        try:
            from_file = DotEnvSettingsSource(Environ, env_file=env_file)()
        except (OSError, UnicodeDecodeError) as error:
            return raw, origins, [Problem(str(env_file), "(file)", f"cannot be read: {type(error).__name__}")]
        for field, value in from_file.items():
            if field in Environ.model_fields and field not in raw:
                raw[field], origins[field] = value, str(env_file)
    return raw, origins, []


def _validate(raw: Mapping[str, Any]) -> tuple[Environ, set[str], list[Problem]]:
    try:
        return Environ(**raw), set(), []
    except ValidationError as error:
        bad = {str(details["loc"][0]) for details in error.errors()}
        problems = [
            Problem(
                "environment", str(details["loc"][0]).upper(), reason(details, secret=_is_secret(details["loc"][0]))
            )
            for details in error.errors(include_url=False)
        ]
        return Environ(**{field: value for field, value in raw.items() if field not in bad}), bad, problems


def _problem(field: str, why: str) -> Problem:
    return Problem("environment", field.upper(), why)


def _cross_checks(env: Environ, needs: Needs) -> Iterator[Problem]:
    if needs == "run":
        if env.telegram_bot_token is None:
            yield _problem("telegram_bot_token", "is missing: @BotFather gives one")
        if not env.admin_ids:
            yield _problem("admin_ids", "is missing: the Telegram ids of the owners, separated by commas")
        for field in ("encryption_keys", "fingerprint_key"):
            if not getattr(env, field):
                yield _problem(field, "is missing: make one with: viralcore keys")
    if env.clock_file is not None and env.environment != "sandbox":
        yield _problem("clock_file", "turns the clock, which only ENVIRONMENT=sandbox may do")
    if not env.settings_dir.is_dir():
        yield _problem("settings_dir", f"there is no folder {env.settings_dir}")
    yield from _address_checks(env)
    yield from _pair_checks(env)


def _address_checks(env: Environ) -> Iterator[Problem]:
    for field, url in _provider_urls(env):
        loopback = _is_loopback(url)
        if env.environment == "sandbox" and not loopback:
            yield _problem(field, "is not a loopback address: a sandbox talks to nobody outside this machine")
        if env.environment == "production" and loopback:
            yield _problem(field, "is a loopback address: a simulator has no place in production")


def _pair_checks(env: Environ) -> Iterator[Problem]:
    if env.telegram_webhook_url is not None:
        if env.telegram_webhook_secret is None:
            yield _problem(
                "telegram_webhook_secret", "is missing: TELEGRAM_WEBHOOK_URL is set, and unsigned updates are refused"
            )
        if env.environment == "production" and not env.telegram_webhook_url.startswith("https://"):
            yield _problem("telegram_webhook_url", "must start with https://, Telegram accepts nothing else")
    if env.admin_likes_group_enabled and env.admin_likes_group_chat_id is None:
        yield _problem("admin_likes_group_chat_id", "is missing: ADMIN_LIKES_GROUP_ENABLED is true")
    if env.smtp_host is not None and env.email_from is None:
        yield _problem("email_from", "is missing: SMTP_HOST is set")


def _pace_check(env: Environ, bot: BotConfig | None) -> Iterator[Problem]:
    if env.environment != "production" or bot is None:
        return
    for name, given, most in (
        ("per_second", bot.pace.per_second, TELEGRAM_PER_SECOND),
        ("group_per_minute", bot.pace.group_per_minute, TELEGRAM_GROUP_PER_MINUTE),
    ):
        if given > most:
            why = f"is more than {most}, which Telegram answers with 429: only a simulator takes it"
            yield Problem("bot.toml", f"pace.{name}", why)


def _provider_urls(env: Environ) -> Iterator[tuple[str, str]]:
    for field in PROVIDERS:
        value = getattr(env, field)
        for url in value if isinstance(value, tuple) else (value,):
            if url is not None:
                yield field, url.get_secret_value() if isinstance(url, SecretStr) else url


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _is_secret(field: int | str) -> bool:
    return "Secret" in str(Environ.model_fields[str(field)].annotation)


def _secrets(value: object) -> Iterator[str]:
    """Secret values anywhere in a settings object, the keys inside URLs included."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from _secrets(getattr(value, field))
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _secrets(inner)
    elif isinstance(value, str) and "://" in value:
        parts = urlsplit(value)
        yield from (part for _, part in parse_qsl(parts.query))
        if parts.password:
            yield parts.password


def _describe(env: Environ, origins: Mapping[str, str]) -> Iterator[Source]:
    for field in Environ.model_fields:
        yield Source(field.upper(), _shown(getattr(env, field)), origins.get(field, "default"))


def _shown(value: object) -> str:
    if value is None or value == ():
        return "(not set)"
    if isinstance(value, SecretStr):
        return "(hidden)"
    if isinstance(value, tuple):
        return ", ".join(_shown(inner) for inner in value)
    if isinstance(value, str) and "?" in value:
        return value.split("?", 1)[0] + "?(hidden)"
    return str(value)


def _describe_slice(name: str, value: BaseModel, files: str, given: Mapping[str, object]) -> Iterator[Source]:
    """The business numbers, one row each; what came from the environment is described there already."""
    for field in type(value).model_fields:
        inner, place = getattr(value, field), f"{name}.{field}"
        if field in given:
            continue
        origin = files if field in value.model_fields_set else "default"
        if isinstance(inner, BaseModel):
            yield from _describe_slice(place, inner, files, {})
        elif isinstance(inner, dict):
            for key, entry in inner.items():
                if isinstance(entry, BaseModel):
                    yield from _describe_slice(f"{place}.{key}", entry, files, {})
        elif isinstance(inner, tuple) and inner and isinstance(inner[0], BaseModel):
            yield Source(place, f"{len(inner)} entries", origin)
        else:
            yield Source(place, _shown(inner), origin)
