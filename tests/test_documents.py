"""The documents name what exists: settings, error codes, room events. Settings and commands: tests/config."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import silkroom
from silkroom.kit.errors import Refusal

ROOT = Path(__file__).resolve().parents[1]


def all_refusals() -> dict[str, type[Refusal]]:
    for module in pkgutil.walk_packages(silkroom.__path__, "silkroom."):
        if module.name.endswith(".errors"):
            importlib.import_module(module.name)
    found: dict[str, type[Refusal]] = {}
    waiting = [Refusal]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            found[f"{kind.__module__}.{kind.__name__}"] = kind
    return found


def test_every_error_code_is_documented() -> None:
    text = (ROOT / "docs" / "errors.md").read_text()
    missing = {kind.code for kind in all_refusals().values() if f"`{kind.code}`" not in text}
    assert missing == set()


def test_documented_error_codes_exist() -> None:
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE))
    assert documented - {kind.code for kind in all_refusals().values()} == set()


AT_SEVERAL_DOORS = {"frame_too_large", "ticket_expired", "too_fast"}
"""The same refusal, said by engines that do not know each other."""


def test_refusals_say_different_things_by_different_codes() -> None:
    codes = [kind.code for kind in all_refusals().values()]
    assert {code for code in codes if codes.count(code) > 1} == AT_SEVERAL_DOORS


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if not target.startswith(("http://", "https://", "mailto:")) and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_nothing_names_a_package_registry_or_a_machine() -> None:
    hosts = re.compile(
        r"pypi\.(org|python)|files\.pythonhosted|registry\.npmjs|deb\.debian\.org|/work/main|/root/\.pyenv"
    )
    named = [
        str(path.relative_to(ROOT))
        for folder in ("src", "docs", "requirements", "tests", "deploy")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".md", ".txt", ".in", ".js", ".html", ".css", ".toml", ".yaml", ".yml", ""}
        and path.is_file()
        and path.name != Path(__file__).name
        and hosts.search(path.read_text(errors="ignore"))
    ]
    assert named == []
