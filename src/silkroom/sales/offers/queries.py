"""Reads of offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from silkroom.inventory.queries import cursor_or_own
from silkroom.journal.queries import Cursor
from silkroom.kit.errors import NotFound
from silkroom.shops.models import Shop

from .models import Offer


@dataclass(frozen=True)
class OfferCount:
    """How far an offer is used. ``piece_cap`` None: no cap."""

    offer_id: int
    style_id: int
    taken: int
    piece_cap: int | None


def get_offer(*, shop: Shop, offer_id: int) -> Offer:
    """An offer of the shop. Raises NotFound."""
    offer = Offer.objects.filter(shop=shop, pk=offer_id).first()
    if offer is None:
        raise NotFound
    return offer


def running_offers(*, style_ids: Sequence[int], at: datetime, channel: str = "web") -> dict[int, Offer]:
    """The cheapest offer of each style that holds at ``at`` for orders from ``channel``. One query."""
    offers = Offer.objects.filter(
        Q(channel="") | Q(channel=channel),
        style_id__in=style_ids,
        starts_at__lte=at,
        ends_at__gt=at,
        withdrawn_at__isnull=True,
    )
    return {offer.style_id: offer for offer in offers.order_by("-price_minor", "id")}


_COUNTS = "SELECT id, style_id, taken, piece_cap FROM sales_offer WHERE id = ANY(%s) ORDER BY id"


def offer_counts(*, offer_ids: Sequence[int], cursor: Cursor | None = None) -> list[OfferCount]:
    """How far offers are used, through any cursor. One query."""
    if not offer_ids:
        return []
    with cursor_or_own(cursor) as using:
        using.execute(_COUNTS, (list(offer_ids),))
        return [OfferCount(*row) for row in using.fetchall()]
