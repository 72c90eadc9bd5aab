"""Which files the workers begin with: a long one that begins last runs alone at the end, the other workers idle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import pytest

SECONDS: Mapping[str, int] = {
    "tests/journeys/test_killed_story.py": 165,
    "tests/journeys/test_catalogue.py": 120,
    "tests/journeys/test_staff.py": 100,
    "tests/journeys/test_demo.py": 90,
    "tests/journeys/test_chaos.py": 70,
    "tests/journeys/test_main_story.py": 70,
    "tests/journeys/test_bank.py": 70,
    "tests/integration/web/test_ready.py": 60,
    "tests/journeys/test_wallet.py": 60,
    "tests/journeys/test_crowd.py": 60,
    "tests/integration/payments/test_webhooks.py": 55,
    "tests/integration/web/test_webhook.py": 55,
    "tests/contract/payments/test_flutterwave_world.py": 45,
    "tests/journeys/test_reply_guys.py": 45,
    "tests/journeys/test_payment_edges.py": 40,
    "tests/journeys/test_every_coin.py": 40,
    "tests/journeys/test_payout_storm.py": 40,
    "tests/integration/cli/test_commands.py": 40,
    "tests/journeys/test_bad_input.py": 35,
    "tests/journeys/test_withdrawals.py": 35,
    "tests/web/test_page_with_bot.py": 35,
    "tests/journeys/test_custom_orders.py": 35,
    "tests/property/test_ledger.py": 30,
    "tests/integration/sandbox/test_bank_with_bot.py": 27,
    "tests/integration/sandbox/test_supervisor.py": 25,
    "tests/integration/withdrawals/test_storm.py": 25,
}
"""What the long files take, roughly; it decides about the order alone. A journey that is not named here is long too."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items[:] = arranged(items)


def arranged(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The items with the long files first, each in one piece.

    ``--dist loadfile --no-loadscope-reorder`` hands out whole files in this order: what the tests of a file share, a
    sandbox or a database, is made once, and tests that go on where another ended run where it ran.
    """
    files = [list(group) for _, group in groupby(items, key=_file)]
    return [item for file in sorted(files, key=_seconds, reverse=True) for item in file]


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _seconds(file: Sequence[pytest.Item]) -> int:
    name = _file(file[0])
    return SECONDS.get(name, 20 if name.startswith("tests/journeys/") else 0)
