"""The commands of ``./silkroom``, their options and how their errors look.

Nothing is done here: each command hands its options to the module that the registry names for it.
"""

from __future__ import annotations

import sys
import traceback
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import structlog
import typer

from silkroom import __version__
from silkroom.config.cli import registry
from silkroom.config.env import Environment, SettingError
from silkroom.config.errors import OperationError
from silkroom.config.processes.children import allow_many_files
from silkroom.config.processes.logs import configure_logging

PROGRAM = "silkroom"

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


class Process(StrEnum):
    WEB = "web"
    GATEWAY = "gateway"
    JOBS = "jobs"
    PREPARE = "prepare"


class Bench(StrEnum):
    DESK = "desk"
    ROOM = "room"
    VIDEO = "video"


class Part(StrEnum):
    LINT = "lint"
    TYPES = "types"
    CONTRACTS = "contracts"
    PYTEST = "pytest"


app = typer.Typer(
    name=PROGRAM,
    help="silkroom: a brand makes, shows live, sells in the same second, hands over and counts.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="FOLDER",
        help="Folder of everything kept on this machine (SILKROOM_DATA_DIR).",
    ),
]
Host = Annotated[
    str | None,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        help="Address to listen on; 0.0.0.0 lets other devices in. Default: only this machine.",
    ),
]
Port = Annotated[
    int | None,
    typer.Option("--port", metavar="NUMBER", min=1, max=65535, help="Port of the pages. Default: 8000, or a free one."),
]
Tls = Annotated[
    bool,
    typer.Option("--tls", help="Serve https with a certificate made here: phones give their camera to https only."),
]


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Show the version.", is_eager=True)] = False,
) -> None:
    if version:
        print(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.command()
def up(data_dir: DataDir = None, host: Host = None, port: Port = None, tls: Tls = False) -> None:
    """Start everything on this machine and keep it running until Ctrl-C."""
    registry.command("up")(data_dir=data_dir, host=host, port=port, tls=tls)


@app.command()
def demo(
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    tls: Tls = False,
    source: Annotated[
        Path | None,
        typer.Option("--source", metavar="FILE", help="A video file to broadcast instead of the generated show."),
    ] = None,
    crowd: Annotated[bool, typer.Option("--crowd/--no-crowd", help="Simulated viewers who ask and buy.")] = True,
) -> None:
    """Start everything with an invented shop and a live broadcast of real video."""
    registry.command("demo")(data_dir=data_dir, host=host, port=port, tls=tls, source=source, crowd=crowd)


@app.command(context_settings=PASS_ON)
def test(
    context: typer.Context,
    only: Annotated[Part | None, typer.Option("--only", help="Only this part.")] = None,
) -> None:
    """Run lint, types, contracts and every test. Further arguments go to pytest."""
    registry.command("test")(only=None if only is None else only.value, arguments=context.args)


@app.command("run")
def run_process(process: Annotated[Process, typer.Argument(help="Which process.")]) -> None:
    """Run one process in the foreground, as production does: web, gateway, jobs; or prepare, once per release.

    SILKROOM_DATABASE_URL and SILKROOM_NATS_URL say where the servers are.
    """
    environment = Environment.read()
    for name in ("database_url", "nats_url"):
        if not getattr(environment, name) and not (process is Process.PREPARE and name == "nats_url"):
            raise OperationError(
                f"SILKROOM_{name.upper()} is not set: `run` uses servers of your own; `./silkroom up` brings its own"
            )
    allow_many_files()
    configure_logging(process.value, environment)
    try:
        registry.load(registry.PROCESSES[process.value])(environment)
    except Exception as error:  # The outermost place of a process: its end must be in its log.
        log = structlog.get_logger("silkroom")
        if isinstance(error, OperationError):
            log.critical(str(error))
        else:
            log.critical("stopped by an error", exc_info=True)
        raise typer.Exit(1) from None


@app.command(context_settings=PASS_ON, add_help_option=False)
def manage(context: typer.Context) -> None:
    """Run a command of Django, such as `manage createsuperuser`; `manage help` lists them."""
    registry.command("manage")(arguments=context.args)


@app.command()
def bench(
    name: Annotated[Bench, typer.Argument(help="What to measure.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on the last line.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="A smaller measurement, within 40 seconds.")] = False,
) -> None:
    """Measure the order desk, the room's fan-out or the video, beside the machine's own limits."""
    registry.command("bench")(name=name.value, as_json=as_json, quick=quick)


@app.command()
def doctor(data_dir: DataDir = None) -> None:
    """Check everything silkroom stands on, in plain words. Exit code 1 when something is wrong."""
    registry.command("doctor")(data_dir=data_dir)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The .tar file to write.")],
    data_dir: DataDir = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
) -> None:
    """Keep database, pictures, recordings and secrets in one file. Works while silkroom runs."""
    registry.command("backup")(file=file, data_dir=data_dir, force=force)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file written by `backup`.")],
    data_dir: DataDir = None,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of what is there.")] = False,
) -> None:
    """Bring back a backup, after checking that it is whole, into an empty data folder."""
    registry.command("restore")(file=file, data_dir=data_dir, replace=replace)


def run(arguments: list[str] | None = None) -> None:
    """Entry point: run the command, turn what goes wrong into one line and an exit code."""
    try:
        # It answers wrong words and options itself, and leaves with the command's code.
        app(args=arguments, prog_name=f"./{PROGRAM}")
    except KeyboardInterrupt:
        sys.exit(130)
    except (OperationError, SettingError) as error:
        _fail(str(error), error)
    except Exception as error:  # The outermost place: whatever gets here is a bug, and is still one line.
        _fail(f"unexpected {type(error).__name__}: {error} (SILKROOM_DEBUG=yes shows where)", error)


def _fail(text: str, error: Exception) -> None:
    if _is_debugging():
        traceback.print_exception(error)
    print(f"{PROGRAM}: {' '.join(text.split())}", file=sys.stderr)
    sys.exit(1)


def _is_debugging() -> bool:
    try:
        return Environment.read().debug
    except SettingError:
        return False
