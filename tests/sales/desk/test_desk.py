"""The order desk on a real database: what one request, or one batch, leaves behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from queue import SimpleQueue
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models import F

from silkroom.accounts.models import Person
from silkroom.catalog.models import Style, Variant
from silkroom.inventory.models import Hold, Sellable
from silkroom.inventory.queries import differences
from silkroom.journal.models import Entry
from silkroom.kit.clock import from_milliseconds, now
from silkroom.kit.errors import Refusal
from silkroom.sales.checkout.services import database_conninfo
from silkroom.sales.desk.door import (
    Answer,
    Committed,
    Desk,
    OrderLineRequest,
    OrderReceipt,
    OrderRequest,
    ReceiptLine,
)
from silkroom.sales.desk.errors import (
    BuyerUnknown,
    DeskUnavailable,
    KeyReused,
    OfferCapReached,
    OrderFailed,
    PersonLimitReached,
    SoldOut,
    TooBusy,
    TooManyUnpaid,
    VariantUnknown,
)
from silkroom.sales.desk.pipe import Pipe
from silkroom.sales.offers.models import Offer, OfferUse
from silkroom.sales.orders.models import Order, OrderLine
from silkroom.sales.orders.services import cancel_order, lock_own_order, pay_order
from silkroom.sales.orders.states import OrderState
from tests.sales.stocked import CHANNEL, StockedShop, ask_for, make_offer, make_people, make_shop, stock_row


class Batcher:
    """Stops a desk's writer by holding the hot row, so that the requests that follow form one batch."""

    def __init__(self, stocked: StockedShop) -> None:
        self.connection = psycopg.connect(database_conninfo())
        self.item = stocked.variant.item_id

    def __enter__(self) -> Batcher:
        self.connection.execute("SELECT FROM inventory_sellable WHERE item_id = %s FOR UPDATE", (self.item,))
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def in_one_batch(desk: Desk, stocked: StockedShop, requests: list[OrderRequest], first: Person) -> list[Answer]:
    """Answers in the order of the requests. One more request goes first and is what the writer waits with."""
    answers: list[Answer | None] = [None] * len(requests)
    done = threading.Semaphore(0)

    def keep(index: int) -> Callable[[Answer], None]:
        def take(answer: Answer) -> None:
            answers[index] = answer
            done.release()

        return take

    with Batcher(stocked):
        desk.submit(ask_for(stocked, first), lambda _: done.release())
        wait_for_blocked_writer()
        for index, request in enumerate(requests):
            desk.submit(request, keep(index))
    for _ in range(len(requests) + 1):
        assert done.acquire(timeout=10)
    return [answer for answer in answers if answer is not None]


def wait_for_blocked_writer() -> None:
    """Until the desk's connection waits for a lock."""
    with psycopg.connect(database_conninfo(), autocommit=True) as watching:
        for _ in range(2000):
            row = watching.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'silkroom order desk' "
                "AND datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchone()
            if row and row[0]:
                return
            watching.execute("SELECT pg_sleep(0.005)")
    raise AssertionError("the desk's writer does not wait")


