"""Receipts of a till become orders of the one order book, money and movements; each exactly once.

A sale with the line up is refused if a piece is not there. A receipt that the customer already has is always written:
pieces that the ledger does not have become a `Shortfall`, which a person settles. Lock order: the till, sellable rows
by (item, place), all of a batch at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.db import transaction

from silkroom.catalog.models import Variant
from silkroom.inventory.errors import NotEnoughStock
from silkroom.inventory.services import Pieces, lock_counter, set_leases, take_counter_holds
from silkroom.journal.services import append_entry
from silkroom.kit.clock import now
from silkroom.kit.errors import Refusal
from silkroom.kit.ids import make_code
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.services import CounterLine, lock_order, place_counter_order, refund_order
from silkroom.shops.states import Role

from ..errors import (
    DiscountTooHigh,
    NoShiftOpen,
    NotSoldHere,
    PiecesGone,
    ReceiptNumberTaken,
    ReceiptUnsound,
    TillPriceMoved,
)
from ..models import Receipt, ReceiptLine, Shift, Shortfall, Tender, Till
from ..rules import ReceiptGiven, discount_limit, holder_of, is_sound, label_of

KEYS = UUID("6a0a5b2e-6d0c-4a55-9a39-0d8d1f7f2c11")
"""Makes an order's key out of the till and the number of its receipt."""

CLOCK_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True)
class Written:
    """What became of a receipt. ``missing``: pieces that were not there. ``refusal``: it was not written."""

    number: int
    receipt: Receipt | None = None
    is_repeat: bool = False
    missing: int = 0
    refusal: Refusal | None = None


def record_receipts(*, till: Till, receipts: Sequence[ReceiptGiven]) -> list[Written]:
    """Write what a till has sold, in the order of its numbers. One that is refused leaves the others alone.

    The caller's transaction holds all of it.
    """
    till = Till.objects.select_for_update(no_key=True, of=("self",)).select_related("shop", "place").get(pk=till.pk)
    numbers = [one.number for one in receipts]
    known = {one.number: one for one in Receipt.objects.filter(till=till, number__in=numbers)}
    wanted = {line.variant_id for one in receipts for line in one.lines}
    variants = {
        one.pk: one
        for one in Variant.objects.select_related("style", "colour", "size").filter(shop=till.shop, pk__in=wanted)
    }
    lock_counter(place=till.place, item_ids=[one.item_id for one in variants.values()])
    shifts = {one.pk: one for one in Shift.objects.filter(till=till, pk__in={one.shift_id for one in receipts})}
    answers = []
    for given in sorted(receipts, key=lambda one: one.number):
        before = known.get(given.number)
        try:
            if before is not None:
                answers.append(_repeat(till, before, given))
                continue
            with transaction.atomic():
                written = _write(till, given, variants, shifts)
        except Refusal as refusal:
            answers.append(Written(given.number, refusal=refusal))
            continue
        known[given.number] = written.receipt  # type: ignore[assignment]
        answers.append(written)
    return answers


def void_receipt(*, till: Till, number: int) -> Written:
    """A sale was given up without knowing whether the house had heard of it: its number is used up, and if the sale was
    written, it is undone. Twice changes nothing.
    """
    till = Till.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").get(pk=till.pk)
    receipt = Receipt.objects.filter(till=till, number=number).first()
    if receipt is None:
        moment = now()
        nothing = {"goods_minor": 0, "discount_minor": 0, "total_minor": 0}
        receipt = Receipt.objects.create(
            till=till, number=number, is_void=True, sold_at=moment, currency=till.shop.currency, **nothing
        )
        return Written(number, receipt)
    if not receipt.is_void and not receipt.is_offline:
        if receipt.order_id is not None:
            refund_order(order=lock_order(order_id=receipt.order_id), back_to_stock=True)
        receipt.is_void = True
        receipt.save(update_fields=["is_void"])
    return Written(number, receipt, is_repeat=True)


def fill_leases(*, till: Till, is_open: bool) -> dict[int, int]:
    """Book pieces to the till as its owner has set it, or give them back when its shift is over. {item: pieces}."""
    wanted: dict[int, int] = {}
    if is_open and till.kept_pieces:
        on_sale = Variant.objects.filter(shop=till.shop, is_sold=True, style__state="published")
        wanted = dict.fromkeys(on_sale.values_list("item_id", flat=True), till.kept_pieces)
    return set_leases(shop=till.shop, place=till.place, holder=holder_of(till.code), wanted=wanted)


def order_key(till: Till, number: int, part: str = "") -> UUID:
    """The idempotency key of a receipt's order."""
    return uuid5(KEYS, f"{till.code}:{number}:{part}")


def _repeat(till: Till, before: Receipt, given: ReceiptGiven) -> Written:
    if before.is_void or before.fingerprint != _fingerprint(given):
        raise ReceiptNumberTaken(label=label_of(till.number, given.number))
    return Written(given.number, before, is_repeat=True)


