"""A shop with people, garments and a show, made by silkroom's own services: for the tests of live and gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from silkroom.accounts.models import Person
from silkroom.accounts.services import make_guest
from silkroom.catalog.models import Colour, Size, Style, Variant
from silkroom.catalog.states import StyleState
from silkroom.inventory.services import Pieces, create_item, receive_stock
from silkroom.kit.ids import make_code
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.queries import role_in
from silkroom.live.broadcasts.tickets import LIFETIME, Purpose, issue_ticket
from silkroom.live.room import services as room
from silkroom.shops.models import Place, Shop, Staff
from silkroom.shops.services import open_shop
from silkroom.shops.states import PlaceKind, Role

HANGZHOU = "330106"


def member(name: str = "林") -> Person:
    """Somebody who signed up. Without a password: tests sign in by force, and hashing one takes a second."""
    person = Person(name=name, email=f"{make_code().lower()}@example.com")
    person.set_unusable_password()
    person.save()
    return person


@dataclass
class Garment:
    """A style and its variants, as (colour, size) pairs in order."""

    style: Style
    variants: list[Variant]

    @property
    def first(self) -> Variant:
        return self.variants[0]


@dataclass
class Stage:
    """A shop and its people. ``owner`` is the host."""

    owner: Person
    assistant: Person
    stranger: Person
    shop: Shop
    place: Place
    garments: list[Garment] = field(default_factory=list)

    def make_garment(self, *, pieces: int = 10, price_minor: int = 19900, sizes: Sequence[str] = ("M", "L")) -> Garment:
        """A published style in one colour; each variant has so many pieces."""
        number = len(self.garments) + 1
        style = Style.objects.create(
            shop=self.shop,
            article=f"A{number}",
            name=f"真丝衬衫{number}",
            name_en=f"Silk shirt {number}",
            state=StyleState.PUBLISHED,
        )
        colour = Colour.objects.create(style=style, name="月白", name_en="moon", swatch="#f2f2ee")
        variants = []
        for position, label in enumerate(sizes):
            size = Size.objects.create(style=style, label=label, position=position)
            item = create_item(shop=self.shop, code=f"{style.code}-{label}", name=style.name)
            variants.append(
                Variant.objects.create(
                    shop=self.shop,
                    style=style,
                    colour=colour,
                    size=size,
                    item=item,
                    sku=f"{style.article}-{label}",
                    price_minor=price_minor,
                )
            )
            if pieces:
                self.receive(variants[-1], pieces)
        garment = Garment(style, variants)
        self.garments.append(garment)
        return garment

    def receive(self, variant: Variant, pieces: int) -> None:
        """More pieces arrive."""
        with transaction.atomic():
            receive_stock(
                shop=self.shop, place=self.place, pieces=[Pieces(variant.item_id, pieces)], source="test:supply"
            )

    def plan(self, *garments: Garment, title: str = "夜场") -> Broadcast:
        """A show of these garments (all of the shop, if none is named)."""
        styles = [one.style.pk for one in garments or self.garments]
        with transaction.atomic():
            return room.plan_show(shop=self.shop, host=self.owner, title=title, style_ids=styles)

    def on_air(self, *garments: Garment) -> Broadcast:
        """A show that is on air."""
        broadcast = self.plan(*garments)
        with transaction.atomic():
            room.go_live(broadcast=broadcast, by=self.owner)
        return broadcast


def make_stage(*, garments: int = 2, pieces: int = 10) -> Stage:
    """In the running transaction, if there is one."""
    with transaction.atomic():
        owner = member("掌柜")
        shop = open_shop(person=owner, name=f"锦绣{make_code(4)}", region_code=HANGZHOU, places=[PlaceKind.WAREHOUSE])
        place = Place.objects.get(shop=shop, kind=PlaceKind.WAREHOUSE)
        assistant = member("小助")
        Staff.objects.create(shop=shop, person=assistant, role=Role.ASSISTANT)
        stage = Stage(owner, assistant, member("路人"), shop, place)
        for _ in range(garments):
            stage.make_garment(pieces=pieces)
    return stage


def ticket_for(
    broadcast: Broadcast, person: Person | None = None, *, purpose: Purpose = Purpose.ROOM, lifetime=LIFETIME
) -> str:
    """A ticket as the web process signs it; without a person, of somebody who only watches."""
    return issue_ticket(
        purpose,
        broadcast_id=broadcast.pk,
        broadcast_code=broadcast.code,
        shop_id=broadcast.shop_id,
        person_id=person.pk if person else None,
        person_code=person.code if person else "",
        name=person.name if person else "",
        role=role_in(broadcast, person),
        lifetime=lifetime,
    )


def guest(name: str = "阿宁") -> Person:
    """Somebody who only chose a name."""
    return make_guest(name=name)
