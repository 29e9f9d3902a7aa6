"""Tickets carry who, which show and which role; for one purpose, for a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import signing

from silkroom.accounts.tickets import TicketExpired, TicketInvalid
from silkroom.kit.clock import now, to_milliseconds
from silkroom.live.broadcasts.rules import RoomRole
from silkroom.live.broadcasts.tickets import LIFETIME, Purpose, issue_ticket, read_ticket

WHO = {
    "broadcast_id": 7,
    "broadcast_code": "SHOWSHOWSH",
    "shop_id": 3,
    "person_id": 11,
    "person_code": "K7AAAAAAAA",
    "name": "阿宁",
    "role": RoomRole.ASSISTANT,
    "visitor": "BROWSERBROWSERBR",
}


def test_what_is_signed_is_read():
    before = to_milliseconds(now() + LIFETIME)
    ticket = read_ticket(Purpose.ROOM, issue_ticket(Purpose.ROOM, **WHO))
    assert {name: getattr(ticket, name) for name in WHO} == WHO
    assert before <= ticket.expires_at_ms <= before + 5000
    assert ticket.channel == "broadcast:SHOWSHOWSH"
    assert ticket.may_speak


@pytest.mark.parametrize(("person", "name", "may"), [(11, "阿宁", True), (None, "", False), (11, "", False)])
def test_speaking_needs_a_person_with_a_name(person: int | None, name: str, may: bool):
    signed = issue_ticket(Purpose.ROOM, **{**WHO, "person_id": person, "name": name})
    assert read_ticket(Purpose.ROOM, signed).may_speak is may


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_ticket_for_something_else_is_none(purpose: Purpose):
    signed = issue_ticket(purpose, **WHO)
    for other in set(Purpose) - {purpose}:
        with pytest.raises(TicketInvalid):
            read_ticket(other, signed)


def test_a_ticket_lapses():
    with pytest.raises(TicketExpired):
        read_ticket(Purpose.WATCH, issue_ticket(Purpose.WATCH, **WHO, lifetime=timedelta(seconds=-1)))


@pytest.mark.parametrize("change", [{"r": "king"}, {"b": "x"}, {"b": None}, {"s": None}, {"p": "x"}])
def test_a_rightly_signed_ticket_of_another_shape_is_none(change: dict):
    payload = {
        "b": 7,
        "c": "broadcast:X",
        "s": 3,
        "p": 1,
        "k": "",
        "n": "",
        "r": "viewer",
        "v": "",
        "x": 2**50,
        **change,
    }
    with pytest.raises(TicketInvalid):
        read_ticket(Purpose.ROOM, signing.dumps(payload, salt="silkroom.ticket.room"))


def test_a_ticket_without_a_part_is_none():
    with pytest.raises(TicketInvalid):
        read_ticket(Purpose.ROOM, signing.dumps({"x": 2**50}, salt="silkroom.ticket.room"))
