"""What no request may do: send more than the page takes, or ask a host that is not ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from silkroom.config.env import Environment, program_environment

MEGABYTE = 1024**2
UPLOADS = [
    "/workbench/a-shop/styles/ABCDE23456/pictures/",
    "/workbench/a-shop/shows/new/",
    "/live/ABCDE23456/studio/cover",
    "/admin/auth/group/add/",
]


def send(client: Client, address: str, length: str, **headers: str) -> tuple[int, str]:
    """Says a length; nothing of the body follows, as with a client that waits for the answer first."""
    answer = client.generic("POST", address, b"", content_type="text/plain", CONTENT_LENGTH=length, headers=headers)
    return answer.status_code, answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("address", UPLOADS)
def test_pages_with_files_take_thirty_two_megabytes(client: Client, address: str) -> None:
    assert send(client, address, str(MEGABYTE + 1))[0] == 413, "nobody has signed in"
    client.cookies[settings.SESSION_COOKIE_NAME] = "some"
    assert send(client, address, str(32 * MEGABYTE))[0] not in {411, 413}
    assert send(client, address, str(32 * MEGABYTE + 1))[0] == 413
    assert send(client, "/admin/login/", str(MEGABYTE + 1))[0] == 413


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/accounts/login/", "/workbench/open/", "/no/such/page"])
def test_other_pages_take_one(client: Client, address: str) -> None:
    assert send(client, address, str(MEGABYTE))[0] not in {411, 413}
    assert send(client, address, str(MEGABYTE + 1))[0] == 413
    assert send(client, address, "9" * 5000)[0] == 413


def test_the_refusal_is_a_sentence_for_people_and_json_for_programs(client: Client) -> None:
    _, text = send(client, "/accounts/login/", "2000000", **{"accept-language": "en"})
    assert text == "This is too large. Please send less at once."
    _, text = send(client, "/accounts/login/", "2000000", **{"accept-language": "zh-CN"})
    assert text == "内容太大了，请一次少发一些。"
    _, text = send(client, "/accounts/login/", "2000000", accept="application/json")
    assert '"code": "body_too_large"' in text


def test_a_body_without_a_length_is_refused(client: Client) -> None:
    assert send(client, "/admin/login/", "", **{"transfer-encoding": "chunked"})[0] == 411


@pytest.mark.parametrize("host", ["evil", "evil:8000", "a b", "x" * 5000])
def test_an_unknown_host_gets_a_plain_answer_and_pages_nobody(
    client: Client, caplog: pytest.LogCaptureFixture, host: str
) -> None:
    for address in ("/", "/health", "/no/such/page", "/static/none.css"):
        answer = client.get(address, headers={"host": host})
        assert (answer.status_code, answer.content) == (400, b"unknown host\n")
    assert [one for one in caplog.records if one.levelname not in {"INFO", "WARNING"}] == []


@pytest.mark.parametrize(
    ("public_url", "seconds"), [("https://shop.example", 2592000), ("http://shop.example", 0), ("", 0)]
)
def test_browsers_remember_https_where_the_public_address_is_https(
    tmp_path: Path, public_url: str, seconds: int
) -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from django.conf import settings; print(settings.SECURE_HSTS_SECONDS)"],
        env=program_environment(Environment(data_dir=tmp_path, public_url=public_url)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(told.stdout) == seconds
