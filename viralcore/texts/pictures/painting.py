"""Pictures by recipe. Painting takes processor time: call it off the event loop."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import segno

from viralcore.core.screen import Picture
from viralcore.texts.pictures.earnings import paint_earnings
from viralcore.texts.pictures.receipt import paint_receipt
from viralcore.texts.pictures.replies import paint_replies
from viralcore.texts.pictures.timeline import paint_timeline

ASSETS = Path(__file__).resolve().parents[3] / "assets"
_NAME = re.compile(r"[a-z0-9_-]+\.png")


def qr(data: str) -> bytes:
    """A QR code with a wide quiet zone, as PNG: phones read it from a screen at arm's length."""
    buffer = io.BytesIO()
    segno.make(data, error="m", micro=False).save(buffer, kind="png", scale=10, border=4, dark="#101828")
    return buffer.getvalue()


def asset(name: str) -> bytes:
    """One of our own pictures. Raises FileNotFoundError."""
    if not _NAME.fullmatch(name):
        raise FileNotFoundError(name)
    return (ASSETS / name).read_bytes()


PAINTERS: Mapping[str, Callable[[str], bytes]] = {
    "qr": qr,
    "asset": asset,
    "receipt": paint_receipt,
    "timeline": paint_timeline,
    "earnings": paint_earnings,
    "replies": paint_replies,
}


def paint(picture: Picture) -> bytes:
    """The picture's bytes. Raises KeyError on an unknown kind."""
    return PAINTERS[picture.kind](picture.data)
