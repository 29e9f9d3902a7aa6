"""Compiling translations: only what is out of date, whole files only, a broken source is named."""

from __future__ import annotations

import gettext
import os
from pathlib import Path

import pytest

from silkroom.config.translations import TranslationError, compile_translations

SOURCE = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Buy"\nmsgstr "{word}"\n'


def write(folder: Path, word: str) -> Path:
    source = folder / "zh_Hans" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(SOURCE.format(word=word), encoding="utf-8")
    return source


def translated(folder: Path) -> str:
    with (folder / "zh_Hans" / "LC_MESSAGES" / "django.mo").open("rb") as file:
        return gettext.GNUTranslations(file).gettext("Buy")


def test_compiles_what_changed_and_nothing_else(tmp_path: Path) -> None:
    source = write(tmp_path, "购买")
    assert [path.name for path in compile_translations(tmp_path)] == ["django.mo"]
    assert translated(tmp_path) == "购买"
    assert compile_translations(tmp_path) == []
    write(tmp_path, "买")
    os.utime(source, ns=(0, source.stat().st_mtime_ns + 1))
    assert len(compile_translations(tmp_path)) == 1
    assert translated(tmp_path) == "买"


def test_a_broken_source_is_named_and_leaves_the_last_good_one(tmp_path: Path) -> None:
    source = write(tmp_path, "购买")
    compile_translations(tmp_path)
    source.write_text('msgid "Buy"\ngibberish\n', encoding="utf-8")
    os.utime(source, ns=(0, source.stat().st_mtime_ns + 10**9))
    with pytest.raises(TranslationError, match=r"django\.po"):
        compile_translations(tmp_path)
    assert translated(tmp_path) == "购买"
