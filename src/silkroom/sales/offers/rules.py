"""What an offer may be. Pure."""

from __future__ import annotations

from silkroom.kit.money import LARGEST_MINOR

from .errors import OfferTermsUnusable, PriceNotLower

SHORTEST_SECONDS = 5
LONGEST_SECONDS = 366 * 24 * 3600
LARGEST_CAP = 1_000_000
LARGEST_PERSON_LIMIT = 99


def check_terms(
    *, price_minor: int, usual_minor: int, seconds: float, piece_cap: int | None, person_limit: int | None
) -> None:
    """``usual_minor``: price of the dearest variant. Raises OfferTermsUnusable, PriceNotLower."""
    if not 1 <= price_minor <= LARGEST_MINOR:
        raise OfferTermsUnusable(field="price_minor")
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise OfferTermsUnusable(field="seconds")
    if piece_cap is not None and not 1 <= piece_cap <= LARGEST_CAP:
        raise OfferTermsUnusable(field="piece_cap")
    if person_limit is not None and not 1 <= person_limit <= LARGEST_PERSON_LIMIT:
        raise OfferTermsUnusable(field="person_limit")
    if price_minor >= usual_minor:
        raise PriceNotLower(price_minor=usual_minor)
