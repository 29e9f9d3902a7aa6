"""What a room refuses. Sentences are read by viewers, in their language."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class IsMuted(Refusal):
    """A moderator of this show has muted the person."""

    code = "muted"
    status = 403
    text = "You cannot write in this room at the moment. You can still watch and buy."


class ShowEnded(Refusal):
    """Nobody writes, likes or launches after the end."""

    code = "ended"
    status = 409
    text = "The show has ended."


class TooFast(Refusal):
    """Over the rate limit. ``seconds``: wait that long."""

    code = "too_fast"
    status = 429
    text = "That was too quick. Please wait %(seconds)s s and try again."


class WordsUnusable(Refusal):
    """Empty after cleaning, or too long."""

    code = "words_unusable"
    text = "Please write 1 to %(longest)s characters."


class NotOnSale(Refusal):
    """The variant is not in this show's tray."""

    code = "not_on_sale"
    status = 404
    text = "This garment is not on sale in this show."


class PageRefused(Refusal):
    """The page that opened the connection is not one of this installation's."""

    code = "page_refused"
    status = 403
    text = "This page may not open a connection here."


class CannotWrite(Refusal):
    """The database is away. Buying has its own answer, since an order may be sent again."""

    code = "cannot_write"
    status = 503
    text = "This could not be sent. Please try again in a moment."


class HelloFirst(Refusal):
    """The room's protocol begins with a hello."""

    code = "hello_first"
    text = "The page and the room did not understand each other. Please reload the page."


class MessageTooLarge(Refusal):
    """Over the size of a message. data: most (bytes)."""

    code = "message_too_large"
    status = 413
    text = "That is too long. Please send less at once."


class MessageUnreadable(Refusal):
    """Not a JSON text of the room's protocol."""

    code = "message_unreadable"
    text = "The page and the room did not understand each other. Please reload the page."
