"""What offers refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from silkroom.kit.errors import Refusal


class OfferTermsUnusable(Refusal):
    """A price, cap, limit or time that cannot be. data: field."""

    code = "offer_terms_unusable"
    text = "Please check the field “%(field)s” of the offer."
    field_names: ClassVar[Mapping[str, str]] = {
        "price_minor": "Price in the show",
        "seconds": "Lasts",
        "lead_seconds": "Time until it begins",
        "piece_cap": "Pieces at this price",
        "person_limit": "Pieces for each person",
        "channel": "Channel",
    }


class PriceNotLower(Refusal):
    """An offer must be cheaper than usual. data: price_minor, the usual price of the dearest variant."""

    code = "price_not_lower"
    text = "The price of an offer must be below the usual one."


class OfferUsedUp(Refusal):
    """No pieces are left of an offer for an order that comes back. data: offer."""

    code = "offer_used_up"
    status = 409
    text = "This offer has been used up."
