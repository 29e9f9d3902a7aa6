"""Health answers: a hanging loop is not well although its port answers."""

from __future__ import annotations

import json

import pytest

from silkroom.config.processes import health
from silkroom.config.processes.health import Pulse, ask, hangs, is_well
from silkroom.config.processes.servers import free_port


def test_a_beating_loop_is_well_and_a_silent_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    pulse = Pulse("jobs", port)
    try:
        url = f"http://127.0.0.1:{port}/health"
        pulse.beat()
        status, body = ask(url)
        assert (status, json.loads(body)["process"], json.loads(body)["state"]) == (200, "jobs", "well")
        monkeypatch.setattr(health, "SILENT_SECONDS", -1.0)
        status, body = ask(url)
        assert (status, json.loads(body)["state"]) == (503, "silent")
        assert not is_well(url)
        assert hangs(status, body)
    finally:
        pulse.close()


def test_nobody_there_is_not_well_and_says_why() -> None:
    status, reason = ask(f"http://127.0.0.1:{free_port()}/health")
    assert status == 0
    assert "refused" in reason
    assert hangs(status, reason)


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, '{"state": "well"}'), (503, '{"state": "database away"}'), (503, "[]"), (502, "no JSON")],
)
def test_who_answers_does_not_hang(status: int, body: str) -> None:
    assert not hangs(status, body)
