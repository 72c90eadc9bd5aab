"""Links: every accepted spelling has one form, everything else a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.boosts.domain.links import looks_like_link, read_links

GOOD = "https://x.com/shop/status/1990000000000000001"


def one(text: str) -> tuple[str, ...]:
    return tuple(link.canonical for link in read_links(text, max_length=300).links)


def why(text: str) -> list[str]:
    return [problem.reason for problem in read_links(text, max_length=300).problems]


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "http://x.com/shop/status/1990000000000000001",
        "x.com/shop/status/1990000000000000001",
        "X.COM/shop/status/1990000000000000001",
        "https://www.x.com/shop/status/1990000000000000001/",
        "https://twitter.com/shop/status/1990000000000000001?s=20&t=abc_DEF",
        "https://mobile.twitter.com/shop/statuses/1990000000000000001#m",
        "https://x.com/shop/status/1990000000000000001/photo/1",
        "https://x.com:443/shop/status/1990000000000000001",
        "(https://x.com/shop/status/1990000000000000001)",
        "look: <https://x.com/shop/status/1990000000000000001>, please!",
        "https://x.com/shop/status/1990000000000000001.",
        "https://x.com/shop/status/1990000000000000001👍\ufe0f",
        "https://x.com/shop/status/1990000000000000001?s=20。",
        "➡ https://x.com/shop/status/1990000000000000001 please boost this one",
        "HTTPS://X.com/shop/Status/1990000000000000001",
    ],
)
def test_every_spelling_of_a_post_on_x_is_one_link(text: str) -> None:
    assert one(text) == (GOOD,)
    assert why(text) == []


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("https://x.com/i/status/12345", "https://x.com/i/status/12345"),
        ("https://x.com/i/web/status/12345?x=1", "https://x.com/i/status/12345"),
        ("https://t.me/durov/123", "https://t.me/durov/123"),
        ("t.me/s/durov/123?single", "https://t.me/durov/123"),
        ("telegram.me/durov/123?comment=5", "https://t.me/durov/123"),
        ("https://telegram.dog/durov/7/123", "https://t.me/durov/123"),
        ("https://t.me/c/1234567890/55", "https://t.me/c/1234567890/55"),
        ("https://t.me/c/1234567890/7/55", "https://t.me/c/1234567890/55"),
    ],
)
def test_other_forms_keep_what_names_the_post(text: str, canonical: str) -> None:
    assert one(text) == (canonical,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("https://evil.com/x.com/shop/status/1", "not_supported"),
        ("https://x.com.evil.com/shop/status/1", "not_supported"),
        ("https://notx.com/shop/status/1", "not_supported"),
        ("https://x.com@evil.com/shop/status/1", "malformed"),
        ("https://user:pw@x.com/shop/status/1", "malformed"),
        ("https://х.com/shop/status/1", "malformed"),  # the x is Cyrillic
        ("https://xn--c1yn36f.com/shop/status/1", "not_supported"),
        ("https://x.com:8443/shop/status/1", "malformed"),
        ("ftp://x.com/shop/status/1", "not_supported"),
        ("javascript://x.com/shop/status/1", "not_supported"),
        ("https://x.com/shop", "not_a_post"),
        ("https://x.com/", "not_a_post"),
        ("https://x.com/i/lists/1", "not_a_post"),
        ("https://x.com/shop/status/", "not_a_post"),
        ("https://x.com/shop/status/abc", "malformed"),
        ("https://x.com/shop/status/0", "malformed"),
        ("https://x.com/shop/status/1%0A", "malformed"),
        ("https://x.com/sh%2Fop/status/1", "malformed"),
        ("https://x.com/a_name_that_is_too_long/status/1", "malformed"),
        ("https://x.com\\@evil.com/shop/status/1", "malformed"),
        ("https://t.me/durov", "not_a_post"),
        ("https://t.me/+AbCdEf", "private"),
        ("https://t.me/joinchat/AbCdEf", "private"),
        ("https://t.me/c/123", "not_a_post"),
        ("https://[::1/status", "malformed"),
        (f"https://x.com/shop/status/{'1' * 300}", "too_long"),
    ],
)
def test_what_is_not_a_post_has_a_reason(text: str, reason: str) -> None:
    assert (one(text), why(text)) == ((), [reason])


def test_several_links_in_one_message_keep_their_order_and_fold_repeats() -> None:
    text = f"{GOOD} and x.com/other/status/2,\nhttps://twitter.com/SHOP/status/1990000000000000001 https://x.com/me"
    found = read_links(text, max_length=300)
    assert [link.post_id for link in found.links] == ["1990000000000000001", "2"]
    assert [problem.reason for problem in found.problems] == ["duplicate", "not_a_post"]


def test_one_message_orders_for_one_platform() -> None:
    found = read_links(f"{GOOD} https://t.me/durov/123", max_length=300)
    assert [link.platform for link in found.links] == ["x"]
    assert [problem.reason for problem in found.problems] == ["other_platform"]


@pytest.mark.parametrize("text", ["", "hello there", "a.b", "mail me at me@shop.example", "10/20", "x.com", "1.5/2"])
def test_words_are_no_links(text: str) -> None:
    assert one(text) == ()
    assert "duplicate" not in why(text)


def test_looks_like_link() -> None:
    assert looks_like_link(f"please {GOOD}")
    assert not looks_like_link("please boost my post")


@given(st.text(max_size=400))
def test_no_text_breaks_the_reader_and_only_clean_links_come_out(text: str) -> None:
    for link in read_links(text, max_length=300).links:
        assert link.canonical.isascii()
        assert link.canonical.startswith(("https://x.com/", "https://t.me/"))


@given(st.from_regex(r"[A-Za-z0-9_]{1,15}", fullmatch=True), st.integers(1, 10**19))
def test_a_canonical_link_is_its_own_canonical_link(user: str, post: int) -> None:
    (link,) = read_links(f"twitter.com/{user}/status/{post}", max_length=300).links
    assert read_links(link.canonical, max_length=300).links == (link,)


def test_links_pasted_without_a_space_are_two() -> None:
    assert one("https://x.com/a/status/1https://x.com/b/status/2") == (
        "https://x.com/a/status/1",
        "https://x.com/b/status/2",
    )
    assert one("https://x.com/a/status/1?next=https://x.com/b/status/2") == ("https://x.com/a/status/1",)


@pytest.mark.parametrize("text", ["https://x.com/a/status/12abc", "https://x.com/a/status/12٣", "x.com/a/status/1é"])
def test_letters_glued_to_the_number_are_not_guessed_away(text: str) -> None:
    assert one(text) == ()
