"""What happens to an order after it was placed."""

from __future__ import annotations

import threading
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction

from silkroom.accounts.models import Person
from silkroom.config.processes.children import wait_until
from silkroom.inventory.models import Hold, Movement
from silkroom.inventory.queries import differences
from silkroom.journal.models import Entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.sales.checkout.services import database_conninfo
from silkroom.sales.desk.door import Desk
from silkroom.sales.desk.errors import PersonLimitReached
from silkroom.sales.offers.models import Offer, OfferUse
from silkroom.sales.orders.errors import OrderMoved, PaymentUnderWay
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.queries import get_order_of_shop, get_own_order, own_orders
from silkroom.sales.orders.services import (
    cancel_order,
    hand_over_orders,
    lapse_due_orders,
    lock_order,
    pay_order,
    refund_order,
    set_address,
)
from silkroom.sales.orders.states import MOVES, OrderState, may_become
from tests.sales.stocked import StockedShop, ask_for, make_member, make_offer, make_people, make_shop, stock_row


def lapse(**wanted: list[int]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        return lapse_due_orders(cursor=cursor, **wanted)


def make_due() -> None:
    Order.objects.update(holds_until=now() - timedelta(seconds=1))


def pay(order: Order) -> bool:
    with transaction.atomic():
        return pay_order(order=lock_order(order_id=order.pk))


def test_due_orders_give_everything_back(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    offer = make_offer(stocked, piece_cap=4, person_limit=3)
    desk.place_blocking(ask_for(stocked, buyer, 3, offer=offer))
    assert lapse() == 0, "not due yet"
    make_due()
    assert lapse() == 1
    order = Order.objects.get()
    assert order.state == OrderState.LAPSED
    assert order.ended_at is not None
    assert Hold.objects.get().state == "lapsed"
    assert stock_row(stocked) == (5, 0)
    assert Offer.objects.get().taken == 0
    assert OfferUse.objects.get().quantity == 0
    entry = Entry.objects.get(kind="order.lapsed")
    assert entry.shop == stocked.shop.pk
    assert entry.data == {
        "order": order.pk,
        "number": order.number,
        "person": buyer.pk,
        "channel": order.channel,
        "items": [stocked.variant.item_id],
        "offers": [offer.pk],
    }
    assert Entry.objects.filter(kind="stock.changed").count() == 1, "the receipt's; the order's names its items"
    assert lapse() == 0
    assert differences() == []


def test_only_wanted_orders_lapse_when_something_is_wanted(desk: Desk) -> None:
    stocked, people = make_shop(pieces=5, variants=2), make_people(2)
    for person, variant in zip(people, stocked.variants, strict=True):
        desk.place_blocking(ask_for(stocked, person, variant=variant))
    make_due()
    assert lapse(items=[stocked.variants[1].item_id]) == 1
    assert [one.state for one in Order.objects.order_by("id")] == ["held", "lapsed"]


def test_orders_of_a_wanted_offer_lapse(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    offer = make_offer(stocked)
    desk.place_blocking(ask_for(stocked, buyer, offer=offer))
    make_due()
    assert lapse(items=[0], offers=[0]) == 0
    assert lapse(items=[0], offers=[offer.pk]) == 1


def test_many_due_orders_lapse_in_bounded_steps(desk: Desk) -> None:
    stocked, people = make_shop(pieces=5), make_people(5)
    for person in people:
        desk.place_blocking(ask_for(stocked, person))
    make_due()
    with transaction.atomic(), connection.cursor() as cursor:
        assert lapse_due_orders(cursor=cursor, limit=3) == 3
    assert stock_row(stocked) == (5, 2)
    assert lapse() == 2


def test_an_order_that_cannot_end_holds_up_no_other(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    stocked, people = make_shop(pieces=9), make_people(3)
    offer = make_offer(stocked)
    good = place(desk, stocked, people[0])
    bad = Order.objects.get(number=desk.place_blocking(ask_for(stocked, people[1], 2, offer=offer)).number)
    late = place(desk, stocked, people[2])
    Offer.objects.update(taken=0)
    make_due()
    assert lapse() == 2
    states = {one.pk: one.state for one in Order.objects.all()}
    assert states == {good.pk: "lapsed", bad.pk: "held", late.pk: "lapsed"}
    assert stock_row(stocked) == (9, 2), "the pieces of the bad one are held as before"
    assert Hold.objects.get(state="open").source == f"order:{bad.number}"
    assert Entry.objects.filter(kind="order.lapsed").count() == 2
    assert caplog.records[-1].__dict__["orders"] == [bad.number]
    told = len(caplog.records)
    assert lapse() == 0
    assert len(caplog.records) == told, "it is not tried again at once"
    Offer.objects.update(taken=2)
    try_again_now()
    assert lapse() == 1
    assert stock_row(stocked) == (9, 0)


def try_again_now() -> None:
    Order.objects.update(lapse_again_at=now() - timedelta(seconds=1))


def test_orders_that_cannot_end_leave_the_head_of_the_queue_to_others(desk: Desk) -> None:
    stocked, people = make_shop(pieces=9), make_people(4)
    offer = make_offer(stocked)
    for person in people[:2]:
        desk.place_blocking(ask_for(stocked, person, 2, offer=offer))
    without_lines = place(desk, stocked, people[2])
    without_lines.lines.all().delete()
    good = place(desk, stocked, people[3])
    Offer.objects.update(taken=0)
    Order.objects.exclude(pk=good.pk).update(holds_until=now() - timedelta(hours=1))
    Order.objects.filter(pk=good.pk).update(holds_until=now() - timedelta(seconds=1))
    with transaction.atomic(), connection.cursor() as cursor:
        assert lapse_due_orders(cursor=cursor, limit=3) == 0
        assert lapse_due_orders(cursor=cursor, limit=3) == 1
    assert Order.objects.get(state="lapsed") == good


@pytest.mark.parametrize(("due", "pause"), [(1, 10), (300, 300), (10**6, 3600)])
def test_an_order_that_cannot_end_is_tried_less_and_less_often(desk: Desk, due: int, pause: int) -> None:
    stocked, (buyer,) = make_shop(pieces=9), make_people(1)
    desk.place_blocking(ask_for(stocked, buyer, offer=make_offer(stocked)))
    Offer.objects.update(taken=0)
    Order.objects.update(holds_until=now() - timedelta(seconds=due))
    assert lapse() == 0
    again_at = Order.objects.get().lapse_again_at
    assert again_at is not None
    assert pause - 1 <= (again_at - now()).total_seconds() <= pause + 5


def test_an_order_that_cannot_end_is_not_counted_against_its_buyer(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=9), make_people(1)
    for _ in range(5):
        desk.place_blocking(ask_for(stocked, buyer))
    first = Order.objects.earliest("id")
    first.lines.all().delete()
    Order.objects.filter(pk=first.pk).update(holds_until=now() - timedelta(seconds=1))
    assert lapse() == 0
    desk.place_blocking(ask_for(stocked, buyer))


def test_an_order_being_paid_does_not_lapse(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    desk.place_blocking(ask_for(stocked, buyer))
    make_due()
    Hold.objects.update(paying_until=now() + timedelta(minutes=1))
    assert lapse() == 0
    Hold.objects.update(paying_until=now() - timedelta(seconds=1))
    assert lapse() == 1


def place(desk: Desk, stocked: StockedShop, buyer: Person, quantity: int = 1) -> Order:
    return Order.objects.get(number=desk.place_blocking(ask_for(stocked, buyer, quantity)).number)


def test_a_buyer_cancels_an_own_held_order(desk: Desk) -> None:
    stocked, (buyer, stranger) = make_shop(pieces=5), make_people(2)
    order = place(desk, stocked, buyer, 2)
    with pytest.raises(NotFound), transaction.atomic():
        cancel_order(person=stranger, number=order.number)
    assert stock_row(stocked) == (5, 2)
    with transaction.atomic():
        cancel_order(person=buyer, number=order.number)
    order.refresh_from_db()
    assert order.state == OrderState.CANCELLED
    assert Hold.objects.get().state == "released"
    assert stock_row(stocked) == (5, 0)
    assert Entry.objects.filter(kind="order.cancelled").count() == 1
    with pytest.raises(OrderMoved) as again, transaction.atomic():
        cancel_order(person=buyer, number=order.number)
    assert again.value.data == {"state": "cancelled"}


def test_an_order_being_paid_is_not_cancelled(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    order = place(desk, stocked, buyer)
    Hold.objects.update(paying_until=now() + timedelta(minutes=1))
    with pytest.raises(PaymentUnderWay), transaction.atomic():
        cancel_order(person=buyer, number=order.number)
    assert stock_row(stocked) == (5, 1)


def test_a_paid_order_has_left_for_the_customer(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    order = place(desk, stocked, buyer, 2)
    assert pay(order)
    order.refresh_from_db()
    assert order.state == OrderState.PAID
    assert Hold.objects.get().state == "converted"
    assert stock_row(stocked) == (3, 0)
    movement = Movement.objects.latest("id")
    assert (movement.quantity, movement.source, movement.person) == (2, f"order:{order.number}", buyer)
    entry = Entry.objects.get(kind="order.paid")
    assert (entry.data["pieces"], entry.data["total_minor"], entry.data["late"]) == (2, 39800, False)
    assert differences() == []
    with pytest.raises(OrderMoved):
        pay(order)
    assert Movement.objects.filter(source=f"order:{order.number}").count() == 1


@pytest.mark.parametrize("ended", ["lapsed", "cancelled"])
def test_late_money_is_honoured_while_pieces_are_left(desk: Desk, ended: str) -> None:
    stocked, (buyer,) = make_shop(pieces=2), make_people(1)
    offer = make_offer(stocked, piece_cap=2, person_limit=2)
    number = desk.place_blocking(ask_for(stocked, buyer, 2, offer=offer)).number
    order = end(number, buyer, ended)
    assert pay(order)
    order.refresh_from_db()
    assert order.state == OrderState.PAID
    assert stock_row(stocked) == (0, 0)
    assert Offer.objects.get().taken == 2
    assert OfferUse.objects.get().quantity == 2
    assert [one.state for one in Hold.objects.order_by("id")][1:] == ["converted"]
    assert order.lines.get().hold.state == "converted"
    assert Entry.objects.get(kind="order.paid").data["late"] is True
    assert differences() == []


def end(number: str, buyer: Person, how: str) -> Order:
    if how == "lapsed":
        Order.objects.filter(number=number).update(holds_until=now() - timedelta(seconds=1))
        assert lapse() == 1
    else:
        with transaction.atomic():
            cancel_order(person=buyer, number=number)
    return Order.objects.get(number=number)


def test_late_money_is_refused_when_the_pieces_have_gone(desk: Desk) -> None:
    stocked, (slow, quick) = make_shop(pieces=2), make_people(2)
    order = place(desk, stocked, slow, 2)
    end(order.number, slow, "lapsed")
    place(desk, stocked, quick, 1)
    assert not pay(order)
    order.refresh_from_db()
    assert order.state == OrderState.LAPSED
    assert stock_row(stocked) == (2, 1)
    assert Hold.objects.count() == 2
    assert not Entry.objects.filter(kind="order.paid").exists()


def test_late_money_is_refused_when_the_offer_is_used_up(desk: Desk) -> None:
    stocked, (slow, quick) = make_shop(pieces=9), make_people(2)
    offer = make_offer(stocked, piece_cap=2)
    number = desk.place_blocking(ask_for(stocked, slow, 2, offer=offer)).number
    order = end(number, slow, "lapsed")
    desk.place_blocking(ask_for(stocked, quick, 1, offer=offer))
    assert not pay(order)
    assert stock_row(stocked) == (9, 1)
    assert Offer.objects.get().taken == 1


def test_late_money_is_refused_when_the_person_took_the_limit_again(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=9), make_people(1)
    offer = make_offer(stocked, person_limit=2)
    number = desk.place_blocking(ask_for(stocked, buyer, 2, offer=offer)).number
    order = end(number, buyer, "lapsed")
    desk.place_blocking(ask_for(stocked, buyer, 1, offer=offer))
    assert not pay(order)
    assert OfferUse.objects.get().quantity == 1
    assert Offer.objects.get().taken == 1


def test_pieces_of_a_late_order_may_come_from_another_place(desk: Desk) -> None:
    stocked, (slow, quick) = make_shop(pieces=1, in_store=1), make_people(2)
    order = place(desk, stocked, slow)
    end(order.number, slow, "lapsed")
    place(desk, stocked, quick)
    assert pay(order)
    assert order.lines.get().hold.place == stocked.store
    assert stock_row(stocked, stocked.store) == (0, 0)


def test_a_refunded_order_stays_refunded(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=2), make_people(1)
    order = place(desk, stocked, buyer)
    with pytest.raises(OrderMoved), transaction.atomic():
        refund_order(order=lock_order(order_id=order.pk))
    pay(order)
    with transaction.atomic():
        refund_order(order=lock_order(order_id=order.pk))
    order.refresh_from_db()
    assert order.state == OrderState.REFUNDED
    with pytest.raises(OrderMoved):
        pay(order)
    assert stock_row(stocked) == (1, 0)


def test_moves_lead_to_known_states_and_end() -> None:
    assert set(MOVES) == set(OrderState)
    assert not MOVES[OrderState.REFUNDED]
    assert all(not may_become(state, OrderState.HELD) for state in OrderState), "nothing becomes held again"


def test_the_address_is_kept_while_it_matters(desk: Desk) -> None:
    stocked, (buyer, stranger) = make_shop(pieces=2), make_people(2)
    order = place(desk, stocked, buyer)
    words = {"recipient": "林晚", "phone": "+8613800138000", "address": "杭州市西湖区北山街 1 号"}
    with pytest.raises(NotFound), transaction.atomic():
        set_address(person=stranger, number=order.number, **words)
    with transaction.atomic():
        set_address(person=buyer, number=order.number, **words)
    order.refresh_from_db()
    assert (order.recipient, order.phone, order.address) == tuple(words.values())
    end(order.number, buyer, "cancelled")
    with pytest.raises(OrderMoved), transaction.atomic():
        set_address(person=buyer, number=order.number, **words)


def test_orders_are_reached_by_their_buyer_and_their_shop_only(desk: Desk) -> None:
    ours, theirs = make_shop(pieces=2), make_shop(pieces=2)
    buyer, stranger = make_people(2)
    number = place(desk, ours, buyer).number
    assert get_own_order(person=buyer, number=number).number == number
    assert get_order_of_shop(shop=ours.shop, number=number).number == number
    with pytest.raises(NotFound):
        get_own_order(person=stranger, number=number)
    with pytest.raises(NotFound):
        get_order_of_shop(shop=theirs.shop, number=number)
    assert own_orders(person=stranger).rows == []


def test_lists_are_paged_by_key_in_a_fixed_number_of_queries(desk: Desk, django_assert_num_queries: object) -> None:
    stocked, (buyer,) = make_shop(pieces=9), make_people(1)
    numbers = [place(desk, stocked, buyer).number for _ in range(5)]
    with django_assert_num_queries(2):  # type: ignore[operator]
        page = own_orders(person=buyer, size=3)
        assert [(one.number, len(one.lines.all()), one.shop.name) for one in page.rows] == [
            (number, 1, stocked.shop.name) for number in numbers[:1:-1]
        ]
    assert page.has_more
    with django_assert_num_queries(2):  # type: ignore[operator]
        rest = own_orders(person=buyer, before=page.rows[-1].pk)
        assert [one.number for one in rest.rows] == numbers[1::-1]
    assert not rest.has_more


def hand_over(guest: Person, member: Person) -> int:
    with transaction.atomic():
        return hand_over_orders(guest=guest, member=member)


def test_a_guests_uses_of_an_offer_become_the_members(desk: Desk) -> None:
    stocked, (guest,), member = make_shop(pieces=9), make_people(1), make_member()
    offer = make_offer(stocked, piece_cap=9, person_limit=2)
    desk.place_blocking(ask_for(stocked, member, 1, offer=offer))
    first = desk.place_blocking(ask_for(stocked, guest, 2, offer=offer)).number
    assert hand_over(guest, member) == 1
    use = OfferUse.objects.get()
    assert (use.person, use.quantity, use.person_limit) == (member, 3, 3)
    with pytest.raises(PersonLimitReached):
        desk.place_blocking(ask_for(stocked, member, 1, offer=offer))
    end(first, member, "cancelled")
    use.refresh_from_db()
    assert (use.quantity, use.person_limit) == (1, 2), "the limit that was raised is the offer's again"
    desk.place_blocking(ask_for(stocked, member, 1, offer=offer))
    make_due()
    assert lapse() == 2
    assert OfferUse.objects.get().quantity == 0
    assert Offer.objects.get().taken == 0
    assert stock_row(stocked) == (9, 0)


def test_orders_of_member_and_guest_lapse_together_after_the_hand_over(desk: Desk) -> None:
    stocked, (guest,), member = make_shop(pieces=9), make_people(1), make_member()
    offer = make_offer(stocked, person_limit=2)
    desk.place_blocking(ask_for(stocked, member, 1, offer=offer))
    desk.place_blocking(ask_for(stocked, guest, 2, offer=offer))
    hand_over(guest, member)
    make_due()
    assert lapse() == 2
    assert set(Order.objects.values_list("state", "person_id")) == {("lapsed", member.pk)}
    assert (OfferUse.objects.get().quantity, Offer.objects.get().taken) == (0, 0)
    assert stock_row(stocked) == (9, 0)


def test_an_order_under_way_comes_along_to_the_member(desk: Desk) -> None:
    stocked, (guest, stand_in), member = make_shop(pieces=9), make_people(2), make_member()
    offer = make_offer(stocked, person_limit=2)
    desk.place_blocking(ask_for(stocked, guest, 1, offer=offer))
    desk.place_blocking(ask_for(stocked, stand_in, 1, offer=make_offer(stocked, person_limit=2)))
    with psycopg.connect(database_conninfo()) as under_way:
        # As the desk does: the buyer's row is held, and the order is to be seen only with the commit.
        under_way.execute("SELECT 1 FROM accounts_person WHERE id = %s FOR KEY SHARE", (guest.pk,))
        for table in ("sales_order", "sales_offeruse"):
            under_way.execute(f"UPDATE {table} SET person_id = %s WHERE person_id = %s", (guest.pk, stand_in.pk))
        thread = threading.Thread(target=hand_over_in_thread, args=(guest, member))
        thread.start()
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
        assert wait_until(lambda: under_way.execute(waits).fetchone() is not None, seconds=20)
        under_way.commit()
    thread.join(20)
    assert set(Order.objects.values_list("person_id", flat=True)) == {member.pk}
    assert list(OfferUse.objects.values_list("person_id", "quantity")) == [(member.pk, 1)] * 2


def hand_over_in_thread(guest: Person, member: Person) -> None:
    try:
        hand_over(guest, member)
    finally:
        connection.close()
