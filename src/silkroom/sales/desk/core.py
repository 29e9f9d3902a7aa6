"""The decisions of the order desk: which requests get what, in the order they came. Pure: no clock, database or ids.

The writer locks rows, tells what it found (`Shelf`), and asks `decide`. Pieces that an accepted request takes are not
there for the next one; a refused request takes nothing. What must be written is added up in `Changes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

import msgspec

from silkroom.kit.clock import to_milliseconds
from silkroom.kit.errors import Refusal
from silkroom.sales.desk.errors import (
    BuyerUnknown,
    ChannelUnusable,
    KeyReused,
    OfferCapReached,
    OfferEnded,
    OfferNotStarted,
    OfferUnknown,
    PersonLimitReached,
    PriceChanged,
    QuantityOutOfBounds,
    SoldOut,
    TooManyLines,
    TooManyUnpaid,
    VariantUnknown,
)

MOST_LINES = 20
MOST_PIECES = 9
"""Of one line, at every door and in every form. Wholesale is not sold here."""

MOST_UNPAID = 5
"""Unpaid orders of one person in one shop at a time, unless an installation says otherwise: nobody can keep a whole
stock from others without paying."""

LARGEST_ID = 2**63 - 1
LONGEST_CHANNEL = 80


class OrderLineRequest(msgspec.Struct, frozen=True):
    """So many pieces of a variant, at the price of an offer or at its own.

    ``seen_price_minor`` and ``seen_currency``: the price of one piece that the buyer saw; a higher true price, or one
    in another currency, refuses the order.
    """

    variant_id: int
    quantity: int
    offer_id: int | None = None
    seen_price_minor: int | None = None
    seen_currency: str | None = None


class OrderRequest(msgspec.Struct, frozen=True):
    """What a person wants from one shop. ``key``: made once by the client for this order and sent again unchanged."""

    person_id: int
    shop_id: int
    channel: str
    key: UUID
    lines: tuple[OrderLineRequest, ...]


OrderKey: TypeAlias = tuple[int, UUID]
"""(person, key)."""

Wanted: TypeAlias = tuple[tuple[int, int, int | None], ...]
"""Sorted (variant, quantity, offer): two requests that want the same are equal here."""


@dataclass(frozen=True, slots=True)
class VariantFacts:
    variant_id: int
    item_id: int
    shop_id: int
    style_id: int
    currency: str
    price_minor: int
    sku: str
    title: str
    is_sold: bool


@dataclass(frozen=True, slots=True)
class OfferFacts:
    offer_id: int
    shop_id: int
    style_id: int
    price_minor: int
    piece_cap: int | None
    person_limit: int | None
    taken: int
    starts_at: datetime
    ends_at: datetime
    is_withdrawn: bool
    channel: str


@dataclass(slots=True)
class StockRow:
    """A locked sellable row: ``free`` pieces of an item at a place."""

    sellable_id: int
    place_id: int
    free: int


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order that this key has made before."""

    order_id: int
    wanted: Wanted
    number: str


@dataclass(slots=True)
class Shelf:
    """What the writer found, under lock. ``stock``: rows of each item, the place to be emptied first comes first."""

    buyers: set[int] = field(default_factory=set)
    """People who may order."""
    variants: dict[int, VariantFacts] = field(default_factory=dict)
    stock: dict[int, list[StockRow]] = field(default_factory=dict)
    offers: dict[int, OfferFacts] = field(default_factory=dict)
    uses: dict[tuple[int, int], int] = field(default_factory=dict)
    """(offer, person) -> pieces the person has taken of it."""
    known: dict[OrderKey, KnownOrder] = field(default_factory=dict)
    unpaid: dict[tuple[int, int], int] = field(default_factory=dict)
    """(shop, person) -> held orders the person has there."""


class DecidedLine(NamedTuple):
    """A line of an accepted order and where its pieces come from."""

    variant: VariantFacts
    offer: OfferFacts | None
    place_id: int
    quantity: int
    unit_price_minor: int


class Accepted(NamedTuple):
    """Write this order."""

    lines: tuple[DecidedLine, ...]
    currency: str
    goods_minor: int
    discount_minor: int

    @property
    def total_minor(self) -> int:
        return self.goods_minor - self.discount_minor


@dataclass(frozen=True, slots=True)
class Repeated:
    """The key has made this order before: answer with it."""

    order_id: int


@dataclass(frozen=True, slots=True)
class SameAs:
    """The key was accepted earlier in this batch: answer alike, or, if this request wants something else, refuse."""

    index: int
    wants_the_same: bool


