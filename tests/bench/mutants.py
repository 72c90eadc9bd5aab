"""The rules of money with one thing wrong at a time: how many of these mutants their unit tests notice.

    make bench ONLY=mutants

Each mutant is a child of one process that has everything else loaded, so it costs a test run of milliseconds. A mutant
that runs for ever is noticed as well. Those that nobody noticed are printed.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest

from tests.bench.harness import Result, absolute
from tests.bench.mutating import Mutant, mutants

ROOT = Path(__file__).parents[2]
GOAL = 85.0
AT_ONCE = 2
LONGER = 10  # times what the tests take when nothing is wrong
AGAIN = ("tests", "viralcore.ledger", "viralcore.withdrawals")
"""Loaded anew in every child: what is tested, and what tests it."""
_RULES = "viralcore/withdrawals/domain"
_TESTS = "tests/unit/withdrawals"
FILES: dict[str, dict[str, tuple[str, ...]]] = {
    "withdrawals_mutants": {
        f"{_RULES}/accounts.py": (f"{_TESTS}/test_terms.py",),
        f"{_RULES}/approving.py": (f"{_TESTS}/test_approving.py",),
        f"{_RULES}/attempts.py": (f"{_TESTS}/test_attempts.py",),
        f"{_RULES}/banks.py": (f"{_TESTS}/test_banks.py",),
        f"{_RULES}/comparing.py": (f"{_TESTS}/test_comparing.py",),
        f"{_RULES}/risk.py": (f"{_TESTS}/test_risk.py",),
        f"{_RULES}/states.py": (f"{_TESTS}/test_terms.py", f"{_TESTS}/test_attempts.py"),
        f"{_RULES}/terms.py": (f"{_TESTS}/test_terms.py",),
        f"{_RULES}/words.py": (f"{_TESTS}/test_payout_words.py",),
    },
    "ledger_mutants": {"viralcore/ledger/domain.py": ("tests/unit/ledger/test_domain.py",)},
}


class _Mutated(MetaPathFinder, Loader):
    """Answers for one module with its mutant."""

    def __init__(self, path: str, tree: Any) -> None:
        self._name, self._path, self._tree = _module(path), ROOT / path, tree

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self, origin=str(self._path)) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, str(self._path), "exec"), module.__dict__)


@dataclass
class _Child:
    process: ForkProcess
    mutant: Mutant
    until: float


def _module(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def _run(path: str, tests: Sequence[str], tree: Any) -> None:
    """In a child: the tests of one file over its mutant; the exit code is pytest's."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    for name in [known for known in sys.modules if any(known == one or known.startswith(f"{one}.") for one in AGAIN)]:
        del sys.modules[name]
    if tree is not None:
        sys.meta_path.insert(0, _Mutated(path, tree))
    plugins = ("cacheprovider", "xdist", "cov", "faulthandler")
    code = pytest.main(["-q", "-x", *(f"-pno:{name}" for name in plugins), *(str(ROOT / test) for test in tests)])
    os._exit(int(code))


def _child(path: str, tests: Sequence[str], tree: Any) -> ForkProcess:
    process = multiprocessing.get_context("fork").Process(target=_run, args=(path, tests, tree))
    process.start()
    return process


def _time_taken(path: str, tests: Sequence[str]) -> float:
    """Of the tests over the module as it is; they must pass."""
    began = time.monotonic()
    process = _child(path, tests, None)
    process.join()
    if process.exitcode != 0:
        raise RuntimeError(f"the tests of {path} do not pass: {', '.join(tests)}")
    return time.monotonic() - began


def survivors(path: str, tests: Sequence[str]) -> tuple[list[Mutant], int]:
    """Those that no test noticed, and how many there were."""
    limit = max(20.0, LONGER * _time_taken(path, tests))
    waiting: Iterator[Mutant] = mutants((ROOT / path).read_text())
    running: list[_Child] = []
    left: list[Mutant] = []
    number = 0
    while True:
        while len(running) < AT_ONCE and (mutant := next(waiting, None)) is not None:
            number += 1
            running.append(_Child(_child(path, tests, mutant.tree), mutant, time.monotonic() + limit))
        if not running:
            return left, number
        wait([child.process.sentinel for child in running], timeout=1)
        for child in list(running):
            if child.process.is_alive() and time.monotonic() > child.until:
                child.process.kill()
                child.process.join()
            if not child.process.is_alive():
                running.remove(child)
                left += [child.mutant] if child.process.exitcode == 0 else []


def _load(files: dict[str, tuple[str, ...]]) -> None:
    """What every child finds loaded."""
    for name in ("tests.conftest", *(_module(test) for tests in files.values() for test in tests)):
        importlib.import_module(name)
    hypothesis.settings.register_profile(
        "mutants", deadline=None, derandomize=True, database=None, max_examples=25, print_blob=False
    )
    hypothesis.settings.load_profile("mutants")


def measure(wanted: Sequence[str]) -> list[Result]:
    found = []
    os.chdir(ROOT)
    for name in wanted:
        _load(FILES[name])
        every = 0
        alive: list[str] = []
        for path, tests in FILES[name].items():
            left, number = survivors(path, tests)
            every += number
            alive += [f"{path}:{mutant}" for mutant in left]
            say(f"{path}: {number - len(left)} of {number} noticed")
        for one in alive:
            say(f"  nobody noticed {one}")
        found.append(absolute(name, 100 * (every - len(alive)) / every, "% killed", better="higher", goal=GOAL))
    return found


def say(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
