"""The rules of money with one thing wrong at a time (mutmut): how many of these mutants their unit tests notice.

    make bench ONLY=mutants

mutmut works on a copy: it writes all mutants of a function beside it and chooses one by the environment. A mutant that
runs for ever is noticed as well. The names of those that nobody noticed are printed.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.bench.harness import Result, absolute

ROOT = Path(__file__).parents[2]
GOAL = 85.0
AT_ONCE = 2
RULES = {"withdrawals_mutants": "viralcore/withdrawals/domain/*.py", "ledger_mutants": "viralcore/ledger/domain.py"}
TESTS = {"withdrawals_mutants": "tests/unit/withdrawals", "ledger_mutants": "tests/unit/ledger"}
NEEDED = (
    "viralcore",
    "settings",
    "tests/__init__.py",
    "tests/conftest.py",
    "tests/support",
    "tests/unit",
    "tests/fixtures",
)
SURVIVED = 0
"""The exit code of tests that saw nothing wrong."""


def _workshop(folder: Path, name: str) -> None:
    """A copy of what is mutated, of its tests, and of nothing that would make them slow."""
    for one in NEEDED:
        source, copy = ROOT / one, folder / one
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    (folder / "setup.cfg").write_text(
        f"[mutmut]\nsource_paths=viralcore\nonly_mutate={RULES[name]}\nalso_copy=\n    settings\n    tests\n"
        f"    viralcore\npytest_add_cli_args_test_selection={TESTS[name]}\n"
    )
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\naddopts = -p no:cacheprovider -p no:xdist\n")


def measured(folder: Path, name: str) -> tuple[Counter[str], list[str]]:
    """How many mutants there were, and were noticed; the names of the others."""
    _workshop(folder, name)
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(AT_ONCE)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    told = [json.loads(file.read_text())["exit_code_by_key"] for file in (folder / "mutants").rglob("*.meta")]
    codes = {mutant: code for one in told for mutant, code in one.items()}
    unknown = [mutant for mutant, code in codes.items() if code is None]
    if done.returncode or not codes or unknown:
        raise RuntimeError(
            f"mutmut did not end well: {len(unknown)} untried, {done.stdout[-1500:]}{done.stderr[-1500:]}"
        )
    alive = sorted(mutant for mutant, code in codes.items() if code == SURVIVED)
    return Counter(every=len(codes), noticed=len(codes) - len(alive)), alive


def measure(wanted: Sequence[str]) -> list[Result]:
    found = []
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="viralcore-mutants-") as folder:
            count, alive = measured(Path(folder), name)
        say(f"{name}: {count['noticed']} of {count['every']} noticed")
        for one in alive:
            say(f"  nobody noticed {one}")
        found.append(absolute(name, 100 * count["noticed"] / count["every"], "% killed", better="higher", goal=GOAL))
    return found


def say(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
