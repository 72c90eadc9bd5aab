"""Every notice, word for word, and what all of them keep to.

After a change that is meant: ``python -m tests.unit.texts.test_notices`` writes the golden file anew; read the diff.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.texts.samples import ADA, EXACT, SALE, to_people, to_staff
from viralcore.core.screen import Button, Screen, encode
from viralcore.sandbox.telegram.markup import parse_html
from viralcore.texts import cards, notices
from viralcore.texts.actions import STAFF_CARD, Go

GOLDEN = Path(__file__).parent / "notices.golden.txt"
ROUTES = re.compile(r"orders|order:\d+|invoice:\d+|submit|balance|history|home|support|menu|receipt:\d+|replies|tasks")
PEOPLE, STAFF = dict(to_people()), dict(to_staff())
EVERYTHING = [pytest.param(screen, id=name) for name, screen in {**PEOPLE, **STAFF}.items()]


def written(named: dict[str, Screen]) -> str:
    parts = []
    for name, screen in named.items():
        rows = "\n".join("    " + "  ".join(f"[{button.label}]" for button in row) for row in screen.rows)
        parts.append(f"=== {name.strip()}\n{screen.text}\n{rows}".rstrip())
    return "\n\n".join(parts) + "\n"


def test_word_for_word() -> None:
    assert written({**PEOPLE, **STAFF}) == GOLDEN.read_text()


def test_no_two_samples_share_a_name() -> None:
    assert len(PEOPLE) + len(STAFF) == len(list(to_people())) + len(list(to_staff()))


@pytest.mark.parametrize("screen", EVERYTHING)
def test_telegram_reads_it(screen: Screen) -> None:
    words, _ = parse_html(str(screen.text))
    assert 0 < len(words) < 1500
    assert "  " not in words.replace("\n", "|")
    assert not re.search(r"\n{3}|\bNone\b|[{}]", words.replace("{such}", ""))


@pytest.mark.parametrize("screen", [pytest.param(screen, id=name) for name, screen in PEOPLE.items()])
def test_people_get_only_buttons_that_look(screen: Screen) -> None:
    buttons = [button for row in screen.rows for button in row]
    assert buttons
    assert len({button.label for button in buttons}) == len(buttons)
    for button in buttons:
        assert isinstance(button.action, Go)
        assert ROUTES.fullmatch(button.action.route)
        assert encode(button.action, "n" * 8)


@pytest.mark.parametrize("screen", [pytest.param(screen, id=name) for name, screen in STAFF.items()])
def test_staff_get_only_buttons_of_cards(screen: Screen) -> None:
    for button in [button for row in screen.rows for button in row]:
        assert isinstance(button, Button)
        if button.url is not None:
            assert re.fullmatch(r"https://t\.me/viralcore_bot\?start=receipt_\d+", button.url)
        else:
            assert isinstance(button.action, STAFF_CARD)


def test_a_name_with_markup_is_shown_as_it_is() -> None:
    words, _ = parse_html(str(cards.deposit(EXACT, SALE, ADA).text))
    assert "<b>Ada</b>_x & co (@ada_l, 2001)" in words


def test_the_credits_are_told_with_what_to_do() -> None:
    words, _ = parse_html(str(notices.deposit(EXACT, SALE).text))
    assert "You have 10 X Tier 3 posts. Paste the link" in words


if __name__ == "__main__":
    GOLDEN.write_text(written({**PEOPLE, **STAFF}))
