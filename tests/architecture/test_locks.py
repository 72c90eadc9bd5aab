"""Locks name versions and hashes, and nothing about the machine or the index they were made with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.rules import ROOT

LOCKS = sorted(ROOT.glob("requirements*.lock"))
PIN = re.compile(
    r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)([^\n]*)\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)*)", re.MULTILINE
)


def pins(text: str) -> dict[str, str]:
    return {name: version for name, version, _, _ in PIN.findall(text)}


def complaints(text: str) -> list[str]:
    found = [
        line
        for line in text.splitlines()
        if re.search(r"://|--(extra-)?index|--find-links|file:|@ |/(work|root|home)/", line)
    ]
    return found + [name for name, _, _, hashes in PIN.findall(text) if not hashes]


def test_bad_locks_are_seen() -> None:
    for bad in ("--index-url x", "a @ git+ssh://b", "# uv pip compile /home/me/x.in", "--find-links y", "a==1\n"):
        assert complaints(bad + "\n")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_versions_and_hashes_only(lock: Path) -> None:
    assert len(LOCKS) == 4
    text = lock.read_text()
    assert len(pins(text)) > 10
    assert complaints(text) == []


def test_what_runs_is_what_was_tested() -> None:
    run = pins((ROOT / "requirements.lock").read_text())
    assert run.items() <= pins((ROOT / "requirements-dev.lock").read_text()).items()


def test_every_dependency_has_its_reason() -> None:
    named = re.findall(r"^([A-Za-z0-9-]+)", (ROOT / "requirements.in").read_text(), flags=re.MULTILINE)
    text = (ROOT / "viralcore" / "ARCHITECTURE.md").read_text()
    assert [name for name in named if name not in text] == []
