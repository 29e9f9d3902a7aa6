"""Writes of offers. Counting pieces down is the order desk's; counting them back is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from silkroom.catalog.models import Style, Variant
from silkroom.inventory.queries import cursor_or_own
from silkroom.journal.queries import Cursor
from silkroom.journal.services import append_entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.shops.models import Shop

from .errors import OfferTermsUnusable, OfferUsedUp
from .models import Offer
from .rules import check_terms

LONGEST_CHANNEL = 80


@dataclass(frozen=True)
class OfferPieces:
    """So many pieces of an offer, taken by a person."""

    offer_id: int
    person_id: int
    quantity: int


def create_offer(
    *,
    shop: Shop,
    style: Style,
    price_minor: int,
    starts_at: datetime,
    ends_at: datetime,
    piece_cap: int | None = None,
    person_limit: int | None = None,
    channel: str = "",
) -> Offer:
    """A price for all variants of a style, in a window of time. ``channel`` empty: everywhere.

    Raises NotFound (another shop's style), OfferTermsUnusable, PriceNotLower.
    """
    if style.shop_id != shop.pk:
        raise NotFound
    if len(channel) > LONGEST_CHANNEL:
        raise OfferTermsUnusable(field="channel")
    usual = Variant.objects.filter(style=style).aggregate(usual=Max("price_minor"))["usual"]
    check_terms(
        price_minor=price_minor,
        usual_minor=usual or 0,
        seconds=(ends_at - starts_at).total_seconds(),
        piece_cap=piece_cap,
        person_limit=person_limit,
    )
    offer = Offer.objects.create(
        shop=shop,
        style=style,
        price_minor=price_minor,
        starts_at=starts_at,
        ends_at=ends_at,
        piece_cap=piece_cap,
        person_limit=person_limit,
        channel=channel,
    )
    append_entry(kind="offer.created", shop_id=shop.pk, data={"offer": offer.pk, "style": style.pk, "channel": channel})
    return offer


def withdraw_offer(*, shop: Shop, offer_id: int) -> bool:
    """Nobody buys at this price from now on; orders made before keep it. False: it was withdrawn before."""
    withdrawn = Offer.objects.filter(shop=shop, pk=offer_id, withdrawn_at__isnull=True).update(withdrawn_at=now())
    if withdrawn:
        append_entry(kind="offer.withdrawn", shop_id=shop.pk, data={"offer": offer_id})
    return bool(withdrawn)


_LOCK = "SELECT id FROM sales_offer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"

_GIVE_BACK = """
    UPDATE sales_offer o SET taken = o.taken - change.pieces
    FROM (SELECT offer, sum(pieces)::int AS pieces
          FROM unnest(%s::bigint[], %s::int[]) AS one(offer, pieces) GROUP BY offer) AS change
    WHERE o.id = change.offer
"""

# A limit that was raised for a member who had also bought as a guest comes down again with the pieces.
_GIVE_BACK_USES = """
    UPDATE sales_offeruse u SET quantity = u.quantity - change.pieces,
        person_limit = least(u.person_limit, greatest(change.person_limit, u.quantity - change.pieces))
    FROM (SELECT offer, person, o.person_limit, sum(pieces)::int AS pieces
          FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS one(offer, person, pieces)
          JOIN sales_offer o ON o.id = one.offer
          GROUP BY offer, person, o.person_limit) AS change
    WHERE u.offer_id = change.offer AND u.person_id = change.person
"""

_USED_BY = "SELECT offer_id FROM sales_offeruse WHERE person_id = %s"

# Together they may have taken more than one person may. The CHECK is to hold, and nothing more is to be had.
_HAND_OVER_USES = """
    WITH gone AS (
        DELETE FROM sales_offeruse WHERE person_id = %s AND offer_id = ANY(%s)
        RETURNING offer_id, quantity, person_limit
    )
    INSERT INTO sales_offeruse AS u (offer_id, person_id, quantity, person_limit)
    SELECT offer_id, %s, quantity, person_limit FROM gone
    ON CONFLICT (offer_id, person_id) DO UPDATE
    SET quantity = u.quantity + excluded.quantity,
        person_limit = greatest(u.person_limit, u.quantity + excluded.quantity)
"""

_TAKE = """
    UPDATE sales_offer SET taken = taken + %s
    WHERE id = %s AND (piece_cap IS NULL OR taken + %s <= piece_cap) RETURNING id
"""

_TAKE_USE = """
    UPDATE sales_offeruse SET quantity = quantity + %s
    WHERE offer_id = %s AND person_id = %s AND (person_limit IS NULL OR quantity + %s <= person_limit) RETURNING id
"""

_HAS_USE = "SELECT 1 FROM sales_offeruse WHERE offer_id = %s AND person_id = %s"


def give_back_offers(*, pieces: Sequence[OfferPieces], cursor: Cursor | None = None) -> None:
    """Orders ended without a sale: their pieces of offers are to be had again."""
    if not pieces:
        return
    offers = [one.offer_id for one in pieces]
    people = [one.person_id for one in pieces]
    quantities = [one.quantity for one in pieces]
    with cursor_or_own(cursor) as using:
        using.execute(_LOCK, (offers,))
        using.execute(_GIVE_BACK, (offers, quantities))
        using.execute(_GIVE_BACK_USES, (offers, people, quantities))


def hand_over_uses(*, guest_id: int, member_id: int) -> None:
    """What a guest has taken of offers counts for the member from now on. The caller has locked the guest's orders."""
    with cursor_or_own(None) as using:
        using.execute(_USED_BY, (guest_id,))
        offers = [row[0] for row in using.fetchall()]
        if offers:
            using.execute(_LOCK, (offers,))
            using.execute(_HAND_OVER_USES, (guest_id, offers, member_id))


def take_offers_again(*, pieces: Sequence[OfferPieces], cursor: Cursor | None = None) -> None:
    """An order that had ended is paid after all: its pieces count again. Raises OfferUsedUp."""
    totals: dict[tuple[int, int], int] = {}
    for one in pieces:
        totals[one.offer_id, one.person_id] = totals.get((one.offer_id, one.person_id), 0) + one.quantity
    with cursor_or_own(cursor) as using:
        for (offer_id, person_id), quantity in sorted(totals.items()):
            using.execute(_TAKE, (quantity, offer_id, quantity))
            if not using.fetchall():
                raise OfferUsedUp(offer=offer_id)
            using.execute(_TAKE_USE, (quantity, offer_id, person_id, quantity))
            if not using.fetchall():
                using.execute(_HAS_USE, (offer_id, person_id))
                if using.fetchall():
                    raise OfferUsedUp(offer=offer_id)
