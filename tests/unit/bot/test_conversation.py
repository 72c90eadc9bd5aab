"""What a typed line looks like: a hash, a link, or neither. Whom to ask, not whether it is a good one."""

from __future__ import annotations

import pytest

from viralcore.bot.conversation import looks_like_hash, looks_like_link

BARE = "ab12" * 16
SOLANA = "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW"


@pytest.mark.parametrize(
    "text",
    [
        BARE,
        f"0x{BARE}",
        f"0X{BARE.upper()}",
        f"  0x{BARE}\n",
        f"my hash is 0x{BARE}",
        f"hash:0x{BARE}",
        f"TxID={BARE}",
        f"(0x{BARE})",
        f"0x{BARE}.",
        f"0x{BARE}, sent just now",
        f"https://bscscan.com/tx/0x{BARE}",
        f"https://bscscan.com/tx/0x{BARE}?tab=logs",
        f"https://tronscan.org/#/transaction/{BARE}",
        "https://explorer.aptoslabs.com/txn/123",
        SOLANA,
        "0x8894E0a0c962CB723c1976a4421c95949bE2D4E3",  # an address: payments says so
        f" {SOLANA} ",
    ],
)
def test_a_hash(text: str) -> None:
    assert looks_like_hash(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "25",
        BARE[:-1],
        f"{BARE}0",
        f"0x{BARE}ab",
        f"z{BARE}",
        "write to 0x8894E0a0c962CB723c1976a4421c95949bE2D4E3",
        "https://x.com/ada/status/1790000000000000001",
        "https://t.me/channel/45",
        "taxi/tx",
        "https://x.com/tx/status/1790000000000000001",
        "twitter.com/transaction/status/1790000000000000001",
        "https://t.me/txn/45",
        SOLANA[:60],
    ],
)
def test_no_hash(text: str) -> None:
    assert not looks_like_hash(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://x.com/ada/status/1",
        "HTTPS://X.COM/ada/status/1",
        "http://twitter.com/ada",
        "x.com/ada/status/1",
        "look: x.com/ada/status/1 and t.me/c/5",
        "www.x.com/ada/status/1",
        "mobile.twitter.com/ada/status/1",
        "t.me/channel/45",
        "telegram.me/channel/45",
        "telegram.dog/channel/45",
        "https://example.com/anything",
        "\nhttps://x.com/ada/status/1\nhttps://x.com/ada/status/2",
    ],
)
def test_a_link(text: str) -> None:
    assert looks_like_link(text)


@pytest.mark.parametrize("text", ["", "hello", "25", "https://", "x.com", "box.company/", "netflix.com/title", BARE])
def test_no_link(text: str) -> None:
    assert not looks_like_link(text)
