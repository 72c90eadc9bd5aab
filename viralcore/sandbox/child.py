"""The bot as a child process: started, listened to, restarted when it dies, killed on demand."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import signal
import subprocess  # nosec B404 # starting the bot is what this file is for
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from viralcore.core.clock import monotonic
from viralcore.core.nursery import Nursery

EARLY_DEATH, STOP_WITHIN, LONGEST_PAUSE = 3.0, 12.0, 10.0
READY_POLL = 0.1
LINE_LIMIT = 1024 * 1024
_WATCHDOG = Path(__file__).with_name("watchdog.py")
_PR_SET_PDEATHSIG = 1
_LOUD = {"warning", "error", "critical", "exception"}


def _die_with_parent() -> None:
    """Runs in the child before it becomes the bot: the kernel ends it when the supervisor is gone (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """`command` runs in `folder` with `environment` and nothing else. `say`: a line for the console."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        log_path: Path,
        base_url: str,
        nursery: Nursery,
        say: Callable[[str], None],
    ) -> None:
        self._command = tuple(command)
        self._environment = dict(environment)
        self._folder = folder
        self._log_path = log_path
        self._nursery = nursery
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._watchdog: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._killed = False
        self._tail: deque[str] = deque(maxlen=6)
        self.starts = 0
        self.http = httpx.AsyncClient(base_url=base_url, timeout=5.0, trust_env=False)

    @property
    def pid(self) -> int | None:
        """The bot's process id; None while it is down."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Start the bot and keep it alive. Returns at once; `ready` tells when it answers."""
        self._watchdog = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_WATCHDOG)), stdin=subprocess.PIPE, start_new_session=True
        )
        self._nursery.start("sandbox.bot", self._keep())

    async def ready(self, seconds: float) -> bool:
        """Wait until the bot says that it is ready."""
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if self.pid is not None and (await self.http.get("/ready")).status_code == 200:
                    return True
            await asyncio.sleep(READY_POLL)
        return False

    async def metrics(self, *names: str) -> str | None:
        """What /metrics says of these (`quiet.read_metrics`); None while the bot does not answer."""
        if self.pid is None:
            return None
        try:
            answer = await self.http.get("/metrics", params={"name[]": names})
        except httpx.HTTPError:
            return None
        return answer.text if answer.status_code == 200 else None

    def kill(self) -> int | None:
        """kill -9. Returns the id of the process that died; it is started again at once."""
        pid = self.pid
        if pid is not None and self._process is not None:
            self._killed = True
            self._process.kill()
        return pid

    async def stop(self) -> None:
        """SIGTERM, and after a while SIGKILL."""
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_WITHIN)
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._watchdog is not None and self._watchdog.stdin is not None:
            self._watch(0)
            self._watchdog.stdin.close()
            await self._watchdog.wait()
        await self.http.aclose()

    def tail(self) -> list[str]:
        """The last lines the bot wrote, shortened."""
        return [shorten(line) for line in self._tail]

    async def _keep(self) -> None:
        pause = 0.5
        while not self._stopping:
            began = monotonic()
            self.starts += 1
            self._tail.clear()
            self._process = process = await self._spawn(self._command)
            self._watch(process.pid)
            await self._listen(process)
            code = await process.wait()
            self._watch(0)
            if self._stopping:
                return
            if self._killed:
                self._killed, pause = False, 0.5
                self._say("the bot was killed; starting it again")
                continue
            # Somebody who stopped it well did not find it ill; what dies early again and again is given time.
            pause = pause if code and monotonic() - began < EARLY_DEATH else 0.5
            self._say(f"the bot ended by itself (code {code}); starting it again in {pause:g} s")
            for line in self.tail():
                self._say(f"  | {line}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _spawn(self, command: Sequence[str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command,
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the console reaches the supervisor alone, which then stops the bot
            limit=LINE_LIMIT,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101  # nosec B101 # it was asked for
        with self._log_path.open("ab") as log:
            while True:
                try:
                    line = await process.stdout.readline()
                except ValueError:  # a line beyond the limit was dropped
                    continue
                if not line:
                    return
                log.write(line)
                log.flush()
                self._hear(line.decode(errors="replace").rstrip())

    def _hear(self, line: str) -> None:
        self._tail.append(line)
        short = condense(line)
        if short:
            self._say(short)

    def _watch(self, pid: int) -> None:
        if self._watchdog is not None and self._watchdog.stdin is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self._watchdog.stdin.write(f"{pid}\n".encode())


def condense(line: str) -> str:
    """What the console shows of a line of the bot's JSON log: warnings and worse, in one short line; else nothing."""
    entry = _entry(line)
    return f"bot {shorten(line)}" if entry is not None and entry["level"] in _LOUD else ""


def shorten(line: str) -> str:
    """A line of the log as a person reads it: level, event, facts, and the last line of a traceback."""
    entry = _entry(line)
    if entry is None:
        return line[:200]
    hidden = {"event", "level", "timestamp", "logger", "exception", "stack", "exc_info"}
    facts = [f"{name}={value}" for name, value in entry.items() if name not in hidden]
    why = str(entry.get("exception") or "").strip().rpartition("\n")[2]
    return " ".join([f"{entry['level']}: {entry.get('event', '')}", *facts, why]).rstrip()[:300]


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry: Any = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "level" in entry else None
