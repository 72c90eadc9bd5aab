"""One spelling for each address."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from viralcore.core.addresses import canonical_address, tron_base58, tron_hex

VECTORS = json.loads((Path(__file__).parents[2] / "fixtures/addresses/vectors.json").read_text())["tron"]


@pytest.mark.parametrize(("shown", "canonical"), VECTORS["pairs"])
def test_both_spellings_of_a_tron_address_are_one(shown: str, canonical: str) -> None:
    assert tron_hex(shown) == canonical
    assert tron_base58(canonical) == shown
    for spelling in (shown, canonical, canonical.upper(), "0x" + canonical):
        assert canonical_address("tron", spelling) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *(each.partition(" ")[0] for each in VECTORS["invalid"]),
        "",
        "T",
        "41",
        "42a614f803b6fd780986a42c78ec9c7f77e6ded13c",
        "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLjé",
        "0x55d398326f99059fF775485246999027B3197955",
    ],
)
def test_what_is_no_tron_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        tron_hex(text)


def test_nothing_stays_nothing() -> None:
    assert canonical_address("tron", "") == ""
