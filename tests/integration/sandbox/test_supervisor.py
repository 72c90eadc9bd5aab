"""The whole sandbox as a process: it comes up, says where it is, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.processes import alive, command, environment, family, parent
from tests.support.sandbox import ROOT, running_sandbox
from viralcore.sandbox.servers import listen


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_it_comes_up_and_stops(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "data") as sandbox:
        about = sandbox.about()
        bot = about["bot"]["pid"]
        supervisor = parent(bot)
        everybody = family(supervisor)
        assert any("postgres" in command(one) for one in everybody)
        assert environment(bot)["ENVIRONMENT"] == "sandbox"
        assert sandbox.check() == []
        turned = sandbox.turn(600)
        assert turned["quiet"], turned
        assert sandbox.kill() != bot
        everybody += family(supervisor)
    until(lambda: not any(alive(one) for one in everybody))


def test_a_killed_supervisor_takes_everything_along(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "data") as sandbox:
        supervisor = parent(sandbox.about()["bot"]["pid"])
        everybody = family(supervisor)
        os.kill(supervisor, signal.SIGKILL)
        until(lambda: not any(alive(one) for one in everybody))


def test_a_taken_port_is_said_plainly(tmp_path: Path) -> None:
    with listen(0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        told = {**os.environ, "SANDBOX_PORT": str(port), "DATA_DIR": str(tmp_path)}
        words = [sys.executable, "-m", "viralcore", "sandbox"]
        ended = subprocess.run(words, cwd=ROOT, env=told, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert f"Port {port} is taken" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
