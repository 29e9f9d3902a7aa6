"""Preparing, launching and withdrawing deals. A deal is an offer of sales, held to this show by its channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models import Max, QuerySet

from silkroom.accounts.models import Person
from silkroom.catalog.models import Style, Variant
from silkroom.journal.services import append_entry
from silkroom.kit.clock import now, to_milliseconds
from silkroom.live.broadcasts.errors import MoveRefused
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.states import RUNNING
from silkroom.live.broadcasts.tickets import channel_of
from silkroom.live.room.rules import Data
from silkroom.live.room.services import Draft, lock_room, tell_room
from silkroom.live.room.states import EventKind
from silkroom.sales.offers.rules import check_terms
from silkroom.sales.offers.services import create_offer, withdraw_offer

from .errors import DealRunning, NotInTheShow, TooManyDeals
from .models import Deal, PreparedDeal
from .queries import get_prepared
from .rules import LEAD_SECONDS, check_times
from .rules import Terms as Terms

MOST_PREPARED = 100


@dataclass(frozen=True)
class Launched:
    """A deal on its way to the frame; ``number`` of the room event that carries it."""

    deal_id: int
    starts_at_ms: int
    number: int


def prepare_deal(*, broadcast: Broadcast, terms: Terms, prepared_id: int | None = None) -> PreparedDeal:
    """Make a deal ready, or change a ready one.

    Raises NotFound, NotInTheShow, TooManyDeals, OfferTermsUnusable, PriceNotLower.
    """
    check_times(terms)
    _check_terms(broadcast, terms)
    if prepared_id is None:
        Broadcast.objects.select_for_update(of=("self",), no_key=True).get(pk=broadcast.pk)
        if PreparedDeal.objects.filter(broadcast=broadcast).count() >= MOST_PREPARED:
            raise TooManyDeals(most=MOST_PREPARED)
        prepared = PreparedDeal(broadcast=broadcast)
    else:
        prepared = get_prepared(broadcast, prepared_id)
    prepared.style_id = terms.style_id
    prepared.price_minor = terms.price_minor
    prepared.seconds = terms.seconds
    prepared.piece_cap = terms.cap
    prepared.person_limit = terms.per_person
    prepared.save()
    return prepared


def remove_prepared(*, broadcast: Broadcast, prepared_id: int) -> None:
    """Raises NotFound."""
    get_prepared(broadcast, prepared_id).delete()


def terms_of(prepared: PreparedDeal) -> Terms:
    """What a prepared deal offers."""
    return Terms(prepared.style_id, prepared.price_minor, prepared.seconds, prepared.piece_cap, prepared.person_limit)


def _check_terms(broadcast: Broadcast, terms: Terms) -> None:
    if not broadcast.running_order.filter(style_id=terms.style_id).exists():
        raise NotInTheShow
    usual = Variant.objects.filter(style_id=terms.style_id, is_sold=True).aggregate(usual=Max("price_minor"))["usual"]
    check_terms(
        price_minor=terms.price_minor,
        usual_minor=usual or 0,
        seconds=terms.seconds,
        piece_cap=terms.cap,
        person_limit=terms.per_person,
    )


def launch_deal(*, broadcast: Broadcast, by: Person, terms: Terms, lead_seconds: int = LEAD_SECONDS) -> Launched:
    """On the frame in ``lead_seconds``; until then, and later, `withdraw_deal` takes it back.

    Raises MoveRefused (not on air), NotInTheShow, DealRunning, OfferTermsUnusable, PriceNotLower.
    """
    check_times(terms, lead_seconds=lead_seconds)
    with connection.cursor() as cursor:
        _, state = lock_room(cursor, broadcast.pk)
    if state not in RUNNING:
        raise MoveRefused(state=state)
    _check_terms(broadcast, terms)
    running = open_deals(broadcast).filter(offer__style_id=terms.style_id).first()
    if running is not None:
        raise DealRunning(deal=running.pk)
    starts_at = now() + timedelta(seconds=lead_seconds)
    offer = create_offer(
        shop=broadcast.shop,
        style=Style.objects.get(pk=terms.style_id),
        price_minor=terms.price_minor,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(seconds=terms.seconds),
        piece_cap=terms.cap,
        person_limit=terms.per_person,
        channel=channel_of(broadcast.code),
    )
    deal = Deal.objects.create(broadcast=broadcast, offer=offer, launched_by=by)
    _record("deal.launched", broadcast, deal, by)
    number = tell_room(broadcast.pk, Draft(EventKind.DEAL_LAUNCHED, deal_data(deal)))
    return Launched(deal.pk, to_milliseconds(offer.starts_at), number)


def open_deals(broadcast: Broadcast) -> QuerySet[Deal]:
    """Deals that are on the frame or on their way to it."""
    return Deal.objects.select_related("offer").filter(
        broadcast=broadcast, withdrawn_at=None, offer__withdrawn_at=None, offer__ends_at__gt=now()
    )


def deal_data(deal: Deal) -> Data:
    """A deal as the room tells it."""
    offer = deal.offer
    return {
        "deal": deal.pk,
        "offer": offer.pk,
        "style": offer.style_id,
        "price_minor": offer.price_minor,
        "cap": offer.piece_cap,
        "taken": offer.taken,
        "per_person": offer.person_limit,
        "starts_at_ms": to_milliseconds(offer.starts_at),
        "ends_at_ms": to_milliseconds(offer.ends_at),
    }


def withdraw_deal(*, broadcast: Broadcast, deal: Deal, by: Person) -> int | None:
    """Take a deal back, before or after it was seen. None if it is over already."""
    with connection.cursor() as cursor:
        lock_room(cursor, broadcast.pk)
    if deal.offer.ends_at <= now() or not withdraw_offer(shop=broadcast.shop, offer_id=deal.offer_id):
        return None
    deal.withdrawn_at = now()
    deal.save(update_fields=["withdrawn_at"])
    _record("deal.withdrawn", broadcast, deal, by)
    return tell_room(broadcast.pk, Draft(EventKind.DEAL_WITHDRAWN, {"deal": deal.pk}))


def withdraw_all_deals(*, broadcast: Broadcast, by: Person) -> None:
    """With the end of the show."""
    for deal in open_deals(broadcast).order_by("offer_id"):
        withdraw_deal(broadcast=broadcast, deal=deal, by=by)


def _record(kind: str, broadcast: Broadcast, deal: Deal, by: Person) -> None:
    append_entry(
        kind=kind,
        shop_id=broadcast.shop_id,
        data={"broadcast": broadcast.code, "deal": deal.pk, "offer": deal.offer_id, "by": by.code},
    )
