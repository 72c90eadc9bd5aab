"""The order of the tests: nothing is lost or doubled, long files come first on every worker and stay whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.order import SECONDS, arranged


@dataclass(frozen=True)
class Item:
    nodeid: str


def collected() -> list[Any]:
    files = [*SECONDS, "tests/architecture/test_rules.py", "tests/unit/core/test_money.py"]
    return [Item(f"{file}::test_{number}") for file in sorted(files) for number in range(40)]


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_every_worker_begins_with_whole_long_files(workers: int) -> None:
    items = [*collected(), *(Item(f"tests/unit/core/test_{n}.py::test") for n in range(900))]
    order = arranged(items, workers)
    assert sorted(item.nodeid for item in order) == sorted(item.nodeid for item in items)
    met: list[str] = []
    for left in range(workers, 0, -1):
        stretch, order = order[: len(order) // left], order[len(order) // left :]
        files = [item.nodeid.partition("::")[0] for item in stretch]
        long = list(dict.fromkeys(file for file in files if file in SECONDS))
        assert long
        assert files[: 40 * len(long)] == [file for file in long for _ in range(40)]
        met += long
    assert sorted(met) == sorted(SECONDS)


def test_a_few_tests_are_all_there() -> None:
    items = collected()[:3]
    assert sorted(item.nodeid for item in arranged(items, 2)) == sorted(item.nodeid for item in items)
