"""How the relay says no: the refusals of its HTTP doors and the close codes of its WebSockets."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from silkroom.kit.errors import Refusal


class CloseCode(IntEnum):
    """Why a WebSocket was closed. The numbers are part of the protocol (README.md)."""

    NORMAL = 1000
    MALFORMED = 4400
    TICKET_EXPIRED = 4401
    FORBIDDEN = 4403
    NO_SUCH_BROADCAST = 4404
    CONFIG_TIMEOUT = 4408
    REPLACED = 4409
    TOO_LARGE = 4413
    TOO_FAST = 4429
    GOING_AWAY = 4503
    TOO_SLOW = 4508


class MediaRefusal(Refusal):
    """Base of the relay's refusals. ``close_code`` is what a WebSocket is closed with."""

    close_code: ClassVar[CloseCode] = CloseCode.MALFORMED


class TicketExpired(MediaRefusal):
    code = "ticket_expired"
    status = 403
    text = "This ticket has expired. The page fetches a new one by itself."
    close_code = CloseCode.TICKET_EXPIRED


class MediaForbidden(MediaRefusal):
    code = "forbidden"
    status = 403
    text = "You may not do this in this show."
    close_code = CloseCode.FORBIDDEN


class OriginForbidden(MediaRefusal):
    code = "origin_forbidden"
    status = 403
    text = "This page may not open a video connection here."
    close_code = CloseCode.FORBIDDEN


class NoSuchStream(MediaRefusal):
    code = "no_such_stream"
    status = 404
    text = "There is no such video now."
    close_code = CloseCode.NO_SUCH_BROADCAST


class GatewayFull(MediaRefusal):
    code = "gateway_full"
    status = 503
    text = "Too many people are watching here at the moment. Please try again shortly."
    close_code = CloseCode.GOING_AWAY


class TooManyOpen(MediaRefusal):
    """One person, browser or address holds as many connections as it may."""

    code = "too_many_open"
    status = 429
    text = "This show is open in too many windows. Please close one and try again."
    close_code = CloseCode.TOO_FAST


class BadFrame(MediaRefusal):
    """A message of the ingest or watch protocol cannot be read; ``reason`` is for the log of the sender."""

    code = "bad_frame"
    status = 400
    text = "The video data cannot be read (%(reason)s)."
    close_code = CloseCode.MALFORMED


class FrameTooLarge(MediaRefusal):
    code = "frame_too_large"
    status = 413
    text = "One piece of the video is too large. Please use a smaller picture or a lower quality."
    close_code = CloseCode.TOO_LARGE


class TooFast(MediaRefusal):
    code = "too_fast"
    status = 429
    text = "The video arrives faster than is allowed. Please lower the quality."
    close_code = CloseCode.TOO_FAST


class ConfigTimeout(MediaRefusal):
    code = "config_timeout"
    status = 408
    text = "The sender did not say what it sends."
    close_code = CloseCode.CONFIG_TIMEOUT


class PublisherReplaced(MediaRefusal):
    code = "publisher_replaced"
    status = 409
    text = "This show is now being sent from another page or device."
    close_code = CloseCode.REPLACED


class BadReload(MediaRefusal):
    """A blocking playlist reload asked for something that is not of the agreed form or too far ahead."""

    code = "bad_reload"
    status = 400
    text = "The player asked for a piece of video that is not near."


class ReloadTimeout(MediaRefusal):
    code = "reload_timeout"
    status = 503
    text = "The video is paused. Please try again shortly."


class RecordingStillOpen(MediaRefusal):
    code = "recording_still_open"
    status = 409
    text = "The recording is still being written."
