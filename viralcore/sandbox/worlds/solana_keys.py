"""Keys, signatures and token accounts of Solana."""

from __future__ import annotations

import hashlib
from random import Random

import base58
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SYSTEM = "11111111111111111111111111111111"
TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105
TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"  # noqa: S105
ASSOCIATED = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
BUDGET = "ComputeBudget111111111111111111111111111111"
MEMO = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
ROUTER = "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4"
PROGRAMS = frozenset({SYSTEM, TOKEN, TOKEN_2022, ASSOCIATED, BUDGET, MEMO, ROUTER})
USDT = "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"

_PRIME = 2**255 - 19
_D = -121665 * pow(121666, -1, _PRIME) % _PRIME


def spelled(raw: bytes) -> str:
    return base58.b58encode(raw).decode()


def read_base58(text: str, size: int) -> str | None:
    """`text` when it is the one spelling of `size` bytes."""
    if len(text) > 2 * size:
        return None
    try:
        raw = base58.b58decode(text)
    except ValueError:
        return None
    return text if len(raw) == size and spelled(raw) == text else None


def new_wallet(rng: Random) -> str:
    """A key somebody could hold the secret of."""
    return spelled(Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)).public_key().public_bytes_raw())


def token_account(owner: str, mint: str) -> str:
    """Where wallets send a token to: the address derived from owner and mint that is no key."""
    seeds = b"".join(base58.b58decode(each) for each in (owner, TOKEN, mint))
    tail = base58.b58decode(ASSOCIATED) + b"ProgramDerivedAddress"
    for bump in range(255, -1, -1):
        found = hashlib.sha256(seeds + bytes([bump]) + tail).digest()
        if not _is_key(found):
            return spelled(found)
    raise ValueError("no address can be derived")


def _is_key(raw: bytes) -> bool:
    """Whether the bytes are a point of the curve: y, and a bit of x, for which x exists."""
    squared = pow(int.from_bytes(raw, "little") & (1 << 255) - 1, 2, _PRIME)
    x_squared = (squared - 1) * pow(_D * squared + 1, -1, _PRIME) % _PRIME
    return x_squared == 0 or pow(x_squared, (_PRIME - 1) // 2, _PRIME) == 1
