"""The whole sandbox as a process: it comes up, says where it is, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.support.sandbox import ROOT, running_sandbox
from viralcore.sandbox.servers import listen


def family(pid: int) -> list[psutil.Process]:
    """A process and everything below it."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_it_comes_up_and_stops(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "data") as sandbox:
        about = sandbox.about()
        bot = psutil.Process(about["bot"]["pid"])
        supervisor = bot.parent()
        assert supervisor is not None
        everybody = family(supervisor.pid)
        assert any("postgres" in one.name() for one in everybody)
        assert bot.environ()["ENVIRONMENT"] == "sandbox"
        assert sandbox.check() == []
        turned = sandbox.turn(600)
        assert turned["quiet"], turned
        assert sandbox.kill() != about["bot"]["pid"]
        everybody += family(supervisor.pid)
    until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in everybody))


def test_a_killed_supervisor_takes_everything_along(tmp_path: Path) -> None:
    with pytest.raises(AssertionError), running_sandbox(tmp_path / "data") as sandbox:  # its process is gone: no SIGTERM
        supervisor = psutil.Process(sandbox.about()["bot"]["pid"]).parent()
        assert supervisor is not None
        everybody = family(supervisor.pid)
        os.kill(supervisor.pid, signal.SIGKILL)
        until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in everybody))
        raise AssertionError


def test_a_taken_port_is_said_plainly(tmp_path: Path) -> None:
    with listen(0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        environment = {**os.environ, "SANDBOX_PORT": str(port), "DATA_DIR": str(tmp_path)}
        command = [sys.executable, "-m", "viralcore", "sandbox"]
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert ended.returncode == 1
    assert f"Port {port} is taken" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
