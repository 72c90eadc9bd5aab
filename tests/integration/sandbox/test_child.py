"""The bot as a child: it comes back after a kill, it is stopped in order, and it dies with its supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.processes import alive
from viralcore.core.nursery import Nursery
from viralcore.sandbox.child import Child, condense
from viralcore.sandbox.quiet import SETTLED
from viralcore.sandbox.servers import free_port

ROOT = Path(__file__).parents[3]
STANDIN = """
import http.server, json, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"viralcore_clock_settled_offset_seconds 0.0\\n")
    def log_message(self, *a): pass
print(json.dumps({"level": "warning", "event": "born", "timestamp": "x"}), flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    home = Nursery()
    yield home
    await home.stop(5.0)


def child(tmp_path: Path, nursery: Nursery, said: list[str], script: str = STANDIN) -> Child:
    port = free_port()
    program = tmp_path / "standin.py"
    program.write_text(script)
    return Child(
        [sys.executable, str(program), str(port)],
        environment={"PATH": os.environ["PATH"], "SECRET_OF_BOT": "1"},
        folder=tmp_path,
        log_path=tmp_path / "bot.log",
        base_url=f"http://127.0.0.1:{port}",
        nursery=nursery,
        say=said.append,
    )


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)


async def test_it_comes_back_after_a_kill(tmp_path: Path, nursery: Nursery) -> None:
    said: list[str] = []
    bot = child(tmp_path, nursery, said)
    await bot.start()
    assert await bot.ready(15.0)
    first = bot.pid
    assert bot.kill() == first
    await until(lambda: bot.starts == 2)
    assert await bot.ready(15.0)
    assert bot.pid != first
    assert "settled_offset" in (await bot.metrics(SETTLED) or "")
    second = bot.pid
    await bot.stop()
    assert bot.pid is None
    assert second is not None
    assert not alive(second)
    assert (tmp_path / "bot.log").read_text().count("born") == 2
    assert "bot warning: born" in said


async def test_a_child_that_dies_at_once_is_not_started_in_a_frenzy(tmp_path: Path, nursery: Nursery) -> None:
    said: list[str] = []
    bot = child(tmp_path, nursery, said, "print('the settings cannot be used'); raise SystemExit(2)")
    await bot.start()
    await until(lambda: any("again in 1 s" in line for line in said))
    assert any("the settings cannot be used" in line for line in said)
    assert bot.starts <= 3
    await bot.stop()


async def test_it_dies_with_its_supervisor(tmp_path: Path) -> None:
    supervisor = textwrap.dedent(f"""
        import asyncio, sys
        sys.path.insert(0, {str(ROOT)!r})
        from pathlib import Path
        from tests.integration.sandbox.test_child import child
        from viralcore.core.nursery import Nursery
        async def main():
            bot = child(Path({str(tmp_path)!r}), Nursery(), [])
            await bot.start()
            assert await bot.ready(15.0)
            print(bot.pid, bot._watchdog.pid, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """)
    process = subprocess.Popen([sys.executable, "-c", supervisor], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = await asyncio.to_thread(process.stdout.readline)
    bot, watchdog = (int(word) for word in line.split())
    assert alive(bot)
    process.send_signal(signal.SIGKILL)
    process.wait()
    await until(lambda: not alive(bot))
    await until(lambda: not alive(watchdog))


async def test_the_watchdog_alone_would_do(tmp_path: Path) -> None:
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    script = ROOT / "viralcore" / "sandbox" / "watchdog.py"
    dog = subprocess.Popen([sys.executable, "-I", "-S", str(script)], stdin=subprocess.PIPE, text=True)
    assert dog.stdin is not None
    dog.stdin.write(f"0\n{victim.pid}\n")
    dog.stdin.close()
    assert victim.wait(15) == -signal.SIGKILL
    assert dog.wait(15) == 0


def test_the_console_hears_only_what_matters() -> None:
    assert condense('{"level": "info", "event": "started"}') == ""
    assert condense("not json") == ""
    assert condense('{"level": "error", "event": "lost", "order": 7}') == "bot error: lost order=7"
