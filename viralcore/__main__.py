"""`python -m viralcore` and `viralcore` are the same command."""

from __future__ import annotations

from viralcore.core.loading import uncollected, without_rich


def main() -> None:
    """Load the command line and run it."""
    with uncollected():
        with without_rich():
            import structlog  # noqa: F401 - the command line itself does use rich, and this one would load it first
        from viralcore.cli import main as command
    command()


if __name__ == "__main__":
    main()
