"""Where the cluster of an installation is put when nobody but root can enter its data directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from viralcore.core import embedded
from viralcore.core.embedded import EmbeddedPostgres


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with every folder of its own, on which we are root and the data directory is private."""
    for name in ("SHARED", "KEPT"):
        monkeypatch.setattr(embedded, name, tmp_path / name)
    monkeypatch.setattr(embedded, "MEMORY", tmp_path / "none")
    monkeypatch.setattr(embedded, "_reachable", lambda path: False)
    (tmp_path / "SHARED").mkdir()
    (tmp_path / "data").mkdir()
    return tmp_path


def home(places: Path, *, durable: bool) -> Path:
    one = EmbeddedPostgres(places / "data", durable=durable)
    one._who = embedded._Account(uid=os.geteuid(), gid=os.getegid())
    return one._cluster_home()


def test_what_is_to_last_is_not_put_where_the_system_deletes(places: Path) -> None:
    put = home(places, durable=True)
    assert put.parent == places / "KEPT"
    assert put.parent.stat().st_mode & 0o777 == 0o755
    assert EmbeddedPostgres(places / "data").at_risk() is None
    assert home(places, durable=True) == put, "it is found again"


def test_what_is_thrown_away_may_be(places: Path) -> None:
    assert home(places, durable=False).parent == places / "SHARED"


def test_one_of_an_earlier_version_is_found_where_it_is_and_doctor_can_tell(places: Path) -> None:
    old = places / "SHARED" / "viralcore-1"
    old.mkdir(mode=0o700)
    (places / "data" / "postgres").symlink_to(old)
    assert home(places, durable=True) == old
    assert EmbeddedPostgres(places / "data").at_risk() == old
