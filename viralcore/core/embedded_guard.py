"""Stands between us and an embedded Postgres: when our end of its stdin closes, however we died, Postgres is stopped.

Run by file path with the standard library only. Its own process rather than PR_SET_PDEATHSIG, because that signal
follows the thread that forked, and because a parent can never stop a stranger that got a recycled process id.
"""

from __future__ import annotations

import os
import signal
import subprocess  # nosec B404 # runs the postgres binary it is handed
import sys
import threading

PATIENCE = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, None))
"""Fast shutdown, then immediate shutdown, then the end."""


def main(argv: list[str]) -> int:
    """argv: log file, user id, group id ("-" to stay who we are), then the command."""
    log, uid, gid, *command = argv
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for our parent, which closes our stdin in its own time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    other = uid != "-"
    with open(log, "ab") as out:  # noqa: PTH123 - no pathlib: this process starts as light as it can
        child = subprocess.Popen(  # noqa: S603  # nosec B603
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd="/",
            user=int(uid) if other else None,
            group=int(gid) if other else None,
            extra_groups=[] if other else None,
            restore_signals=True,
        )

    def stop_when_alone() -> None:
        sys.stdin.buffer.read()
        for number, seconds in PATIENCE:
            child.send_signal(number)
            try:
                child.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                continue

    threading.Thread(target=stop_when_alone, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    os._exit(code if code >= 0 else 128 - code)
