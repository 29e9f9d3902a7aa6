"""Deals: prepared, launched, taken back."""

from __future__ import annotations

import pytest
from django.db import transaction

from silkroom.journal.models import Entry
from silkroom.kit.errors import NotFound
from silkroom.live.broadcasts.errors import MoveRefused
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.deals.errors import DealRunning, NotInTheShow, TooManyDeals
from silkroom.live.deals.models import Deal, PreparedDeal
from silkroom.live.deals.queries import get_deal, prepared_deals
from silkroom.live.deals.rules import Terms
from silkroom.live.deals.services import (
    MOST_PREPARED,
    launch_deal,
    prepare_deal,
    remove_prepared,
    terms_of,
    withdraw_all_deals,
    withdraw_deal,
)
from silkroom.sales.models import Offer
from silkroom.sales.offers.errors import OfferTermsUnusable, PriceNotLower
from tests.live.conftest import events_of, room_of
from tests.live.stage import Stage, make_stage


def terms(stage: Stage, garment: int = 0, **changes: int | None) -> Terms:
    values = {"price_minor": 9900, "seconds": 60, "cap": 3, "per_person": 1, **changes}
    return Terms(stage.garments[garment].style.pk, **values)  # type: ignore[arg-type]


def test_launching_makes_an_offer_of_this_show_alone(stage: Stage, show: Broadcast):
    launched = launch_deal(broadcast=show, by=stage.owner, terms=terms(stage))
    offer = Offer.objects.get()
    assert (offer.shop_id, offer.style_id, offer.price_minor, offer.piece_cap, offer.person_limit, offer.channel) == (
        stage.shop.pk, stage.garments[0].style.pk, 9900, 3, 1, f"broadcast:{show.code}"
    )  # fmt: skip
    assert (offer.ends_at - offer.starts_at).total_seconds() == 60
    deal = Deal.objects.get()
    assert (deal.pk, deal.launched_by_id) == (launched.deal_id, stage.owner.pk)
    shown = room_of(show)["deals"]
    assert [(one["deal"], one["offer"], one["starts_at_ms"]) for one in shown] == [
        (deal.pk, offer.pk, launched.starts_at_ms)
    ]
    assert Entry.objects.filter(kind="deal.launched").get().data["by"] == stage.owner.code


def test_one_deal_a_garment_at_a_time(stage: Stage, show: Broadcast):
    first = launch_deal(broadcast=show, by=stage.owner, terms=terms(stage))
    with pytest.raises(DealRunning) as refused:
        launch_deal(broadcast=show, by=stage.owner, terms=terms(stage))
    assert refused.value.data == {"deal": first.deal_id}
    launch_deal(broadcast=show, by=stage.owner, terms=terms(stage, 1))
    withdraw_deal(broadcast=show, deal=get_deal(show, first.deal_id), by=stage.owner)
    launch_deal(broadcast=show, by=stage.owner, terms=terms(stage))
    assert Offer.objects.count() == 3


def test_deals_need_a_running_show(stage: Stage, planned: Broadcast):
    with pytest.raises(MoveRefused):
        launch_deal(broadcast=planned, by=stage.owner, terms=terms(stage))
    assert not Offer.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"price_minor": 0}, {"seconds": 1}, {"seconds": 5 * 3600}, {"cap": 0}, {"per_person": 0}]
)
def test_terms_are_bounded(stage: Stage, show: Broadcast, changes: dict):
    before = events_of(show)
    with pytest.raises(OfferTermsUnusable), transaction.atomic():
        launch_deal(broadcast=show, by=stage.owner, terms=terms(stage, **changes))
    with pytest.raises(OfferTermsUnusable), transaction.atomic():
        prepare_deal(broadcast=show, terms=terms(stage, **changes))
    assert (Offer.objects.count(), PreparedDeal.objects.count()) == (0, 0)
    assert events_of(show) == before


def test_the_lead_is_bounded(stage: Stage, show: Broadcast):
    with pytest.raises(OfferTermsUnusable):
        launch_deal(broadcast=show, by=stage.owner, terms=terms(stage), lead_seconds=61)


def test_a_deal_must_be_cheaper(stage: Stage, show: Broadcast):
    with pytest.raises(PriceNotLower), transaction.atomic():
        launch_deal(broadcast=show, by=stage.owner, terms=terms(stage, price_minor=19900))
    assert room_of(show)["deals"] == []


def test_only_garments_of_the_show(stage: Stage, show: Broadcast):
    outside = stage.make_garment()
    with pytest.raises(NotInTheShow):
        launch_deal(broadcast=show, by=stage.owner, terms=Terms(outside.style.pk, 9900, 60, None, None))
    with pytest.raises(NotInTheShow):
        prepare_deal(broadcast=show, terms=Terms(outside.style.pk, 9900, 60, None, None))


def test_withdrawing_once(stage: Stage, show: Broadcast):
    launched = launch_deal(broadcast=show, by=stage.owner, terms=terms(stage))
    deal = get_deal(show, launched.deal_id)
    assert withdraw_deal(broadcast=show, deal=deal, by=stage.assistant) is not None
    assert withdraw_deal(broadcast=show, deal=deal, by=stage.assistant) is None
    assert Offer.objects.get().withdrawn_at is not None
    assert room_of(show)["deals"] == []
    assert Entry.objects.get(kind="deal.withdrawn").data["by"] == stage.assistant.code


def test_the_end_takes_all_deals_along(stage: Stage, show: Broadcast):
    for garment in (0, 1):
        launch_deal(broadcast=show, by=stage.owner, terms=terms(stage, garment))
    withdraw_all_deals(broadcast=show, by=stage.owner)
    assert Offer.objects.filter(withdrawn_at=None).count() == 0
    assert room_of(show)["deals"] == []


def test_prepared_deals(stage: Stage, planned: Broadcast):
    one = prepare_deal(broadcast=planned, terms=terms(stage))
    changed = prepare_deal(broadcast=planned, terms=terms(stage, 1, cap=None), prepared_id=one.pk)
    assert changed.pk == one.pk
    assert prepared_deals(planned) == [
        {
            "prepared": one.pk, "style": stage.garments[1].style.pk, "price_minor": 9900, "seconds": 60, "cap": None,
            "per_person": 1,
        }
    ]  # fmt: skip
    assert terms_of(changed) == terms(stage, 1, cap=None)
    remove_prepared(broadcast=planned, prepared_id=one.pk)
    assert prepared_deals(planned) == []
    with pytest.raises(NotFound):
        remove_prepared(broadcast=planned, prepared_id=one.pk)


def test_prepared_deals_are_bounded(stage: Stage, planned: Broadcast):
    PreparedDeal.objects.bulk_create(
        PreparedDeal(broadcast=planned, style=stage.garments[0].style, price_minor=1) for _ in range(MOST_PREPARED)
    )
    with pytest.raises(TooManyDeals):
        prepare_deal(broadcast=planned, terms=terms(stage))


def test_deals_of_another_show_are_not_found(stage: Stage, show: Broadcast):
    other = make_stage()
    elsewhere = other.on_air()
    launched = launch_deal(broadcast=elsewhere, by=other.owner, terms=terms(other))
    prepared = prepare_deal(broadcast=elsewhere, terms=terms(other))
    with pytest.raises(NotFound):
        get_deal(show, launched.deal_id)
    with pytest.raises(NotFound):
        prepare_deal(broadcast=show, terms=terms(stage), prepared_id=prepared.pk)
