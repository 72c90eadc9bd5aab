"""How large the large tests are: a fraction in every run of `make test`, all of it with ``make test FULL=1``."""

from __future__ import annotations

import os

FULL = os.environ.get("VIRALCORE_FULL", "") not in {"", "0"}


def size(full: int, quick: int) -> int:
    """`full`: what an issue asks for; `quick`: what two cores do beside everything else within ten minutes."""
    return full if FULL else quick
