"""Offers: what they may be, and how they end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from silkroom.journal.models import Entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound, Refusal
from silkroom.sales.offers.models import Offer
from silkroom.sales.offers.queries import OfferCount, get_offer, offer_counts, running_offers
from silkroom.sales.offers.services import create_offer, withdraw_offer
from tests.sales.stocked import CHANNEL, make_offer, make_shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("terms", "code", "field"),
    [
        ({"price_minor": 0}, "offer_terms_unusable", "price_minor"),
        ({"price_minor": 19900}, "price_not_lower", None),
        ({"piece_cap": 0}, "offer_terms_unusable", "piece_cap"),
        ({"person_limit": 0}, "offer_terms_unusable", "person_limit"),
        ({"seconds": 0}, "offer_terms_unusable", "seconds"),
        ({"seconds": -60}, "offer_terms_unusable", "seconds"),
        ({"channel": "x" * 81}, "offer_terms_unusable", "channel"),
    ],
)
def test_terms_that_cannot_be_are_refused(terms: dict[str, Any], code: str, field: str | None) -> None:
    stocked = make_shop()
    starts_at = now()
    values = {"price_minor": 9900, "seconds": 60, **terms}
    ends_at = starts_at + timedelta(seconds=values.pop("seconds"))
    with pytest.raises(Refusal) as refused:
        create_offer(shop=stocked.shop, style=stocked.style, starts_at=starts_at, ends_at=ends_at, **values)
    assert refused.value.code == code
    assert refused.value.data.get("field") == field
    assert Offer.objects.count() == 0


def test_a_style_of_another_shop_gets_no_offer() -> None:
    ours, theirs = make_shop(), make_shop()
    with pytest.raises(NotFound):
        create_offer(
            shop=ours.shop,
            style=theirs.style,
            price_minor=1,
            starts_at=now(),
            ends_at=now() + timedelta(minutes=1),
        )


def test_an_offer_is_withdrawn_once_and_by_its_shop() -> None:
    ours, theirs = make_shop(), make_shop()
    offer = make_offer(ours)
    assert not withdraw_offer(shop=theirs.shop, offer_id=offer.pk)
    with pytest.raises(NotFound):
        get_offer(shop=theirs.shop, offer_id=offer.pk)
    assert withdraw_offer(shop=ours.shop, offer_id=offer.pk)
    assert not withdraw_offer(shop=ours.shop, offer_id=offer.pk)
    kinds = Entry.objects.filter(kind__startswith="offer.").order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["offer.created", "offer.withdrawn"]


def test_the_cheapest_running_offer_of_a_channel_is_shown() -> None:
    stocked = make_shop()
    dear, cheap = make_offer(stocked, price_minor=12000), make_offer(stocked, price_minor=9000)
    styles = [stocked.style.pk]
    assert running_offers(style_ids=styles, at=now(), channel=CHANNEL) == {stocked.style.pk: cheap}
    withdraw_offer(shop=stocked.shop, offer_id=cheap.pk)
    assert running_offers(style_ids=styles, at=now(), channel=CHANNEL) == {stocked.style.pk: dear}
    assert running_offers(style_ids=styles, at=now(), channel="web") == {}
    assert running_offers(style_ids=styles, at=now() + timedelta(hours=1), channel=CHANNEL) == {}


def test_counts_are_read_in_one_query(django_assert_num_queries: Any) -> None:
    stocked = make_shop()
    offers = [make_offer(stocked, piece_cap=cap) for cap in (None, 5)]
    with django_assert_num_queries(1):
        counts = offer_counts(offer_ids=[one.pk for one in offers])
    assert counts == [
        OfferCount(offers[0].pk, stocked.style.pk, 0, None),
        OfferCount(offers[1].pk, stocked.style.pk, 0, 5),
    ]
    assert offer_counts(offer_ids=[]) == []
