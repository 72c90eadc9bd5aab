"""Reply guys: what a typed line claims, and which links are replies. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import SequenceMatcher

from viralcore.boosts.api import LinkProblem
from viralcore.boosts.domain.links import Found, comment_of, read_links

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SAID: Mapping[str, int] = {
    **{day[:3]: number for number, day in enumerate(DAYS)},
    "tues": 1,
    "weds": 2,
    "wens": 2,
    "thur": 3,
    "thurs": 3,
    "sonday": 6,
    "tursday": 3,
    "sonde": 6,
    "satiday": 5,
    "moday": 0,
    "munday": 0,
}
"""Short forms, and spellings that are as near to one day as to another."""
_TODAY = frozenset({"today", "2day", "todai", "tday", "tody", "now", "tonight"})
_YESTERDAY = frozenset({"yesterday", "yestaday", "yesday", "yesterdey", "yestarday", "yday", "ysterday"})
_LAST = frozenset({"last", "past"})
_NOISE = frozenset(
    {"replies", "reply", "on", "for", "i", "did", "do", "done", "comments", "comment", "this", "of", "and", "na", "am"}
    | {"count", "day", "the", "wey", "dey", "at", "to", "my", "x", "pcs", "posts", "post", "rply", "replys", "inside"}
)
_ALIKE, _APART = 700, 50
"""In thousandths: how near a word must be to a day, and how much nearer than to any other."""
_WORD = re.compile(r"[^\W\d_]+(?:2day)?|2day|2moro", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d[\d.,]*\d|-?\d")


@dataclass(frozen=True, slots=True)
class Report:
    """So many replies on such a day."""

    count: int
    day: date


@dataclass(frozen=True, slots=True)
class NoReport:
    """`reason`: no_number, numbers (several of them), count (not a whole number, or out of bounds), no_day, day (not
    one we can tell), future, too_old."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reply:
    """`name`: one name for one reply, however its link was written. `link`: as it is stored and shown."""

    name: str
    link: str


def read_report(line: str, *, today: date, back: int, most: int) -> Report | NoReport:
    """``12, wensday``, ``wed 12``, ``12 replies yesterday``: the newest day that fits, at most `back` days ago."""
    text = line.lower().replace("\u2019", "'")
    words = _WORD.findall(text)
    numbers = _NUMBER.findall(re.sub(r"2day|2moro", " ", text))
    if len(numbers) != 1:
        return NoReport("numbers" if numbers else "no_number")
    if not numbers[0].isdigit() or not 1 <= int(numbers[0][:9]) <= most or len(numbers[0]) > 9:
        return NoReport("count")
    day = _day(words, today)
    if isinstance(day, NoReport):
        return day
    if (wrong := judge_day(day, today=today, back=back)) is not None:
        return wrong
    return Report(int(numbers[0]), day)


def judge_day(day: date, *, today: date, back: int) -> NoReport | None:
    """Whether replies of that day can still be reported."""
    if day > today:
        return NoReport("future")
    return NoReport("too_old") if day < today - timedelta(days=back) else None


def _day(words: Sequence[str], today: date) -> date | NoReport:
    """The day somebody means. A weekday is its last one, today included; ``last`` before it: not today. Words that name
    no day are passed over, as what was understood is shown before it counts."""
    last = bool(set(words) & _LAST)
    told = [word for word in words if word not in _NOISE and word not in _LAST]
    if not told:
        return NoReport("no_day")
    found: set[date] = set()
    for word in told:
        if word in _TODAY:
            found.add(today)
        elif word in _YESTERDAY:
            found.add(today - timedelta(days=1))
        elif word in ("tomorrow", "tomoro", "2moro", "tmrw"):
            return NoReport("future")
        elif (weekday := read_weekday(word)) is not None:
            found.add(today - timedelta(days=(today.weekday() - weekday) % 7 or (7 if last else 0)))
    return found.pop() if len(found) == 1 else NoReport("day")


def read_weekday(word: str) -> int | None:
    """0 is Monday. The nearest name, if it is near enough and no other is as near."""
    if word in _SAID:
        return _SAID[word]
    starts = [number for number, day in enumerate(DAYS) if len(word) >= 2 and day.startswith(word)]
    if starts:
        return starts[0] if len(starts) == 1 else None
    if len(word) < 4:
        return None
    if sum(_one_letter_off(word, day) for day in DAYS) > 1:  # "thuesday"
        return None
    near = sorted(
        ((int(SequenceMatcher(None, word, day).ratio() * 1000), n) for n, day in enumerate(DAYS)), reverse=True
    )
    (best, number), (second, _) = near[:2]
    return number if best >= _ALIKE and best - second >= _APART else None


def _one_letter_off(word: str, day: str) -> bool:
    """Whether one letter too many, too few or wrong makes the one the other."""
    pairs = zip(word, day, strict=False)
    same = next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(word), len(day)))
    wrong, more, fewer = (
        word[same + 1 :] == day[same + 1 :],
        word[same + 1 :] == day[same:],
        word[same:] == day[same + 1 :],
    )
    return wrong or more or fewer


def read_replies(text: str, *, max_length: int) -> tuple[tuple[Reply, ...], tuple[LinkProblem, ...]]:
    """Links to replies, each once, and why others were not taken. A Telegram comment is named by its number."""
    replies: dict[str, Reply] = {}
    problems: list[LinkProblem] = []
    for token in text.split():
        found = read_links(token, max_length=max_length)
        problems += found.problems
        for reply in _named(token, found):
            if reply.name in replies:
                problems.append(LinkProblem(reply.link, "duplicate"))
            replies.setdefault(reply.name, reply)
    return tuple(replies.values()), tuple(problems)


def _named(token: str, found: Found) -> list[Reply]:
    named = []
    for link in found.links:
        comment = comment_of(token) if link.platform == "telegram" and len(found.links) == 1 else ""
        named.append(Reply(link.post + comment, link.canonical + comment))
    return named
