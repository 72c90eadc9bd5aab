"""Who is asked for how much, in which order, and what proves a reply."""

from __future__ import annotations

import pytest

from viralcore.boosts.api import BadProof, LinkView
from viralcore.boosts.domain.crowd import groups_needed, read_proofs, rotation, shares

X = LinkView("x", "https://x.com/shop/status/100", "shop", "100")
T = LinkView("telegram", "https://t.me/shopnews/45", "shopnews", "45")


@pytest.mark.parametrize(
    ("comments", "groups", "needed"),
    [(10, 9, 2), (11, 9, 3), (60, 9, 9), (60, 20, 12), (1, 9, 1), (0, 9, 1), (5, 9, 1), (10, 0, 0)],
)
def test_one_group_for_five_comments_at_least_one_at_most_all(comments: int, groups: int, needed: int) -> None:
    assert groups_needed(comments, 5, groups) == needed


def test_shares_are_even_and_add_up() -> None:
    assert shares(10, 2) == [5, 5]
    assert shares(11, 3) == [4, 4, 3]
    assert shares(0, 1) == [0]
    assert sum(shares(61, 7)) == 61


def test_the_turn_goes_round_and_leaves_out_who_had_it() -> None:
    assert rotation([3, 1, 2], 0) == [1, 2, 3]
    assert rotation([3, 1, 2], 2) == [3, 1, 2]
    assert rotation([1, 2, 3], 2, seen={3, 1}) == [2]
    assert rotation([5, 7], 6) == [7, 5]  # the group of the pointer is gone
    assert rotation([], 6) == []


def read(text: str, post: LinkView = X, metrics: tuple[str, ...] = ("comments",)) -> list[tuple[str, str]]:
    proofs = read_proofs(text, post=post, post_id=3, metrics=metrics, limit=3, max_length=300)
    return [(proof.link, proof.name) for proof in proofs]


def test_one_reply_is_one_proof_however_it_is_written() -> None:
    text = "done! https://twitter.com/fan/status/200?s=20 and x.com/i/status/200"
    assert read(text) == [("https://x.com/fan/status/200", "https://x.com/i/status/200")]


def test_a_comment_in_telegram_has_a_number_under_its_post() -> None:
    assert read("https://t.me/shopnews/45?comment=9", T) == [
        ("https://t.me/shopnews/45?comment=9", "https://t.me/shopnews/45?comment=9")
    ]
    assert read("(https://telegram.me/ShopNews/45?comment=9).", T)[0][1] == "https://t.me/shopnews/45?comment=9"
    assert read("https://t.me/shopchat/900", T) == [("https://t.me/shopchat/900", "https://t.me/shopchat/900")]


def test_a_repost_is_proved_by_the_page_of_who_did_it_once_a_post() -> None:
    assert read("https://mobile.twitter.com/Fan", metrics=("reposts",)) == [
        ("https://x.com/Fan", "post:3:https://x.com/fan")
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I replied, trust me", "no_link"),
        ("https://x.com/shop/status/100?s=20", "the_post"),
        ("https://x.com/i/status/100", "the_post"),
        ("https://t.me/shopnews/45", "other_platform"),
        ("https://evil.example/x.com/fan/status/200", "not_supported"),
        ("https://x.com/home/of/nobody", "not_supported"),
        ("https://x.com/fan", "no_reply"),
        ("x.com/a/status/1 x.com/a/status/2 x.com/a/status/3 x.com/a/status/4", "too_many"),
    ],
)
def test_what_proves_nothing(text: str, reason: str) -> None:
    with pytest.raises(BadProof) as refused:
        read(text)
    assert refused.value.fields["reason"] == reason


def test_the_link_of_a_telegram_post_itself_proves_nothing() -> None:
    for text in (
        "https://t.me/shopnews/45",
        "https://t.me/shopnews/45?comment=x",
        "https://t.me/shopnews/45?comment=09",
        "t.me/s/ShopNews/45",
    ):
        with pytest.raises(BadProof):
            read(text, T)
