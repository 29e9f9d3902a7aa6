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


class TillPriceMoved(Refusal):
    """A price has changed since the till heard of it. data: title."""

    code = "till_price_moved"
    status = 409
    text = "The price of %(title)s has changed. The till knows it now: please look and try again."


class NotSoldHere(Refusal):
    """A garment that is not of this shop, or not on sale any more."""

    code = "not_sold_here"
    status = 409
    text = "A garment in this sale is not on sale here any more."


class DiscountTooHigh(Refusal):
    """data: percent."""

    code = "discount_too_high"
    status = 409
    text = "At most %(percent)s per cent may be taken off at this till."


class ReceiptUnsound(Refusal):
    """The receipt does not add up, or names a garment twice: no till writes such a thing."""

    code = "receipt_unsound"
    text = "This receipt does not add up."


class ReceiptNumberTaken(Refusal):
    """Another sale has this number. data: label."""

    code = "receipt_number_taken"
    status = 409
    text = (
        "The receipt number %(label)s belongs to another sale. Please tell the owner: this one is kept on the device."
    )


class PiecesGone(Refusal):
    """The pieces that the sale needs are not in the store. data: title, left."""

    code = "pieces_gone"
    status = 409
    text = "%(title)s: only %(left)s left here. Nothing was sold."


class ShortfallSettled(Refusal):
    """Somebody has settled it."""

    code = "shortfall_settled"
    status = 409
    text = "This has been settled already."
