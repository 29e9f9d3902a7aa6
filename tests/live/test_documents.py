"""The two READMEs are the contract of the pages: they name what exists, all of it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

import silkroom.live
from silkroom.config.processes.gateway import messages
from silkroom.config.processes.gateway import room as door
from silkroom.live.room.rules import empty_state
from silkroom.live.room.states import URGENT, EventKind
from tests.live.test_views import studio_addresses

HOME = Path(silkroom.live.__path__[0])
ROOM = (HOME / "room" / "README.md").read_text()
LIVE = (HOME / "README.md").read_text()


def section(text: str, title: str) -> str:
    """What stands under a heading."""
    return re.split(r"^## ", text.split(f"## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_kind_of_event_is_in_the_table():
    assert set(re.findall(r"^\| `(\w+)` \|", section(ROOM, "Events"), re.MULTILINE)) == set(EventKind)


def test_urgent_kinds_are_named():
    told = section(ROOM, "Events").split("Urgent", 1)[1].split(".", 1)[0]
    assert set(re.findall(r"`(\w+)`", told)) == set(URGENT)


def test_every_part_of_the_state_is_told():
    assert set(re.findall(r"^    (\w+)  ", section(ROOM, "State"), re.MULTILINE)) == set(empty_state())


def test_every_message_is_in_the_table():
    told = set(re.findall(r"^\| `(\w+)` \|", section(ROOM, "The room's WebSocket"), re.MULTILINE))
    kinds = {kind.__struct_config__.tag for kind in messages.ClientMessage.__args__ if issubclass(kind, msgspec.Struct)}
    assert told == kinds


def test_every_close_code_is_told():
    codes = {value for name, value in vars(door).items() if name.isupper() and value in range(4400, 5000)}
    told = {int(code) for code in re.findall(r"\b(4[45]\d\d)\b", section(ROOM, "The room's WebSocket"))}
    assert told == codes | {4508}


def test_every_address_of_the_studio_is_told():
    table = section(LIVE, "Pages and addresses")
    told = set(re.findall(r"(?:studio|…)/([a-z/-]+)`", table)) | set(re.findall(r"studio/([a-z/-]+)", table))
    assert studio_addresses() - told == set()
