"""Decisions of the order desk, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silkroom.kit.errors import Refusal
from silkroom.sales.desk.core import (
    MOST_PIECES,
    Accepted,
    Changes,
    Decision,
    KnownOrder,
    OfferFacts,
    OrderLineRequest,
    OrderRequest,
    Repeated,
    SameAs,
    Shelf,
    StockRow,
    VariantFacts,
    check_request,
    decide,
    lacking,
)
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

NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
SHOP, STYLE, CHANNEL = 1, 5, "broadcast:SHOW"


def variant(number: int = 7, **changes: Any) -> VariantFacts:
    facts = {
        "variant_id": number,
        "item_id": number * 10,
        "shop_id": SHOP,
        "style_id": STYLE,
        "currency": "CNY",
        "price_minor": 20000,
        "sku": f"S-{number}",
        "title": f"shirt {number}",
        "is_sold": True,
    }
    return VariantFacts(**{**facts, **changes})


def offer(number: int = 3, **changes: Any) -> OfferFacts:
    facts = {
        "offer_id": number,
        "shop_id": SHOP,
        "style_id": STYLE,
        "price_minor": 9900,
        "piece_cap": None,
        "person_limit": None,
        "taken": 0,
        "starts_at": NOW - timedelta(minutes=1),
        "ends_at": NOW + timedelta(minutes=1),
        "is_withdrawn": False,
        "channel": CHANNEL,
    }
    return OfferFacts(**{**facts, **changes})


def shelf(
    *rows: int, variants: tuple[VariantFacts, ...] = (variant(),), offers: tuple[OfferFacts, ...] = (), **more: Any
) -> Shelf:
    """Each variant has the same rows: free pieces, place by place."""
    stock = {
        one.item_id: [StockRow(one.item_id * 100 + place, place, free) for place, free in enumerate(rows)]
        for one in variants
    }
    return Shelf(
        buyers={1, 2, 3},
        variants={one.variant_id: one for one in variants},
        stock=stock,
        offers={one.offer_id: one for one in offers},
        **more,
    )


def order(
    *lines: OrderLineRequest, person: int = 1, key: UUID | None = None, channel: str = CHANNEL, shop: int = SHOP
) -> OrderRequest:
    return OrderRequest(person, shop, channel, key or uuid4(), lines or (OrderLineRequest(7, 1),))


def decide_one(request: OrderRequest, on: Shelf) -> tuple[Decision, Changes]:
    decisions, changes = decide([request], on, now=NOW)
    return decisions[0], changes


def refusal(request: OrderRequest, on: Shelf) -> Refusal:
    decision, changes = decide_one(request, on)
    assert isinstance(decision, Refusal)
    assert changes == Changes(), "a refused request takes nothing"
    return decision


def test_pieces_come_from_the_first_place_that_has_enough() -> None:
    decision, changes = decide_one(order(OrderLineRequest(7, 3)), shelf(2, 5))
    assert isinstance(decision, Accepted)
    assert [(line.place_id, line.quantity) for line in decision.lines] == [(1, 3)]
    assert changes.held == {7001: 3}


def test_requests_are_served_in_the_order_in_which_they_came() -> None:
    requests = [order(OrderLineRequest(7, 2)), order(OrderLineRequest(7, 2)), order(OrderLineRequest(7, 1))]
    decisions, changes = decide(requests, shelf(3), now=NOW)
    assert isinstance(decisions[0], Accepted)
    assert isinstance(decisions[1], SoldOut)
    assert decisions[1].data == {"variant": 7, "left": 1}
    assert isinstance(decisions[2], Accepted)
    assert changes.held == {7000: 3}


def test_an_order_is_all_or_nothing() -> None:
    two = order(OrderLineRequest(7, 1), OrderLineRequest(8, 2))
    on = shelf(1, variants=(variant(7), variant(8)))
    decisions, changes = decide([two, order(OrderLineRequest(7, 1))], on, now=NOW)
    assert isinstance(decisions[0], SoldOut)
    assert decisions[0].data == {"variant": 8, "left": 1}
    assert isinstance(decisions[1], Accepted), "what the refused order had laid aside is there again"
    assert changes.held == {7000: 1}


def test_lines_of_one_order_share_the_pieces() -> None:
    refused = refusal(order(OrderLineRequest(7, 2), OrderLineRequest(7, 2)), shelf(3))
    assert (refused.code, refused.data) == ("sold_out", {"variant": 7, "left": 3})


def test_money_adds_up() -> None:
    request = order(OrderLineRequest(7, 2, 3), OrderLineRequest(8, 1))
    on = shelf(9, variants=(variant(7), variant(8, price_minor=5000)), offers=(offer(),))
    decision, _ = decide_one(request, on)
    assert isinstance(decision, Accepted)
    assert (decision.goods_minor, decision.discount_minor, decision.total_minor) == (45000, 20200, 24800)
    assert [line.unit_price_minor for line in decision.lines] == [9900, 5000]


def test_an_offer_never_makes_a_garment_dearer() -> None:
    decision, _ = decide_one(
        order(OrderLineRequest(7, 1, 3)), shelf(1, variants=(variant(price_minor=5000),), offers=(offer(),))
    )
    assert isinstance(decision, Accepted)
    assert decision.total_minor == 5000


def test_somebody_who_does_not_exist_buys_nothing() -> None:
    assert isinstance(refusal(order(person=9), shelf(5)), BuyerUnknown)


def test_a_person_has_so_many_unpaid_orders_in_a_shop_and_no_more() -> None:
    requests = [order(), order(), order(person=2), order()]
    on = shelf(9, unpaid={(SHOP, 1): 1, (SHOP + 1, 2): 5})
    decisions, changes = decide(requests, on, now=NOW, most_unpaid=2)
    assert [type(one) for one in decisions] == [Accepted, TooManyUnpaid, Accepted, TooManyUnpaid]
    assert isinstance(decisions[1], TooManyUnpaid)
    assert decisions[1].data == {"most": 2}
    assert changes.held == {7000: 2}
    assert lacking(decisions), "an order of theirs may be due"


def test_a_repeat_is_answered_however_many_unpaid_orders_there_are() -> None:
    request = order()
    known = {(1, request.key): KnownOrder(4, ((7, 1, None),), "N4")}
    decision, _ = decide_one(request, shelf(9, known=known, unpaid={(SHOP, 1): 5}))
    assert decision == Repeated(4)


@pytest.mark.parametrize("facts", [{"shop_id": 2}, {"is_sold": False}])
def test_what_is_not_on_sale_here_is_unknown(facts: dict[str, Any]) -> None:
    assert isinstance(refusal(order(), shelf(5, variants=(variant(**facts),))), VariantUnknown)


def test_a_variant_that_does_not_exist_is_unknown() -> None:
    assert refusal(order(OrderLineRequest(99, 1)), shelf(5)).data == {"variant": 99}


def test_a_garment_without_any_stock_is_sold_out() -> None:
    refused = refusal(order(), Shelf(buyers={1}, variants={7: variant()}))
    assert (refused.code, refused.data) == ("sold_out", {"variant": 7, "left": 0})


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"shop_id": 2}, OfferUnknown),
        ({"style_id": 6}, OfferUnknown),
        ({"channel": "broadcast:OTHER"}, OfferUnknown),
        ({"starts_at": NOW + timedelta(seconds=1)}, OfferNotStarted),
        ({"ends_at": NOW}, OfferEnded),
        ({"is_withdrawn": True}, OfferEnded),
    ],
)
def test_an_offer_holds_for_its_garment_channel_and_time(facts: dict[str, Any], error: type[Refusal]) -> None:
    assert type(refusal(order(OrderLineRequest(7, 1, 3)), shelf(5, offers=(offer(**facts),)))) is error


@pytest.mark.parametrize("facts", [{"starts_at": NOW}, {"channel": ""}])
def test_an_offer_holds_from_its_first_moment_and_everywhere_if_it_says_so(facts: dict[str, Any]) -> None:
    decision, _ = decide_one(order(OrderLineRequest(7, 1, 3)), shelf(5, offers=(offer(**facts),)))
    assert isinstance(decision, Accepted)


def test_an_unknown_offer_is_refused() -> None:
    assert refusal(order(OrderLineRequest(7, 1, 44)), shelf(5)).data == {"offer": 44}


def test_cap_counts_pieces_of_earlier_orders_and_batches() -> None:
    requests = [order(OrderLineRequest(7, 2, 3), person=person) for person in (1, 2, 3)]
    decisions, changes = decide(requests, shelf(99, offers=(offer(piece_cap=10, taken=5),)), now=NOW)
    assert [type(one) for one in decisions] == [Accepted, Accepted, OfferCapReached]
    assert isinstance(decisions[2], OfferCapReached)
    assert decisions[2].data == {"offer": 3, "left": 1}
    assert (changes.taken, changes.used) == ({3: 4}, {})


def test_limit_counts_what_the_person_took_before() -> None:
    on = shelf(99, offers=(offer(person_limit=3),), uses={(3, 1): 1})
    requests = [order(OrderLineRequest(7, 1, 3)), order(OrderLineRequest(7, 2, 3)), order(OrderLineRequest(7, 1, 3))]
    decisions, changes = decide(requests, on, now=NOW)
    assert [type(one) for one in decisions] == [Accepted, PersonLimitReached, Accepted]
    assert isinstance(decisions[1], PersonLimitReached)
    assert decisions[1].data == {"offer": 3, "limit": 3, "left": 1}
    assert changes.used == {(3, 1): 2}


def test_limit_counts_the_lines_of_one_order_together() -> None:
    on = shelf(99, variants=(variant(7), variant(8)), offers=(offer(person_limit=3),))
    refused = refusal(order(OrderLineRequest(7, 2, 3), OrderLineRequest(8, 2, 3)), on)
    assert isinstance(refused, PersonLimitReached)


def test_a_higher_price_than_seen_is_said_and_a_lower_one_taken() -> None:
    refused = refusal(order(OrderLineRequest(7, 1, None, 19999)), shelf(5))
    assert isinstance(refused, PriceChanged)
    assert refused.data == {"variant": 7, "price_minor": 20000, "currency": "CNY"}
    decision, _ = decide_one(order(OrderLineRequest(7, 1, 3, 20000)), shelf(5, offers=(offer(),)))
    assert isinstance(decision, Accepted)
    assert decision.total_minor == 9900


def test_a_known_key_answers_with_its_order() -> None:
    key = uuid4()
    on = shelf(5, known={(1, key): KnownOrder(44, ((7, 1, None),), "K7")})
    assert decide_one(order(key=key), on) == (Repeated(44), Changes())
    reused = refusal(order(OrderLineRequest(7, 2), key=key), on)
    assert isinstance(reused, KeyReused)
    assert reused.data == {"number": "K7"}


def test_the_same_key_of_another_person_is_another_key() -> None:
    key = uuid4()
    on = shelf(5, known={(1, key): KnownOrder(44, ((7, 1, None),), "K7")})
    decision, _ = decide_one(order(key=key, person=2), on)
    assert isinstance(decision, Accepted)


def test_a_key_twice_in_a_batch_makes_one_order() -> None:
    key = uuid4()
    requests = [order(key=key), order(key=key), order(OrderLineRequest(7, 2), key=key)]
    decisions, changes = decide(requests, shelf(5), now=NOW)
    assert isinstance(decisions[0], Accepted)
    assert decisions[1:] == [SameAs(0, True), SameAs(0, False)]
    assert changes.held == {7000: 1}


def test_a_refused_key_may_be_used_again() -> None:
    key = uuid4()
    requests = [order(OrderLineRequest(7, 9), key=key), order(OrderLineRequest(7, 1), key=key)]
    decisions, _ = decide(requests, shelf(5), now=NOW)
    assert [type(one) for one in decisions] == [SoldOut, Accepted]


def test_order_of_lines_does_not_matter_for_a_repeat() -> None:
    key = uuid4()
    on = shelf(5, known={(1, key): KnownOrder(44, ((7, 1, None), (8, 2, 3)), "K7")})
    decision, _ = decide_one(order(OrderLineRequest(8, 2, 3), OrderLineRequest(7, 1), key=key), on)
    assert decision == Repeated(44)


def test_only_lacking_pieces_ask_for_lapsing() -> None:
    assert lacking([SoldOut(variant=1, left=0)])
    assert lacking([OfferCapReached(offer=1, left=0)])
    assert lacking([PersonLimitReached(offer=1, limit=1, left=0)])
    assert not lacking([VariantUnknown(variant=1), Repeated(1), SameAs(0, True)])


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (OrderRequest(2**63, 1, "web", uuid4(), (OrderLineRequest(7, 1),)), BuyerUnknown),
        (OrderRequest(1, 1, "web", uuid4(), ()), TooManyLines),
        (OrderRequest(1, 1, "web", uuid4(), (OrderLineRequest(7, 1),) * 21), TooManyLines),
        (OrderRequest(1, 1, "", uuid4(), (OrderLineRequest(7, 1),)), ChannelUnusable),
        (OrderRequest(1, 1, "w" * 81, uuid4(), (OrderLineRequest(7, 1),)), ChannelUnusable),
        (OrderRequest(1, 1, "we\x00b", uuid4(), (OrderLineRequest(7, 1),)), ChannelUnusable),
        (order(OrderLineRequest(7, 0)), QuantityOutOfBounds),
        (order(OrderLineRequest(7, -1)), QuantityOutOfBounds),
        (order(OrderLineRequest(7, 100)), QuantityOutOfBounds),
        (order(OrderLineRequest(0, 1)), VariantUnknown),
        (order(OrderLineRequest(2**63, 1)), VariantUnknown),
        (order(OrderLineRequest(7, 1, 2**63)), OfferUnknown),
    ],
)
def test_what_cannot_be_an_order_is_refused_before_it_queues(request_: OrderRequest, error: type[Refusal]) -> None:
    with pytest.raises(error):
        check_request(request_)


def test_the_largest_order_is_let_through() -> None:
    check_request(order(*(OrderLineRequest(2**63 - 1, MOST_PIECES, 2**63 - 1) for _ in range(20))))


# --- whatever comes ---------------------------------------------------------------------------------

KEYS = [UUID(int=number) for number in range(4)]
LINES = st.builds(
    OrderLineRequest,
    variant_id=st.sampled_from([7, 8, 9]),
    quantity=st.integers(1, 4),
    offer_id=st.sampled_from([None, 3, 4]),
    seen_price_minor=st.sampled_from([None, 20000, 15000]),
    seen_currency=st.sampled_from([None, "CNY", "USD"]),
)
REQUESTS = st.builds(
    OrderRequest,
    person_id=st.integers(1, 3),
    shop_id=st.just(SHOP),
    channel=st.sampled_from([CHANNEL, "web"]),
    key=st.sampled_from(KEYS) | st.uuids(),
    lines=st.lists(LINES, min_size=1, max_size=3).map(tuple),
)
SHELVES = st.builds(
    lambda free, cap, limit, used: shelf(
        *free,
        variants=(variant(7), variant(8, price_minor=18000)),
        offers=(offer(3, piece_cap=cap, person_limit=limit), offer(4, channel="", price_minor=15000)),
        uses={(3, 1): min(used, limit or used)},
        known={(2, KEYS[0]): KnownOrder(44, ((7, 1, None),), "K7")},
    ),
    free=st.lists(st.integers(0, 8), min_size=1, max_size=2),
    cap=st.none() | st.integers(1, 8),
    limit=st.none() | st.integers(1, 4),
    used=st.integers(0, 3),
)


@given(requests=st.lists(REQUESTS, max_size=12), on=SHELVES)
def test_never_more_than_there_is_and_each_fails_alone(requests: list[OrderRequest], on: Shelf) -> None:
    free_before = {row.sellable_id: row.free for rows in on.stock.values() for row in rows}
    uses_before = dict(on.uses)
    decisions, changes = decide(requests, on, now=NOW)

    held: dict[int, int] = {}
    taken: dict[int, int] = {}
    used: dict[tuple[int, int], int] = {}
    accepted_keys = []
    for request, decision in zip(requests, decisions, strict=True):
        if isinstance(decision, SameAs):
            assert isinstance(decisions[decision.index], Accepted)
            assert requests[decision.index].key == request.key
        if not isinstance(decision, Accepted):
            continue
        accepted_keys.append((request.person_id, request.key))
        assert [(line.variant.variant_id, line.quantity) for line in decision.lines] == [
            (line.variant_id, line.quantity) for line in request.lines
        ]
        for line in decision.lines:
            row = line.variant.item_id * 100 + line.place_id
            held[row] = held.get(row, 0) + line.quantity
            if line.offer is not None:
                number = line.offer.offer_id
                taken[number] = taken.get(number, 0) + line.quantity
                if line.offer.person_limit is not None:
                    use = (number, request.person_id)
                    used[use] = used.get(use, 0) + line.quantity
        goods = sum(line.variant.price_minor * line.quantity for line in decision.lines)
        paid = sum(line.unit_price_minor * line.quantity for line in decision.lines)
        assert (decision.goods_minor, decision.total_minor) == (goods, paid)

    assert (changes.held, changes.taken, changes.used) == (held, taken, used)
    assert all(pieces <= free_before[row] for row, pieces in held.items())
    assert {row.sellable_id: row.free for rows in on.stock.values() for row in rows} == {
        row: free - held.get(row, 0) for row, free in free_before.items()
    }
    for number, pieces in taken.items():
        cap = on.offers[number].piece_cap
        assert cap is None or pieces <= cap
    for (number, person), pieces in used.items():
        limit = on.offers[number].person_limit
        assert limit is not None
        assert uses_before.get((number, person), 0) + pieces <= limit
    assert len(accepted_keys) == len(set(accepted_keys)), "one order for one key"
    assert (2, KEYS[0]) not in accepted_keys


@given(requests=st.lists(REQUESTS, max_size=10), on=SHELVES, cut=st.integers(0, 10))
def test_later_requests_do_not_change_what_earlier_ones_get(requests: list[OrderRequest], on: Shelf, cut: int) -> None:
    stock = {
        item: [StockRow(row.sellable_id, row.place_id, row.free) for row in rows] for item, rows in on.stock.items()
    }
    again = Shelf(on.buyers, on.variants, stock, on.offers, on.uses, on.known)
    whole, _ = decide(requests, on, now=NOW)
    part, _ = decide(requests[:cut], again, now=NOW)
    assert [_shape(one) for one in whole[: len(part)]] == [_shape(one) for one in part]


def _shape(decision: Decision) -> object:
    return (decision.code, decision.data) if isinstance(decision, Refusal) else decision
