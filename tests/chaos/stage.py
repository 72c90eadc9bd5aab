"""The sandbox of a chaos run, as a process of its own: the real supervisor, told a seed, a mutation, and wider flood
limits (fifty people's notices would otherwise wait ten minutes for an admin group that takes twenty a minute).

``python -m tests.chaos.stage FOLDER SEED MUTATION``: writes up.json {page, database} when it is up; SIGTERM, or the end
of its stdin, ends it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path
from random import Random
from threading import Thread

from tests.chaos.child import GROUP_PER_MINUTE, migrate
from viralcore.sandbox.console import Say
from viralcore.sandbox.servers import free_port
from viralcore.sandbox.supervisor import ROOT, Supervisor, fresh_folder
from viralcore.sandbox.telegram import limits

PER_SECOND = 60
FASTER = (
    # what Telegram's limits are here, and panels that take and answer fast enough for a hundred orders in a minute
    (r"^per_second = \d+", f"per_second = {PER_SECOND}"),
    (r"^chat_gap_seconds = .*", 'chat_gap_seconds = "0.1"'),
    (r"^pace_per_second = \d+", "pace_per_second = 40"),
    (r"^parallelism = 1$", "parallelism = 4"),
    (r"^read_seconds = \d+", "read_seconds = 3"),
    # nobody of the team is there: what no group takes is paid back
    (r"^crowd_lines = true", "crowd_lines = false"),
)


def settings_for(folder: Path) -> Path:
    """Our own settings, with other speeds."""
    copied = folder / "settings"
    shutil.copytree(ROOT / "settings", copied)
    changed = 0
    for path in copied.glob("*.toml"):
        text = path.read_text()
        for pattern, to in FASTER:
            text, count = re.subn(pattern, to, text, flags=re.MULTILINE)
            changed += count
        path.write_text(text)
    if changed < len(FASTER):
        raise RuntimeError("settings have changed: the chaos run does not know them any more")
    return copied


def stop_when_alone(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Whoever started us holds our stdin; when they are gone, however they died, so are we."""
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(stop.set)


async def main(folder: Path, seed: int, mutation: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    Thread(target=stop_when_alone, args=(asyncio.get_running_loop(), stop), daemon=True).start()
    limits.OVERALL_PER_SECOND, limits.GROUP_PER_MINUTE = PER_SECOND, GROUP_PER_MINUTE
    limits.CHAT_BURST = 1_000
    os.environ["SETTINGS_DIR"] = str(settings_for(folder))
    command = (sys.executable, "-m", "tests.chaos.child", mutation, "run")
    sandbox = fresh_folder(folder / "sandbox")
    async with Supervisor(sandbox, Say(), bot=command, migrate=migrate, rng=Random(seed)) as supervisor:
        page = await supervisor.start(free_port())
        draft = folder / "up.new"
        draft.write_text(json.dumps({"page": page, "database": supervisor.database_url}))
        draft.replace(folder / "up.json")
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
