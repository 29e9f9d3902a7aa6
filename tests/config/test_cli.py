"""The command line: help everywhere, mistakes in one line, documents that name every command."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from silkroom import __version__
from silkroom.config.cli.main import app
from silkroom.config.cli.registry import BENCHES, COMMANDS, PROCESSES
from silkroom.config.env import ROOT, Environment, program_environment

NAMES = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def silkroom(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "silkroom", *arguments],
        env={**program_environment(Environment()), **settings},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_there_are_the_promised_commands() -> None:
    assert NAMES == ["backup", "bench", "demo", "doctor", "manage", "restore", "run", "test", "up"]
    assert sorted({*COMMANDS, "run"}) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_command_explains_itself_without_a_server(name: str, tmp_path: Path) -> None:
    done = silkroom(name, "--help", SILKROOM_DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    assert name in done.stdout
    assert not (tmp_path / "data" / "postgres").exists()


def test_the_version_is_the_packages() -> None:
    assert silkroom("--version").stdout == f"silkroom {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "settings", "text"),
    [
        (["run", "web"], {}, "SILKROOM_DATABASE_URL is not set"),
        (["run", "web"], {"SILKROOM_DATABASE_URL": "postgresql://nowhere/x"}, "SILKROOM_NATS_URL is not set"),
        (["up"], {"SILKROOM_WEB_PORT": "high"}, "SILKROOM_WEB_PORT='high' cannot be used"),
        (["up"], {"SILKROOM_TYPO": "1"}, "unknown setting SILKROOM_TYPO"),
        (["up", "--data-dir", "/proc/silkroom"], {}, "cannot make the data folder /proc/silkroom"),
        (["demo", "--source", "/nowhere.mp4"], {}, "no such video file: /nowhere.mp4"),
        (["restore", "/nowhere.tar"], {}, "there is no backup /nowhere.tar"),
        (["backup", "/nowhere/x.tar"], {}, "there is no folder /nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_a_code(arguments: list[str], settings: dict[str, str], text: str) -> None:
    done = silkroom(*arguments, **settings)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("silkroom: ")
    assert text in done.stderr


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["bench", "nonsense"], ["up", "--port", "0"], ["up", "--nonsense"]]
)
def test_a_wrong_word_is_refused_with_the_way_to_help(arguments: list[str]) -> None:
    done = silkroom(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Error: " in done.stderr


def test_a_traceback_only_for_developers(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_text("not a tar")
    quiet = silkroom("restore", str(tmp_path / "x.tar"))
    assert "Traceback" not in quiet.stderr
    loud = silkroom("restore", str(tmp_path / "x.tar"), SILKROOM_DEBUG="yes")
    assert "Traceback" in loud.stderr
    assert quiet.stderr.splitlines()[-1] == loud.stderr.splitlines()[-1]


def test_manage_hands_everything_to_django_and_its_code_back(tmp_path: Path) -> None:
    settings = {"SILKROOM_DATA_DIR": str(tmp_path)}
    assert "makemigrations" in silkroom("manage", "help", **settings).stdout
    done = silkroom("manage", "help", "nonsense", **settings)
    assert done.returncode == 1
    assert "Unknown command: 'nonsense'" in done.stderr


def test_every_command_process_and_bench_is_documented() -> None:
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"`\./silkroom ([a-z]+)", text))
    assert commands >= set(NAMES)
    assert set(re.findall(r"`\./silkroom run ([a-z]+)", text)) >= set(PROCESSES)
    assert set(re.findall(r"`\./silkroom bench ([a-z]+)", text)) >= set(BENCHES)
    options = set()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        options |= {
            (name, option) for parameter in command.params for option in parameter.opts if option.startswith("--")
        }
    assert {(name, option) for name, option in options if f"`{option}" not in text} == set()
