"""`python -m viralcore` and `viralcore` are the same command."""

from __future__ import annotations

import gc


def main() -> None:
    """Load the command line and run it."""
    # Imports leave nothing behind that is worth looking for, and looking again and again costs a fifth of a cold start.
    # What they made stays for ever: frozen, the collector never walks over it again.
    gc.disable()
    from viralcore.cli import main as command

    gc.freeze()
    gc.enable()
    command()


if __name__ == "__main__":
    main()
