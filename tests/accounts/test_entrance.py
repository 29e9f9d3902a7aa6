"""Signing up, in and out in pages: by e-mail, by phone with a code, as a guest who becomes a member; and its bounds."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from silkroom.accounts.models import Person
from silkroom.accounts.services import make_guest
from tests.house import PASSWORD, make_person

pytestmark = pytest.mark.django_db

SIGN_UP = "/accounts/signup/"
SIGN_IN = "/accounts/login/"


@pytest.fixture
def terminal(settings: Any) -> None:
    """Codes are printed, as in the demo."""
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, phone_codes="terminal")


def sign_up(client: Client, contact: str, **fields: str) -> Any:
    return client.post(SIGN_UP, {"name": "Lin Wan", "contact": contact, "password1": PASSWORD, **fields})


def who(client: Client) -> Person | None:
    number = client.session.get("_auth_user_id")
    return Person.objects.get(pk=number) if number else None


def test_by_email_one_is_in_at_once_and_gets_a_mail(client: Client) -> None:
    answer = sign_up(client, "Lin@Example.com")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    person = who(client)
    assert person is not None
    assert (person.name, person.email, person.phone, person.is_guest) == ("Lin Wan", "lin@example.com", None, False)
    assert [one.to for one in mail.outbox] == [["lin@example.com"]]


def test_by_phone_the_code_opens_the_door(client: Client, terminal: None, capsys: pytest.CaptureFixture[str]) -> None:
    answer = sign_up(client, "138 0013 8000")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/phone/verify/")
    assert who(client) is None
    printed = re.search(r"code for \+8613800138000: (\S+)", capsys.readouterr().err)
    assert printed
    assert client.post("/accounts/phone/verify/", {"action": "verify", "code": printed[1]}).status_code == 302
    person = who(client)
    assert person is not None
    assert (person.phone, person.phone_verified) == ("+8613800138000", True)


def test_the_log_never_holds_the_code(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    sign_up(client, "13800138000")
    written = capsys.readouterr()
    assert "code for" not in written.err + written.out
    assert "13800138000" not in written.err + written.out


def test_codes_cannot_be_guessed(client: Client) -> None:
    sign_up(client, "13800138000")
    for _ in range(3):
        answer = client.post("/accounts/phone/verify/", {"action": "verify", "code": "WRONG1"})
    assert answer.status_code == 302, "after three wrong codes the try is over"
    assert client.post("/accounts/phone/verify/", {"action": "verify", "code": "WRONG1"})["Location"].startswith(
        SIGN_IN
    )
    assert who(client) is None
    assert not Person.objects.get(phone="+8613800138000").phone_verified


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"contact": "nobody"}, "contact"),
        ({"contact": "12345"}, "contact"),
        ({"contact": "a@b"}, "contact"),
        ({"name": "\u202e"}, "name"),
        ({"name": "x" * 60}, "name"),
        ({"password1": "short"}, "password1"),
        ({"password1": "12345678901"}, "password1"),
        ({"password1": "password1234"[:8]}, "password1"),
    ],
)
def test_what_cannot_be_used_is_said_beside_its_field(client: Client, fields: dict[str, str], field: str) -> None:
    answer = sign_up(client, fields.pop("contact", "lin@example.com"), **fields)
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert Person.objects.count() == 0


def test_a_taken_email_is_refused_and_a_taken_phone_gives_nothing_away(client: Client) -> None:
    make_person(email="lin@example.com")
    make_person(phone="13800138000")
    assert sign_up(client, "LIN@example.com").context["form"].errors["contact"]
    assert sign_up(client, "+8613800138000")["Location"] == "/accounts/phone/verify/"
    assert Person.objects.count() == 2
    assert who(client) is None


@pytest.mark.parametrize("typed", ["lin@example.com", "LIN@example.com", "13800138000", "+86 138 0013 8000"])
def test_one_signs_in_with_either(client: Client, typed: str) -> None:
    person = make_person(email="lin@example.com", phone="13800138000")
    assert client.post(SIGN_IN, {"login": typed, "password": PASSWORD}).status_code == 302
    assert who(client) == person


def test_a_wrong_password_is_refused_and_five_close_the_door(client: Client) -> None:
    make_person(email="lin@example.com")
    for _ in range(5):
        assert client.post(SIGN_IN, {"login": "lin@example.com", "password": "wrong-one"}).context["form"].errors
    assert client.post(SIGN_IN, {"login": "lin@example.com", "password": PASSWORD}).context["form"].errors
    assert who(client) is None


def test_the_limit_counts_a_phone_however_it_is_written(client: Client) -> None:
    make_person(phone="13800138000")
    for typed in ("13800138000", "138 0013 8000", "+8613800138000", "138-0013-8000", "+86 13800138000"):
        client.post(SIGN_IN, {"login": typed, "password": "wrong-one"})
    client.post(SIGN_IN, {"login": "1380013 8000", "password": PASSWORD})
    assert who(client) is None


def test_a_guest_sees_the_entrance_and_a_member_does_not(client: Client) -> None:
    guest = make_guest(name="Mei")
    client.force_login(guest, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(SIGN_IN).status_code == 200
    assert client.get(SIGN_UP).status_code == 200
    client.force_login(make_person(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(SIGN_IN).status_code == 302


def test_a_guest_can_leave(client: Client) -> None:
    client.force_login(make_guest(name="Mei"), backend="django.contrib.auth.backends.ModelBackend")
    client.post("/accounts/logout/")
    assert who(client) is None


def test_a_guest_cannot_be_signed_in_with_a_password(client: Client) -> None:
    guest = make_guest(name="Mei")
    client.post(SIGN_IN, {"login": guest.code, "password": ""})
    client.post(SIGN_IN, {"login": guest.code, "password": "None"})
    assert who(client) is None


def test_sign_in_leads_back_but_never_out_of_the_house(client: Client) -> None:
    make_person(email="lin@example.com")
    data = {"login": "lin@example.com", "password": PASSWORD}
    assert client.post(f"{SIGN_IN}?next=/workbench/", {**data, "next": "/workbench/"})["Location"] == "/workbench/"
    client.logout()
    assert client.post(SIGN_IN, {**data, "next": "https://evil.example/"})["Location"] == "/"


def test_pages_speak_the_browsers_language_until_one_chooses(client: Client) -> None:
    assert 'lang="zh-hans"' in client.get(SIGN_IN, headers={"accept-language": "zh-CN"}).content.decode()
    assert 'lang="en"' in client.get(SIGN_IN, headers={"accept-language": "en-GB"}).content.decode()
    client.post("/i18n/setlang/", {"language": "zh-hans", "next": "/"})
    assert 'lang="zh-hans"' in client.get(SIGN_IN, headers={"accept-language": "en-GB"}).content.decode()
