"""What people paste as a hash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from viralcore.payments.api import BadHash
from viralcore.payments.domain.hashes import parse_hash

VECTORS = json.loads((Path(__file__).parents[2] / "fixtures/addresses/vectors.json").read_text())
CANONICAL = VECTORS["evm"]["canonical"]
BODY = CANONICAL[2:]


@pytest.mark.parametrize(
    "text",
    [
        *VECTORS["evm"]["tx_hash_forms_of_one_tx"],
        f"  {CANONICAL}\n",
        BODY.upper(),
        f"0X{BODY.upper()}",
        f"https://www.bscscan.com/tx/{CANONICAL}#eventlog",
        f"https://bscscan.com/tx/{BODY}?a=1",
        f"http://BSCSCAN.COM/tx/0x{BODY.upper()}",
        f"https://bsctrace.com/tx/{CANONICAL}",
        f"my payment: {CANONICAL}, thanks",
        f"`{CANONICAL}`",
        f"\u200b{CANONICAL}\u200b",
        f"{CANONICAL} {CANONICAL.upper()}",
        f"https://explorer.example/whatever/{CANONICAL}/",
        f"{CANONICAL[:40]}\n{CANONICAL[40:]}",
        f"0x {BODY[:32]} {BODY[32:]}\u00a0",
    ],
)
def test_every_spelling_of_one_hash_is_one_hash(text: str) -> None:
    parsed = parse_hash(text)
    assert (parsed.network, parsed.hash) == ("bsc", CANONICAL)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "garbage"),
        ("hello", "garbage"),
        (BODY[:-1], "garbage"),
        (BODY + "0", "garbage"),
        (f"0x{BODY[:-1]}g", "garbage"),
        (f"{CANONICAL} 0x{'1' * 64}", "garbage"),
        (f"{BODY[:32]} {BODY[32:-1]}", "garbage"),
        (f"{BODY[:32]} and {BODY[32:]}", "garbage"),
        ("<b>0x</b>" * 10, "garbage"),
        ("x" * 5000, "garbage"),
        ("' OR 1=1 --", "garbage"),
        ("https://[broken", "garbage"),
        *[(address, "address") for address in VECTORS["evm"]["valid_checksummed"]],
        *[(pair[0], "address") for pair in VECTORS["tron"]["pairs"]],
        *[(address, "address") for address in VECTORS["solana"]["valid"]],
        (VECTORS["solana"]["tx_hash_canonical"], "other_network"),
        (f"https://solscan.io/tx/{VECTORS['solana']['tx_hash_canonical']}", "other_network"),
        (VECTORS["tron"]["tx_hash_forms_of_one_tx"][3], "other_network"),
        (f"https://etherscan.io/tx/{CANONICAL}", "other_network"),
        (f"https://testnet.bscscan.com/tx/{CANONICAL}", "other_network"),
        (f"https://polygonscan.com/tx/{CANONICAL}", "other_network"),
        (f"https://bscscan.com/address/{VECTORS['evm']['valid_all_lower'][0]}", "address"),
    ],
)
def test_what_is_not_a_hash_of_ours_says_why(text: str, reason: str) -> None:
    with pytest.raises(BadHash) as caught:
        parse_hash(text)
    assert caught.value.fields == {"reason": reason}


def test_an_explorer_lookalike_is_not_that_explorer() -> None:
    assert parse_hash(f"https://etherscan.io.evil.example/tx/{CANONICAL}").hash == CANONICAL