Decision: TypeAlias = Accepted | Repeated | SameAs | Refusal


@dataclass(slots=True)
class Changes:
    """What the accepted requests of a batch add up to."""

    held: dict[int, int] = field(default_factory=dict)
    """sellable row -> pieces to hold there."""
    taken: dict[int, int] = field(default_factory=dict)
    """offer -> pieces taken of it."""
    used: dict[tuple[int, int], int] = field(default_factory=dict)
    """(offer, person) -> pieces taken by the person; only of offers with a limit a person."""


def check_request(request: OrderRequest) -> None:
    """Raise the refusal of a request that no stock could satisfy. Doors call it before anything is queued."""
    if not 1 <= len(request.lines) <= MOST_LINES:
        raise TooManyLines(most=MOST_LINES)
    if not 1 <= request.person_id <= LARGEST_ID:
        raise BuyerUnknown
    channel = request.channel
    if not 1 <= len(channel) <= LONGEST_CHANNEL or not channel.isprintable():
        raise ChannelUnusable
    for line in request.lines:
        if not 1 <= line.quantity <= MOST_PIECES:
            raise QuantityOutOfBounds(most=MOST_PIECES)
        if not 1 <= line.variant_id <= LARGEST_ID:
            raise VariantUnknown(variant=line.variant_id)
        if line.offer_id is not None and not 1 <= line.offer_id <= LARGEST_ID:
            raise OfferUnknown(offer=line.offer_id)


def wanted_by(request: OrderRequest) -> Wanted:
    """What the request wants, in a form that compares."""
    if len(request.lines) == 1:
        line = request.lines[0]
        return ((line.variant_id, line.quantity, line.offer_id),)
    return in_order((line.variant_id, line.quantity, line.offer_id) for line in request.lines)


def in_order(lines: Iterable[tuple[int, int, int | None]]) -> Wanted:
    """Lines of an order in the order in which `Wanted` keeps them."""
    return tuple(sorted(lines, key=lambda line: (line[0], line[1], line[2] or 0)))


def decide(
    requests: Sequence[OrderRequest], shelf: Shelf, *, now: datetime, most_unpaid: int = MOST_UNPAID
) -> tuple[list[Decision], Changes]:
    """Decide in order. ``shelf`` is used up: it shows afterwards what is left."""
    counter = _Counter(shelf, now, most_unpaid)
    decisions: list[Decision] = []
    accepted: dict[OrderKey, int] = {}
    for index, request in enumerate(requests):
        key = (request.person_id, request.key)
        first = accepted.get(key)
        if first is not None:
            decisions.append(SameAs(first, wanted_by(requests[first]) == wanted_by(request)))
            continue
        decision = counter.decide(key, request)
        if isinstance(decision, Accepted):
            accepted[key] = index
        decisions.append(decision)
    return decisions, counter.changes


def lacking(decisions: Sequence[Decision]) -> bool:
    """Was somebody refused who might be served once orders have lapsed?"""
    return any(isinstance(one, SoldOut | OfferCapReached | PersonLimitReached | TooManyUnpaid) for one in decisions)


class _Asked(NamedTuple):
    """A line that may be sold at this price, if there are pieces."""

    variant: VariantFacts
    offer: OfferFacts | None
    quantity: int
    price_minor: int


