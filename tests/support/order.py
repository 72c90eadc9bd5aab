"""Which tests a worker begins with: a long one that begins last runs alone at the end, with the other workers idle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import pytest

SECONDS: Mapping[str, int] = {
    "tests/journeys/test_killed_story.py": 150,
    "tests/journeys/test_staff.py": 100,
    "tests/journeys/test_payment_edges.py": 100,
    "tests/journeys/test_bad_input.py": 80,
    "tests/journeys/test_demo.py": 70,
    "tests/journeys/test_main_story.py": 60,
    "tests/web/test_page_with_bot.py": 30,
    "tests/property/test_ledger.py": 30,
    "tests/integration/sandbox/test_supervisor.py": 30,
}
"""What the long files take, roughly; it decides about the order alone."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    if workers > 1:
        items[:] = arranged(items, workers)


def arranged(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """The items in as many equal stretches as there are workers, each beginning with its fair share of the long files.

    ``--dist worksteal`` gives each worker one stretch and lets it steal from the end of another's: files whose tests
    share a sandbox stay together, and what is stolen is short.
    """
    files = [list(group) for _, group in groupby(items, key=_file)]
    long = sorted((file for file in files if _seconds(file)), key=_seconds, reverse=True)
    short = [item for file in files if not _seconds(file) for item in file]
    stretches: list[list[pytest.Item]] = [[] for _ in range(workers)]
    loads = [0] * workers
    for file in long:
        lightest = loads.index(min(loads))
        stretches[lightest] += file
        loads[lightest] += _seconds(file)
    done = 0
    for left, stretch in zip(range(workers, 0, -1), stretches, strict=True):
        # As the scheduler cuts the list: a whole share of what is left, for each that is left.
        wanted = max(0, (len(items) - done) // left - len(stretch))
        stretch += short[:wanted]
        del short[:wanted]
        done += len(stretch)
    return [item for stretch in stretches for item in stretch] + short


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _seconds(file: Sequence[pytest.Item]) -> int:
    return SECONDS.get(_file(file[0]), 0)
