"""Reads of tills. A device reaches its own till only, staff their shop's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum

from silkroom.accounts.models import Person
from silkroom.accounts.queries import is_member
from silkroom.accounts.tickets import TicketExpired, TicketInvalid, read_ticket
from silkroom.catalog.models import Colour, Picture, Size, Variant
from silkroom.catalog.states import StyleState
from silkroom.inventory.queries import leases_of, stock_of_items
from silkroom.kit.errors import NotFound
from silkroom.shops.models import Place, Shop
from silkroom.shops.queries import find_role, inside_places
from silkroom.shops.rules import Task, may_do
from silkroom.shops.states import PlaceKind, Role

from .errors import ClerkMissing, TillNotPaired
from .models import Device, Receipt, ReceiptLine, Shift, Shortfall, Tender, Till
from .rules import holder_of
from .states import Outcome, TenderKind

TICKET_PURPOSE = "till"
DEVICE = "d"
"""Key of the device's id in its token."""

SHIFTS_ON_A_PAGE = 30


@dataclass(frozen=True)
class Clerk:
    """Somebody at a till, and as what."""

    person: Person
    role: Role


def get_device(token: str) -> Device:
    """The device that a token was given to, while it is the till. Raises TillNotPaired."""
    try:
        number = read_ticket(TICKET_PURPOSE, token).get(DEVICE)
    except (TicketInvalid, TicketExpired):
        raise TillNotPaired from None
    device = (
        Device.objects.select_related("till__shop", "till__place").filter(pk=number, revoked_at=None).first()
        if type(number) is int
        else None
    )
    if device is None:
        raise TillNotPaired
    return device


def find_clerk(person: object, till: Till) -> Clerk | None:
    """The person as a clerk of this till; None for everybody else."""
    role = find_role(person, till.shop_id)
    if role is None or not may_do(role, Task.TILL) or not is_member(person):
        return None
    return Clerk(person, role)


def get_clerk(person: object, till: Till) -> Clerk:
    """As `find_clerk`. Raises ClerkMissing."""
    clerk = find_clerk(person, till)
    if clerk is None:
        raise ClerkMissing
    return clerk


def tills_of(shop: Shop) -> list[Till]:
    """The shop's tills with their places, in their order. 1 SQL query."""
    return list(Till.objects.filter(shop=shop).select_related("place", "shop").order_by("number"))


def get_till_of(shop: Shop, code: str) -> Till:
    """A till of this shop. Raises NotFound."""
    till = Till.objects.select_related("shop", "place").filter(shop=shop, code=code).first()
    if till is None:
        raise NotFound
    return till


def stores_of(shop: Shop) -> list[Place]:
    """Where tills may stand."""
    return [place for place in inside_places(shop) if place.kind == PlaceKind.STORE]


def find_device(till: Till) -> Device | None:
    """The device that is the till now."""
    return Device.objects.filter(till=till, revoked_at=None).first()


def find_open_shift(till: Till) -> Shift | None:
    """The shift that is open."""
    return Shift.objects.select_related("opened_by").filter(till=till, closed_at=None).first()


def shifts_of(till: Till) -> list[Shift]:
    """The latest shifts, newest first."""
    shifts = Shift.objects.filter(till=till).select_related("opened_by", "closed_by")
    return list(shifts.order_by("-opened_at", "-id")[:SHIFTS_ON_A_PAGE])


def get_shift_of(shop: Shop, shift_id: int) -> Shift:
    """A shift at a till of this shop. Raises NotFound."""
    shift = (
        Shift.objects.select_related("till__shop", "opened_by", "closed_by")
        .filter(till__shop=shop, pk=shift_id)
        .first()
    )
    if shift is None:
        raise NotFound
    return shift


