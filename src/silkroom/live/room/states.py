"""Kinds of room events. README.md says what each carries and does."""

from __future__ import annotations

from enum import StrEnum


class EventKind(StrEnum):
    """What can happen in a room."""

    OPENED = "opened"
    SHOW_CHANGED = "show_changed"
    TRAY_CHANGED = "tray_changed"
    SPOTLIGHT = "spotlight"
    STOCK = "stock"
    DEAL_LAUNCHED = "deal_launched"
    DEAL_CHANGED = "deal_changed"
    DEAL_WITHDRAWN = "deal_withdrawn"
    COMMENT = "comment"
    QUESTION = "question"
    ANSWERED = "answered"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    HIDDEN = "hidden"
    UNHIDDEN = "unhidden"
    MUTED = "muted"
    UNMUTED = "unmuted"
    LIKES = "likes"


URGENT = frozenset(
    {
        EventKind.SPOTLIGHT,
        EventKind.STOCK,
        EventKind.DEAL_LAUNCHED,
        EventKind.DEAL_CHANGED,
        EventKind.DEAL_WITHDRAWN,
    }
)
"""These wait at most half as long as the rest on their way to the watchers."""


class QuestionState(StrEnum):
    """A question waits until the host has answered it aloud."""

    ASKED = "asked"
    ANSWERED = "answered"
