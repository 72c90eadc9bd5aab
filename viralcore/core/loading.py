"""Importing for a process that people wait for: what is not needed is not looked for and not loaded."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Imports leave nothing behind that is worth looking for, and looking costs a fifth of a cold start. What they
    made stays for ever: frozen, the collector never walks over it again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def without_rich() -> Iterator[None]:
    """structlog and httpx load rich when they find it, with all that comes with it, for looks that a bot does not have:
    a tenth of a cold start. They are content without; where we use it ourselves, it is loaded then."""
    if "rich" in sys.modules:
        yield
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # makes `import rich` an ImportError
    try:
        yield
    finally:
        del sys.modules["rich"]
