"""Who may do what in a show, and what a title may be. No Django."""

from __future__ import annotations

import unicodedata
from enum import StrEnum

from .errors import TitleUnusable
from .states import RUNNING, BroadcastState

LONGEST_TITLE = 80
MOST_STYLES = 60
"""Of a running order: an evening of four minutes each; the whole tray travels in one event of some 60 KiB."""


class RoomRole(StrEnum):
    """What a ticket lets its holder do. A shop's owner is a host."""

    VIEWER = "viewer"
    HOST = "host"
    ASSISTANT = "assistant"


ROLE_OF_STAFF = {"owner": RoomRole.HOST, "host": RoomRole.HOST, "assistant": RoomRole.ASSISTANT}
"""Other staff (warehouse, clerk) are viewers like everybody."""


def room_role(staff_role: str | None) -> RoomRole:
    """The role in the room of somebody with this role in the shop (None: a stranger)."""
    return ROLE_OF_STAFF.get(staff_role or "", RoomRole.VIEWER)


def may_assist(role: RoomRole) -> bool:
    """Spotlight, deals, answers, moderation."""
    return role in (RoomRole.HOST, RoomRole.ASSISTANT)


def may_lead(role: RoomRole) -> bool:
    """Rehearse, go live, end, title, cover, running order, and send the picture."""
    return role is RoomRole.HOST


def may_watch(role: RoomRole, state: BroadcastState) -> bool:
    """Is there a live picture for this role? A rehearsal is for staff alone."""
    return state in RUNNING or (state is BroadcastState.REHEARSING and may_assist(role))


def clean_title(text: str) -> str:
    """The title on one line, composed, without unseen signs. Raises TitleUnusable."""
    composed = unicodedata.normalize("NFC", text)
    seen = "".join(" " if unicodedata.category(sign)[0] in "ZC" else sign for sign in composed)
    title = " ".join(seen.split())
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise TitleUnusable(longest=LONGEST_TITLE)
    return title
