"""What moderation refuses."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class StaffStaysHeard(Refusal):
    """A shop's own staff cannot be muted in its room."""

    code = "staff_stays_heard"
    status = 409
    text = "Staff of the shop cannot be muted here."
