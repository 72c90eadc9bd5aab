"""What somebody typed, as one line."""

from __future__ import annotations


def one_line(text: str, longest: int | None = None) -> str:
    """Without the character Postgres refuses, with single spaces, at most `longest` characters."""
    return " ".join(text.replace("\x00", "").split())[:longest]
