"""Ids: random ones, and nonces that come out the same when the same thing is done again."""

from __future__ import annotations

import hmac
import uuid

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_uuid() -> str:
    """A random id as text."""
    return str(uuid.uuid4())


def nonce(key: str | bytes, seed: int | str, length: int = 8) -> str:
    """`length` base62 characters from a secret and a seed (an update id, an order): repeatable, and not to be guessed.

    8 characters are 47 bits. Handling the same update again after a crash gives the same nonce, and with it the same
    idempotency keys.
    """
    secret = key.encode() if isinstance(key, str) else key
    kind = "i" if isinstance(seed, int) else "s"
    number = int.from_bytes(hmac.digest(secret, f"{kind}:{seed}".encode(), "sha256"), "big")
    letters = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        letters.append(_BASE62[rest])
    return "".join(letters)
