"""A store with tills for tests, built through the services that pages use."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from silkroom.accounts.models import Person
from silkroom.catalog.models import Variant
from silkroom.pos.models import Device, Shift, Till
from silkroom.pos.queries import Clerk
from silkroom.pos.services import make_pairing_code, make_till, open_shift, pair_device
from silkroom.shops.states import Role
from tests.house import House, make_house, make_picture, make_style, make_variants


@dataclass
class Counter:
    """A till that is paired and, if ``shift`` is there, open."""

    house: House
    till: Till
    device: Device
    token: str
    shift: Shift | None = None

    @property
    def clerk(self) -> Clerk:
        return Clerk(self.house.owner, Role.OWNER)


def make_counter(house: House, name: str = "Till 1", *, is_open: bool = True, kept_pieces: int = 0) -> Counter:
    till = make_till(shop=house.shop, place=house.store, name=name, clerk_discount_percent=10, kept_pieces=kept_pieces)
    paired = pair_device(code=make_pairing_code(till=till), name="a tablet")
    counter = Counter(house, till, paired.device, paired.token)
    if is_open:
        counter.shift = open_shift(till=till, clerk=counter.clerk, float_minor=20_000)
    return counter


def make_store(*, pieces: int = 5, name: str = "Cloud Silk") -> tuple[House, list[Variant]]:
    """A house with a published style, ``pieces`` of each of its four variants in the store."""
    house = make_house(name)
    style = make_style(house)
    variants = make_variants(house, style, at={house.store.pk: pieces})
    make_picture(style)
    style.state = "published"
    style.save(update_fields=["state"])
    return house, variants


def call(client: Client, path: str, body: Any, token: str = "") -> tuple[int, dict[str, Any]]:
    """A POST of the till's page: (status, answer)."""
    headers = {"authorization": f"Till {token}"} if token else {}
    answer = client.post(f"/pos/api/{path}", json.dumps(body), content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


def signed_in(person: Person | None) -> Client:
    client = Client(headers={"accept-language": "en"})
    if person is not None:
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client
