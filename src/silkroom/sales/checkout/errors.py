"""What the order doors refuse by themselves; the rest are the order desk's."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class SignInFirst(Refusal):
    """Neither a ticket nor a session says who this is."""

    code = "sign_in_first"
    status = 401
    text = "Please sign in or choose a name first."


class OriginRefused(Refusal):
    """A session without the page's token: another site may have sent this."""

    code = "origin_refused"
    status = 403
    text = "This page is too old. Please reload it and try again."


class TooLarge(Refusal):
    """data: most_bytes."""

    code = "too_large"
    status = 413
    text = "This request is too large: at most %(most_bytes)s bytes."