def _fingerprint(given: ReceiptGiven) -> str:
    """Of all that makes the sale; whether it was told while offline is not part of it."""
    told = asdict(given)
    del told["is_offline"]
    told["sold_at"] = given.sold_at.isoformat()
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _write(till: Till, given: ReceiptGiven, variants: Mapping[int, Variant], shifts: Mapping[int, Shift]) -> Written:
    if not is_sound(given):
        raise ReceiptUnsound
    shift = shifts.get(given.shift_id)
    if shift is None or (shift.closed_at is not None and not given.is_offline):
        raise NoShiftOpen
    if any(line.variant_id not in variants for line in given.lines):
        raise NotSoldHere
    limit = discount_limit(Role(shift.role), till.clerk_discount_percent)
    if not given.is_offline:
        _check_terms(given, variants, limit)
    number = make_code()
    wants = [Pieces(variants[line.variant_id].item_id, line.quantity) for line in given.lines]
    try:
        held = take_counter_holds(
            place=till.place,
            holder=holder_of(till.code),
            source=f"order:{number}",
            wants=wants,
            lease_first=given.is_offline,
            partly=given.is_offline,
        )
    except NotEnoughStock as error:
        title = next(_title(one) for one in variants.values() if one.item_id == error.data["item"])
        raise PiecesGone(title=title, left=error.data["left"]) from None
    holds = {one.item_id: one for one in held}
    sold_at = max(min(given.sold_at, now() + CLOCK_AHEAD), shift.opened_at)
    lines = [
        CounterLine(
            line.variant_id,
            holds[variant.item_id],
            variant.sku,
            _title(variant),
            line.list_price_minor,
            line.unit_price_minor,
        )
        for line in given.lines
        if (variant := variants[line.variant_id]).item_id in holds
    ]
    order = _order(till, number, order_key(till, given.number), lines, sold_at) if lines else None
    receipt = _receipt(till, given, shift, variants, order, sold_at, given.discount_percent > limit)
    missing = _note_shortfalls(receipt, given, {line.variant_id: line.hold.quantity for line in lines})
    data = {"till": till.code, "number": given.number, "receipt": receipt.pk, "missing": missing}
    append_entry(kind="receipt.written", shop_id=till.shop_id, data=data)
    return Written(given.number, receipt, missing=missing)


def _check_terms(given: ReceiptGiven, variants: Mapping[int, Variant], limit: int) -> None:
    """With the line up the till sells at the prices and within the limits of now."""
    if given.discount_percent > limit:
        raise DiscountTooHigh(percent=limit)
    for line in given.lines:
        variant = variants[line.variant_id]
        if not variant.is_sold or variant.style.state != "published":
            raise NotSoldHere
        if variant.price_minor != line.list_price_minor:
            raise TillPriceMoved(title=_title(variant))


def _order(till: Till, number: str, key: UUID, lines: Sequence[CounterLine], placed_at: datetime) -> Order:
    return place_counter_order(
        shop=till.shop,
        person=till.buyer,
        number=number,
        key=key,
        channel=holder_of(till.code),
        currency=till.shop.currency,
        lines=lines,
        placed_at=placed_at,
    )


def _receipt(
    till: Till,
    given: ReceiptGiven,
    shift: Shift,
    variants: Mapping[int, Variant],
    order: Order | None,
    sold_at: datetime,
    is_over_limit: bool,
) -> Receipt:
    receipt = Receipt.objects.create(
        till=till,
        number=given.number,
        shift=shift,
        fingerprint=_fingerprint(given),
        is_offline=given.is_offline,
        is_over_limit=is_over_limit,
        sold_at=sold_at,
        currency=till.shop.currency,
        discount_percent=given.discount_percent,
        goods_minor=given.goods_minor,
        discount_minor=given.goods_minor - given.total_minor,
        total_minor=given.total_minor,
        order=order,
    )
    ReceiptLine.objects.bulk_create(
        [
            ReceiptLine(
                receipt=receipt,
                variant_id=line.variant_id,
                sku=variants[line.variant_id].sku,
                title=_title(variants[line.variant_id]),
                quantity=line.quantity,
                list_price_minor=line.list_price_minor,
                unit_price_minor=line.unit_price_minor,
            )
            for line in given.lines
        ]
    )
    Tender.objects.bulk_create(
        [
            Tender(receipt=receipt, kind=one.kind, amount_minor=one.amount_minor, given_minor=one.given_minor)
            for one in given.tenders
        ]
    )
    return receipt


def _note_shortfalls(receipt: Receipt, given: ReceiptGiven, sold: Mapping[int, int]) -> int:
    """Pieces that were not there wait for a person. Returns how many."""
    short = {line.variant_id: line.quantity - sold.get(line.variant_id, 0) for line in given.lines}
    if not any(short.values()):
        return 0
    Shortfall.objects.bulk_create(
        [
            Shortfall(line=line, quantity=short[line.variant_id])
            for line in ReceiptLine.objects.filter(receipt=receipt).order_by("id")
            if short[line.variant_id]
        ]
    )
    return sum(short.values())


def _title(variant: Variant) -> str:
    return f"{variant.style.name} · {variant.colour.name} · {variant.size.label}"
