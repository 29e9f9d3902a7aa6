"""One JSON line an event, without secrets; foreign output understood; files that do not grow for ever."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from silkroom.config.env import Environment, program_environment
from silkroom.config.processes import logs
from silkroom.config.processes.logs import LogFiles, LogLine, read_line

PROGRAM = """
import logging, structlog
from silkroom.config.env import Environment
from silkroom.config.processes.logs import configure_logging
configure_logging("web", Environment())
structlog.get_logger("silkroom.sales").info("order placed", order="A1042", pieces=2)
logging.getLogger("django.request").warning("Conflict: %s", "/api/orders")
logging.getLogger("django.server").warning("slow: %s", "GET /live/7?ticket=abc.def&x=1")
logging.getLogger("x").info("connect postgresql://silkroom:hunter2@127.0.0.1/db", extra={"password": "hunter2"})
structlog.get_logger("x").info("nested", headers={"Cookie": "sessionid=hunter2", "Host": "a"})
logging.getLogger("x").debug("not shown")
try:
    {}["piece"]
except KeyError:
    logging.getLogger("x").exception("lookup failed\\nin two lines")
"""


@pytest.fixture(scope="module")
def events() -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=program_environment(Environment()),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert "hunter2" not in done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_event_is_one_line_with_the_same_four_fields(events: list[dict[str, object]]) -> None:
    assert len(events) == 5
    assert [(event["process"], event["level"]) for event in events] == [
        ("web", "info"),
        ("web", "warning"),
        ("web", "info"),
        ("web", "info"),
        ("web", "error"),
    ]
    assert events[0] == {**events[0], "event": "order placed", "order": "A1042", "pieces": 2}
    assert all(str(event["at"]).endswith("Z") for event in events)


def test_tickets_passwords_and_cookies_are_blanked(events: list[dict[str, object]]) -> None:
    assert events[1]["event"] == "slow: GET /live/7?ticket=***&x=1"
    assert events[2]["event"] == "connect postgresql://***@127.0.0.1/db"
    assert events[2]["password"] == "***"
    assert events[3]["headers"] == {"Cookie": "***", "Host": "a"}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("GET /accounts/password/reset/key/2-cabc-123/ 200", "GET /accounts/password/reset/key/***/ 200"),
        ("GET /accounts/password/reset/key/done/ 200", "GET /accounts/password/reset/key/done/ 200"),
        ("GET /workbench/invitations/s3cr-ET_x/?a=1 302", "GET /workbench/invitations/***/?a=1 302"),
        ("GET /workbench/invitations/s3cr-ET_x", "GET /workbench/invitations/***"),
        (
            "at https://shop.example/accounts/confirm-email/MQ:1x:y-z/",
            "at https://shop.example/accounts/confirm-email/***/",
        ),
        ("POST /accounts/confirm-email/ 200", "POST /accounts/confirm-email/ 200"),
        ("GET /accounts/login/code/confirm/?code=ABC123 200", "GET /accounts/login/code/confirm/?code=*** 200"),
        ("GET /workbench/a-shop/staff/ 200", "GET /workbench/a-shop/staff/ 200"),
    ],
)
def test_links_that_let_people_in_are_blanked(said: str, kept: str) -> None:
    assert logs.hide_in_text(said) == kept
    assert logs.hide_secrets(None, "", {"event": said}) == {"event": kept}


def test_an_exception_is_part_of_its_event(events: list[dict[str, object]]) -> None:
    assert "KeyError: 'piece'" in str(events[4]["exception"])


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        (
            "LOG:  database system is ready to accept connections",
            "info",
            "database system is ready to accept connections",
        ),
        ("FATAL:  role does not exist", "error", "role does not exist"),
        ("PANIC:  could not write", "critical", "could not write"),
        (
            'ERROR:  duplicate key value violates unique constraint "x"',
            "info",
            'duplicate key value violates unique constraint "x"',
        ),
        ("[123] [ERR] Slow consumer", "error", "Slow consumer"),
        ("[123] [INF] Server is ready", "info", "Server is ready"),
        ("Traceback (most recent call last):", "info", "Traceback (most recent call last):"),
        ("ValueError: nothing known", "info", "ValueError: nothing known"),
        ('{"no": "event"}', "info", '{"no": "event"}'),
        ("{broken", "info", "{broken"),
    ],
)
def test_foreign_lines_are_understood_and_wrapped(line: str, level: str, text: str) -> None:
    found = read_line("postgres", line)
    assert (found.level, found.text) == (level, text)
    kept = json.loads(found.kept)
    assert (kept["process"], kept["level"], kept["event"]) == ("postgres", level, text)


def test_our_own_line_is_kept_as_it_is_and_shown_short() -> None:
    line = '{"event":"order placed","order":"A1","level":"warning","at":"2026-01-01T00:00:00Z","process":"web"}'
    found = read_line("web", line)
    assert (found.kept, found.level, found.text) == (line, "warning", "order placed: order A1")


def test_a_full_file_makes_room_and_the_last_three_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 200)
    files = LogFiles(tmp_path)
    for number in range(40):
        files.write(LogLine.of("web", "info", f"event {number:03}"))
    files.close()
    names = {path.name for path in tmp_path.iterdir()}
    assert names - {"web.log"} == {"web.log.1", "web.log.2", "web.log.3"}
    newest = json.loads((tmp_path / "web.log.1").read_text().splitlines()[-1])
    oldest = json.loads((tmp_path / "web.log.3").read_text().splitlines()[0])
    assert newest["event"] > oldest["event"]
