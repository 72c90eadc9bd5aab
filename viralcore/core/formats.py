"""How settings must be spelled: addresses, URLs, keys, comma lists. One plain sentence when they are not."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

import base58
from cryptography.fernet import Fernet
from eth_utils.address import is_address, is_checksum_address
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode


def split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(letter.isspace() for letter in value):
        raise ValueError("must be an address that starts with https:// or http://")
    return value if parts.query else value.rstrip("/")


def ending(suffix: str) -> AfterValidator:
    def check(value: str) -> str:
        if not value.endswith(suffix):
            raise ValueError(f"must end in {suffix}")
        return value

    return AfterValidator(check)


def bare(value: str) -> str:
    parts = urlsplit(value)
    if parts.path or parts.query:
        raise ValueError("must be a bare host: no path after it")
    return value


def bsc_address(value: str) -> str:
    if not is_address(value) or not value.startswith("0x"):
        raise ValueError("is not a BSC address (0x and 40 hex digits)")
    if not is_checksum_address(value):
        raise ValueError("fails its check-sum (EIP-55): copy it again from the wallet, capitals included")
    if int(value, 16) == 0:
        raise ValueError("is the zero address: money sent there is lost")
    return value


def solana_address(value: str) -> str:
    if _base58_size(value) != 32:
        raise ValueError("is not a Solana address (32 bytes in base58)")
    return value


def tron_address(value: str) -> str:
    try:
        raw = base58.b58decode_check(value)
    except ValueError:
        raise ValueError("is not a Tron address, or its check-sum fails") from None
    if len(raw) != 21 or raw[0] != 0x41:
        raise ValueError("is not a Tron address (it starts with T)")
    return value


def aptos_address(value: str) -> str:
    digits = value.removeprefix("0x")
    if not value.startswith("0x") or not 1 <= len(digits) <= 64 or set(digits.lower()) - set("0123456789abcdef"):
        raise ValueError("is not an Aptos address (0x and up to 64 hex digits)")
    return value


def _base58_size(value: str) -> int:
    try:
        return len(base58.b58decode(value))
    except ValueError:
        return 0


def fernet_keys(keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for number, key in enumerate(keys, start=1):
        try:
            Fernet(key.get_secret_value())
        except ValueError:
            raise ValueError(
                f"key {number} is not 32 bytes in URL-safe base64; make one with: viralcore keys"
            ) from None
    return keys


def bot_token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"\d{3,}:[A-Za-z0-9_-]{10,}", value.get_secret_value()):
        raise ValueError("is not a bot token (digits, a colon, letters), as @BotFather gives it")
    return value


def webhook_secret(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", value.get_secret_value()):
        raise ValueError("must be 16 to 256 letters, digits, _ or -")
    return value


def secret_url(value: SecretStr) -> SecretStr:
    url(value.get_secret_value())
    return value


def database_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        raise ValueError("must start with postgresql://")
    return value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split)]
Ids = Annotated[tuple[Annotated[int, Field(gt=0)], ...], NoDecode, BeforeValidator(split)]
Url = Annotated[str, AfterValidator(url)]
BareUrl = Annotated[str, AfterValidator(url), AfterValidator(bare)]
Urls = Annotated[tuple[Url, ...], NoDecode, BeforeValidator(split), Field(min_length=1)]
BareUrls = Annotated[tuple[BareUrl, ...], NoDecode, BeforeValidator(split), Field(min_length=1)]
V1Urls = Annotated[tuple[Annotated[Url, ending("/v1")], ...], NoDecode, BeforeValidator(split), Field(min_length=1)]
Keys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(split), AfterValidator(fernet_keys)]
Secret = Annotated[SecretStr, Field(min_length=1)]
SecretUrl = Annotated[SecretStr, AfterValidator(secret_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(database_url)]
BotToken = Annotated[SecretStr, AfterValidator(bot_token)]
WebhookSecret = Annotated[SecretStr, AfterValidator(webhook_secret)]
V3Url = Annotated[Url, ending("/v3")]
V6Url = Annotated[Url, ending("/v6")]
ApiV2Url = Annotated[Url, ending("/api/v2")]
ApiV3Url = Annotated[Url, ending("/api/v3")]
BscAddress = Annotated[str, AfterValidator(bsc_address)]
SolanaAddress = Annotated[str, AfterValidator(solana_address)]
TronAddress = Annotated[str, AfterValidator(tron_address)]
AptosAddress = Annotated[str, AfterValidator(aptos_address)]
