"""What a deal may be. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from silkroom.sales.offers.errors import OfferTermsUnusable

LONGEST_SECONDS = 4 * 3600
LEAD_SECONDS = 5
"""Between the host's tap and the frame: so long a launch can be taken back unseen."""

LONGEST_LEAD_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Terms:
    """What is offered. ``cap`` and ``per_person`` None: no limit."""

    style_id: int
    price_minor: int
    seconds: int
    cap: int | None
    per_person: int | None


def check_times(terms: Terms, *, lead_seconds: int = LEAD_SECONDS) -> None:
    """What a deal may be beyond what any offer may be. Raises OfferTermsUnusable."""
    if terms.seconds > LONGEST_SECONDS:
        raise OfferTermsUnusable(field="seconds")
    if not 0 <= lead_seconds <= LONGEST_LEAD_SECONDS:
        raise OfferTermsUnusable(field="lead_seconds")
