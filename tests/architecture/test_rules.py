"""The house rules that no linter knows. Every rule is first shown something that breaks it."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import bad_samples, rules
from viralcore.core.errors import DomainError
from viralcore.core.events import Event

SOURCES = dict(rules.sources())


def test_init_files_hold_at_most_a_docstring() -> None:
    assert rules.more_than_a_docstring("from x import y\n")
    assert rules.more_than_a_docstring('"""Words."""\nX = 1\n')
    assert not rules.more_than_a_docstring('"""Words."""\n')
    wrong = [
        path for path, text in SOURCES.items() if path.endswith("__init__.py") and rules.more_than_a_docstring(text)
    ]
    assert wrong == []


def test_functions_and_files_stay_short() -> None:
    assert rules.too_long("x = 1\n" * (rules.LONGEST_FILE + 1))
    assert rules.too_long("def long():\n" + "    x = 1\n" * (rules.LONGEST_FUNCTION + 1))
    assert not rules.too_long("def fine():\n" + "    x = 1\n" * rules.LONGEST_FUNCTION)
    limits = {
        path: rules.LONGEST_DOOR if path.endswith(("/api.py", "/tables.py")) else rules.LONGEST_FILE for path in SOURCES
    }
    wrong = [f"{path}: {what}" for path, text in SOURCES.items() for what in rules.too_long(text, limits[path])]
    assert wrong == []


def test_no_room_is_called_nothing() -> None:
    def nameless(path: str) -> bool:
        return bool(rules.NOWHERE_NAMES & set(Path(path).with_suffix("").parts))

    assert nameless("payments/utils.py")
    assert nameless("common/money.py")
    assert [path for path in SOURCES if nameless(path)] == []


@pytest.mark.parametrize(
    "bad",
    [
        "price = 0.5",
        "def total(amount: float) -> int: ...",
        "def total(amount: int) -> float: ...",
        "x: float = 1",
        "y = float(z)",
        "post(amount=1.5)",
        "def f(rate=0.1): ...",
        "d: dict[str, float] = {}",
    ],
)
def test_floats_near_money_are_seen(bad: str) -> None:
    assert rules.floats(bad)


def test_no_float_near_money() -> None:
    for fine in ("timeout_seconds: float = 0.5", "sleep(seconds=0.5)", "def f(delay: float = 0.1): ...", "x = '0.5'"):
        assert not rules.floats(fine)
    watched = {path: text for path, text in SOURCES.items() if path.startswith(rules.MONEY_PLACES)}
    assert len(watched) > 10
    found = {path: rules.floats(text, rules.EXCUSED.get(path, ())) for path, text in watched.items()}
    assert {path: what for path, what in found.items() if what} == {}


def test_doors_speak_in_primitives_and_core_types() -> None:
    found = rules.foreign_types(bad_samples)
    assert len(found) == 4
    assert [what for what in found if what.startswith("Door.look: return:")], "a type of a module's inside"
    doors = rules.doors()
    assert len(doors) >= 15
    assert {"viralcore.boosts.api", "viralcore.boosts.door.orders"} <= set(doors)
    wrong = [f"{name}: {what}" for name in doors for what in rules.foreign_types(importlib.import_module(name))]
    assert wrong == []


def test_an_api_names_all_that_its_door_says() -> None:
    said = "from x import F\nA = 1\nB: int = 2\n_C = 3\n\n\nclass D: ...\n\n\ndef e(): ...\n"
    assert rules.left_out(said, ()) == ["A", "B", "D", "e"]
    assert rules.left_out(said, {"A", "B", "D", "e"}) == []
    parts = list(rules.door_parts())
    assert len(parts) >= 7
    wrong = {}
    for path in parts:
        part = path.relative_to(rules.PACKAGE)
        api = importlib.import_module(f"viralcore.{part.parts[0]}.api")
        wrong[part.as_posix()] = rules.left_out(path.read_text(), api.__all__)
    assert {part: names for part, names in wrong.items() if names} == {}


def test_every_refusal_has_a_code_of_its_own_and_words() -> None:
    from viralcore.texts.errors import KNOWN

    samples = {bad_samples.Nameless, bad_samples.Stranger, bad_samples.TwinA, bad_samples.TwinB}
    assert len(rules.bad_codes(samples)) == 3

    rules.import_everything()
    errors = rules.subclasses(DomainError)
    assert len(errors) > 20
    assert rules.bad_codes(errors) == []
    assert sorted({error.code for error in errors} - KNOWN) == []


def test_events_are_named_frozen_and_plain() -> None:
    assert len(rules.bad_events({bad_samples.Rich})) == 2
    rules.import_everything()
    events = rules.subclasses(Event)
    assert len(events) > 10
    assert rules.bad_events(events) == []


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("import asyncio\n\n\nasync def f(c):\n    asyncio.create_task(c)\n", "TID251"),
        ("import asyncio\n\n\nasync def f(c):\n    asyncio.ensure_future(c)\n", "TID251"),
        ("from asyncio import create_task\n", "TID251"),
        ("import os\n\nX = os.environ['X']\n", "TID251"),
        ("from datetime import UTC, datetime\n\nX = datetime.now(UTC)\n", "TID251"),
        ("from datetime import datetime\n\nX = datetime.now()\n", "DTZ005"),
        ("import time\n\n\nasync def f():\n    time.sleep(1)\n", "ASYNC251"),
        ("print('x')\n", "T201"),
        ("try:\n    x = 1\nexcept:\n    pass\n", "E722"),
    ],
)
def test_ruff_forbids(bad: str, code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--stdin-filename", "viralcore/users/sample.py", "-"],
        input=bad,
        capture_output=True,
        text=True,
        cwd=rules.ROOT,
        check=False,
    )
    assert done.returncode == 1
    assert code in done.stdout
