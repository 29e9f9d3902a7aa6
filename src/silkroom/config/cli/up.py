"""``up`` and ``demo``: the whole of silkroom in the foreground until somebody stops it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

from silkroom.config.cli import registry
from silkroom.config.cli.findings import of_settings
from silkroom.config.cli.terminal import report, say, shown
from silkroom.config.env import Environment
from silkroom.config.errors import OperationError
from silkroom.config.processes.supervisor import Stack

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """Somebody asked this process to stop."""


def up(*, data_dir: Path | None, host: str | None, port: int | None, tls: bool) -> None:
    """Start everything, print the addresses, wait for the end."""
    with suppress(Stopped), running_stack("up", data_dir=data_dir, host=host, port=port, tls=tls) as stack:
        for line in addresses(stack):
            print(line)
        for finding in of_settings(stack.environment):
            if finding.is_well is False:
                print(f"WARNING    {finding.text}")
        print(f"logs in {shown(stack.data_dir / 'logs')}; stop with Ctrl-C", flush=True)
        stack.wait()


def demo(
    *, data_dir: Path | None, host: str | None, port: int | None, tls: bool, source: Path | None, crowd: bool
) -> None:
    """As ``up``, with an invented shop and its broadcast."""
    if source is not None and not source.is_file():
        raise OperationError(f"no such video file: {source}")
    show = registry.load(registry.DEMO)
    with suppress(Stopped), running_stack("demo", data_dir=data_dir, host=host, port=port, tls=tls) as stack:
        # It says where everything is, and stays until the stack is stopped.
        show(stack, source=source, crowd=crowd)


@contextmanager
def running_stack(
    purpose: str, *, data_dir: Path | None, host: str | None, port: int | None, tls: bool
) -> Iterator[Stack]:
    """A started stack; stopped in order however the block ends. A signal ends the block with Stopped."""
    environment = Environment.read()
    if purpose == "demo":
        # Its buyers are invented, and so are their money and their phones.
        sender = environment.phone_codes or "terminal"
        environment = replace(environment, sandbox_payments=True, phone_codes=sender)
    if host is not None:
        environment = replace(environment, host=host)
    if port is not None:
        environment = replace(environment, web_port=port)
    stack = Stack(
        data_dir or environment.data_dir,
        environment=environment,
        report=report,
        purpose=purpose,
        tls=tls,
        fixed_web_port=port is not None,
    )
    with _stopping_on_signals(stack), stack:
        try:
            stack.start_processes()
            yield stack
        except Stopped:
            say("stopping")
            raise


@contextmanager
def _stopping_on_signals(stack: Stack) -> Iterator[None]:
    asked = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            # Somebody cannot wait: what was confirmed is on disk all the same.
            stack.kill_all()
            return
        asked = True
        raise Stopped

    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def addresses(stack: Stack) -> list[str]:
    """Where people find it, one line each."""
    environment = stack.environment
    lines = [f"silkroom   {environment.public_url or stack.web_url}/"]
    lines.extend(f"           {url}/   (other devices in this network)" for url in stack.lan_urls)
    if stack.authority is not None:
        lines.append(
            f"https      let each device trust {shown(stack.authority)} once "
            "(open the file on it, then switch trust on in its settings for certificates)"
        )
    return lines
