"""The design system keeps its promises: contrast, icons that exist, one wordmark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from silkroom.catalog.rules import CARE_BY_NAME

SOURCE = Path(__file__).resolve().parents[2] / "src" / "silkroom"
DESIGN = SOURCE / "config" / "static" / "design"

TEXT = ("ink", "ink-2", "ink-3", "accent-ink", "good", "warn", "bad")
GROUNDS = ("ground", "surface", "sunken")
AA_TEXT = 4.5
AA_PARTS = 3.0
"""WCAG 2.2, 1.4.3 and 1.4.11."""


def _blocks() -> dict[str, dict[str, str]]:
    """{theme: {token: #rrggbb}}; both dark lists must say the same."""
    css = (DESIGN / "tokens.css").read_text()
    found = [
        dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6});", body))
        for body in re.findall(r"\{([^{}]*--ground:[^{}]*)\}", css)
    ]
    light, dark, always_dark = found
    assert dark == always_dark
    return {"light": light, "dark": {**light, **dark}}


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_ground(theme: str) -> None:
    tokens = _blocks()[theme]
    pairs = [(text, ground) for text in TEXT for ground in GROUNDS]
    pairs += [("accent-ink", "accent-soft"), ("good", "good-soft"), ("warn", "warn-soft"), ("bad", "bad-soft")]
    pairs += [("on-accent", "accent"), ("on-accent", "accent-hover")]
    weak = {pair: round(_contrast(tokens[pair[0]], tokens[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < AA_TEXT} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_borders_of_fields_stand_out(theme: str) -> None:
    tokens = _blocks()[theme]
    assert _contrast(tokens["line-strong"], tokens["surface"]) >= AA_PARTS
    assert _contrast(tokens["accent"], tokens["ground"]) >= AA_PARTS


def _symbols(name: str) -> set[str]:
    return set(re.findall(r'<symbol id="([^"]+)"', (DESIGN / name).read_text()))


def test_every_icon_that_is_used_is_drawn() -> None:
    used: dict[str, str] = {}
    for page in SOURCE.rglob("*.html"):
        for name in re.findall(r'"_icon\.html" with name="([^"]+)"', page.read_text()):
            used[name] = page.name
    for script in SOURCE.glob("live/static/live/**/*.js"):
        for name in re.findall(r'\b(?:icon|setIcon)\((?:[a-z.]+, )?"([a-z-]+)"', script.read_text()):
            used[name] = script.name
    assert len(used) > 30
    assert {name: where for name, where in used.items() if name not in _symbols("icons.svg")} == {}


def test_every_care_symbol_is_drawn() -> None:
    assert _symbols("care.svg") == set(CARE_BY_NAME)


def test_the_wordmark_in_pages_is_the_logo() -> None:
    paths = [
        re.findall(r' d="([^"]+)"', file.read_text())
        for file in (DESIGN / "logo.svg", SOURCE / "config/templates/_wordmark.html")
    ]
    assert paths[0] == paths[1] != []


def test_pages_name_no_style_or_script_from_elsewhere() -> None:
    foreign = [
        page.name
        for page in SOURCE.rglob("templates/**/*.html")
        if re.search(r'(?:src|href)="(?:https?:)?//', page.read_text())
    ]
    inline = [
        page.name
        for page in SOURCE.rglob("templates/**/*.html")
        if re.search(r"<script>|\son[a-z]+=\"", page.read_text())
    ]
    assert (foreign, inline) == ([], [])