class _Counter:
    """Hands out what lies on the shelf."""

    def __init__(self, shelf: Shelf, now: datetime, most_unpaid: int) -> None:
        self.shelf = shelf
        self.now = now
        self.most_unpaid = most_unpaid
        self.changes = Changes()

    def decide(self, key: OrderKey, request: OrderRequest) -> Accepted | Repeated | Refusal:
        known = self.shelf.known.get(key)
        if known is not None:
            return Repeated(known.order_id) if known.wanted == wanted_by(request) else KeyReused(number=known.number)
        if request.person_id not in self.shelf.buyers:
            return BuyerUnknown()
        if self.shelf.unpaid.get((request.shop_id, request.person_id), 0) >= self.most_unpaid:
            return TooManyUnpaid(most=self.most_unpaid)
        try:
            lines = [self._asked(request, line) for line in request.lines]
            self._check_counts(request, lines)
            rows = self._rows(lines)
        except Refusal as refusal:
            # Without its frames, which would keep the whole batch alive as long as anybody keeps the answer.
            return refusal.with_traceback(None)
        return self._take(request, lines, rows)

    def _asked(self, request: OrderRequest, line: OrderLineRequest) -> _Asked:
        variant = self.shelf.variants.get(line.variant_id)
        if variant is None or variant.shop_id != request.shop_id or not variant.is_sold:
            raise VariantUnknown(variant=line.variant_id)
        offer = None
        price = variant.price_minor
        if line.offer_id is not None:
            offer = self._offer(request, variant, line.offer_id)
            # An offer has one price for all variants; it never makes a cheaper one dearer.
            price = min(price, offer.price_minor)
        is_dearer = line.seen_price_minor is not None and price > line.seen_price_minor
        if is_dearer or (line.seen_currency or variant.currency) != variant.currency:
            raise PriceChanged(variant=line.variant_id, price_minor=price, currency=variant.currency)
        return _Asked(variant, offer, line.quantity, price)

    def _offer(self, request: OrderRequest, variant: VariantFacts, offer_id: int) -> OfferFacts:
        offer = self.shelf.offers.get(offer_id)
        if (
            offer is None
            or offer.shop_id != request.shop_id
            or offer.style_id != variant.style_id
            or offer.channel not in ("", request.channel)
        ):
            raise OfferUnknown(offer=offer_id)
        if offer.is_withdrawn or self.now >= offer.ends_at:
            raise OfferEnded(offer=offer_id)
        if self.now < offer.starts_at:
            raise OfferNotStarted(offer=offer_id, starts_at_ms=to_milliseconds(offer.starts_at))
        return offer

    def _check_counts(self, request: OrderRequest, lines: Sequence[_Asked]) -> None:
        """Cap and limit of each offer against all lines of the order together."""
        for offer, quantity in _pieces_by_offer(lines):
            if offer.person_limit is not None:
                use = (offer.offer_id, request.person_id)
                left = offer.person_limit - self.shelf.uses.get(use, 0) - self.changes.used.get(use, 0)
                if quantity > left:
                    raise PersonLimitReached(offer=offer.offer_id, limit=offer.person_limit, left=max(0, left))
            if offer.piece_cap is not None:
                left = offer.piece_cap - offer.taken - self.changes.taken.get(offer.offer_id, 0)
                if quantity > left:
                    raise OfferCapReached(offer=offer.offer_id, left=max(0, left))

    def _rows(self, lines: Sequence[_Asked]) -> list[StockRow]:
        """The row each line comes from: the first place that has enough. All or none are taken."""
        taken: list[tuple[StockRow, int]] = []
        for variant, _offer, quantity, _price in lines:
            rows = self.shelf.stock.get(variant.item_id, ())
            row = next((one for one in rows if one.free >= quantity), None)
            if row is None:
                for earlier, pieces in taken:
                    earlier.free += pieces
                # Counted after the order's own earlier lines have been put back: what somebody else could buy.
                raise SoldOut(variant=variant.variant_id, left=max((one.free for one in rows), default=0))
            row.free -= quantity
            taken.append((row, quantity))
        return [row for row, _pieces in taken]

    def _take(self, request: OrderRequest, lines: Sequence[_Asked], rows: Sequence[StockRow]) -> Accepted:
        changes = self.changes
        whose = (request.shop_id, request.person_id)
        self.shelf.unpaid[whose] = self.shelf.unpaid.get(whose, 0) + 1
        goods = discount = 0
        decided = []
        for (variant, offer, quantity, price), row in zip(lines, rows, strict=True):
            changes.held[row.sellable_id] = changes.held.get(row.sellable_id, 0) + quantity
            goods += variant.price_minor * quantity
            discount += (variant.price_minor - price) * quantity
            decided.append(DecidedLine(variant, offer, row.place_id, quantity, price))
        for offer, quantity in _pieces_by_offer(lines):
            changes.taken[offer.offer_id] = changes.taken.get(offer.offer_id, 0) + quantity
            if offer.person_limit is not None:
                use = (offer.offer_id, request.person_id)
                changes.used[use] = changes.used.get(use, 0) + quantity
        return Accepted(tuple(decided), lines[0].variant.currency, goods, discount)


def _pieces_by_offer(lines: Sequence[_Asked]) -> list[tuple[OfferFacts, int]]:
    if len(lines) == 1:
        offer = lines[0].offer
        return [] if offer is None else [(offer, lines[0].quantity)]
    offers: dict[int, OfferFacts] = {}
    pieces: dict[int, int] = {}
    for _variant, offer, quantity, _price in lines:
        if offer is not None:
            offers[offer.offer_id] = offer
            pieces[offer.offer_id] = pieces.get(offer.offer_id, 0) + quantity
    return [(offers[offer_id], quantity) for offer_id, quantity in pieces.items()]
