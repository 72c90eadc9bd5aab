"""Pictures by recipe: a QR code says exactly the address, and only our own pictures are ever read."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.support import qr
from viralcore.core.screen import Picture
from viralcore.texts import home, invoices
from viralcore.texts.pictures.painting import ASSETS, asset, paint

ADDRESSES = {
    "bsc": "0x8894E0a0c962CB723c1976a4421c95949bE2D4E3",
    "solana": "5tzFkiKscXHK5ZXCGbXZxdw7gTjjD1mBwuoFbhUvuAi9",
    "tron": "TKzxdSv2FZKQrEqkKVgp5DcwEXBEKMg2Ax",
    "aptos": "0x357b0b74bc833e95a115ad22604854d6b0fca151cecd94111770e5d6ffc9dc2b",
}


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
def test_a_phone_reads_the_address_letter_by_letter(address: str) -> None:
    painted = paint(Picture("qr", address))
    assert qr.read(qr.modules(painted, scale=10, border=4)) == address


def test_a_code_is_a_png_a_phone_can_read_from_a_screen() -> None:
    painted = paint(Picture("qr", ADDRESSES["bsc"]))
    assert painted.startswith(b"\x89PNG\r\n\x1a\n")
    picture = Image.open(io.BytesIO(painted))
    assert picture.width == picture.height >= 300
    assert len(painted) < 20_000


def test_the_same_recipe_paints_the_same_picture() -> None:
    assert paint(Picture("qr", "a")) == paint(Picture("qr", "a")) != paint(Picture("qr", "b"))


@pytest.mark.parametrize("recipe", [home.BANNER, invoices.PAID], ids=lambda recipe: recipe.data)
def test_our_own_pictures_are_there_and_light(recipe: Picture) -> None:
    painted = paint(recipe)
    picture = Image.open(io.BytesIO(painted))
    assert picture.format == "PNG"
    assert (picture.width, picture.height) == (1280, 640) or recipe is not home.BANNER
    assert len(painted) < 300_000
    assert (ASSETS / recipe.data).with_suffix(".svg").exists(), "the drawing is kept beside it"


@pytest.mark.parametrize(
    "name",
    [
        "../pyproject.toml",
        "/etc/passwd",
        "..",
        ".",
        ".env",
        "./banner.png",
        "..\\..\\pyproject.toml",
        "",
        "nothing.png",
        "README.md",
        "banner.png\n",
    ],
)
def test_nothing_outside_our_pictures_is_read(name: str) -> None:
    with pytest.raises(FileNotFoundError):
        asset(name)


def test_a_link_out_of_the_folder_is_not_a_recipe(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        paint(Picture("asset", str(tmp_path / "x.png")))


def test_an_unknown_kind_has_no_painter() -> None:
    with pytest.raises(KeyError):
        paint(Picture("shell", "ls"))
