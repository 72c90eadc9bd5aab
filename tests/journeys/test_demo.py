"""`viralcore sandbox --demo` plays its story to the end, with the real bot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.sandbox import ROOT
from viralcore.sandbox.demo import OVER, STOPPED
from viralcore.sandbox.servers import free_port

WITHIN, DOWN_WITHIN = 240.0, 20.0  # some 40 s when the machine has nothing else to do


@pytest.mark.timeout(WITHIN + DOWN_WITHIN + 20)
def test_the_demo_tells_its_story_to_the_end(tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    command = [sys.executable, "-m", "viralcore", "sandbox", "--port", str(free_port()), "--demo", "--pace", "0"]
    with said.open("w") as out:
        demo = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "DATA_DIR": str(tmp_path)},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + WITHIN
        while OVER not in said.read_text() and STOPPED not in said.read_text() and demo.poll() is None:
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.2)
    finally:
        demo.send_signal(signal.SIGTERM)
        code = demo.wait(DOWN_WITHIN)
    told = said.read_text()
    assert OVER in told, told
    assert STOPPED not in told, told
    for fact in ("38 of service 101", "37 of service 101", "3500 of service 102", "agree to the cent"):
        assert fact in told, told
    assert code == 0
