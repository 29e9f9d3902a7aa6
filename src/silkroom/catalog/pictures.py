"""From an uploaded file to pictures that can be shown: checked, turned upright, stripped of all metadata, made small.

What arrives is never served: every rendition is encoded anew from decoded pixels, so neither a camera's position data
nor anything hidden behind the picture's end survives.
"""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps

from silkroom.kit.errors import Busy
from silkroom.kit.ids import make_code

from .errors import PictureTooLarge, PictureUnusable
from .rules import WIDTHS, rendition_name

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
QUALITY = 82

LONGEST_SHAPE = 8
"""Height in widths: beyond it a picture is a ribbon nobody can look at (and WebP ends at 16,383 pixels)."""

DECODERS = threading.BoundedSemaphore(2)
"""40 megapixels are 120 MB while they are decoded: two at a time. Who waits holds a thread that serves pages."""

WAIT_SECONDS = 2.0
"""An ordinary picture takes a third of a second."""

REDUCING_GAP = 3.0
"""A large picture is first made small roughly, in a pass over its pixels: a fifth of the time, and nobody sees it."""


@dataclass(frozen=True)
class Stored:
    """A picture in the storage; ``name`` is its widest rendition."""

    name: str
    width: int
    height: int


def store_picture(data: bytes) -> Stored:
    """Check the file and store its renditions. It takes a moment: call it before anything is locked.

    Raises PictureUnusable, PictureTooLarge, Busy; then nothing is left behind.
    """
    if len(data) > MOST_BYTES:
        raise _too_large()
    if not DECODERS.acquire(timeout=WAIT_SECONDS):
        raise Busy
    try:
        upright = _decode(data)
        renditions = [_encode(upright, width) for width in WIDTHS]
    finally:
        DECODERS.release()
    code = make_code(12)
    names: list[str] = []
    try:
        for width, encoded in zip(WIDTHS, renditions, strict=True):
            name = f"pictures/{code}-{width}.webp"
            default_storage.save(name, ContentFile(encoded))
            names.append(name)
    except BaseException:
        for name in names:
            default_storage.delete(name)
        raise
    return Stored(names[-1], upright.width, upright.height)


def forget_picture(name: str) -> None:
    """Delete all renditions of a stored picture."""
    for width in WIDTHS:
        default_storage.delete(rendition_name(name, width))


def _too_large() -> PictureTooLarge:
    return PictureTooLarge(megabytes=MOST_BYTES // 1024**2, megapixels=MOST_PIXELS // 1_000_000)


def _decode(data: bytes) -> Image.Image:
    """The first frame, upright, in RGB, as wide as the widest rendition at most.

    The header's size is judged before a single pixel is decoded.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns at half of its own bound; ours is judged right below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            if picture.width * picture.height > MOST_PIXELS:
                raise _too_large()
            # A JPEG can be decoded at a half or a quarter at once; others ignore this.
            picture.draft("RGB", (WIDTHS[-1] * 2, WIDTHS[-1] * 2))
            picture.load()
            upright = _on_white(ImageOps.exif_transpose(picture))
    except Image.DecompressionBombError:
        raise _too_large() from None
    # Pillow's decoders raise all of these for broken files.
    except (OSError, SyntaxError, ValueError, TypeError, IndexError, EOFError, MemoryError, OverflowError) as error:
        raise PictureUnusable from error
    if upright.height > LONGEST_SHAPE * upright.width:
        raise PictureUnusable
    return _narrowed(upright, WIDTHS[-1])


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGB", layer.size, "white")
        ground.paste(layer, mask=layer.getchannel("A"))
        return ground
    return picture.convert("RGB")


def _narrowed(picture: Image.Image, width: int) -> Image.Image:
    """At most ``width`` wide, never enlarged."""
    if picture.width <= width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=REDUCING_GAP)


def _encode(picture: Image.Image, width: int) -> bytes:
    """WebP at most ``width`` wide, without metadata."""
    target = io.BytesIO()
    _narrowed(picture, width).save(target, "WEBP", quality=QUALITY, method=4, exif=b"", icc_profile=b"")
    return target.getvalue()
