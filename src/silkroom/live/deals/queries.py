"""Reading prepared deals."""

from __future__ import annotations

from typing import Any

from silkroom.kit.errors import NotFound
from silkroom.live.broadcasts.models import Broadcast

from .models import Deal, PreparedDeal


def prepared_deals(broadcast: Broadcast) -> list[dict[str, Any]]:
    """As the studio page lists them, in the order in which they were made."""
    return [prepared_data(one) for one in PreparedDeal.objects.filter(broadcast=broadcast).order_by("id")]


def prepared_data(one: PreparedDeal) -> dict[str, Any]:
    """A prepared deal as JSON."""
    return {
        "prepared": one.pk,
        "style": one.style_id,
        "price_minor": one.price_minor,
        "seconds": one.seconds,
        "cap": one.piece_cap,
        "per_person": one.person_limit,
    }


def get_prepared(broadcast: Broadcast, prepared_id: int) -> PreparedDeal:
    """A prepared deal of this show. Raises NotFound."""
    one = PreparedDeal.objects.filter(broadcast=broadcast, pk=prepared_id).first()
    if one is None:
        raise NotFound
    return one


def get_deal(broadcast: Broadcast, deal_id: int) -> Deal:
    """A launched deal of this show. Raises NotFound."""
    one = Deal.objects.select_related("offer").filter(broadcast=broadcast, pk=deal_id).first()
    if one is None:
        raise NotFound
    return one
