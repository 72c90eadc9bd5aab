"""The order of the tests: nothing is lost or doubled, long files come first and stay whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.order import SECONDS, arranged


@dataclass(frozen=True)
class Item:
    nodeid: str

    @property
    def file(self) -> str:
        return self.nodeid.partition("::")[0]


def collected() -> list[Any]:
    files = [
        *SECONDS,
        "tests/architecture/test_rules.py",
        "tests/journeys/test_new.py",
        "tests/unit/core/test_money.py",
    ]
    return [Item(f"{file}::test_{number}") for file in sorted(files) for number in range(40)]


def test_long_files_come_first_and_whole() -> None:
    items = collected()
    order = arranged(items)
    assert sorted(item.nodeid for item in order) == sorted(item.nodeid for item in items)
    files = [item.file for item in order[::40]]
    assert [item.file for item in order] == [file for file in files for _ in range(40)]
    assert files[: len(SECONDS) + 1] == sorted(files[: len(SECONDS) + 1], key=lambda f: -SECONDS.get(f, 20))
    assert {*SECONDS, "tests/journeys/test_new.py"} == set(files[: len(SECONDS) + 1])


def test_the_tests_of_a_file_keep_their_order() -> None:
    order = [item.nodeid for item in arranged(collected()) if "test_wallet" in item.nodeid]
    assert order == [f"tests/journeys/test_wallet.py::test_{number}" for number in range(40)]
