"""Spelling of Solana: addresses and signatures in base58, and where a wallet's tokens of one kind lie by convention."""

from __future__ import annotations

import hashlib

import base58

TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105
TOKEN_2022_PROGRAM = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"  # noqa: S105
TOKEN_PROGRAMS = frozenset({TOKEN_PROGRAM, TOKEN_2022_PROGRAM})
ASSOCIATED_PROGRAM = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P


def spells(text: str, size: int) -> bool:
    """`text` is the one spelling of `size` bytes."""
    if len(text) > 2 * size:
        return False
    try:
        raw = base58.b58decode(text)
    except ValueError:
        return False
    return len(raw) == size and base58.b58encode(raw).decode() == text


def associated_account(owner: str, mint: str) -> str:
    """The token account wallets send a plain SPL token to: derived from owner and mint, whether it exists or not."""
    seeds = b"".join(base58.b58decode(each) for each in (owner, TOKEN_PROGRAM, mint))
    program = base58.b58decode(ASSOCIATED_PROGRAM)
    for bump in range(255, -1, -1):
        found = hashlib.sha256(seeds + bytes([bump]) + program + b"ProgramDerivedAddress").digest()
        if not _on_curve(found):
            return base58.b58encode(found).decode()
    raise ValueError("no address can be derived")  # one in 2**256


def _on_curve(raw: bytes) -> bool:
    """A key of ed25519, so that somebody may hold its secret; derived addresses are none."""
    y2 = pow(int.from_bytes(raw, "little") & (1 << 255) - 1, 2, _P)
    x2 = (y2 - 1) * pow(_D * y2 + 1, -1, _P) % _P
    return x2 == 0 or pow(x2, (_P - 1) // 2, _P) == 1
