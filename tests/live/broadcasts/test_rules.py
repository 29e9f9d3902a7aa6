"""Roles, titles, moves."""

from __future__ import annotations

import pytest

from silkroom.live.broadcasts.errors import TitleUnusable
from silkroom.live.broadcasts.rules import (
    LONGEST_TITLE,
    RoomRole,
    clean_title,
    may_assist,
    may_lead,
    may_watch,
    room_role,
)
from silkroom.live.broadcasts.states import MOVES, BroadcastState, may_become
from silkroom.shops.states import Role

STATES = BroadcastState


@pytest.mark.parametrize(
    ("staff", "role"),
    [
        (Role.OWNER, RoomRole.HOST),
        (Role.HOST, RoomRole.HOST),
        (Role.ASSISTANT, RoomRole.ASSISTANT),
        (Role.WAREHOUSE, RoomRole.VIEWER),
        (Role.CLERK, RoomRole.VIEWER),
        (None, RoomRole.VIEWER),
    ],
)
def test_role_in_the_room(staff: Role | None, role: RoomRole):
    assert room_role(staff) is role


def test_who_may_do_what():
    assert [may_lead(role) for role in RoomRole] == [False, True, False]
    assert [may_assist(role) for role in RoomRole] == [False, True, True]


@pytest.mark.parametrize("state", list(STATES))
def test_a_rehearsal_is_for_staff_alone(state: BroadcastState):
    public = state in {STATES.ON_AIR, STATES.INTERRUPTED}
    assert may_watch(RoomRole.VIEWER, state) is public
    assert may_watch(RoomRole.ASSISTANT, state) is (public or state is STATES.REHEARSING)


def test_an_ended_show_never_comes_back():
    assert MOVES[STATES.ENDED] == frozenset()
    assert not may_become(STATES.ON_AIR, STATES.REHEARSING)
    assert may_become(STATES.INTERRUPTED, STATES.ON_AIR)


def test_title_is_cleaned():
    assert clean_title("  秋\t夜\n专 场\u200b ") == "秋 夜 专 场"
    assert clean_title("x" * LONGEST_TITLE) == "x" * LONGEST_TITLE


@pytest.mark.parametrize("text", ["", " \n", "\u202e", "x" * (LONGEST_TITLE + 1)])
def test_title_that_cannot_be_used(text: str):
    with pytest.raises(TitleUnusable):
        clean_title(text)
