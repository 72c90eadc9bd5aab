"""A small QR reader for clean pictures: enough to say what a phone would read from ours.

Versions 2 to 5, byte mode, no error correction: a clean picture has no errors.
"""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

_DATA = {
    (2, "M"): (28,), (3, "M"): (44,), (4, "M"): (32, 32), (5, "M"): (43, 43),
    (2, "Q"): (22,), (3, "Q"): (17, 17), (4, "Q"): (24, 24),
}  # fmt: skip
"""Data codewords of each block, by version and level (ISO 18004, table 9; the blocks of these are of one size)."""
_LEVELS = "MLHQ"
_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda r, c: (r + c) % 2 == 0,
    lambda r, c: r % 2 == 0,
    lambda r, c: c % 3 == 0,
    lambda r, c: (r + c) % 3 == 0,
    lambda r, c: (r // 2 + c // 3) % 2 == 0,
    lambda r, c: r * c % 2 + r * c % 3 == 0,
    lambda r, c: (r * c % 2 + r * c % 3) % 2 == 0,
    lambda r, c: ((r + c) % 2 + r * c % 3) % 2 == 0,
)
_FORMAT = [(8, c) for c in (0, 1, 2, 3, 4, 5, 7, 8)] + [(r, 8) for r in (7, 5, 4, 3, 2, 1, 0)]


def modules(png: bytes, *, scale: int, border: int) -> list[list[bool]]:
    """The picture as rows of dark and light, its quiet zone checked and cut off."""
    picture = Image.open(io.BytesIO(png)).convert("L")
    assert picture.width == picture.height
    size = picture.width // scale
    dark = [
        [picture.getpixel((c * scale + scale // 2, r * scale + scale // 2)) < 128 for c in range(size)]  # type: ignore[operator]
        for r in range(size)
    ]
    inside = range(border, size - border)
    assert not any(dark[r][c] for r in range(size) for c in range(size) if r not in inside or c not in inside)
    return [row[border : size - border] for row in dark[border : size - border]]


def read(dark: list[list[bool]]) -> str:
    """The text in a symbol."""
    size = len(dark)
    version = (size - 17) // 4
    told = int("".join("1" if dark[r][c] else "0" for r, c in _FORMAT), 2) ^ 0x5412
    level, mask = _LEVELS[told >> 13], _MASKS[told >> 10 & 7]
    bits = [dark[r][c] ^ mask(r, c) for r, c in _path(size, version)]
    words = [int("".join("1" if bit else "0" for bit in bits[i : i + 8]), 2) for i in range(0, len(bits) - 7, 8)]
    blocks = _DATA[version, level]
    data = b"".join(bytes(words[block + len(blocks) * i] for i in range(blocks[block])) for block in range(len(blocks)))
    stream = int.from_bytes(data)
    left = len(data) * 8
    assert stream >> (left - 4) == 0b0100, "byte mode"
    length = stream >> (left - 12) & 0xFF
    return (stream >> (left - 12 - 8 * length) & ((1 << 8 * length) - 1)).to_bytes(length).decode()


def _path(size: int, version: int) -> list[tuple[int, int]]:
    """The modules that carry data, in the order they are read."""
    middle = 4 * version + 10
    cells, upwards, column = [], True, size - 1
    while column > 0:
        if column == 6:
            column -= 1
        rows = range(size - 1, -1, -1) if upwards else range(size)
        cells += [(r, c) for r in rows for c in (column, column - 1) if not _fixed(r, c, size, middle)]
        upwards, column = not upwards, column - 2
    return cells


def _fixed(r: int, c: int, size: int, middle: int) -> bool:
    corners = (r < 9 and c < 9) or (r < 9 and c >= size - 8) or (r >= size - 8 and c < 9)
    return corners or r == 6 or c == 6 or (abs(r - middle) <= 2 and abs(c - middle) <= 2)
