"""Encryption at rest, fingerprints, nonces."""

from __future__ import annotations

import re

import pytest

from viralcore.core.crypto import Cipher, Undecryptable, new_key
from viralcore.core.ids import new_uuid, nonce

FINGERPRINT = "f" * 32


def test_a_rotated_key_still_opens_and_a_dropped_one_does_not() -> None:
    old, new = new_key(), new_key()
    token = Cipher([old], FINGERPRINT).encrypt("0123456789")
    both = Cipher([new, old], FINGERPRINT)
    assert both.decrypt(token) == "0123456789"
    moved = both.rotate(token)
    assert Cipher([new], FINGERPRINT).decrypt(moved) == "0123456789"
    with pytest.raises(Undecryptable):
        Cipher([new], FINGERPRINT).decrypt(token)


@pytest.mark.parametrize("token", ["", "x", "gAAAAA", "gAAAA\u00e9"])
def test_garbage_is_undecryptable(token: str) -> None:
    with pytest.raises(Undecryptable):
        Cipher([new_key()], FINGERPRINT).decrypt(token)


def test_fingerprints_are_equal_exactly_when_purpose_and_value_are() -> None:
    cipher = Cipher([new_key()], FINGERPRINT)
    assert cipher.fingerprint("account", "1") == Cipher([new_key()], FINGERPRINT).fingerprint("account", "1")
    assert cipher.fingerprint("account", "1") != cipher.fingerprint("accoun", "t1")
    assert cipher.fingerprint("account", "1") != Cipher([new_key()], "g" * 32).fingerprint("account", "1")


@pytest.mark.parametrize(
    ("keys", "fingerprint"), [([], FINGERPRINT), (["nonsense"], FINGERPRINT), ([new_key()], "short")]
)
def test_bad_keys_are_refused_without_being_repeated(keys: list[str], fingerprint: str) -> None:
    with pytest.raises(ValueError) as caught:
        Cipher(keys, fingerprint)
    assert "nonsense" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_nonces_repeat_for_the_same_thing_and_differ_for_others() -> None:
    seen = {nonce("key", number) for number in range(5000)}
    assert len(seen) == 5000
    assert all(re.fullmatch(r"[0-9A-Za-z]{8}", found) for found in seen)
    assert nonce("key", 7) == nonce(b"key", 7)
    assert nonce("key", 7) != nonce("key", "7")
    assert nonce("other", 7) != nonce("key", 7)
    assert len(nonce("key", "x", 12)) == 12
    assert new_uuid() != new_uuid()
