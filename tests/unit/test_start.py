"""A cold start loads nothing that a running bot does not need: each of these costs a tenth of it or more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from viralcore.core.crypto import new_key

LOADED = """
import asyncio, gc, os, sys
from viralcore import __main__
from viralcore.core import runtime

def run(work):
    work.close()
    assert gc.isenabled() and gc.get_freeze_count() > 10_000
    print(*sorted({name.partition(".")[0] for name in sys.modules}))

runtime.run = run
sys.argv = ["viralcore", "run"]
__main__.main()
"""
HEAVY = {"rich", "alembic", "mako", "matplotlib", "numpy", "xlsxwriter", "playwright", "pytest", "sentry_sdk"}


def test_a_start_loads_nothing_heavy() -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "sandbox",
        "SETTINGS_DIR": str(Path(__file__).parents[2] / "settings"),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
        "TELEGRAM_BOT_TOKEN": "424242:" + "A" * 35,
        "ADMIN_IDS": "1",
        "ENCRYPTION_KEYS": new_key(),
        "FINGERPRINT_KEY": "f" * 32,
    }
    done = subprocess.run([sys.executable, "-c", LOADED], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    loaded = set(done.stdout.split())
    assert {"telegram", "sqlalchemy", "structlog", "pgqueuer"} <= loaded
    assert sorted(loaded & HEAVY) == []
