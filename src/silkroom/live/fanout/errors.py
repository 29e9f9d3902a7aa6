"""How the fan-out engine says no."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class RoomFull(Refusal):
    """This gateway, or this room on it, holds as many watchers as it may. Another gateway may have a seat."""

    code = "room_full"
    status = 503
    text = "The room is full right now. Please try again in a moment."


class RoomClosed(Refusal):
    """The room was closed on this gateway between opening and joining; open it again."""

    code = "room_closed"
    status = 503
    text = "The room is being reopened. Please try again."


class FrameTooLarge(Refusal):
    """A message is larger than a frame may be. ``limit`` is in bytes."""

    code = "frame_too_large"
    status = 413
    text = "The message is too large (%(limit)s bytes at most)."
