"""What an owner types about a custom plan: read, or every mistake beside its line."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from viralcore.boosts.api import CustomSpec
from viralcore.bot.admin.custom_form import FormProblems, read
from viralcore.texts.custom import FORM, FORM_PROBLEMS

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BASE = CustomSpec(title="VIP", likes=100, price=Decimal("1.20"), preset=5)


def wrong(text: str, base: CustomSpec | None = None) -> list[tuple[str, str]]:
    with pytest.raises(FormProblems) as refusal:
        read(text, NOW, base)
    assert {code for code, _ in refusal.value.problems} <= set(FORM_PROBLEMS)
    return refusal.value.problems


def test_the_example_is_a_plan() -> None:
    form = read(FORM, NOW)
    assert form.spec == CustomSpec(
        title="VIP for Ada",
        likes=100,
        reposts=5,
        comments=10,
        views=5000,
        expires_at=datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
    )
    assert (form.give, form.reason) == (20, "thank you for your patience")


def test_with_a_price_the_posts_are_offered_and_not_given() -> None:
    form = read("Name : VIP\nLIKES: 1,000\nposts: 20\nprice: $1.50\nreason: as agreed", NOW)
    assert (form.spec.likes, form.spec.price, form.spec.preset, form.give) == (1000, Decimal("1.50"), 20, 0)


def test_a_change_says_only_what_changes() -> None:
    form = read("likes: 120\nposts: -3\nuntil: 2026-03-02 18:00\nreason: r", NOW, BASE)
    assert form.spec == CustomSpec(
        title="VIP",
        likes=120,
        price=Decimal("1.20"),
        preset=5,
        expires_at=datetime(2026, 3, 2, 18, tzinfo=UTC),
    )
    assert form.give == -3
    assert read("until: never\nreason: r\nposts: + 5", NOW, BASE).give == 5


def test_every_mistake_is_told_at_once() -> None:
    told = wrong("likes: many\nlikes: 5\nfollowers: 3\nprice: free\nuntil: 2026-13-01\nhello\nposts: -2")
    assert told == [
        ("twice", "likes: 5"),
        ("unknown", "followers: 3"),
        ("no_colon", "hello"),
        ("number", "likes: many"),
        ("price", "price: free"),
        ("until", "until: 2026-13-01"),
        ("posts", "posts: -2"),
    ]


@pytest.mark.parametrize(
    ("text", "base", "code"),
    [
        ("", None, "missing_name"),
        ("name: VIP\nlikes: 5\nreason: r", None, "missing_posts"),
        ("name: VIP\nlikes: 5\nposts: 5", None, "missing_reason"),
        ("likes: 100\nreason: r", BASE, "nothing"),
        ("posts: 5\nreason: r", BASE, "change"),
        ("until: 2026-03-01\nreason: r", BASE, "past"),
        ("price: -1\nreason: r", BASE, "price"),
        ("price: 1e5\nreason: r", BASE, "price"),
        ("likes: 99999999999999\nreason: r", BASE, "number"),
        ("likes: ١٢\nreason: r", BASE, "number"),
    ],
)
def test_what_cannot_be_is_refused(text: str, base: CustomSpec | None, code: str) -> None:
    assert code in [each for each, _ in wrong(text, base)]
