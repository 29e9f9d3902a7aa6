"""Signing up, in and out in pages: by e-mail, by phone with a code, as a guest who becomes a member; and its bounds."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from silkroom.accounts.models import Person
from silkroom.accounts.services import make_guest, register_person
from tests.house import PASSWORD, make_person

pytestmark = pytest.mark.django_db

SIGN_UP = "/accounts/signup/"
SIGN_IN = "/accounts/login/"
ENGLISH = {"accept-language": "en"}
PROVE = "/accounts/confirm-email/"


@pytest.fixture
def terminal(settings: Any) -> None:
    """Codes are printed, as in the demo."""
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, phone_codes="terminal")


def sign_up(client: Client, contact: str, **fields: str) -> Any:
    data = {"name": "Lin Wan", "contact": contact, "password1": PASSWORD, **fields}
    return client.post(SIGN_UP, data, headers=ENGLISH)


def who(client: Client) -> Person | None:
    number = client.session.get("_auth_user_id")
    return Person.objects.get(pk=number) if number else None


@pytest.fixture
def mail_server(settings: Any) -> None:
    """As with SILKROOM_MAIL_URL: an address is proven before it is used."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True


def mailed_code(to: str) -> str:
    """The code of the last mail."""
    assert mail.outbox[-1].to == [to]
    found = re.search(r"^([A-Z0-9]{4}-[A-Z0-9]{4})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def prove(client: Client, code: str) -> Any:
    return client.post(PROVE, {"code": code})


def test_by_email_the_code_opens_the_door(client: Client, mail_server: None) -> None:
    answer = sign_up(client, "Lin@Example.com")
    assert (answer.status_code, answer["Location"]) == (302, PROVE)
    assert client.get(PROVE).status_code == 200
    assert who(client) is None
    assert prove(client, mailed_code("lin@example.com")).status_code == 302
    person = who(client)
    assert person is not None
    assert (person.name, person.email, person.phone, person.is_guest) == ("Lin Wan", "lin@example.com", None, False)


def test_codes_by_email_cannot_be_guessed(client: Client, mail_server: None) -> None:
    sign_up(client, "lin@example.com")
    for _ in range(3):
        answer = prove(client, "WRONG1")
    assert answer.status_code == 302, "after three wrong codes the try is over"
    prove(client, mailed_code("lin@example.com"))
    assert who(client) is None


def test_without_a_mail_server_one_is_in_at_once(client: Client) -> None:
    answer = sign_up(client, "Lin@Example.com")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    person = who(client)
    assert person is not None
    assert person.email == "lin@example.com"


OTHERS_WORD = "stranger-in-the-house-1"


def squat(address: str) -> Client:
    """Somebody signs up with the address of another, and cannot read its mails."""
    stranger = Client()
    sign_up(stranger, address, password1=OTHERS_WORD)
    cache.clear()  # The limit of mails to one address is ten seconds long.
    return stranger


def test_an_address_taken_in_advance_is_its_owners(client: Client, mail_server: None) -> None:
    stranger = squat("lin@example.com")
    strangers_code = mailed_code("lin@example.com")
    assert sign_up(client, "lin@example.com")["Location"] == PROVE
    prove(stranger, strangers_code)
    assert who(stranger) is None
    prove(client, mailed_code("lin@example.com"))
    assert who(client) == Person.objects.get(email="lin@example.com")
    assert Person.objects.get().check_password(PASSWORD)


def test_a_code_in_place_of_the_password_does_not_confirm_a_strangers_sign_up(
    client: Client, mail_server: None
) -> None:
    squat("lin@example.com")
    client.post("/accounts/login/code/", {"email": "lin@example.com"}, headers=ENGLISH)
    assert str(mail.outbox[-1].subject) == "[testserver] Unknown Account"
    assert not Person.objects.get().emailaddress_set.filter(verified=True).exists()


def test_a_new_password_shuts_a_stranger_out(client: Client, mail_server: None) -> None:
    stranger = squat("lin@example.com")
    client.post("/accounts/password/reset/", {"email": "lin@example.com"})
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert link
    page = client.get(link[1], follow=True)
    client.post(page.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})
    person = Person.objects.get()
    assert person.check_password(PASSWORD)
    stranger.post(SIGN_IN, {"login": "lin@example.com", "password": OTHERS_WORD})
    stranger.get(PROVE)
    assert who(stranger) is None


def test_a_proven_address_is_not_given_away_and_its_owner_hears_of_it(client: Client, mail_server: None) -> None:
    owner = make_person(email="lin@example.com")
    assert sign_up(client, "lin@example.com")["Location"] == PROVE
    assert list(Person.objects.all()) == [owner]
    assert mail.outbox[-1].to == ["lin@example.com"]
    assert "already" in str(mail.outbox[-1].subject).lower()


def test_people_whom_an_operator_made_are_nobodys_to_take(client: Client, mail_server: None) -> None:
    operator = Person.objects.create_superuser("root@example.com", PASSWORD)
    clerk = Person.objects.create_user("clerk@example.com", PASSWORD)
    for person in (operator, clerk):
        sign_up(Client(), str(person.email), password1=OTHERS_WORD)
    assert set(Person.objects.all()) == {operator, clerk}
    # Nor once they have begun to sign in, which notes their address.
    for person in (operator,):
        Client().post(SIGN_IN, {"login": person.email, "password": PASSWORD})
        cache.clear()
        sign_up(Client(), str(person.email), password1=OTHERS_WORD)
    assert set(Person.objects.all()) == {operator, clerk}


def test_a_member_with_a_phone_alone_is_not_asked_for_an_email(client: Client, mail_server: None) -> None:
    person = make_person(phone="13800138000")
    assert client.post(SIGN_IN, {"login": "13800138000", "password": PASSWORD})["Location"] == "/"
    assert who(client) == person


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


def test_where_phones_are_not_reached_the_page_offers_email_alone(client: Client) -> None:
    page = client.get(SIGN_UP, headers=ENGLISH)
    sentence = "Codes cannot be sent to phones here yet. Please use an e-mail address."
    assert page.context["form"].fields["contact"].label == "E-mail"
    assert sentence in page.content.decode()
    answer = client.post(SIGN_UP, {"name": "Lin", "contact": "13800138000", "password1": PASSWORD}, headers=ENGLISH)
    assert answer.context["form"].errors["contact"] == [sentence]
    assert Person.objects.count() == 0
    assert list(client.get("/accounts/login/code/").context["form"].fields) == ["email"]


def test_a_code_that_nobody_can_send_is_a_sentence_not_an_error(client: Client) -> None:
    """The sender was taken away after the sign-up."""
    register_person(name="Lin", password=PASSWORD, phone="13800138000")
    answer = client.post(SIGN_IN, {"login": "13800138000", "password": PASSWORD}, headers=ENGLISH)
    assert answer.status_code == 409
    assert "Please use an e-mail address" in answer.content.decode()


def test_codes_cannot_be_guessed(client: Client, terminal: None) -> None:
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


def test_a_taken_email_is_refused_and_a_taken_phone_gives_nothing_away(client: Client, terminal: None) -> None:
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
