"""A store with tills for tests, built through the services that pages use."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.test import Client

from silkroom.accounts.models import Person
from silkroom.catalog.models import Variant
from silkroom.inventory.models import Sellable
from silkroom.kit.clock import now
from silkroom.pos.models import Device, Receipt, ReceiptLine, Shift, Shortfall, Till
from silkroom.pos.queries import Clerk
from silkroom.pos.rules import LineGiven, ReceiptGiven, TenderGiven, price_after
from silkroom.pos.services import Written, make_pairing_code, make_till, open_shift, pair_device, record_receipts
from silkroom.pos.states import TenderKind
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


@transaction.atomic
def make_counter(house: House, name: str = "Till 1", *, is_open: bool = True, kept_pieces: int = 0) -> Counter:
    till = make_till(shop=house.shop, place=house.store, name=name, clerk_discount_percent=10, kept_pieces=kept_pieces)
    paired = pair_device(code=make_pairing_code(till=till), name="a tablet")
    counter = Counter(house, till, paired.device, paired.token)
    if is_open:
        counter.shift = open_shift(till=till, clerk=counter.clerk, float_minor=20_000)
    return counter


@transaction.atomic
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


def sold(
    counter: Counter,
    number: int,
    lines: list[tuple[Variant, int]],
    *,
    percent: int = 0,
    offline: bool = False,
    given_more: int = 0,
) -> ReceiptGiven:
    """A receipt as the till's page writes it, paid in cash."""
    assert counter.shift
    rows = [
        LineGiven(one.pk, quantity, one.price_minor, price_after(one.price_minor, percent)) for one, quantity in lines
    ]
    total = sum(one.unit_price_minor * one.quantity for one in rows)
    return ReceiptGiven(
        number=number,
        shift_id=counter.shift.pk,
        sold_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        discount_percent=percent,
        lines=rows,
        tenders=[TenderGiven(TenderKind.CASH, total, total + given_more)],
        is_offline=offline,
    )


def record(counter: Counter, *receipts: ReceiptGiven) -> list[Written]:
    with transaction.atomic():
        return record_receipts(till=counter.till, receipts=receipts)


def stock_of(variant: Variant, counter: Counter) -> tuple[int, int, int]:
    """(on hand, held, leased) in the store."""
    row = Sellable.objects.get(item=variant.item_id, place=counter.house.store)
    return row.on_hand, row.held, row.leased


def make_shortfall(till: Till, shift: Shift, variant: Variant) -> Shortfall:
    """A piece that was sold and was not there."""
    receipt = Receipt.objects.create(
        till=till, number=1_000_001, shift=shift, fingerprint="x", is_offline=True, sold_at=now(), currency="CNY",
        goods_minor=100, discount_minor=0, total_minor=100,
    )  # fmt: skip
    line = ReceiptLine.objects.create(
        receipt=receipt, variant=variant, sku="S", title="T", quantity=1, list_price_minor=100, unit_price_minor=100
    )
    return Shortfall.objects.create(line=line, quantity=1)
