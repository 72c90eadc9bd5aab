"""Telegram's HTML: what it reads, how it complains, and what comes back out."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.telegram import fixture
from viralcore.sandbox.telegram.errors import ApiError
from viralcore.sandbox.telegram.markup import found_entities, parse_html, to_html, utf16


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", []),
        ("<b>bold</b> end", "bold end", [(0, 4, "bold")]),
        ("a <STRONG>b</STRONG>", "a b", [(2, 1, "bold")]),
        ("<b>x<i>y</i></b>", "xy", [(0, 2, "bold"), (1, 1, "italic")]),
        ("&lt;b&gt; &amp; &quot; &#33; &#x41;", '<b> & " ! A', []),
        ("&nbsp; &unknown;", "&nbsp; &unknown;", []),
        ("🎉<b>now</b>", "🎉now", [(2, 3, "bold")]),
        ("  <b> hi </b>  ", "hi", [(0, 2, "bold")]),
        ("<b></b>x", "x", []),
        ("<u>u</u><s>s</s><code>c</code>", "usc", [(0, 1, "underline"), (1, 1, "strikethrough"), (2, 1, "code")]),
        ('<span class="tg-spoiler">s</span>', "s", [(0, 1, "spoiler")]),
        ("<blockquote expandable>q</blockquote>", "q", [(0, 1, "expandable_blockquote")]),
        ("5 > 3 and 'x'", "5 > 3 and 'x'", []),
        ("<b >x</b >", "x", [(0, 1, "bold")]),
    ],
)
def test_reads(source: str, text: str, entities: list[tuple[int, int, str]]) -> None:
    words, found = parse_html(source)
    assert words == text
    assert [(e["offset"], e["length"], e["type"]) for e in found] == entities


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("a <b>b", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x <img src=1>", 'Unsupported start tag "img" at byte offset 2'),
        ("é <h1>x</h1>", 'Unsupported start tag "h1" at byte offset 3'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("a <b", "Unclosed start tag at byte offset 2"),
        ("</b>", "Unexpected end tag at byte offset 0"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<a href>x</a>", 'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0'),
        ('<a href="x>y</a>', 'Unclosed start tag "a" at byte offset 0'),
        ("<a href=x/y>y</a>", "Unexpected end of name token at byte offset 8"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_complains_as_telegram_does(source: str, reason: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_html(source)
    style = str(fixture("error_400_cant_parse_entities")["description"]).partition("Can't")[0]
    assert caught.value.body() == {"ok": False, "error_code": 400, "description": style + reason}


def test_links() -> None:
    _, found = parse_html('<a href="https://x.com/a?b=1&amp;c=2">here</a> <a href="not a link">there</a>')
    assert found == [{"offset": 0, "length": 4, "type": "text_link", "url": "https://x.com/a?b=1&c=2"}]


@given(st.text(max_size=60))
def test_escaped_text_always_comes_back_whole(text: str) -> None:
    words, entities = parse_html(f"<b>{html.escape(text)}</b>")
    assert words == text.strip()
    assert sum(e["length"] for e in entities) == utf16(text.strip())


@given(st.text(alphabet="<>b/&;a =\"'", max_size=40))
def test_anything_is_either_read_or_refused(source: str) -> None:
    try:
        words, entities = parse_html(source)
    except ApiError:
        return
    again, found = parse_html(to_html(words, entities))
    assert (again, found) == (words, entities)


def test_html_for_the_page_is_safe() -> None:
    words, entities = parse_html("<b>&lt;script&gt;</b> <a href='https://e.org/\"&gt;&lt;x'>y</a>")
    shown = to_html(words, entities)
    assert "<script" not in shown
    assert shown.startswith("<b>&lt;script&gt;</b>")
    assert '"><x' not in shown


def test_telegram_finds_commands_and_links_by_itself() -> None:
    found = found_entities("/start ref_abc see https://x.com/a/status/1. and x.com/b @ada_l #now a/b")
    assert [(e["type"], e["offset"], e["length"]) for e in found] == [
        ("bot_command", 0, 6),
        ("url", 19, 25 - 1),
        ("url", 49, 7),
        ("mention", 57, 6),
        ("hashtag", 64, 4),
    ]
