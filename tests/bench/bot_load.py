"""The driver of the bot's lines: the Bot API beside us, a bot as a child process, and what was counted meanwhile."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _end_with_us() -> None:
    """Runs in the child: should we be killed before we can end it, the kernel does (Linux)."""
    with contextlib.suppress(AttributeError):
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def end(process: subprocess.Popen[Any], seconds: float = 12.0) -> None:
    """Ask a child to end, then make it."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Api:
    """The Bot API of `api_server`, asked over its own door."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._wire = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def _ask(self, verb: str, **settings: Any) -> dict[str, Any]:
        self._wire.request("POST", f"/control/{verb}", json.dumps(settings))
        answer: dict[str, Any] = json.loads(self._wire.getresponse().read())
        return answer

    def begin(self, **settings: Any) -> None:
        """Let people act; `settings` as in `load.Settings`."""
        self._ask("begin", **settings)

    def report(self) -> dict[str, Any]:
        return self._ask("report")

    def audit(self) -> dict[str, Any]:
        return self._ask("audit")

    def until(self, replies: int, seconds: float = PATIENCE) -> None:
        """Wait for this many replies. Raises TimeoutError."""
        ends = time.monotonic() + seconds
        while self.report()["replied"] < replies:
            if time.monotonic() > ends:
                raise TimeoutError(f"not {replies} replies in {seconds} s: {self.report()}")
            time.sleep(0.02)

    def until_polled(self, bot: subprocess.Popen[Any], seconds: float = PATIENCE) -> None:
        """Wait until a bot asks for updates or for a webhook. Raises RuntimeError when it ends, and TimeoutError."""
        ends = time.monotonic() + seconds
        while not {"getUpdates", "setWebhook"} & set(self.report()["calls"]):
            if bot.poll() is not None:
                raise RuntimeError(f"the bot ended with code {bot.returncode}")
            if time.monotonic() > ends:
                raise TimeoutError(f"the bot asked for nothing in {seconds} s")
            time.sleep(0.02)

    def rate(self, seconds: float, warm: float) -> float:
        """Replies a second in a closed loop that runs, after some warming up."""
        self.until(1)
        time.sleep(warm)
        first = self.report()
        time.sleep(seconds)
        last = self.report()
        return float((last["replied"] - first["replied"]) / (last["at"] - first["at"]))

    def drain(self, seconds: float = PATIENCE) -> dict[str, Any]:
        """Nobody acts any more; wait until everybody is answered. Raises TimeoutError, and AssertionError when a
        reply was one too many or nobody's."""
        self._ask("stop")
        self.until(self.report()["handed"], seconds)
        time.sleep(0.2)
        found = self.report()
        assert found["duplicates"] == found["strays"] == 0, found
        return found


@contextlib.contextmanager
def bot_api(latency: float = 0.05) -> Iterator[Api]:
    """A Bot API with nobody in it yet; it ends with us."""
    command = [sys.executable, "-m", "tests.bench.api_server", "--latency", str(latency)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Api(int(process.stdout.readline()))
    finally:
        process.stdin.close()
        end(process)


@contextlib.contextmanager
def child(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A bot as a process of its own. What it says goes to `log`."""
    with log.open("ab") as told:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=told, stderr=subprocess.STDOUT, preexec_fn=_end_with_us
        )
        try:
            yield process
        finally:
            end(process)
