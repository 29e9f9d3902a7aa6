"""Codes to phones through a webhook: a real server takes them, or does not; nothing tells the code but the message."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from silkroom.accounts import codes
from silkroom.accounts.codes import CodeNotSent, chosen_sender, post_code
from silkroom.config.processes.children import wait_until
from silkroom.config.processes.supervisor import Stack

PHONE = "+8613800138000"
CODE = "K7Q2-M4XW"
TEXT = f"Your code is {CODE}."

pytestmark = pytest.mark.django_db


@dataclass
class Provider:
    """A provider of text messages on this machine. ``status`` None: it takes the request and answers nothing."""

    url: str
    status: int | None = 202
    taken: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.taken.append((self.path, dict(self.headers.items()), json.loads(body)))
            if made.status is None:
                made.silent.wait(20)
                return
            self.send_response(made.status)
            self.send_header("Location", made.url + "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    made = Provider(f"http://127.0.0.1:{server.server_port}/send?kind=code")
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, phone_codes=made.url, phone_codes_secret="word")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    made.silent.set()
    server.shutdown()
    thread.join()
    server.server_close()


def queued() -> str:
    """The argument of the one job that waits."""
    job = ProcrastinateJob.objects.get(task_name="accounts.send_phone_code")
    assert list(job.args) == ["sealed"]
    sealed: str = job.args["sealed"]
    return sealed


def send() -> str:
    sender = chosen_sender()
    assert sender is not None
    sender.send_code(phone=PHONE, code=CODE, text=TEXT)
    return queued()


def test_the_provider_gets_phone_code_and_text_with_the_secret(provider: Provider) -> None:
    post_code(send())
    [(path, headers, body)] = provider.taken
    assert path == "/send?kind=code"
    assert headers["Authorization"] == "Bearer word"
    assert headers["Content-Type"] == "application/json"
    assert body == {"phone": PHONE, "code": CODE, "text": TEXT}


@pytest.mark.parametrize("status", [302, 400, 401, 500, 503])
def test_what_is_not_taken_fails_and_is_not_sent_elsewhere(provider: Provider, status: int) -> None:
    provider.status = status
    with pytest.raises(CodeNotSent, match=f"^127.0.0.1 answered {status}$"):
        post_code(send())
    assert len(provider.taken) == 1


def test_a_provider_that_says_nothing_is_not_waited_for_long(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.status = None
    monkeypatch.setattr(codes, "POST_SECONDS", 0.2)
    with pytest.raises(CodeNotSent, match="cannot be reached: TimeoutError"):
        post_code(send())


def test_neither_the_queue_nor_a_log_shows_the_code(
    provider: Provider, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    sealed = send()
    post_code(sealed)
    provider.status = 500
    with pytest.raises(CodeNotSent) as failed:
        post_code(sealed)
    written = capsys.readouterr()
    everything = written.out + written.err + caplog.text + str(failed.value) + sealed
    assert "phone code sent" in everything
    assert CODE not in everything
    assert PHONE not in everything


def test_a_code_that_nobody_takes_any_more_is_dropped(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = send()
    monkeypatch.setattr(codes, "GOOD_SECONDS", -1)
    post_code(sealed)
    post_code("nonsense")
    assert provider.taken == []


def test_nobody_sends_unless_somebody_is_named() -> None:
    assert chosen_sender() is None


def test_from_the_page_through_the_queue_to_the_phone_though_the_provider_fails_once(
    provider: Provider, make_stack: Callable[..., Stack]
) -> None:
    provider.status = 503
    stack = make_stack(phone_codes=provider.url, phone_codes_secret="word")
    browser = build_opener(HTTPCookieProcessor())
    person = {"name": "Lin", "contact": "13800138000", "password1": "silk-road-9"}
    assert submit(browser, f"{stack.web_url}/accounts/signup/", person) == "/accounts/phone/verify/"
    assert wait_until(lambda: len(provider.taken) == 1, seconds=20)
    provider.status = 200
    assert wait_until(lambda: len(provider.taken) == 2, seconds=30), "it is not tried again"
    first, second = (body for _, _, body in provider.taken)
    assert first == second
    assert first["phone"] == PHONE
    assert first["code"] in first["text"]
    told = {"action": "verify", "code": first["code"]}
    assert submit(browser, f"{stack.web_url}/accounts/phone/verify/", told) == "/"
    logs = "".join(file.read_text() for file in (stack.data_dir / "logs").glob("*.log"))
    assert "answered 503" in logs
    assert first["code"] not in logs
    assert PHONE not in logs


def submit(browser: OpenerDirector, address: str, fields: dict[str, str]) -> str:
    """Open a page with a form and send that; the path that it leads to."""
    with browser.open(address, timeout=20) as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
    assert token
    data = urlencode({**fields, "csrfmiddlewaretoken": token[1]}).encode()
    with browser.open(Request(address, data, {"Referer": address}), timeout=20) as answer:
        return urlsplit(answer.url).path
