"""The list of banks as a person searches it. Pure.

The provider's list has about 600 rows, of which some are doubles: a code twice under two spellings, a code twice for
two names of one house, a code that was given up. A row's own id is its key; the code is only what is sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher

from viralcore.withdrawals.payout_config import Banks

LONGEST_SEARCH = 60
_SHORTENED = (
    (re.compile(r"\bmicro ?finance (bank|bnk)\b|\bmf ?bank\b|\bmicrofinance\b"), "mfb"),
    (re.compile(r"\bpayment services? bank\b"), "psb"),
    (re.compile(r"\bmortgage bank\b"), "mortgage"),
)
_SMALL = frozenset({"plc", "ltd", "limited", "of", "nigeria", "nig", "the", "and", "nigerian"})
_KINDS = frozenset({"bank", "mfb", "psb", "mortgage"})
_EXACT, _SYNONYM, _FRONT, _WORDS, _INSIDE, _CLOSE = range(6)


@dataclass(frozen=True, slots=True)
class Bank:
    """A row: `id` is its key, `code` what is sent, `name` what is shown."""

    id: int
    code: str
    name: str


def plain(name: str) -> str:
    """A name as it is compared: small letters, no accents, no ``PLC``, one spelling of microfinance bank."""
    flat = unicodedata.normalize("NFKD", name.casefold())
    flat = "".join(mark for mark in flat if not unicodedata.combining(mark))
    text = " ".join(re.sub(r"[^a-z0-9]+", " ", flat).split())
    for pattern, short in _SHORTENED:
        text = pattern.sub(short, text)
    words = [word for word in text.split() if word not in _SMALL]
    return " ".join(words) if words else text


def core(name: str) -> str:
    """A plain name without what kind of house it is: ``kuda`` of ``Kuda MFB``."""
    words = [word for word in name.split() if word not in _KINDS]
    return " ".join(words) if words else name


@dataclass(frozen=True, slots=True)
class _Entry:
    bank: Bank
    name: str
    core: str


class BankIndex:
    """The rows of one list, ready to be searched."""

    def __init__(self, rows: Iterable[Bank], settings: Banks) -> None:
        self._close = settings.close
        cleaned = [Bank(row.id, row.code.strip(), " ".join(row.name.split())) for row in rows]
        self._by_id = {row.id: row for row in cleaned if _is_code(row.code) and row.name}
        old = {code for code in settings.old_codes if any(row.code not in settings.old_codes for row in cleaned)}
        offered = [row for row in self._by_id.values() if row.code not in old]
        self._entries = tuple(_entry(row) for row in _without_doubles(offered))
        self._synonyms = {plain(said): [plain(m) for m in one.means] for one in settings.synonyms for said in one.said}

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, bank_id: int) -> Bank | None:
        """A row by its id, also one that is not offered any more: somebody may have chosen it before."""
        return self._by_id.get(bank_id)

    def search(self, text: str, limit: int) -> tuple[Bank, ...]:
        """What is called like this, best first; where nothing is, what is spelt nearly so. Never everything."""
        asked = plain(text[:LONGEST_SEARCH])
        if not asked:
            return ()
        ranked = [(rank, entry) for entry in self._entries if (rank := self._rank(asked, entry)) is not None]
        if not ranked:
            return tuple(bank for _, bank in self._alike(asked)[:limit])
        ranked.sort(key=lambda pair: (pair[0], _small_code(pair[1]), len(pair[1].name), pair[1].name, pair[1].bank.id))
        return tuple(entry.bank for _, entry in ranked[:limit])

    def _rank(self, asked: str, entry: _Entry) -> int | None:
        if asked in (entry.name, entry.core, entry.bank.code) or core(asked) == entry.core:
            return _EXACT
        for meant in self._synonyms.get(asked, self._synonyms.get(core(asked), ())):
            if entry.name.startswith(meant) or core(meant) == entry.core:
                return _SYNONYM
        if entry.name.startswith(asked):
            return _FRONT
        words = entry.name.split()
        if all(any(word.startswith(part) for word in words) for part in asked.split()):
            return _WORDS
        if len(asked) > 2 and asked.replace(" ", "") in entry.name.replace(" ", ""):
            return _INSIDE
        return None

    def _alike(self, asked: str) -> list[tuple[Decimal, Bank]]:
        """Misspelt: by how alike names, their words, and what people call them are."""
        wanted = core(asked)
        found: dict[int, tuple[Decimal, Bank]] = {}
        meant = {m: _likeness(wanted, said) for said, means in self._synonyms.items() for m in means}
        for entry in self._entries:
            names = {_likeness(wanted, entry.core), _likeness(wanted, entry.core.split()[0])}
            names |= {alike for m, alike in meant.items() if entry.name.startswith(m) or core(m) == entry.core}
            best = max({*names, _likeness(asked, entry.name)})
            if best >= self._close:
                found[entry.bank.id] = (best, entry.bank)
        return sorted(found.values(), key=lambda pair: (-pair[0], len(pair[1].name), pair[1].id))


def _likeness(one: str, other: str) -> Decimal:
    """0 to 1. Compared without spaces: ``monie point`` is ``moniepoint``."""
    matcher = SequenceMatcher(None, one.replace(" ", ""), other.replace(" ", ""), autojunk=False)
    ratio = matcher.real_quick_ratio() and matcher.quick_ratio() and matcher.ratio()
    return Decimal(str(ratio))


def _is_code(code: str) -> bool:
    return code.isascii() and code.isalnum()


def _small_code(entry: _Entry) -> bool:
    """The old commercial banks have three digits and are meant more often: False sorts first."""
    return len(entry.bank.code) > 3


def _entry(bank: Bank) -> _Entry:
    name = plain(bank.name)
    return _Entry(bank, name, core(name))


def _without_doubles(rows: Sequence[Bank]) -> list[Bank]:
    """One row where the same house stands twice under one code: the better spelt. Two names under one code (Carbon was
    One Finance) stay, and lead to the same code."""
    kept: dict[tuple[str, str], Bank] = {}
    for row in rows:
        key = (row.code, core(plain(row.name)))
        known = kept.get(key)
        if known is None or (known.name.isupper() and not row.name.isupper()):
            kept[key] = row
    return list(kept.values())
