"""Spelling of Solana's addresses and signatures, and the token account a wallet derives."""

from __future__ import annotations

import json
from pathlib import Path

import base58
import pytest

from viralcore.payments.adapters.solana_keys import associated_account, spells

VECTORS = json.loads((Path(__file__).parents[2] / "fixtures/addresses/vectors.json").read_text())["solana"]
SIGNATURE = VECTORS["tx_hash_canonical"]


@pytest.mark.parametrize("text", VECTORS["valid"])
def test_addresses_are_32_bytes(text: str) -> None:
    assert spells(text, 32)
    assert not spells(text, 64)


@pytest.mark.parametrize("text", VECTORS["invalid"])
def test_what_is_no_address(text: str) -> None:
    assert not spells(text, 32)


@pytest.mark.parametrize(
    "text", [SIGNATURE + " ", SIGNATURE + "\n", "1" + SIGNATURE, SIGNATURE[:-2], "1" * 10**6, "0O"]
)
def test_one_signature_has_one_spelling(text: str) -> None:
    assert spells(SIGNATURE, 64)
    assert not spells(text, 64)


def test_a_derived_account_is_a_key_nobody_can_hold() -> None:
    """Half of all hashes are keys and must be passed over: with many owners every way is taken."""
    owners = [base58.b58encode(bytes([number]) * 32).decode() for number in range(1, 30)]
    mint = "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"
    found = {associated_account(owner, mint) for owner in owners}
    assert len(found) == len(owners)
    assert all(spells(each, 32) for each in found)
