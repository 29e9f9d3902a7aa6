"""Finds every sentence that a person may read, in code, templates and scripts, and keeps the catalogs in step.

Django's own ``makemessages`` needs GNU gettext on the machine; Babel reads the same sources without it. Two catalogs,
as Django wants them: ``django`` (Python, templates) and ``djangojs`` (scripts). Run
``python -m silkroom.config.messages`` to add new sentences to ``locale/*/LC_MESSAGES/*.po``.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract, extract_from_file
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from silkroom.config.env import ROOT

SOURCE = ROOT / "src" / "silkroom"
LOCALES = ("zh_Hans",)
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}

Message = tuple[str | tuple[str, ...], str | None]
"""(msgid or (singular, plural), context)."""


def sentences_of_pages() -> set[Message]:
    """Sentences of Python and templates."""
    found: set[Message] = set()
    for path in SOURCE.rglob("*.py"):
        found |= {_plain(one) for one in extract_from_file("python", str(path), keywords=KEYWORDS)}
        if path.name == "errors.py":
            found |= {(text, None) for text in _refusal_texts(path)}
    for path in SOURCE.rglob("*"):
        if path.suffix in {".html", ".txt"} and "templates" in path.parts:
            code = templatize(path.read_text(), origin=str(path))
            # What is no sentence becomes filler of the same length; its indentation means nothing to Python.
            plain = "\n".join(line.lstrip() for line in code.splitlines())
            rows = extract("python", io.BytesIO(plain.encode()), keywords=KEYWORDS)
            found |= {_plain(row) for row in rows}
    return {message for message in found if message[0]}


def sentences_of_scripts() -> set[Message]:
    """Sentences of the pages' scripts."""
    found: set[Message] = set()
    for path in SOURCE.rglob("*.js"):
        rows = extract_from_file("javascript", str(path), keywords=KEYWORDS, options={"parse_template_string": True})
        found |= {_plain(row) for row in rows}
    return {message for message in found if message[0]}


def _plain(row: tuple) -> Message:  # type: ignore[type-arg]
    """Babel's rows are (line, message, comments, context), file extraction's too."""
    message, context = row[1], row[3]
    return message, context


def _refusal_texts(path: Path) -> Iterator[str]:
    """``text`` and the values of ``field_names`` in the classes of an errors.py: errors know no framework."""
    for node in ast.walk(ast.parse(path.read_text())):
        for statement in node.body if isinstance(node, ast.ClassDef) else ():
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(name)], value=ast.expr() as value)
                    | ast.AnnAssign(target=ast.Name(name), value=ast.expr() as value)
                ):
                    if name == "text":
                        yield ast.literal_eval(value)
                    elif name == "field_names":
                        yield from ast.literal_eval(value).values()


def catalog_path(locale: str, domain: str) -> Path:
    """Where a catalog lies."""
    return ROOT / "locale" / locale / "LC_MESSAGES" / f"{domain}.po"


def read_catalog(locale: str, domain: str) -> Catalog:
    """The catalog, empty if there is none yet."""
    path = catalog_path(locale, domain)
    if not path.exists():
        return Catalog(locale=locale, domain=domain, project="silkroom", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=locale, domain=domain)


def write_catalog(catalog: Catalog, path: Path) -> None:
    """Write it under a header that holds no time of writing: an update without news changes no line."""
    values = {
        "Project-Id-Version": "silkroom",
        "Language": str(catalog.locale_identifier),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": catalog.plural_forms,
    }
    header = "".join(f'"{name}: {value}\\n"\n' for name, value in values.items())
    with path.open("wb") as file:
        file.write(f'# Sentences of silkroom. Apache-2.0.\nmsgid ""\nmsgstr ""\n{header}\n'.encode())
        write_po(file, catalog, width=100, omit_header=True, no_location=True)


def update_catalog(locale: str, domain: str, sentences: set[Message]) -> tuple[int, int]:
    """Add new sentences, drop vanished ones. Returns (sentences, still without translation)."""
    old = read_catalog(locale, domain)
    new = Catalog(locale=locale, domain=domain, charset="utf-8", fuzzy=False)
    for text, context in sorted(sentences, key=lambda one: (str(one[0]), one[1] or "")):
        known = old.get(text if isinstance(text, str) else text[0], context)
        new.add(text, known.string if known and known.id == text else None, context=context)
    path = catalog_path(locale, domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_catalog(new, path)
    missing = sum(1 for message in new if message.id and not _is_translated(message.string))
    return len(sentences), missing


def _is_translated(string: object) -> bool:
    return all(string) if isinstance(string, tuple) else bool(string)


def main() -> None:
    """Bring all catalogs up to date and say what is missing."""
    for locale in LOCALES:
        for domain, sentences in (("django", sentences_of_pages()), ("djangojs", sentences_of_scripts())):
            total, missing = update_catalog(locale, domain, sentences)
            sys.stdout.write(f"{locale} {domain}: {total} sentences, {missing} without translation\n")


if __name__ == "__main__":
    main()
