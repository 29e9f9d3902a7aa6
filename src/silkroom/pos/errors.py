"""What the till refuses. A refused action has changed nothing."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class TillNameTaken(Refusal):
    """The shop has another till of this name. data: name."""

    code = "till_name_taken"
    status = 409
    text = "Another till has the name “%(name)s”. Please choose another one."


class TillPlaceUnusable(Refusal):
    """A till stands in a store of its own shop."""

    code = "till_place_unusable"
    status = 409
    text = "A till stands in a store. Please choose a place of that kind."


class TooManyTills(Refusal):
    """data: most."""

    code = "too_many_tills"
    status = 409
    text = "This shop has %(most)s tills. That is as many as it may have."


class PairingCodeUnusable(Refusal):
    """The code is wrong, was used, or is too old."""

    code = "pairing_code_unusable"
    status = 404
    text = "This code is not known, was used before, or is older than 10 minutes. Please make a new one."


class TillNotPaired(Refusal):
    """The device's token is missing, forged, too old or revoked. Receipts on the device stay there."""

    code = "till_not_paired"
    status = 403
    text = "This device is not a till any more. Receipts that it has not sent stay on it: pair it again to send them."


class ClerkMissing(Refusal):
    """Nobody who may work at this till is signed in in its browser."""

    code = "clerk_missing"
    status = 403
    text = "Please sign in as somebody who works at this till."


class ShiftOpenAlready(Refusal):
    """One shift at a time."""

    code = "shift_open_already"
    status = 409
    text = "A shift is open at this till. Please close it first."


class NoShiftOpen(Refusal):
    """Money moves in a shift only."""

    code = "no_shift_open"
    status = 409
    text = "No shift is open at this till. Please open one first."
