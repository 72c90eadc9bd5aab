"""Crypto: encryption at rest with key rotation, and fingerprints where equality must be found without the value."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Undecryptable(Exception):
    """None of the configured keys opens this value: a key was dropped too early, or the value was tampered with."""


class Cipher:
    """Encrypts with the first key and decrypts with any: rotate by putting a new key in front.

    `keys`: Fernet keys (`ENCRYPTION_KEYS`), newest first. `fingerprint_key`: `FINGERPRINT_KEY`, never rotated without
    rewriting the fingerprint columns. Raises ValueError on a malformed key, without repeating it.
    """

    def __init__(self, keys: Sequence[str], fingerprint_key: str) -> None:
        if not keys:
            raise ValueError("ENCRYPTION_KEYS is empty")
        if len(fingerprint_key) < 16:
            raise ValueError("FINGERPRINT_KEY is shorter than 16 characters")
        try:
            fernets = [Fernet(key.strip()) for key in keys]
            self._newest, self._fernet = fernets[0], MultiFernet(fernets)
        except ValueError:
            raise ValueError("ENCRYPTION_KEYS holds something that is not a Fernet key") from None
        self._fingerprint_key = fingerprint_key.encode()

    def encrypt(self, text: str) -> str:
        """Text to an opaque token; the same text gives another token each time."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def decrypt(self, token: str) -> str:
        """Raises Undecryptable."""
        try:
            return self._fernet.decrypt(token.encode("ascii", errors="replace")).decode()
        except InvalidToken:
            raise Undecryptable("no configured key opens this value") from None

    def rotate(self, token: str) -> str:
        """The same value under the newest key. Raises Undecryptable."""
        try:
            return self._fernet.rotate(token.encode("ascii", errors="replace")).decode("ascii")
        except InvalidToken:
            raise Undecryptable("no configured key opens this value") from None

    def is_newest(self, token: str) -> bool:
        """Whether the newest key alone opens this value."""
        try:
            self._newest.decrypt(token.encode("ascii", errors="replace"))
        except InvalidToken:
            return False
        return True

    def fingerprint(self, purpose: str, value: str) -> str:
        """64 hex digits that are equal exactly when purpose and value are: for unique columns over encrypted values."""
        message = f"{len(purpose)}:{purpose}:{value}".encode()
        return hmac.new(self._fingerprint_key, message, hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        return "Cipher()"


def new_key() -> str:
    """A fresh Fernet key, as `ENCRYPTION_KEYS` wants it."""
    return Fernet.generate_key().decode("ascii")
