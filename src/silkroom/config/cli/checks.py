"""``test``: every check of the project, one after the other, each with its time; pytest and its summary come last."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from silkroom.config.cli.chromium import ensure_chromium
from silkroom.config.env import ROOT, Environment, program_environment
from silkroom.config.errors import OperationError
from silkroom.config.processes.supervisor import Stack

TREES = ("src", "tests")

SIGNING_OF_CHECKS = "signs nothing"
"""Given to the checks, which would otherwise make a key in the data folder and keep it."""

FORBIDDEN_IN_LOCK = re.compile(r"://|--(?:extra-)?index-url|--find-links|--trusted-host")
"""A lock that names an address would fetch from there on everybody's machine, whatever theirs is set to."""


@dataclass(frozen=True)
class Step:
    """One check: ``run`` returns whether it passed, and prints what is wrong itself."""

    part: str
    name: str
    run: Callable[[], bool]


def check(*, only: str | None, arguments: Sequence[str]) -> None:
    """Run all steps even when one fails; the exit code is 1 when any did."""
    if importlib.util.find_spec("pytest") is None:
        raise OperationError("the packages of the checks are not installed: run `./silkroom test`, which does that")
    steps = [step for step in _steps(arguments) if only in (None, step.part)]
    failed: list[str] = []
    for step in steps:
        if step.part == "pytest":
            _summarize(len(steps) - 1, failed)
        print(f"== {step.name}", flush=True)
        started_at = time.monotonic()
        is_passed = _run(step)
        if not is_passed:
            failed.append(step.name)
        # Nothing may follow pytest's own last line: whoever reads the log takes the figures from there.
        if step.part != "pytest":
            print(f"   {'passed' if is_passed else 'FAILED'}, {time.monotonic() - started_at:.1f} s", flush=True)
    if only not in (None, "pytest"):
        _summarize(len(steps), failed)
    if failed:
        raise typer.Exit(1)


def _run(step: Step) -> bool:
    try:
        return step.run()
    except OperationError as error:
        print(f"   {error}", flush=True)
        return False


def _summarize(count: int, failed: Sequence[str]) -> None:
    if count:
        passed = count - len(failed)
        print(f"== {passed} of {count} checks passed{': FAILED ' + ', '.join(failed) if failed else ''}", flush=True)


def _steps(arguments: Sequence[str]) -> list[Step]:
    return [
        Step("lint", "ruff check", lambda: _program("ruff", "check", *TREES)),
        Step("lint", "ruff format", lambda: _program("ruff", "format", "--check", *TREES)),
        Step("lint", "locked packages name no address", _lock_names_no_address),
        Step("types", "mypy", lambda: _program("mypy")),
        Step("contracts", "imports", _imports_keep_their_contracts),
        Step("contracts", "no migration is missing", _no_migration_missing),
        Step("pytest", "pytest", lambda: _pytest(arguments)),
    ]


def _imports_keep_their_contracts() -> bool:
    # import-linter has a command but no ``-m``; the command's script is bound to where the environment was made.
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-cache"]
    return subprocess.run(command, cwd=ROOT, env=_variables(), check=False).returncode == 0


def _program(module: str, *arguments: str) -> bool:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env=_variables(), check=False).returncode == 0


def _variables() -> dict[str, str]:
    """Without settings of the person's own: checks must not depend on them, let alone touch their database."""
    return program_environment(Environment(secret_key=SIGNING_OF_CHECKS))


def _lock_names_no_address() -> bool:
    named = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in sorted((ROOT / "requirements").glob("*"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if FORBIDDEN_IN_LOCK.search(line)
    ]
    for line in named:
        print(line)
    return not named


def _no_migration_missing() -> bool:
    with tempfile.TemporaryDirectory(prefix="silkroom-checks-") as folder:
        # Passable for the user that PostgreSQL runs as when this is root.
        Path(folder).chmod(0o711)
        with Stack(Path(folder), environment=Environment(), any_ports=True, durable_setup=False) as stack:
            stack.start_servers()
            command = [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"]
            return subprocess.run(command, cwd=ROOT, env=stack.variables(), check=False).returncode == 0


def _pytest(arguments: Sequence[str]) -> bool:
    has_chromium = True
    try:
        print(f"   browser: {ensure_chromium()}", flush=True)
    except OperationError as error:
        # The tests that need it fail as well; all others are still worth their result.
        print(f"   {error}", flush=True)
        has_chromium = False
    variables = _variables()
    # pytest-django would read the settings at once; tests/conftest.py has to start the servers that they name first.
    del variables["DJANGO_SETTINGS_MODULE"]
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode == 0 and has_chromium
