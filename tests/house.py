"""A merchant's house for tests, built through the services that pages use: people, shop, style, picture."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import count

from django.contrib.auth.hashers import make_password
from django.test import Client, override_settings
from PIL import Image

from silkroom.accounts.models import Person
from silkroom.accounts.services import register_person
from silkroom.catalog.models import Picture, Style, Variant
from silkroom.catalog.rules import ColourRow, Fibre, Grid, GridCell, SizeColumn
from silkroom.catalog.services import (
    MeasureRow,
    StyleWords,
    add_picture,
    create_style,
    enter_grid,
    enter_label,
    enter_size_chart,
    publish_style,
)
from silkroom.shops.models import Place, Shop
from silkroom.shops.services import add_staff, open_shop
from silkroom.shops.states import PlaceKind, Role

PASSWORD = "silk-road-9"
WEST_LAKE = "330106"

_numbers = count(1)


@cache
def real_hash() -> str:
    """The password as production hashes it. That takes half a second by design: once a run is enough."""
    return make_password(PASSWORD)


def make_person(name: str = "Lin Wan", **contact: str) -> Person:
    """A member with PASSWORD; without a contact it gets an e-mail of its own."""
    contact = contact or {"email": f"person{next(_numbers)}@example.com"}
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        person = register_person(name=name, password=PASSWORD, verified=True, **contact)
    person.password = real_hash()
    person.save(update_fields=["password"])
    return person


def picture_bytes(width: int = 60, height: int = 80, *, kind: str = "JPEG", colour: str = "#8b2f5f") -> bytes:
    """A picture file."""
    target = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(target, kind)
    return target.getvalue()


@dataclass
class House:
    """A shop with its people and goods."""

    owner: Person
    shop: Shop
    staff: dict[Role, Person] = field(default_factory=dict)

    def hire(self, role: Role) -> Person:
        """Somebody with this role."""
        if role not in self.staff:
            self.staff[role] = make_person(f"The {role}")
            add_staff(shop=self.shop, person=self.staff[role], role=role)
        return self.staff[role]

    @property
    def warehouse(self) -> Place:
        return self.shop.places.get(kind=PlaceKind.WAREHOUSE)

    @property
    def store(self) -> Place:
        return self.shop.places.get(kind=PlaceKind.STORE)


def make_house(name: str = "Cloud Silk") -> House:
    """A shop with a warehouse that sells online and a store."""
    owner = make_person(f"Owner of {name}")
    places = {PlaceKind.WAREHOUSE: "Main warehouse", PlaceKind.STORE: "Lake store"}
    shop = open_shop(person=owner, name=name, region_code=WEST_LAKE, places=places)
    return House(owner, shop, {Role.OWNER: owner})


def make_style(house: House, article: str = "SR-1", name: str = "Silk shirt") -> Style:
    """A draft."""
    return create_style(shop=house.shop, words=StyleWords(article, name))


def make_variants(
    house: House, style: Style, *, pieces: int = 5, price_minor: int = 39_900, at: Mapping[int, int] | None = None
) -> list[Variant]:
    """Two colours in two sizes, with pieces in the warehouse (or as ``at`` says: {place: pieces})."""
    opening = at if at is not None else {house.warehouse.pk: pieces}
    grid = Grid(
        [ColourRow("月白", "Moon white", "#e9e4d4"), ColourRow("Mulberry", "", "#5b2a4a")],
        [SizeColumn("S", "155/80A"), SizeColumn("M", "160/84A")],
        [GridCell(colour, size, price_minor, opening=opening) for colour in (0, 1) for size in (0, 1)],
    )
    return enter_grid(style=style, grid=grid, person=house.owner)


def make_picture(style: Style) -> Picture:
    return add_picture(style=style, data=picture_bytes(), alt="Front")


def make_published(house: House, article: str = "SR-1", name: str = "Silk shirt", *, pieces: int = 5) -> Style:
    """A style with everything buyers look for, on sale."""
    style = make_style(house, article, name)
    make_variants(house, style, pieces=pieces)
    make_picture(style)
    enter_label(style=style, composition=[Fibre("", "Mulberry silk", 100)], safety_class="B", care=["wash-hand"])
    sizes = {size.pk: 900 for size in style.sizes.all()}
    enter_size_chart(style=style, rows=[MeasureRow("Chest", "Chest", sizes)])
    return publish_style(style=style)


def signed_in(person: Person) -> Client:
    """A browser in English in which ``person`` is signed in."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client
