"""How many of the branches of withdrawals and ledger their own tests take.

    make bench ONLY=coverage

Their unit, contract and integration tests and the schema's; neither the storm nor the random sequences, which find what
nobody thought of and should not be what a branch is reached by.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.harness import Result, absolute
from tests.bench.mutants import ROOT, say

GOAL = 95.0
SHOWN = 20
TESTS = (
    "tests/unit/withdrawals",
    "tests/unit/ledger",
    "tests/contract/withdrawals",
    "tests/integration/withdrawals",
    "tests/integration/ledger",
)
STORM = "tests/integration/withdrawals/test_storm.py"


def measure(wanted: Sequence[str]) -> list[Result]:
    packages = {name: f"viralcore.{name.removesuffix('_coverage')}" for name in wanted}
    files = _measured(list(packages.values()))
    found = []
    for name, package in packages.items():
        folder = f"{package.replace('.', '/')}/"
        mine = {path: one for path, one in files.items() if path.startswith(folder)}
        taken = sum(one["summary"]["covered_branches"] for one in mine.values())
        every = sum(one["summary"]["num_branches"] for one in mine.values())
        say(f"{package}: {taken} of {every} branches")
        for path, one in list(mine.items()):
            ways = ", ".join(f"{start} to {end}" for start, end in one["missing_branches"][:SHOWN])
            if ways:
                say(f"  not taken: {path}: {ways}")
        found.append(absolute(name, 100 * taken / every, "% branches", better="higher", goal=GOAL))
    return found


def _measured(packages: Sequence[str]) -> Mapping[str, Any]:
    """What coverage.py says of each file. The tests must pass."""
    with tempfile.TemporaryDirectory() as folder:
        data, told = f"--data-file={folder}/data", Path(folder) / "told.json"
        coverage = [sys.executable, "-m", "coverage"]
        how = ["--branch", "--concurrency=greenlet,thread", f"--source={','.join(packages)}", data]
        tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--ignore={STORM}", *TESTS]
        subprocess.run([*coverage, "run", *how, *tests], check=True, cwd=ROOT)
        subprocess.run([*coverage, "json", "-q", data, "-o", str(told)], check=True, cwd=ROOT)
        files: dict[str, Any] = json.loads(told.read_text())["files"]
        return files