def test_an_order_is_written_whole(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    request = ask_for(stocked, buyer, 2)
    receipt = desk.place_blocking(request)

    order = Order.objects.get()
    line = OrderLine.objects.get()
    hold = Hold.objects.get()
    assert receipt == OrderReceipt(
        number=order.number,
        total_minor=39800,
        currency="CNY",
        holds_until_ms=receipt.holds_until_ms,
        lines=(ReceiptLine(stocked.variant.pk, "S1-0", "素绉缎衬衫 · 月白 · M0", 2, 19900, 19900, None),),
        state="held",
        repeated=False,
    )
    assert (order.shop, order.person, order.key, order.channel, order.state) == (
        stocked.shop,
        buyer,
        request.key,
        "web",
        OrderState.HELD,
    )
    assert (order.goods_minor, order.discount_minor, order.total_minor) == (39800, 0, 39800)
    assert order.holds_until - order.placed_at == timedelta(seconds=900)
    assert abs(from_milliseconds(receipt.holds_until_ms) - order.holds_until) < timedelta(milliseconds=1)
    assert abs(order.placed_at - now()) < timedelta(seconds=30)
    assert (line.order, line.variant, line.hold, line.quantity, line.unit_price_minor) == (
        order,
        stocked.variant,
        hold,
        2,
        19900,
    )
    assert (hold.item_id, hold.place, hold.quantity, hold.source, hold.state, hold.lapses_at) == (
        stocked.variant.item_id,
        stocked.warehouse,
        2,
        f"order:{order.number}",
        "open",
        order.holds_until,
    )
    assert stock_row(stocked) == (5, 2)
    entry = Entry.objects.get(kind="order.placed")
    assert entry.shop == stocked.shop.pk
    assert entry.data == {
        "order": order.pk,
        "number": order.number,
        "person": buyer.pk,
        "channel": "web",
        "items": [stocked.variant.item_id],
        "offers": [],
        "pieces": 2,
        "total_minor": 39800,
        "currency": "CNY",
    }
    assert differences() == []


def test_an_offer_is_counted_down_with_the_order(desk: Desk) -> None:
    stocked, (buyer, other) = make_shop(pieces=9), make_people(2)
    offer = make_offer(stocked, piece_cap=3, person_limit=2)
    receipt = desk.place_blocking(ask_for(stocked, buyer, 2, offer=offer))
    assert (receipt.total_minor, receipt.lines[0].offer_id) == (19800, offer.pk)
    order = Order.objects.get()
    assert (order.goods_minor, order.discount_minor, order.channel) == (39800, 20000, CHANNEL)
    with pytest.raises(PersonLimitReached) as over_limit:
        desk.place_blocking(ask_for(stocked, buyer, 1, offer=offer))
    assert over_limit.value.data == {"offer": offer.pk, "limit": 2, "left": 0}
    with pytest.raises(OfferCapReached) as over_cap:
        desk.place_blocking(ask_for(stocked, other, 2, offer=offer))
    assert over_cap.value.data == {"offer": offer.pk, "left": 1}
    desk.place_blocking(ask_for(stocked, other, 1, offer=offer))
    assert Offer.objects.get().taken == 3
    assert dict(OfferUse.objects.values_list("person_id", "quantity")) == {buyer.pk: 2, other.pk: 1}
    assert Entry.objects.filter(kind="order.placed").latest("id").data["offers"] == [offer.pk]


def test_the_same_key_answers_with_the_same_order(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5, variants=2), make_people(1)
    lines = (OrderLineRequest(stocked.variants[1].pk, 1), OrderLineRequest(stocked.variants[0].pk, 2))
    request = OrderRequest(buyer.pk, stocked.shop.pk, "web", uuid4(), lines)
    first = desk.place_blocking(request)
    again = desk.place_blocking(request)
    assert again.repeated
    assert not first.repeated
    assert (again.number, again.total_minor, again.currency, again.holds_until_ms, again.lines, again.state) == (
        first.number,
        first.total_minor,
        first.currency,
        first.holds_until_ms,
        first.lines,
        "held",
    )
    assert Order.objects.count() == 1
    assert stock_row(stocked) == (5, 2)


def test_a_repeat_after_the_sell_out_still_finds_its_order(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=1), make_people(1)
    request = ask_for(stocked, buyer)
    first = desk.place_blocking(request)
    assert desk.place_blocking(request).number == first.number


def test_a_repeat_through_another_desk_finds_the_order(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=1), make_people(1)
    request = ask_for(stocked, buyer)
    first = desk.place_blocking(request)
    other = Desk(database_conninfo())
    try:
        assert other.place_blocking(request).number == first.number
    finally:
        other.close()


def test_a_key_for_other_lines_is_refused(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    request = ask_for(stocked, buyer, 1)
    number = desk.place_blocking(request).number
    with pytest.raises(KeyReused) as refused:
        desk.place_blocking(ask_for(stocked, buyer, 2, key=request.key))
    assert refused.value.data == {"number": number}
    assert stock_row(stocked) == (5, 1)


def test_a_repeat_that_stands_twice_in_a_batch_finds_its_order(desk: Desk) -> None:
    stocked, (buyer, first) = make_shop(pieces=9), make_people(2)
    request = ask_for(stocked, buyer, 2)
    number = desk.place_blocking(request).number
    answers = in_one_batch(desk, stocked, [request, request, request], first)
    assert [(one.number, one.repeated) for one in answers if isinstance(one, OrderReceipt)] == [(number, True)] * 3


def test_two_people_may_use_the_same_key(desk: Desk) -> None:
    stocked, (one, two) = make_shop(pieces=5), make_people(2)
    key = uuid4()
    numbers = {desk.place_blocking(ask_for(stocked, person, key=key)).number for person in (one, two)}
    assert len(numbers) == 2


def test_equal_keys_in_one_batch_make_one_order(desk: Desk) -> None:
    stocked, (buyer, first) = make_shop(pieces=9), make_people(2)
    request = ask_for(stocked, buyer, 2)
    answers = in_one_batch(
        desk, stocked, [request, request, ask_for(stocked, buyer, 3, key=request.key), request], first
    )
    made, again, other, last = answers
    assert isinstance(made, OrderReceipt)
    assert isinstance(again, OrderReceipt)
    assert isinstance(last, OrderReceipt)
    assert (made.number, made.repeated) == (again.number, False)
    assert again.repeated
    assert last == again
    assert isinstance(other, KeyReused)
    assert other.data == {"number": made.number}
    assert Order.objects.filter(person=buyer).count() == 1
    assert stock_row(stocked) == (9, 3)


def test_a_batch_is_served_in_order_and_each_request_fails_alone(desk: Desk) -> None:
    stocked, (first, *people) = make_shop(pieces=5), make_people(6)
    requests = [ask_for(stocked, people[0], 2), ask_for(stocked, people[1], 3), ask_for(stocked, people[2], 2)]
    requests.append(OrderRequest(people[3].pk, stocked.shop.pk, "web", uuid4(), (OrderLineRequest(2**40, 1),)))
    answers = in_one_batch(desk, stocked, requests, first)
    assert [type(one) for one in answers] == [OrderReceipt, SoldOut, OrderReceipt, VariantUnknown]
    assert isinstance(answers[1], Refusal)
    assert answers[1].data["left"] == 2
    assert stock_row(stocked) == (5, 5)
    assert Order.objects.count() == 3


def test_people_who_left_or_never_were_buy_nothing(desk: Desk) -> None:
    stocked, (first, gone, buyer) = make_shop(pieces=20), make_people(3)
    Person.objects.filter(pk=gone.pk).update(is_active=False)
    requests = [ask_for(stocked, 2**40), ask_for(stocked, gone), ask_for(stocked, buyer)]
    answers = in_one_batch(desk, stocked, requests, first)
    assert [type(one) for one in answers] == [BuyerUnknown, BuyerUnknown, OrderReceipt]
    assert stock_row(stocked) == (20, 2)


def test_in_one_batch_too_a_person_gets_five_unpaid_orders(desk: Desk) -> None:
    stocked, (buyer, first) = make_shop(pieces=20), make_people(2)
    answers = in_one_batch(desk, stocked, [ask_for(stocked, buyer) for _ in range(7)], first)
    assert [type(one) for one in answers] == [OrderReceipt] * 5 + [TooManyUnpaid] * 2
    assert stock_row(stocked) == (20, 6)


def test_what_is_paid_or_cancelled_makes_room_and_other_shops_are_others(desk: Desk) -> None:
    stocked, other, (buyer,) = make_shop(pieces=20), make_shop(), make_people(1)
    numbers = [desk.place_blocking(ask_for(stocked, buyer)).number for _ in range(5)]
    with pytest.raises(TooManyUnpaid):
        desk.place_blocking(ask_for(stocked, buyer))
    desk.place_blocking(ask_for(other, buyer))
    with transaction.atomic():
        cancel_order(person=buyer, number=numbers[0])
        pay_order(order=lock_own_order(person=buyer, number=numbers[1]))
    for _ in range(2):
        desk.place_blocking(ask_for(stocked, buyer))
    with pytest.raises(TooManyUnpaid):
        desk.place_blocking(ask_for(stocked, buyer))


def test_orders_that_are_due_lapse_before_their_buyer_is_refused(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=20, variants=2), make_people(1)
    for _ in range(5):
        desk.place_blocking(ask_for(stocked, buyer))
    Order.objects.update(holds_until=now() - timedelta(seconds=1))
    desk.place_blocking(ask_for(stocked, buyer, variant=stocked.variants[1]))
    assert Order.objects.filter(state="lapsed").count() == 5


@pytest.fixture
def database_dislikes() -> Iterator[Callable[[Person], None]]:
    """The database refuses orders of a person, for a reason that nobody foresaw."""

    def refuse(person: Person) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION dislike() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'unforeseen'; END $$"
            )
            cursor.execute(
                "CREATE TRIGGER dislike BEFORE INSERT ON sales_order FOR EACH ROW "
                f"WHEN (NEW.person_id = {person.pk}) EXECUTE FUNCTION dislike()"
            )

    yield refuse
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION IF EXISTS dislike CASCADE")


def test_a_request_the_database_refuses_does_not_spoil_its_batch(
    desk: Desk, database_dislikes: Callable[[Person], None], caplog: pytest.LogCaptureFixture
) -> None:
    stocked, (first, *people) = make_shop(pieces=20), make_people(7)
    database_dislikes(people[2])
    answers = in_one_batch(desk, stocked, [ask_for(stocked, person) for person in people], first)
    assert [type(one) for one in answers] == [OrderReceipt] * 2 + [OrderFailed] + [OrderReceipt] * 3
    assert stock_row(stocked) == (20, 6)
    assert Order.objects.count() == 6
    assert differences() == []
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["order failed"]


@pytest.mark.parametrize("lines", [(), (OrderLineRequest(1, 0),), (OrderLineRequest(1, 10),)])
def test_what_cannot_be_an_order_is_refused_at_the_door(desk: Desk, lines: tuple[OrderLineRequest, ...]) -> None:
    with pytest.raises(Refusal):
        desk.submit(OrderRequest(1, 1, "web", uuid4(), lines), lambda _: None)


@pytest.mark.parametrize(
    "hide",
    [
        lambda stocked: Variant.objects.update(is_sold=False),
        lambda stocked: Style.objects.update(state="draft"),
        lambda stocked: Style.objects.update(state="withdrawn"),
    ],
)
def test_what_is_not_published_is_not_sold(desk: Desk, hide: Callable[[StockedShop], object]) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    hide(stocked)
    with pytest.raises(VariantUnknown):
        desk.place_blocking(ask_for(stocked, buyer))
    assert stock_row(stocked) == (5, 0)


def test_a_garment_of_another_shop_is_unknown(desk: Desk) -> None:
    ours, theirs = make_shop(pieces=5), make_shop(pieces=5)
    (buyer,) = make_people(1)
    line = OrderLineRequest(theirs.variant.pk, 1)
    with pytest.raises(VariantUnknown):
        desk.place_blocking(OrderRequest(buyer.pk, ours.shop.pk, "web", uuid4(), (line,)))
    assert Order.objects.count() == 0


def test_prices_come_from_the_database(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    Variant.objects.update(price_minor=F("price_minor") - 5000)
    assert desk.place_blocking(ask_for(stocked, buyer, seen_price_minor=19900)).total_minor == 14900
    with pytest.raises(Refusal) as refused:
        desk.place_blocking(ask_for(stocked, buyer, seen_price_minor=14899))
    assert (refused.value.code, refused.value.data["price_minor"]) == ("price_changed", 14900)


def test_the_same_number_in_another_currency_is_another_price(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    with pytest.raises(Refusal) as refused:
        desk.place_blocking(ask_for(stocked, buyer, seen_price_minor=19900, seen_currency="JPY"))
    assert (refused.value.code, refused.value.data["currency"]) == ("price_changed", "CNY")
    assert desk.place_blocking(ask_for(stocked, buyer, seen_price_minor=19900, seen_currency="CNY")).currency == "CNY"


def test_places_that_sell_nothing_are_left_alone(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=1, in_store=1), make_people(1)
    Sellable.objects.create(item_id=stocked.variant.item_id, place=stocked.workshop)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_sellable SET on_hand = 9 WHERE place_id = %s", (stocked.workshop.pk,))
    numbers = [desk.place_blocking(ask_for(stocked, buyer)).number for _ in range(2)]
    places = Hold.objects.order_by("id").values_list("place_id", flat=True)
    assert list(places) == [stocked.warehouse.pk, stocked.store.pk]
    with pytest.raises(SoldOut):
        desk.place_blocking(ask_for(stocked, buyer))
    assert len(set(numbers)) == 2


def test_due_orders_lapse_for_a_buyer_who_would_go_without(desk: Desk) -> None:
    stocked, (slow, quick) = make_shop(pieces=2), make_people(2)
    offer = make_offer(stocked, piece_cap=2)
    old = desk.place_blocking(ask_for(stocked, slow, 2, offer=offer))
    with pytest.raises(OfferCapReached):
        desk.place_blocking(ask_for(stocked, quick, 2, offer=offer))
    Order.objects.update(holds_until=now() - timedelta(seconds=1))
    desk.place_blocking(ask_for(stocked, quick, 2, offer=offer))
    assert Order.objects.get(number=old.number).state == OrderState.LAPSED
    assert stock_row(stocked) == (2, 2)
    assert Offer.objects.get().taken == 2
    assert Entry.objects.filter(kind="order.lapsed").count() == 1
    assert differences() == []


def test_due_orders_are_kept_while_there_is_enough(desk: Desk) -> None:
    stocked, (slow, quick) = make_shop(pieces=3), make_people(2)
    old = desk.place_blocking(ask_for(stocked, slow, 2))
    Order.objects.update(holds_until=now() - timedelta(seconds=1))
    desk.place_blocking(ask_for(stocked, quick, 1))
    assert Order.objects.get(number=old.number).state == OrderState.HELD


def test_an_order_being_paid_does_not_lapse_for_another_buyer(desk: Desk) -> None:
    stocked, (slow, quick) = make_shop(pieces=2), make_people(2)
    old = desk.place_blocking(ask_for(stocked, slow, 2))
    Order.objects.update(holds_until=now() - timedelta(seconds=1))
    Hold.objects.update(paying_until=now() + timedelta(minutes=1))
    with pytest.raises(SoldOut):
        desk.place_blocking(ask_for(stocked, quick, 1))
    assert Order.objects.get(number=old.number).state == OrderState.HELD


def test_hooks_are_told_after_the_commit(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=2), make_people(1)
    told: SimpleQueue[tuple[Committed, int]] = SimpleQueue()

    def hook(committed: Committed) -> None:
        with psycopg.connect(database_conninfo()) as other:
            row = other.execute("SELECT count(*) FROM sales_order").fetchone()
            told.put((committed, row[0] if row else 0))

    desk.on_committed(hook)
    desk.place_blocking(ask_for(stocked, buyer))
    item = stocked.variant.item_id
    assert told.get(timeout=5) == (Committed(1, frozenset({item}), frozenset()), 1)
    with pytest.raises(SoldOut):
        desk.place_blocking(ask_for(stocked, buyer, 5))
    assert told.empty(), "nothing was committed"


def test_event_loops_get_their_answers(desk: Desk) -> None:
    stocked, people = make_shop(pieces=3), make_people(5)

    async def all_at_once() -> list[object]:
        return list(
            await asyncio.gather(*(desk.place(ask_for(stocked, one)) for one in people), return_exceptions=True)
        )

    answers = asyncio.run(all_at_once())
    assert [type(one) for one in answers] == [OrderReceipt] * 3 + [SoldOut] * 2


def test_callbacks_run_in_the_loop_they_named(desk: Desk) -> None:
    stocked, people = make_shop(pieces=3), make_people(3)

    async def submit() -> set[str]:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        threads: list[str] = []

        def note(_: Answer) -> None:
            threads.append(threading.current_thread().name)
            if len(threads) == len(people):
                done.set()

        for person in people:
            desk.submit(ask_for(stocked, person), note, loop=loop)
        await asyncio.wait_for(done.wait(), 10)
        return set(threads)

    assert asyncio.run(submit()) == {threading.current_thread().name}


def test_a_failing_callback_does_not_stop_the_others(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    stocked, people = make_shop(pieces=3), make_people(2)

    def fail(_: Answer) -> None:
        raise ValueError("not the desk's fault")

    desk.submit(ask_for(stocked, people[0]), fail)
    assert desk.place_blocking(ask_for(stocked, people[1])).number
    assert Order.objects.count() == 2
    assert "a buyer's callback failed" in caplog.text


def test_a_full_queue_says_so_at_once(transactional_db: None) -> None:
    stocked, people = make_shop(pieces=9), make_people(4)
    desk = Desk(database_conninfo(), most_waiting=2)
    answers: SimpleQueue[Answer] = SimpleQueue()
    with Batcher(stocked):
        desk.submit(ask_for(stocked, people[0]), answers.put)
        wait_for_blocked_writer()
        for person in people[1:3]:
            desk.submit(ask_for(stocked, person), answers.put)
        with pytest.raises(TooBusy):
            desk.submit(ask_for(stocked, people[3]), answers.put)
    desk.close()
    assert sorted(type(answers.get(timeout=5)).__name__ for _ in range(3)) == ["OrderReceipt"] * 3
    assert Order.objects.count() == 3


def test_a_closed_desk_has_served_what_was_queued_and_takes_no_more(transactional_db: None) -> None:
    stocked, people = make_shop(pieces=9), make_people(3)
    desk = Desk(database_conninfo())
    answers: SimpleQueue[Answer] = SimpleQueue()
    for person in people:
        desk.submit(ask_for(stocked, person), answers.put)
    desk.close()
    desk.close()
    assert [type(answers.get_nowait()) for _ in people] == [OrderReceipt] * 3
    with pytest.raises(DeskUnavailable):
        desk.submit(ask_for(stocked, people[0]), answers.put)


def test_a_database_that_is_away_is_said_in_time_and_nothing_is_confirmed() -> None:
    desk = Desk("postgresql://nobody@127.0.0.1:1/nothing", patience_seconds=0.2)
    try:
        with pytest.raises(DeskUnavailable):
            desk.place_blocking(OrderRequest(1, 1, "web", uuid4(), (OrderLineRequest(1, 1),)), timeout=5)
    finally:
        desk.close()


def test_a_lost_connection_is_made_anew(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=9), make_people(1)
    desk.place_blocking(ask_for(stocked, buyer))
    end_desk_connections()
    desk.place_blocking(ask_for(stocked, buyer))
    assert Order.objects.count() == 2
    assert stock_row(stocked) == (9, 2)


def test_a_connection_lost_in_the_middle_of_a_batch_loses_and_doubles_nothing(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=9), make_people(1)
    answers: SimpleQueue[Answer] = SimpleQueue()
    with Batcher(stocked):
        desk.submit(ask_for(stocked, buyer), answers.put)
        wait_for_blocked_writer()
        end_desk_connections()
    answer = answers.get(timeout=10)
    assert isinstance(answer, OrderReceipt)
    assert list(Order.objects.values_list("number", flat=True)) == [answer.number]
    assert stock_row(stocked) == (9, 1)


def end_desk_connections() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'silkroom order desk' AND datname = current_database()"
        )
        assert cursor.fetchall() == [(True,)]


def test_synchronous_commit_stays_on(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=9), make_people(1)
    desk.place_blocking(ask_for(stocked, buyer))
    desk.close()
    pipe = Pipe(desk._writer._conninfo, ["SHOW synchronous_commit", "SHOW fsync"])
    try:
        assert pipe.run(("SHOW synchronous_commit", ()), ("SHOW fsync", ())) == [[(b"on",)], [(b"on",)]]
    finally:
        pipe.close()
