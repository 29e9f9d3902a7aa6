"""What arrives as a picture: attacks, broken files, secrets in metadata; and what is kept."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from silkroom.catalog import pictures
from silkroom.catalog.errors import PictureTooLarge, PictureUnusable
from silkroom.catalog.pictures import MOST_BYTES, forget_picture, store_picture
from silkroom.catalog.rules import WIDTHS, rendition_name
from silkroom.kit.errors import Busy
from tests.house import picture_bytes


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Path) -> Path:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, storage_url=str(tmp_path))
    return tmp_path


def opened(name: str) -> Image.Image:
    with default_storage.open(name) as file:
        picture = Image.open(io.BytesIO(file.read()))
        picture.load()
        return picture


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_three_renditions_are_kept_none_enlarged(kind: str) -> None:
    stored = store_picture(picture_bytes(1000, 1500, kind=kind))
    assert (stored.width, stored.height) == (1000, 1500)
    sizes = [opened(rendition_name(stored.name, width)).size for width in WIDTHS]
    assert sizes == [(400, 600), (800, 1200), (1000, 1500)]
    forget_picture(stored.name)
    assert not any(default_storage.exists(rendition_name(stored.name, width)) for width in WIDTHS)


def test_metadata_is_gone_and_the_picture_stands_upright() -> None:
    target = io.BytesIO()
    picture = Image.new("RGB", (40, 20), "red")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "SECRET-CAMERA"
    exif.get_ifd(0x8825)[1] = "N"  # where it was taken
    picture.save(target, "JPEG", exif=exif, comment=b"SECRET-COMMENT")
    assert b"SECRET" in target.getvalue()
    stored = store_picture(target.getvalue())
    assert (stored.width, stored.height) == (20, 40)
    with default_storage.open(stored.name) as file:
        kept = file.read()
    assert b"SECRET" not in kept
    assert not Image.open(io.BytesIO(kept)).getexif()


def test_transparency_becomes_white() -> None:
    target = io.BytesIO()
    Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(target, "PNG")
    pixel = opened(store_picture(target.getvalue()).name).convert("RGB").getpixel((5, 5))
    assert all(value > 250 for value in pixel)  # type: ignore[union-attr]


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "I;16"])
def test_unusual_colours_are_taken(mode: str) -> None:
    target = io.BytesIO()
    Image.new(mode, (10, 10)).save(target, "JPEG" if mode == "CMYK" else "PNG")
    assert opened(store_picture(target.getvalue()).name).mode in {"RGB", "L"}


def png_with_size(width: int, height: int) -> bytes:
    """A tiny file that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(50_000, 50_000), (10_000, 4_001), (2**31 - 1, 1)])
def test_a_bomb_is_refused_before_it_is_opened(size: tuple[int, int]) -> None:
    with pytest.raises((PictureTooLarge, PictureUnusable)):
        store_picture(png_with_size(*size))


def test_who_finds_all_decoders_taken_is_told_so_soon(monkeypatch: pytest.MonkeyPatch, own_storage: Path) -> None:
    monkeypatch.setattr(pictures, "DECODERS", threading.BoundedSemaphore(1))
    monkeypatch.setattr(pictures, "WAIT_SECONDS", 0.05)
    with pictures.DECODERS, pytest.raises(Busy):
        store_picture(picture_bytes(10, 10))
    assert [path for path in own_storage.rglob("*") if path.is_file()] == []
    store_picture(picture_bytes(10, 10))
    with pytest.raises(PictureUnusable):
        store_picture(b"no picture")
    assert pictures.DECODERS.acquire(blocking=False), "a refused picture keeps its decoder"


GIF = io.BytesIO()
Image.new("RGB", (10, 10)).save(GIF, "GIF")
TIFF = io.BytesIO()
Image.new("RGB", (10, 10)).save(TIFF, "TIFF")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        GIF.getvalue(),
        TIFF.getvalue(),
        picture_bytes(200, 200)[:300],
        picture_bytes(200, 200, kind="PNG")[:60],
        picture_bytes(20, 200 * 20),
        b"\xff\xd8\xff\xe0" + b"\0" * 500,
    ],
    ids=["empty", "text", "svg", "html", "gif", "tiff", "cut jpeg", "cut png", "ribbon", "jpeg head"],
)
def test_what_is_no_picture_is_refused_and_leaves_nothing(data: bytes, own_storage: Path) -> None:
    with pytest.raises(PictureUnusable):
        store_picture(data)
    assert [path for path in own_storage.rglob("*") if path.is_file()] == []


def test_a_script_behind_a_picture_is_not_kept() -> None:
    stored = store_picture(picture_bytes(50, 50) + b"<script>alert(1)</script>")
    for width in WIDTHS:
        with default_storage.open(rendition_name(stored.name, width)) as file:
            assert b"<script" not in file.read()


def test_a_heavy_file_is_refused_unread() -> None:
    with pytest.raises(PictureTooLarge) as refused:
        store_picture(b"\0" * (MOST_BYTES + 1))
    assert refused.value.status == 413


@settings(max_examples=60)
@given(position=st.integers(0, 600), noise=st.binary(min_size=1, max_size=40))
def test_a_damaged_file_is_taken_or_refused_but_never_a_crash(position: int, noise: bytes) -> None:
    data = picture_bytes(90, 60, kind="PNG")
    place = position % len(data)
    with contextlib.suppress(PictureUnusable, PictureTooLarge):
        store_picture(data[:place] + noise + data[place + len(noise) :])
