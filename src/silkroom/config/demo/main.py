"""``./silkroom demo``: an invented shop, its show on real video, viewers who ask and buy, until somebody stops it.

Everything here goes through the doors that everybody uses. This module only starts what does the work: ``seeding``
fills the database, ``publish`` sends the video, ``people`` are host and crowd; each is a process of its own, so that
none slows the others.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from silkroom.config.cli.terminal import say, shown
from silkroom.config.cli.up import addresses
from silkroom.config.demo.brand import BRAND, LOGINS, OPERATOR
from silkroom.config.demo.passwords import ensure_passwords
from silkroom.config.demo.sources import FileSource
from silkroom.config.env import ROOT
from silkroom.config.errors import OperationError
from silkroom.config.processes.children import Child, Children
from silkroom.config.processes.supervisor import Stack

FIRST_PICTURE_SECONDS = 60.0
PAUSES = (1.0, 2.0, 5.0, 15.0)


class DemoError(OperationError):
    """The demo cannot go on; the text is one line for a person."""


def run(stack: Stack, *, source: Path | None, crowd: bool) -> None:
    """Seed, start the show, say where everything is, and stay until the stack is stopped."""
    if source is not None:
        source = source.resolve()
        # Say at once what is wrong with a file, not after a minute of preparing.
        FileSource(source).close()
    path, passwords = ensure_passwords(stack.data_dir / "secrets", LOGINS)
    with Troupe(stack, path) as troupe:
        seeded = troupe.seed()
        troupe.open(str(seeded["show"]), str(seeded["host"]), source=source, crowd=crowd)
        for line in programme(stack, seeded, passwords, path, crowd=crowd):
            print(line)  # noqa: T201 - what the command is for
        sys.stdout.flush()
        stack.wait()


class Troupe:
    """The demo's own processes."""

    def __init__(self, stack: Stack, passwords: Path) -> None:
        self._stack, self._passwords = stack, passwords
        self._children = Children(self._hear)
        self._language = "en" if stack.environment.language.startswith("en") else "zh-hans"
        self._lines: dict[str, list[str]] = {}
        self._sending = threading.Event()
        self._closing = threading.Event()
        self._log = (stack.data_dir / "logs" / "demo.log").open("w", encoding="utf-8")

    def __enter__(self) -> Troupe:
        return self

    def __exit__(self, *_error: object) -> None:
        self._closing.set()
        self._children.close()
        self._log.close()

    def seed(self, *arguments: str) -> dict[str, str | bool]:
        """The shop, its goods and its next show are there after this. Raises DemoError."""
        child = self._start("seeding", "--passwords", str(self._passwords), "--language", self._language, *arguments)
        self._children.wait(child)
        for line in reversed(self._lines["seeding"]):
            done = _read(line).get("done")
            if isinstance(done, dict):
                return done
        raise DemoError(f"cannot prepare the shop: {' '.join(self._lines['seeding'][-1:])}")

    def open(self, show: str, host: str, *, source: Path | None, crowd: bool) -> None:
        """Camera first, then the people."""
        who = ["--web", self._stack.web_url, "--show", show, "--login", host, "--passwords", str(self._passwords)]
        who += ["--language", self._language]
        self._keep("publish", *who, *(["--source", str(source)] if source else []))
        if not self._sending.wait(FIRST_PICTURE_SECONDS):
            raise DemoError(f"no picture after {FIRST_PICTURE_SECONDS:.0f} s: {' '.join(self._lines['publish'][-1:])}")
        self._keep("people", *who, *([] if crowd else ["--viewers", "0"]))

    def _start(self, name: str, *arguments: str) -> Child:
        self._lines.setdefault(name, [])
        variables = self._stack.variables()
        if self._stack.authority is not None:
            # Clients check certificates here as everywhere; this one was made for this machine.
            variables["SSL_CERT_FILE"] = str(self._stack.authority)
        command = [sys.executable, "-m", f"silkroom.config.demo.{name}", *arguments]
        return self._children.start(name, command, environment=variables, folder=ROOT)

    def _keep(self, name: str, *arguments: str) -> None:
        """Run it, and again when it fails; one that ends well (the show is over) has done its work."""

        def keep() -> None:
            tries = 0
            while not self._closing.is_set():
                child = self._start(name, *arguments)
                self._children.wait(child)
                if self._closing.is_set() or child.process.returncode == 0:
                    break
                self._stack.tell(f"{child.stopped_because()}; starting again", level="warning", process=name)
                self._closing.wait(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1
            if name == "people" and not self._closing.is_set():
                self._stack.tell("the show has ended; the next start plans a new one", process="demo")

        threading.Thread(target=keep, name=f"keeper of {name}", daemon=True).start()

    def _hear(self, name: str, line: str) -> None:
        self._log.write(f"{time.strftime('%H:%M:%S')} {name}: {line}\n")
        self._log.flush()
        self._lines[name].append(line)
        del self._lines[name][:-50]
        said = _read(line)
        if "step" in said:
            say(f"           {said['step']}")
        elif name == "publish" and line == "sending":
            self._sending.set()


def _read(line: str) -> dict[str, object]:
    try:
        read = json.loads(line)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def programme(
    stack: Stack, seeded: dict[str, str | bool], passwords: dict[str, str], path: Path, *, crowd: bool
) -> list[str]:
    """Where everything is and who gets in, as lines for the terminal."""
    web = stack.environment.public_url.rstrip("/") or stack.web_url
    show, shop = seeded["show"], seeded["shop"]
    places = (
        ("room", f"{web}/live/{show}/", "watch, ask, buy"),
        ("studio", f"{web}/live/{show}/studio/", "sign in as host"),
        ("workbench", f"{web}/workbench/{shop}/", "sign in as owner"),
        ("admin", f"{web}/admin/", "sign in as operator"),
        ("home", f"{web}/", ""),
    )
    width = max(len(address) for _, address, _ in places)
    lines = ["", f"{BRAND.name.zh} {BRAND.name.en}: {seeded['title']}", ""]
    lines += [f"  {name:10} {address:{width}}   {what}".rstrip() for name, address, what in places]
    lines += [f"             {line.strip()}" for line in addresses(stack)[1:]]
    lines += ["", f"  {'':10} {'e-mail':32} password"]
    for one in (*BRAND.staff, OPERATOR):
        lines.append(f"  {one.role:10} {one.email:32} {passwords[one.email]}")
    lines += [
        "",
        f"  passwords are kept in {shown(path)}",
        f"  an order's page: buy in the room as a guest{', as the simulated viewers do' if crowd else ''}",
        *(
            []
            if stack.environment.mail_url
            else [f"  mails, such as a new password's, are kept in {shown(stack.data_dir / 'mail')}"]
        ),
        f"  logs in {shown(stack.data_dir / 'logs')}, codes for phones in web.log; stop with Ctrl-C",
        "",
    ]
    return lines
