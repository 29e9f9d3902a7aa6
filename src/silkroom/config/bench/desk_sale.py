"""The shop of ``bench desk``: a show with hot garments, its viewers, and what the database says afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from silkroom.accounts.models import Person
from silkroom.catalog.models import Colour, Size, Style, Variant
from silkroom.catalog.states import StyleState
from silkroom.config.bench.desk_limits import Garment
from silkroom.inventory.models import Sellable
from silkroom.inventory.queries import differences
from silkroom.inventory.services import Pieces, create_item, receive_stock
from silkroom.kit.ids import make_codes
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.rules import RoomRole
from silkroom.live.broadcasts.tickets import Purpose, channel_of, issue_ticket
from silkroom.live.room.services import go_live, plan_show
from silkroom.shops.models import Place, Shop
from silkroom.shops.services import open_shop
from silkroom.shops.states import PlaceKind

PRICE_MINOR = 19900


@dataclass(frozen=True)
class Hall:
    """A shop with a show on air."""

    shop: Shop
    broadcast: Broadcast
    people: list[Person]
    variants: list[Variant]


def prepare(*, people: int, garments: int, pieces: Sequence[int]) -> Hall:
    """A show with ``garments`` variants, with so many pieces each, and its viewers."""
    with transaction.atomic():
        owner = Person.objects.create(email="bench@example.com", name="bench")
        shop = open_shop(person=owner, name="Bench", region_code="330106", places=[PlaceKind.WAREHOUSE])
        warehouse = Place.objects.get(shop=shop, kind=PlaceKind.WAREHOUSE)
        style = Style.objects.create(shop=shop, article="B1", name="丝绸衬衫", state=StyleState.PUBLISHED)
        colour = Colour.objects.create(style=style, name="月白")
        variants = [_make_variant(shop, style, colour, number) for number in range(garments)]
        receive_stock(
            shop=shop,
            place=warehouse,
            pieces=[Pieces(one.item_id, count) for one, count in zip(variants, pieces, strict=True)],
            source="bench",
        )
        viewers = Person.objects.bulk_create(
            [Person(code=code, is_guest=True, name=f"viewer {code}") for code in make_codes(people)]
        )
        broadcast = plan_show(shop=shop, host=owner, title="Bench", style_ids=[style.pk])
        go_live(broadcast=broadcast, by=owner)
    return Hall(shop, broadcast, viewers, variants)


def _make_variant(shop: Shop, style: Style, colour: Colour, number: int) -> Variant:
    return Variant.objects.create(
        shop=shop,
        style=style,
        colour=colour,
        size=Size.objects.create(style=style, label=f"S{number}"),
        item=create_item(shop=shop, code=f"B1-{number}", name="shirt"),
        sku=f"B1-{number}",
        price_minor=PRICE_MINOR,
    )


def tickets_of(hall: Hall, people: Sequence[Person]) -> list[str]:
    """A room ticket for each of ``people``."""
    return [
        issue_ticket(
            Purpose.ROOM,
            broadcast_id=hall.broadcast.pk,
            broadcast_code=hall.broadcast.code,
            shop_id=hall.shop.pk,
            person_id=person.pk,
            person_code=person.code,
            name=person.name,
            role=RoomRole.VIEWER,
        )
        for person in people
    ]


def garment_of(hall: Hall, variant: Variant, people: Sequence[Person]) -> Garment:
    """The hot row of a variant and its buyers, for writers that know nothing of us."""
    row = Sellable.objects.get(item_id=variant.item_id)
    return Garment(
        shop=hall.shop.pk,
        variant=variant.pk,
        item=variant.item_id,
        place=row.place_id,
        sellable=row.pk,
        sku=variant.sku,
        title=f"丝绸衬衫 · 月白 · {variant.size.label}",
        channel=channel_of(hall.broadcast.code),
        people=sorted(person.pk for person in people),
    )


_SOLD = """
    SELECT coalesce(sum(l.quantity), 0) FROM sales_orderline l JOIN sales_order o ON o.id = l.order_id
    WHERE l.variant_id = %s AND o.state IN ('held', 'paid')
"""

_KNOWN = "SELECT count(DISTINCT number) FROM sales_order WHERE number = ANY(%s) AND state IN ('held', 'paid')"


def oversold(variant: Variant, pieces: int) -> int:
    """Pieces in orders beyond those that there were."""
    with connection.cursor() as cursor:
        cursor.execute(_SOLD, (variant.pk,))
        return max(0, int(cursor.fetchone()[0]) - pieces)


def missing(numbers: Sequence[str]) -> int:
    """Confirmed orders that the database does not have."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, (list(numbers),))
        return len(numbers) - int(cursor.fetchone()[0])


def ledger_differences() -> int:
    """Numbers of the ledger that do not add up."""
    return len(differences())


def forget_connections() -> None:
    """After PostgreSQL was killed: this process's own connections are dead."""
    connection.close()