def garments_of(till: Till) -> list[dict[str, Any]]:
    """Every style on sale, as the till keeps it. ``left``: pieces that this till may sell with the line up; ``leased``:
    those of them that it may sell without. 6 SQL queries.
    """
    on_sale = Variant.objects.filter(shop=till.shop, is_sold=True, style__state=StyleState.PUBLISHED)
    variants = list(on_sale.select_related("style").order_by("-style_id", "colour__position", "size__position", "id"))
    styles = {one.style_id: one.style for one in variants}
    free = {
        one.item_id: one.free
        for one in stock_of_items(shop_id=till.shop_id, item_ids=[one.item_id for one in variants])
        if one.place_id == till.place_id
    }
    leased = leases_of(holder=holder_of(till.code))
    colours: dict[int, list[Colour]] = defaultdict(list)
    for colour in Colour.objects.filter(style__in=styles).order_by("position", "id"):
        colours[colour.style_id].append(colour)
    sizes: dict[int, list[Size]] = defaultdict(list)
    for size in Size.objects.filter(style__in=styles).order_by("position", "id"):
        sizes[size.style_id].append(size)
    pictures: dict[int, list[Picture]] = defaultdict(list)
    for picture in Picture.objects.filter(style__in=styles).order_by("position", "id"):
        pictures[picture.style_id].append(picture)
    of_style: dict[int, list[Variant]] = defaultdict(list)
    for variant in variants:
        of_style[variant.style_id].append(variant)
    return [
        {
            "id": style_id,
            "article": style.article,
            "name": style.name,
            "name_en": style.name_en,
            "picture": _picture(pictures[style_id], None),
            "colours": [
                {
                    "id": one.pk,
                    "name": one.name,
                    "name_en": one.name_en,
                    "swatch": one.swatch,
                    "picture": _picture(pictures[style_id], one.pk),
                }
                for one in colours[style_id]
            ],
            "sizes": [{"id": one.pk, "label": one.label} for one in sizes[style_id]],
            "variants": [
                {
                    "id": one.pk,
                    "sku": one.sku,
                    "ean": one.ean or "",
                    "colour": one.colour_id,
                    "size": one.size_id,
                    "price_minor": one.price_minor,
                    "left": free.get(one.item_id, 0) + leased.get(one.item_id, 0),
                    "leased": leased.get(one.item_id, 0),
                }
                for one in of_style[style_id]
            ],
        }
        for style_id, style in styles.items()
    ]


def _picture(pictures: Sequence[Picture], colour_id: int | None) -> str:
    found = next((one for one in pictures if colour_id is None or one.colour_id == colour_id), None)
    return found.small_url if found else ""


@dataclass(frozen=True)
class ShiftSums:
    """What a shift's receipts add up to; refunds have been taken off what should be there."""

    receipts: int
    pieces: int
    goods_minor: int
    discount_minor: int
    cash_minor: int
    code_minor: int
    repaid_minor: int
    over_limit: int
    offline: int
    open_shortfalls: int


def sums_of(shift: Shift) -> ShiftSums:
    """Adds a shift up: nothing of it is kept. 4 SQL queries."""
    receipts = Receipt.objects.filter(shift=shift, is_void=False)
    sums = receipts.aggregate(
        count=Count("id"),
        goods=Sum("goods_minor"),
        discount=Sum("discount_minor"),
        over=Count("id", filter=Q(is_over_limit=True)),
        offline=Count("id", filter=Q(is_offline=True)),
    )
    pieces = ReceiptLine.objects.filter(receipt__in=receipts).aggregate(sum=Sum("quantity"))["sum"]
    tenders = dict(Tender.objects.filter(receipt__in=receipts).values_list("kind").annotate(sum=Sum("amount_minor")))
    repaid = Shortfall.objects.filter(shift=shift, outcome=Outcome.REPAID).select_related("line")
    return ShiftSums(
        receipts=sums["count"],
        pieces=pieces or 0,
        goods_minor=sums["goods"] or 0,
        discount_minor=sums["discount"] or 0,
        cash_minor=tenders.get(TenderKind.CASH, 0),
        code_minor=tenders.get(TenderKind.CODE, 0),
        repaid_minor=sum(one.quantity * one.line.unit_price_minor for one in repaid),
        over_limit=sums["over"],
        offline=sums["offline"],
        open_shortfalls=Shortfall.objects.filter(line__receipt__shift=shift, outcome="").count(),
    )


def receipts_of(shift: Shift) -> list[Receipt]:
    """A shift's receipts with their lines and money, newest first. 3 SQL queries."""
    receipts = Receipt.objects.filter(shift=shift, is_void=False).select_related("order", "till")
    return list(receipts.prefetch_related("lines", "tenders").order_by("-number"))


def open_shortfalls(shop: Shop) -> list[Shortfall]:
    """What waits for a person, oldest first."""
    shortfalls = Shortfall.objects.filter(line__receipt__till__shop=shop, outcome="")
    return list(shortfalls.select_related("line__receipt__till__place").order_by("id"))


def get_shortfall_of(shop: Shop, shortfall_id: int) -> Shortfall:
    """A shortfall at a till of this shop. Raises NotFound."""
    shortfall = Shortfall.objects.filter(line__receipt__till__shop=shop, pk=shortfall_id).first()
    if shortfall is None:
        raise NotFound
    return shortfall


def till_names(codes: Sequence[str]) -> dict[str, str]:
    """{code of a till: its name}, for orders that name their till."""
    return dict(Till.objects.filter(code__in=codes).values_list("code", "name"))
