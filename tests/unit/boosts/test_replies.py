"""What a reply guy's line means: counts, weekdays however they are spelt, and links of replies."""

from __future__ import annotations

from datetime import date, timedelta
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viralcore.boosts.domain.replies import DAYS, NoReport, Report, judge_day, read_replies, read_report, read_weekday

FRIDAY = date(2026, 11, 27)


def read(line: str, today: date = FRIDAY) -> Report | NoReport:
    return read_report(line, today=today, back=7, most=200)


@pytest.mark.parametrize(
    ("line", "count", "day"),
    [
        ("12, wensday", 12, 25),
        ("12, Wednesday", 12, 25),
        ("12 wenesday", 12, 25),
        ("12 on wed.", 12, 25),
        ("wednesdy 12", 12, 25),
        ("12,weds", 12, 25),
        ("3 thur", 3, 26),
        ("3, Thurs", 3, 26),
        ("3, thrusday", 3, 26),
        ("3, tursday", 3, 26),
        ("5 Mon", 5, 23),
        ("5 munday", 5, 23),
        ("7, tuedsay", 7, 24),
        ("7, teusday", 7, 24),
        ("8 fri", 8, 27),
        ("8 frieday", 8, 27),
        ("9 sarturday", 9, 21),
        ("9, satuday", 9, 21),
        ("9 saterday", 9, 21),
        ("4 sonday", 4, 22),
        ("4 sunnday", 4, 22),
        ("4 SUNDAY", 4, 22),
        ("12 replies on wednesday", 12, 25),
        ("I did 12 for yestaday", 12, 26),
        ("20 today", 20, 27),
        ("20 2day", 20, 27),
        ("6 last friday", 6, 20),
        ("6 last wed", 6, 25),
        ("1 na tuesday", 1, 24),
        ("I did 12 good ones, wensday", 12, 25),
    ],
)
def test_a_day_is_found_however_it_is_spelt(line: str, count: int, day: int) -> None:
    assert read(line) == Report(count, date(2026, 11, day))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("wednesday", "no_number"),
        ("", "no_number"),
        ("12", "no_day"),
        ("12 replies", "no_day"),
        ("12 5 wednesday", "numbers"),
        ("0 wednesday", "count"),
        ("-3 wednesday", "count"),
        ("1.5 wednesday", "count"),
        ("1,000 wednesday", "count"),
        ("201 wednesday", "count"),
        ("99999999999999999999 wednesday", "count"),
        ("12 t", "day"),
        ("12 s", "day"),
        ("12 banana", "day"),
        ("12 monday tuesday", "day"),
        ("12 tomorrow", "future"),
    ],
)
def test_what_cannot_be_told_is_asked_again(line: str, reason: str) -> None:
    assert read(line) == NoReport(reason)


def test_never_in_the_future_and_at_most_a_week_back() -> None:
    back = {judge_day(FRIDAY - timedelta(days=n), today=FRIDAY, back=7) for n in range(8)}
    assert back == {None}
    assert judge_day(FRIDAY - timedelta(days=8), today=FRIDAY, back=7) == NoReport("too_old")
    assert judge_day(FRIDAY + timedelta(days=1), today=FRIDAY, back=7) == NoReport("future")


@given(st.integers(0, 6), st.integers(1, 200), st.dates(date(2026, 1, 1), date(2030, 1, 1)))
def test_every_weekday_is_its_last_one(weekday: int, count: int, today: date) -> None:
    found = read(f"{count}, {DAYS[weekday]}", today)
    assert isinstance(found, Report)
    assert found.count == count
    assert found.day.weekday() == weekday
    assert 0 <= (today - found.day).days < 7


def test_one_wrong_letter_never_names_another_day() -> None:
    """But for three that are written so often that who means the other day is shown what was understood."""
    taken = {}
    for number, day in enumerate(DAYS):
        for place in range(len(day)):
            for letter in ascii_lowercase:
                typed = day[:place] + letter + day[place + 1 :]
                if read_weekday(typed) not in (number, None):
                    taken[typed] = day
    assert taken == {"sonday": "monday", "munday": "sunday", "tursday": "tuesday"}


def test_what_may_be_two_days_is_none_of_them() -> None:
    assert read_weekday("thuesday") is None


@given(st.text(max_size=80))
def test_any_line_is_read_without_a_crash(line: str) -> None:
    found = read(line)
    assert isinstance(found, NoReport) or 0 <= (FRIDAY - found.day).days <= 7


def test_links_are_one_reply_however_they_are_written() -> None:
    replies, problems = read_replies(
        "https://x.com/ada/status/123?s=20 twitter.com/i/status/123\nhttps://t.me/Shop/45?comment=7 "
        "t.me/shop/45?comment=8 https://t.me/shop/45?comment=07x https://x.com/ada https://example.com/1",
        max_length=300,
    )
    assert [reply.name for reply in replies] == [
        "https://x.com/i/status/123",
        "https://t.me/shop/45?comment=7",
        "https://t.me/shop/45?comment=8",
        "https://t.me/shop/45",
    ]
    assert [(problem.reason) for problem in problems] == ["duplicate", "not_a_post", "not_supported"]
