"""What moderation refuses."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class TooManyNames(Refusal):
    """Somebody from this network was muted in the show a moment ago, and new names keep coming from there."""

    code = "too_many_names"
    status = 429
    text = "Many new names come from your network. Please try again in %(minutes)s minutes, or sign in."


class StaffStaysHeard(Refusal):
    """A shop's own staff cannot be muted in its room."""

    code = "staff_stays_heard"
    status = 409
    text = "Staff of the shop cannot be muted here."
