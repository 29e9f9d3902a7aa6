"""Letters on pictures and video: a Chinese typeface where the machine has one, else Latin from Pillow's own.

No font is part of the project. Without a Chinese one the captions are in English only; nothing else changes.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_CHINESE = (
    "NotoSerifCJK-Regular.ttc",
    "NotoSerifCJKsc-Regular.otf",
    "NotoSerifSC-Regular.otf",
    "SourceHanSerifSC-Regular.otf",
    "Songti.ttc",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "PingFang.ttc",
    "STHeiti Light.ttc",
    "simsun.ttc",
    "msyh.ttc",
    "wqy-zenhei.ttc",
    "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
)
_FOLDERS = {
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": ("C:/Windows/Fonts",),
}
_SIMPLIFIED = {"NotoSerifCJK-Regular.ttc": 2, "NotoSansCJK-Regular.ttc": 2}
"""Which face of a collection is the one for simplified Chinese."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=1)
def chinese_font_file() -> Path | None:
    """The first known Chinese font of this machine."""
    folders = _FOLDERS.get(sys.platform, ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts"))
    found: dict[str, Path] = {}
    for folder in folders:
        root = Path(folder).expanduser()
        if root.is_dir():
            for file in root.rglob("*"):
                found.setdefault(file.name, file)
    return next((found[name] for name in _CHINESE if name in found), None)


@lru_cache(maxsize=64)
def chinese(size: int) -> Font | None:
    file = chinese_font_file()
    if file is None:
        return None
    try:
        return ImageFont.truetype(str(file), size, index=_SIMPLIFIED.get(file.name, 0))
    except OSError:
        return None


@lru_cache(maxsize=64)
def latin(size: int) -> Font:
    return ImageFont.load_default(size)


def spaced(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    font: Font,
    fill: int | tuple[int, int, int],
    space: float,
) -> float:
    """Draw ``text`` with ``space`` pixels between letters; gives back the width."""
    x, y = at
    for letter in text:
        draw.text((x, y), letter, font=font, fill=fill)
        x += font.getlength(letter) + space
    return x - at[0] - space


def upright(text: str, font: Font, size: int, space: float = 0.16) -> Image.Image:
    """Chinese set from top to bottom, as a mask (L)."""
    step = round(size * (1 + space))
    mask = Image.new("L", (round(size * 1.2), step * len(text) + size // 3), 0)
    draw = ImageDraw.Draw(mask)
    for index, letter in enumerate(text):
        draw.text((mask.width / 2, index * step + size / 2), letter, font=font, fill=255, anchor="mm")
    return mask
