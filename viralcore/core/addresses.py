"""One spelling for each address, so that two texts are the same address exactly when they are equal.

What the canonical spelling of each network is (APIS 10): BSC lower case with ``0x``; Tron the 21 bytes in lower-case
hex (``41`` + 20 bytes), whatever was written; Solana as it stands, because its base58 tells capitals apart; Aptos
``0x`` and all 64 digits in lower case, because its own API sometimes drops leading zeros.
"""

from __future__ import annotations

import base58


def canonical_address(network: str, text: str) -> str:
    """An address or token contract as `network` compares it; nothing stays nothing. Raises ValueError when it cannot
    be one."""
    if network == "bsc" or not text:
        return text.lower()
    if network == "aptos":
        digits = text.lower().removeprefix("0x")
        if not 1 <= len(digits) <= 64 or set(digits) - set("0123456789abcdef"):
            raise ValueError("not an Aptos address")
        return "0x" + digits.rjust(64, "0")
    if network == "tron":
        return tron_hex(text)
    return text


def tron_hex(text: str) -> str:
    """``T...`` or ``41...`` as lower-case hex with its ``41``. Raises ValueError on a wrong check-sum."""
    raw = base58.b58decode_check(text) if text[:1] == "T" else bytes.fromhex(text.removeprefix("0x"))
    if len(raw) != 21 or raw[0] != 0x41:
        raise ValueError("not a Tron address")
    return raw.hex()


def tron_base58(canonical: str) -> str:
    """The canonical spelling as people and providers write it, ``T...``."""
    return base58.b58encode_check(bytes.fromhex(canonical)).decode()
