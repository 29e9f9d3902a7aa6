"""Compiles the translations (``locale/*/LC_MESSAGES/*.po``) into what gettext reads, where they are out of date.

Done at each start rather than kept in the repository: a compiled file beside its source is out of date sooner or later.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from silkroom.config.env import ROOT
from silkroom.config.errors import OperationError


class TranslationError(OperationError):
    """A .po file cannot be read; the text names it."""


def compile_translations(folder: Path = ROOT / "locale") -> list[Path]:
    """Compile every .po file that is newer than its .mo file; returns the files written."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        _compile(source, target)
        written.append(target)
    return written


def _compile(source: Path, target: Path) -> None:
    stamp = source.stat()
    try:
        with source.open("rb") as file:
            catalog = read_po(file, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise TranslationError(f"{source}: {error}") from None
    # Written beside and moved into place: processes that start together must not read half a file.
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as draft:
        write_mo(draft, catalog)
    Path(draft.name).chmod(0o644)
    # As old as its source, so that a source edited while this ran is compiled again next time.
    os.utime(draft.name, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    Path(draft.name).replace(target)
