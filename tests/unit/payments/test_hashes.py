"""What people paste as a hash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from viralcore.payments.api import BadHash
from viralcore.payments.domain.hashes import ChainHash, parse_hash

VECTORS = json.loads((Path(__file__).parents[2] / "fixtures/addresses/vectors.json").read_text())
CANONICAL = VECTORS["evm"]["canonical"]
BODY = CANONICAL[2:]
SIGNATURE = VECTORS["solana"]["tx_hash_canonical"]
TRON = VECTORS["tron"]["canonical"]
ALL = ("bsc", "solana", "tron", "aptos")


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
    found = {each.network: each.hash for each in parse_hash(text, ALL)}
    assert found["bsc"] == CANONICAL
    assert parse_hash(text, ["bsc"]) == (ChainHash("bsc", CANONICAL),)


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
        (SIGNATURE[:-4], "garbage"),
        (SIGNATURE.lower(), "garbage"),
        (f"{SIGNATURE} {SIGNATURE[:-1]}9", "garbage"),
        (f"https://explorer.solana.com/tx/{SIGNATURE}?cluster=devnet", "other_network"),
        (f"https://nile.tronscan.org/#/transaction/{TRON}", "other_network"),
        (f"https://explorer.aptoslabs.com/txn/{CANONICAL}?network=testnet", "other_network"),
        (f"https://tronscan.org/#/transaction/{TRON} https://bscscan.com/tx/{CANONICAL}", "other_network"),
        (f"https://etherscan.io/tx/{CANONICAL}", "other_network"),
        (f"https://testnet.bscscan.com/tx/{CANONICAL}", "other_network"),
        (f"https://polygonscan.com/tx/{CANONICAL}", "other_network"),
        (f"https://bscscan.com/address/{VECTORS['evm']['valid_all_lower'][0]}", "address"),
    ],
)
def test_what_is_not_a_hash_of_ours_says_why(text: str, reason: str) -> None:
    with pytest.raises(BadHash) as caught:
        parse_hash(text, ALL)
    assert caught.value.fields == {"reason": reason}


def test_an_explorer_lookalike_is_not_that_explorer() -> None:
    assert parse_hash(f"https://etherscan.io.evil.example/tx/{CANONICAL}", ALL)[0].hash == CANONICAL


@pytest.mark.parametrize("text", [*VECTORS["tron"]["tx_hash_forms_of_one_tx"], f" {TRON[:30]}\n{TRON[30:]} "])
def test_every_spelling_of_a_tron_hash_is_one_hash(text: str) -> None:
    assert parse_hash(text, ["tron"]) == (ChainHash("tron", TRON),)


@pytest.mark.parametrize(
    "text",
    [
        SIGNATURE,
        f"  {SIGNATURE}\n",
        f"https://solscan.io/tx/{SIGNATURE}",
        f"https://explorer.solana.com/tx/{SIGNATURE}?cluster=mainnet",
        f"{SIGNATURE[:40]}\n{SIGNATURE[40:]}",
    ],
)
def test_a_solana_hash_keeps_its_capitals(text: str) -> None:
    assert parse_hash(text, ALL) == (ChainHash("solana", SIGNATURE),)


def test_an_explorer_says_which_network_it_is() -> None:
    digits = "a" * 64
    for url, network in [
        (f"https://tronscan.org/#/transaction/{digits}", "tron"),
        (f"https://explorer.aptoslabs.com/txn/0x{digits}?network=mainnet", "aptos"),
        (f"https://bscscan.com/tx/0x{digits}", "bsc"),
    ]:
        assert [each.network for each in parse_hash(url, ALL)] == [network]
        with pytest.raises(BadHash, match=r"."):
            parse_hash(url, [each for each in ALL if each != network])


def test_a_bare_hash_may_belong_to_several_networks_and_the_likeliest_is_first() -> None:
    assert [each.network for each in parse_hash("0x" + "a" * 64, ALL)] == ["bsc", "aptos", "tron"]
    assert [each.network for each in parse_hash("a" * 64, ALL)] == ["tron", "bsc", "aptos"]
    assert [each.network for each in parse_hash("a" * 64, ["aptos", "bsc"])] == ["bsc", "aptos"]
