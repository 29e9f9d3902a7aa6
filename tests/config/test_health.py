"""Health answers: a hanging loop is not well although its port answers."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest

from silkroom.config.processes import health
from silkroom.config.processes.health import PASS, Identity, Pulse, ask, hangs, is_well, make_nonce
from silkroom.config.processes.servers import free_port


def test_a_beating_loop_is_well_and_a_silent_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    identity = Identity("jobs", "word")
    pulse = Pulse("jobs", port, "word")
    try:
        url = f"http://127.0.0.1:{port}/health"
        pulse.beat()
        status, body = ask(url, identity=identity)
        assert (status, json.loads(body)["process"], json.loads(body)["state"]) == (200, "jobs", "well")
        monkeypatch.setattr(health, "SILENT_SECONDS", -1.0)
        status, body = ask(url, identity=identity)
        assert (status, json.loads(body)["state"]) == (503, "silent")
        assert not is_well(url)
        assert ask(url) == (503, "not ok\n")
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


@pytest.fixture
def pulse() -> Iterator[str]:
    """Address of jobs that were started with a word of their own."""
    port = free_port()
    beating = Pulse("jobs", port, "word")
    yield f"http://127.0.0.1:{port}/health"
    beating.close()


def test_strangers_hear_whether_it_is_well_and_no_more(pulse: str) -> None:
    assert ask(pulse) == (200, "ok\n")
    request = urllib.request.Request(pulse, headers={PASS: "guessed"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.read() == b"ok\n"


@pytest.mark.parametrize("identity", [Identity("jobs", "another"), Identity("web", "word"), Identity("jobs", "")])
def test_another_process_or_another_start_does_not_pass_as_ours(pulse: str, identity: Identity) -> None:
    status, reason = ask(pulse, identity=identity)
    assert status == 0
    assert f"something else than this silkroom's {identity.process} answers" in reason
    assert is_well(pulse, identity=Identity("jobs", "word"))


def test_a_process_started_without_a_word_tells_nobody_more() -> None:
    for given in (None, "", Identity("web", "").headers().get(PASS), Identity("web", "x").headers()[PASS]):
        assert Identity("web", "").reply(given, is_well=True, state="well").body == "ok\n"


def test_an_answer_heard_before_proves_nothing() -> None:
    identity = Identity("web", "word")
    nonce, another = make_nonce(), make_nonce()
    heard = identity.reply(identity.headers(nonce)[PASS], is_well=True).body
    assert identity.is_of(heard, nonce)
    assert not identity.is_of(heard, another)
    assert identity.headers()[PASS] != identity.headers()[PASS]


@pytest.mark.parametrize("given", ["", " ", "x", "\udcff \udcff", "a" * 5000, "a b c"])
def test_any_other_pass_opens_nothing(given: str) -> None:
    assert Identity("web", "word").reply(given, is_well=True).body == "ok\n"
