"""Each import contract is broken on a copy of the package and must go red; the copy as it stands must be green."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture import rules

CONFIG = tomllib.loads((rules.ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in CONFIG["contracts"]}

BREAKS = [
    ("layers", "core/money", "import viralcore.ledger.api"),
    ("layers", "ledger/domain", "import viralcore.users.api"),
    ("layers", "users/domain", "import viralcore.ledger.api"),
    ("layers", "payments/domain", "import viralcore.boosts.api"),
    ("layers", "boosts/domain", "import viralcore.bot.intake"),
    ("layers", "notifications/service", "import viralcore.bot.intake"),
    ("layers", "texts/wording", "import viralcore.users.api"),
    ("layers", "web/server", "import viralcore.bot.intake"),
    ("layers", "settings", "import viralcore.bootstrap"),
    ("layers", "bootstrap", "import viralcore.cli"),
    ("layers", "a_new_room/service", ""),
    ("doors", "boosts/service", "import viralcore.payments.domain"),
    ("doors", "boosts/service", "import viralcore.payments.repository"),
    ("doors", "bot/user/sample", "import viralcore.boosts.service"),
    ("doors", "bootstrap", "import viralcore.users.service"),
    ("doors", "settings", "import viralcore.payments.domain"),
    ("doors", "bot/user/sample", "import viralcore.payments.module"),
    ("doors", "bot/user/sample", "import viralcore.boosts.door.orders"),
    ("doors", "withdrawals/api", "import viralcore.boosts.door.orders"),
    ("rooms", "payments/config", "import viralcore.payments.domain"),
    ("rooms", "payments/domain", "import viralcore.payments.ports"),
    ("rooms", "payments/repository", "import viralcore.payments.service"),
    ("rooms", "payments/adapters", "import viralcore.payments.service"),
    ("rooms", "users/api", "import viralcore.users.domain"),
    ("rooms", "boosts/door", "import viralcore.boosts.api"),
    ("rooms", "boosts/door", "import viralcore.boosts.domain.links"),
    ("door_parts", "boosts/service", "import viralcore.boosts.door.orders"),
    ("door_parts", "bot/user/sample", "import viralcore.boosts.door.orders"),
    ("adapters", "payments/service", "import viralcore.payments.adapters"),
    ("statements", "payments/jobs", "import viralcore.payments.repository"),
    ("statements", "payments/adapters", "import viralcore.payments.tables"),
    ("sql", "payments/service", "import sqlalchemy"),
    ("sql", "bot/user/sample", "from sqlalchemy import text"),
    ("sql", "cli", "import psycopg"),
    ("http", "payments/service", "import httpx"),
    ("telegram", "boosts/service", "from telegram import Bot"),
    ("telegram", "notifications/service", "import telegram.ext"),
    ("texts", "boosts/service", "import viralcore.texts.wording"),
    ("sandbox", "bootstrap", "import viralcore.sandbox.world"),
    ("sandbox", "core/clock", "import viralcore.sandbox.world"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(rules.PACKAGE, folder / "viralcore", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(rules.ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture
def broken(copy: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """One line appended to one room of the copy (a new file in it when the room is a folder), taken back afterwards."""
    contract, room, line = request.param
    place = copy / "viralcore" / room
    path = place / "sample.py" if place.is_dir() else place.with_suffix(".py")
    new_folder = not path.parent.exists()
    path.parent.mkdir(exist_ok=True)
    if new_folder:
        (path.parent / "__init__.py").touch()
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    yield contract
    if before is None:
        path.unlink()
    else:
        path.write_text(before)
    if new_folder:
        shutil.rmtree(path.parent)


def lint(folder: Path, *contracts: str) -> tuple[int, str]:
    limits = [part for contract in contracts for part in ("--contract", contract)]
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo", *limits],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "COLUMNS": "400"},
    )
    return done.returncode, done.stdout + done.stderr


def test_the_house_keeps_its_contracts(copy: Path) -> None:
    code, said = lint(copy)
    assert code == 0, said
    assert f"{len(CONTRACTS)} kept, 0 broken" in said


@pytest.mark.parametrize("broken", BREAKS, indirect=True, ids=lambda one: f"{one[0]}: {one[1]} {one[2][7:]}")
def test_goes_red(copy: Path, broken: str) -> None:
    code, said = lint(copy, broken)
    assert code == 1
    assert f"{CONTRACTS[broken]['name']} BROKEN" in said, said


def test_every_contract_has_been_seen_red() -> None:
    assert {contract for contract, _, _ in BREAKS} == set(CONTRACTS)


def test_every_module_on_disk_is_in_the_contracts() -> None:
    found = rules.modules()
    assert {line.split(".")[1] for line in CONTRACTS["doors"]["protected_modules"]} == found
    assert {line.split(".")[1] for line in CONTRACTS["rooms"]["containers"]} == found
    own = {f"viralcore.{name}.** -> viralcore.{name}.**" for name in found}
    assert own <= set(CONTRACTS["doors"]["ignore_imports"])
