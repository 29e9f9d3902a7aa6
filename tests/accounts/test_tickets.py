"""Tickets: believed for their purpose and their time, and for nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import signing
from hypothesis import given
from hypothesis import strategies as st

from silkroom.accounts.tickets import EXPIRES, LONGEST_TICKET, TicketExpired, TicketInvalid, issue_ticket, read_ticket
from silkroom.kit.clock import now, to_milliseconds

MINUTE = timedelta(minutes=1)


def test_a_ticket_carries_what_was_put_in() -> None:
    before = to_milliseconds(now())
    payload = read_ticket("room", issue_ticket("room", {"p": 7, "c": "broadcast:K7"}, lifetime=MINUTE))
    assert {**payload, EXPIRES: 0} == {"p": 7, "c": "broadcast:K7", EXPIRES: 0}
    assert before + 60_000 <= payload[EXPIRES] <= to_milliseconds(now()) + 60_000


def test_a_ticket_is_good_for_one_purpose() -> None:
    with pytest.raises(TicketInvalid):
        read_ticket("ingest", issue_ticket("watch", {}, lifetime=MINUTE))


def test_a_ticket_ends() -> None:
    with pytest.raises(TicketExpired):
        read_ticket("room", issue_ticket("room", {}, lifetime=-timedelta(seconds=1)))


@given(place=st.integers(0, 200), sign=st.sampled_from("aZ0-_:."))
def test_no_sign_of_a_ticket_may_change(place: int, sign: str) -> None:
    text = issue_ticket("room", {"p": 7}, lifetime=MINUTE)
    place %= len(text) - 1  # the last sign of base64 holds bits that mean nothing
    changed = text[:place] + sign + text[place + 1 :]
    if changed == text:
        return
    with pytest.raises(TicketInvalid):
        read_ticket("room", changed)


@given(st.text(max_size=60))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(TicketInvalid):
        read_ticket("room", text)


def test_a_huge_text_is_refused_unread() -> None:
    text = issue_ticket("room", {"n": "x" * LONGEST_TICKET}, lifetime=MINUTE)
    with pytest.raises(TicketInvalid):
        read_ticket("room", text)


@pytest.mark.parametrize("payload", [[], 7, {}, {EXPIRES: "1"}, {EXPIRES: True}])
def test_what_we_signed_for_something_else_is_no_ticket(payload: object) -> None:
    with pytest.raises(TicketInvalid):
        read_ticket("room", signing.dumps(payload, salt="silkroom.ticket.room"))
