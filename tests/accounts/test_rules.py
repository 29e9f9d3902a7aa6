"""Names, phones, e-mails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silkroom.accounts.errors import EmailUnusable, NameUnusable, PhoneUnusable
from silkroom.accounts.rules import clean_name, hide_phone, normalise_email, normalise_phone, show_phone


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Lin Wan", "Lin Wan"),
        ("  林　晚 \t", "林 晚"),
        ("Zo\u0065\u0301", "Zoé"),
        ("a\u202eb", "ab"),
        ("Li\u200bn\u200f", "Lin"),
        ("one\ntwo", "one two"),
        ("👩\u200d🎤 Mei", "👩\u200d🎤 Mei"),
        ("e" + "\u0301\u0302\u0303\u0304\u0305", "é\u0302\u0303"),
    ],
)
def test_names_are_shown_clean(typed: str, name: str) -> None:
    assert clean_name(typed) == name


@pytest.mark.parametrize("typed", ["", "   ", "\u200b\u200d", "\x00", "---", "x" * 41, "\u3164"[:0]])
def test_names_without_a_letter_or_too_long_are_refused(typed: str) -> None:
    with pytest.raises(NameUnusable):
        clean_name(typed)


@given(st.text(max_size=60))
def test_a_clean_name_stays_as_it_is(text: str) -> None:
    try:
        name = clean_name(text)
    except NameUnusable:
        return
    assert clean_name(name) == name
    assert 1 <= len(name) <= 40
    assert not any(sign in name for sign in "\u202e\u200b\n\r\t\x00")


@pytest.mark.parametrize(
    ("typed", "phone"),
    [
        ("13800138000", "+8613800138000"),
        ("138 0013 8000", "+8613800138000"),
        ("+86 138-0013-8000", "+8613800138000"),
        ("1３800138000", "+8613800138000"),
        ("0086 13800138000", "+8613800138000"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_phones_become_e164(typed: str, phone: str) -> None:
    assert normalise_phone(typed) == phone


@pytest.mark.parametrize("typed", ["", "12345", "99999999999", "hello", "+8613800138000 ext 5", "1" * 41, "+86"])
def test_numbers_that_cannot_be_reached_are_refused(typed: str) -> None:
    with pytest.raises(PhoneUnusable):
        normalise_phone(typed)


def test_a_phone_is_shown_as_at_home_and_hidden_in_logs() -> None:
    assert show_phone("+8613800138000").replace(" ", "") == "13800138000"
    assert show_phone("+442079460958") == "+44 20 7946 0958"
    assert hide_phone("+8613800138000") == "+86…00"
    assert hide_phone("+4745678901") == "+47…01"
    assert hide_phone("+6561234567") == "+65…67"
    assert hide_phone("nonsense") == "…"


def test_emails_are_small_letters() -> None:
    assert normalise_email(" Lin.Wan@Example.COM ") == "lin.wan@example.com"


@pytest.mark.parametrize(
    "typed",
    ["", "lin", "lin@", "@example.com", "lin@localhost", "lin wan@example.com", "a@b@c.de", "x" * 250 + "@e.com"],
)
def test_what_is_no_email_is_refused(typed: str) -> None:
    with pytest.raises(EmailUnusable):
        normalise_email(typed)
