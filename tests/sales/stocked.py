"""A small shop with garments in stock, made through the ledger's own services."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from silkroom.accounts.models import Person
from silkroom.catalog.models import Colour, Size, Style, Variant
from silkroom.catalog.states import StyleState
from silkroom.inventory.models import Sellable
from silkroom.inventory.services import Pieces, create_item, receive_stock
from silkroom.kit.clock import now
from silkroom.kit.ids import make_code
from silkroom.sales.desk.door import OrderLineRequest, OrderRequest
from silkroom.sales.offers.models import Offer
from silkroom.sales.offers.services import create_offer
from silkroom.shops.models import Place, Shop
from silkroom.shops.states import OUTSIDE_KINDS, PlaceKind

CHANNEL = "broadcast:SHOW"


@dataclass
class StockedShop:
    """A shop with a warehouse (sold from first), a store (sold from second) and a workshop (not sold from)."""

    shop: Shop
    warehouse: Place
    store: Place
    workshop: Place
    style: Style
    variants: list[Variant]

    @property
    def variant(self) -> Variant:
        return self.variants[0]


def make_shop(*, pieces: int = 10, variants: int = 1, in_store: int = 0, price_minor: int = 19900) -> StockedShop:
    """``pieces`` of each variant in the warehouse, ``in_store`` in the store."""
    code = make_code(6)
    shop = Shop.objects.create(slug=code.lower(), name=f"Shop {code}", region_code="330100")
    warehouse = Place.objects.create(
        shop=shop, kind=PlaceKind.WAREHOUSE, name="warehouse", sells_online=True, priority=1
    )
    store = Place.objects.create(shop=shop, kind=PlaceKind.STORE, name="store", sells_online=True, priority=2)
    workshop = Place.objects.create(shop=shop, kind=PlaceKind.WORKSHOP, name="workshop")
    for kind in OUTSIDE_KINDS:
        Place.objects.create(shop=shop, kind=kind, name=f"({kind})", is_outside=True)
    style = Style.objects.create(shop=shop, article="S1", name="素绉缎衬衫", state=StyleState.PUBLISHED)
    colour = Colour.objects.create(style=style, name="月白")
    made = [
        Variant.objects.create(
            shop=shop,
            style=style,
            colour=colour,
            size=Size.objects.create(style=style, label=f"M{number}"),
            item=create_item(shop=shop, code=f"S1-{number}", name=f"shirt {number}"),
            sku=f"S1-{number}",
            price_minor=price_minor + 1000 * number,
        )
        for number in range(variants)
    ]
    with transaction.atomic():
        for place, count in ((warehouse, pieces), (store, in_store)):
            if count:
                receive_stock(
                    shop=shop,
                    place=place,
                    pieces=[Pieces(one.item_id, count) for one in made],
                    source="test",
                )
    return StockedShop(shop, warehouse, store, workshop, style, made)


def make_people(count: int) -> list[Person]:
    return Person.objects.bulk_create([Person(is_guest=True, name=f"guest {number}") for number in range(count)])


def make_member(name: str = "member") -> Person:
    return Person.objects.create(email=f"{make_code().lower()}@example.com", name=name)


def make_offer(stocked: StockedShop, *, price_minor: int = 9900, seconds: int = 600, **terms: int | None) -> Offer:
    """Running since a minute ago, only in the show."""
    starts_at = now() - timedelta(seconds=60)
    return create_offer(
        shop=stocked.shop,
        style=stocked.style,
        price_minor=price_minor,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(seconds=seconds),
        channel=CHANNEL,
        **terms,
    )


def ask_for(
    stocked: StockedShop,
    person: Person | int,
    quantity: int = 1,
    *,
    offer: Offer | None = None,
    key: uuid.UUID | None = None,
    variant: Variant | None = None,
    seen_price_minor: int | None = None,
    seen_currency: str | None = None,
) -> OrderRequest:
    """A request for pieces of one variant."""
    line = OrderLineRequest(
        (variant or stocked.variant).pk, quantity, None if offer is None else offer.pk, seen_price_minor, seen_currency
    )
    return OrderRequest(
        person if isinstance(person, int) else person.pk,
        stocked.shop.pk,
        CHANNEL if offer is not None else "web",
        key or uuid.uuid4(),
        (line,),
    )


def stock_row(stocked: StockedShop, place: Place | None = None) -> tuple[int, int]:
    """(on hand, held) of the first variant at a place, the warehouse unless named."""
    row = Sellable.objects.get(item_id=stocked.variant.item_id, place=place or stocked.warehouse)
    return row.on_hand, row.held
