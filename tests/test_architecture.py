"""Laws of the house that import-linter cannot see: foreign keys, file names, doors."""

from __future__ import annotations

import ast
from pathlib import Path

from django.apps import apps

SOURCE = Path(__file__).resolve().parents[1] / "src" / "silkroom"
DEPARTMENTS = ["kit", "journal", "accounts", "shops", "inventory", "catalog", "sales", "pos", "live"]
ALCOVES = {
    "sales": ["offers", "orders", "payments", "desk", "checkout"],
    "live": ["fanout", "relay", "broadcasts", "room", "questions", "deals", "moderation"],
}
BANNED_NAMES = {"utils", "helpers", "common", "manager", "misc"}
ENGINES = ("silkroom.sales.desk", "silkroom.live.fanout", "silkroom.live.relay")


def height(module: str) -> tuple[int, int]:
    """How high a model's module stands: department first, then alcove."""
    parts = module.split(".")
    department = DEPARTMENTS.index(parts[1]) if parts[1] in DEPARTMENTS else len(DEPARTMENTS)
    alcoves = ALCOVES.get(parts[1], [])
    return department, alcoves.index(parts[2]) if parts[2] in alcoves else 0


def test_foreign_keys_point_downward() -> None:
    upward = []
    seen = 0
    for model in apps.get_models():
        if not model.__module__.startswith("silkroom."):
            continue
        for field in model._meta.get_fields():
            target = field.related_model if field.is_relation and not field.auto_created else None
            if target is None or not target.__module__.startswith("silkroom."):
                continue
            seen += 1
            if height(target.__module__) > height(model.__module__):
                upward.append(f"{model.__name__}.{field.name} -> {target.__name__}")
    assert upward == []
    assert seen > 40, "the walk must really see the models"


def modules() -> list[Path]:
    return [path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts]


def test_no_module_is_a_junk_drawer() -> None:
    assert [str(path) for path in modules() if path.stem in BANNED_NAMES] == []


def test_engines_are_entered_by_their_door_only() -> None:
    trespassers = []
    for path in modules():
        name = ".".join(("silkroom", *path.relative_to(SOURCE).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or node.level or not node.module:
                continue
            for engine in ENGINES:
                if name.startswith(engine):
                    continue
                direct = node.module.startswith(f"{engine}.") and node.module not in {
                    f"{engine}.door",
                    f"{engine}.errors",
                }
                through_package = node.module == engine and any(
                    one.name not in {"door", "errors"} for one in node.names
                )
                if direct or through_package:
                    trespassers.append(f"{name} imports {node.module}")
    assert trespassers == []


def test_every_module_says_what_it_owns() -> None:
    silent = [
        str(path.relative_to(SOURCE))
        for path in modules()
        if path.name != "__init__.py" and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert silent == []


def test_imports_stand_at_the_top() -> None:
    """An import inside a function means that an arrow points the wrong way. The command line alone is lazy."""
    hidden = []
    for path in modules():
        if "cli" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                hidden += [
                    f"{path.relative_to(SOURCE)}:{inner.lineno}"
                    for inner in ast.walk(node)
                    if isinstance(inner, ast.Import | ast.ImportFrom)
                ]
    assert hidden == []
