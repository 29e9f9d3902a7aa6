"""The room's WebSocket against real gateways: what people say, buy and see."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest
from django.db import connection

from silkroom.kit.clock import now, to_milliseconds
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.questions.models import Question
from silkroom.live.room import services as room
from silkroom.live.room.models import RoomEvent
from silkroom.live.room.queries import load_state
from silkroom.live.room.rules import State
from silkroom.live.room.states import EventKind
from silkroom.sales.models import Order
from tests.live.stage import Stage, guest, ticket_for

from .conftest import OpenStudio, Page
from .watcher import Closed, Watcher


def state_in_database(broadcast: Broadcast) -> tuple[int, State]:
    with connection.cursor() as cursor:
        loaded = load_state(cursor, broadcast.pk)
    return loaded.sequence, loaded.state


async def settled(broadcast: Broadcast, *pages: Watcher) -> State:
    """Wait until all pages have come to the end of the log; it is the state of all of them."""
    sequence, state = await asyncio.to_thread(state_in_database, broadcast)
    for one in pages:
        await one.until(lambda one=one: one.sequence >= sequence)
    sequence, state = await asyncio.to_thread(state_in_database, broadcast)
    for one in pages:
        if one.sequence == sequence:
            assert one.state == state
    return state


async def test_a_late_joiner_gets_the_whole_state(show: Broadcast, page: Page):
    async with await page(show).enter() as late:
        sequence, state = await asyncio.to_thread(state_in_database, show)
        assert (late.sequence, late.state) == (sequence, state)
        assert late.welcome["you"] == {"person": "", "name": "", "role": "viewer"}
        assert late.welcome["muted"] is False
        assert abs(late.welcome["now_ms"] - to_milliseconds(now())) < 5000


async def test_a_page_that_has_the_state_gets_only_what_followed(show: Broadcast, page: Page):
    sequence, state = await asyncio.to_thread(state_in_database, show)
    speaker = await asyncio.to_thread(guest)
    async with await page(show, speaker).enter() as first:
        await first.ask(type="comment", text="你好")
    async with await page(show).enter(after=sequence, state=state) as back:
        await back.until(lambda: back.sequence > sequence)
        assert back.snapshots == 0
        assert back.state["comments"][-1]["text"] == "你好"


async def test_words_reach_both_gateways_in_the_same_order(show: Broadcast, page: Page):
    people = [await asyncio.to_thread(guest, f"客{number}") for number in range(6)]
    pages = [await page(show, person, gateway=number % 2).enter() for number, person in enumerate(people)]
    answers = await asyncio.gather(*(one.ask(type="comment", text=f"第{turn}") for turn in range(3) for one in pages))
    numbers = sorted(answer["n"] for answer in answers)
    assert len(set(numbers)) == 18
    for one in pages:
        await one.until(lambda one=one: one.sequence >= numbers[-1])
    heard = [[(said["n"], said["name"], said["text"]) for said in one.state["comments"]] for one in pages]
    assert all(said == heard[0] for said in heard)
    assert [said[0] for said in heard[0]] == numbers
    for one in pages:
        await one.leave()


async def test_a_question_is_kept_with_its_delay(stage: Stage, show: Broadcast, page: Page):
    asker = await asyncio.to_thread(guest)
    style = stage.garments[1].style.pk
    async with await page(show, asker).enter() as one:
        answer = await one.ask(type="ask", text=" 会皱吗？\n", style=style, delay_ms=412.4)
        vague = await one.ask(type="ask", text="?", style=10**9, delay_ms=-5)
        await one.until(lambda: one.sequence >= vague["n"])
        kept = {said["n"]: said for said in one.state["questions"]}
    assert (kept[answer["n"]]["text"], kept[answer["n"]]["delay_ms"], kept[answer["n"]]["style"]) == (
        "会皱吗？", 412, style
    )  # fmt: skip
    assert (kept[vague["n"]]["delay_ms"], kept[vague["n"]]["style"]) == (None, None)
    row = await Question.objects.aget(broadcast=show, sequence=answer["n"])
    assert (row.person_id, row.text, row.delay_ms, row.style_id) == (asker.pk, "会皱吗？", 412, style)


async def test_staff_speaks_as_staff(stage: Stage, show: Broadcast, page: Page):
    buyer = await asyncio.to_thread(guest)
    async with await page(show, buyer).enter() as one:
        for person, role in ((stage.owner, "host"), (stage.assistant, "assistant"), (buyer, "viewer")):
            ticket = await asyncio.to_thread(ticket_for, show, person)
            async with await page(show, ticket=ticket, gateway=1).enter() as speaking:
                said = await speaking.ask(type="comment", text="你好")
            await one.until(lambda said=said: one.sequence >= said["n"])
            assert one.state["comments"][-1]["role"] == role


async def test_hearts_are_added_up_in_few_events(show: Broadcast, page: Page):
    fans = [await asyncio.to_thread(guest) for _ in range(4)]
    pages = [await page(show, fan, gateway=number % 2).enter() for number, fan in enumerate(fans)]
    for one in pages:
        for _ in range(8):
            await one.send(type="like", count=5)
    for one in pages:
        await one.until(lambda one=one: one.state["likes"] == 160)
        assert one.errors == []
    events = await RoomEvent.objects.filter(broadcast=show, kind="likes").acount()
    assert events <= 8
    for one in pages:
        await one.leave()


async def test_who_has_no_name_may_watch_and_choose_one(show: Broadcast, stage: Stage, page: Page):
    variant = stage.garments[0].first.pk
    async with await page(show).enter() as one:
        for message in ({"type": "comment", "text": "x"}, {"type": "like"}, {"type": "ask", "text": "x"}):
            assert (await one.ask(**message))["code"] == "name_first"
        assert (await one.buy(variant))["code"] == "name_first"
        named = await asyncio.to_thread(guest, "小满")
        answer = await one.ask(type="renew", ticket=await asyncio.to_thread(ticket_for, show, named))
        assert answer["you"] == {"person": named.code, "name": "小满", "role": "viewer"}
        said = await one.ask(type="comment", text="好")
        await one.until(lambda: one.sequence >= said["n"])
        assert one.state["comments"][-1]["person"] == named.code
    assert await Order.objects.filter(person=named).acount() == 0


async def test_buying_in_the_room(show: Broadcast, stage: Stage, page: Page):
    buyer = await asyncio.to_thread(guest)
    variant = stage.garments[0].first
    key = str(uuid.uuid4())
    async with await page(show, buyer).enter() as here, await page(show, gateway=1).enter() as there:
        assert here.left(variant.pk) == there.left(variant.pk) == 10
        answer = await here.buy(variant.pk, key=key, quantity=2, price_minor=19900)
        order = answer["order"]
        row = await Order.objects.aget(number=order["number"])
        assert (row.person_id, row.total_minor, row.channel, row.state) == (
            buyer.pk, 39800, f"broadcast:{show.code}", "held"
        )  # fmt: skip
        assert order["total_minor"] == 39800
        assert order["holds_until_ms"] == to_milliseconds(row.holds_until)
        assert order["url"] == f"/orders/{row.number}/"
        assert order["pay_url"] == f"/orders/{row.number}/pay"
        assert order["repeated"] is False
        await here.until(lambda: here.left(variant.pk) == 8)
        await there.until(lambda: there.left(variant.pk) == 8)
        again = await here.buy(variant.pk, key=key, quantity=2, price_minor=19900)
        assert (again["order"]["number"], again["order"]["repeated"]) == (order["number"], True)
    assert await Order.objects.filter(person=buyer).acount() == 1


async def test_what_cannot_be_bought_is_refused(show: Broadcast, stage: Stage, page: Page):
    buyer = await asyncio.to_thread(guest)
    outside = await asyncio.to_thread(stage.make_garment)
    variant = stage.garments[0].first.pk
    async with await page(show, buyer).enter() as one:
        assert (await one.buy(outside.first.pk))["code"] == "not_on_sale"
        assert (await one.buy(variant, quantity=9, price_minor=100))["code"] == "price_changed"
        assert (await one.buy(variant, price_minor=19900, currency="JPY"))["code"] == "price_changed"
        assert (await one.buy(variant, offer=10**9))["code"] == "offer_unknown"
        refused = await one.buy(stage.garments[1].first.pk, quantity=9)
        assert refused["type"] == "reply"
        refused = await one.buy(stage.garments[1].first.pk, quantity=9)
        assert (refused["code"], refused["data"]["left"]) == ("sold_out", 1)
        assert refused["text"] == "There are not enough pieces left: 1."
    assert await Order.objects.filter(person=buyer).acount() == 1


async def test_the_studio_is_heard_in_both_gateways(show: Broadcast, stage: Stage, page: Page, studio_of_owner):
    studio = studio_of_owner
    asker = await asyncio.to_thread(guest)
    style = stage.garments[1].style.pk
    async with await page(show, asker).enter() as here, await page(show, gateway=1).enter() as there:
        asked = await here.ask(type="ask", text="会缩水吗")
        said = await here.ask(type="comment", text="真好")
        lit = await studio.press("spotlight", style=style)
        answered = await studio.press("answered", question=asked["n"], media_ms=to_milliseconds(now()))
        pinned = await studio.press("pin", n=said["n"])
        for one in (here, there):
            await one.until(lambda one=one: one.sequence >= pinned["n"])
            assert one.state["spotlight"] == style
            question = next(q for q in one.state["questions"] if q["n"] == asked["n"])
            assert question["state"] == "answered"
            assert 0 <= question["answered_media_ms"] < 60_000
            assert one.state["pinned"] == {"n": said["n"], "name": asker.name, "text": "真好"}
        assert (await studio.press("spotlight", style=style))["n"] is None
        assert (await studio.press("answered", question=asked["n"]))["n"] is None
        hidden = await studio.press("hide", n=said["n"])
        title = await studio.press("title", title="新  标题")
        for one in (here, there):
            await one.until(lambda one=one: one.sequence >= title["n"])
            assert one.state["pinned"] is None
            assert all(comment["n"] != said["n"] for comment in one.state["comments"])
            assert one.state["broadcast"]["title"] == "新 标题"
        assert lit["n"] < answered["n"] < pinned["n"] < hidden["n"] < title["n"]


async def test_a_muted_person_is_not_heard(show: Broadcast, stage: Stage, page: Page, studio_of_owner):
    noisy = await asyncio.to_thread(guest)
    async with await page(show, noisy).enter() as one:
        await one.ask(type="comment", text="第一")
        muted = await studio_of_owner.press("mute", person=noisy.code)
        await one.until(lambda: one.sequence >= muted["n"])
        assert one.state["muted"] == [noisy.code]
        assert (await one.ask(type="comment", text="第二"))["code"] == "muted"
        assert (await one.ask(type="ask", text="第二"))["code"] == "muted"
        assert "order" in await one.buy(stage.garments[0].first.pk)
        async with await page(show, noisy, gateway=1).enter() as again:
            assert again.welcome["muted"] is True
            assert (await again.ask(type="comment", text="第二"))["code"] == "muted"
            free = await studio_of_owner.press("unmute", person=noisy.code)
            await again.until(lambda: again.sequence >= free["n"])
            assert "n" in await again.ask(type="comment", text="第三")
    kept = RoomEvent.objects.filter(broadcast=show, kind="comment").order_by("sequence")
    texts = [row.data["text"] async for row in kept]
    assert texts == ["第一", "第三"]


async def test_cap_and_limit_of_a_deal_hold_in_the_room(show: Broadcast, stage: Stage, page: Page, studio_of_owner):
    garment = stage.garments[0]
    first, second = [await asyncio.to_thread(guest) for _ in range(2)]
    async with await page(show, first).enter() as one, await page(show, second, gateway=1).enter() as two:
        launched = await studio_of_owner.press(
            "deal", style=garment.style.pk, price_minor=9900, seconds=60, cap=3, per_person=2, lead_seconds=0
        )
        for watcher in (one, two):
            await watcher.until(lambda watcher=watcher: len(watcher.state["deals"]) == 1)
        deal = one.state["deals"][0]
        assert (deal["deal"], deal["price_minor"], deal["cap"], deal["taken"], deal["per_person"]) == (
            launched["deal"], 9900, 3, 0, 2
        )  # fmt: skip
        variant, offer = garment.first.pk, deal["offer"]
        bought = await one.buy(variant, offer=offer, price_minor=9900, quantity=2)
        assert bought["order"]["total_minor"] == 19800
        limit = await one.buy(variant, offer=offer, price_minor=9900)
        assert (limit["code"], limit["data"]["left"]) == ("person_limit_reached", 0)
        cap = await two.buy(variant, offer=offer, price_minor=9900, quantity=2)
        assert (cap["code"], cap["data"]["left"]) == ("offer_cap_reached", 1)
        assert "order" in await two.buy(variant, offer=offer, price_minor=9900)
        for watcher in (one, two):
            await watcher.until(lambda watcher=watcher: watcher.state["deals"][0]["taken"] == 3)
            assert watcher.left(variant) == 7
        withdrawn = await studio_of_owner.press("deal/withdraw", deal=launched["deal"])
        await two.until(lambda: two.sequence >= withdrawn["n"])
        assert two.state["deals"] == []
        assert (await two.buy(variant, offer=offer, price_minor=9900))["code"] == "offer_ended"


async def test_a_deal_can_be_taken_back_before_it_is_seen(show: Broadcast, stage: Stage, page: Page, studio_of_owner):
    buyer = await asyncio.to_thread(guest)
    garment = stage.garments[0]
    async with await page(show, buyer).enter() as one:
        launched = await studio_of_owner.press("deal", style=garment.style.pk, price_minor=9900, seconds=60)
        await one.until(lambda: one.sequence >= launched["n"])
        deal = one.state["deals"][0]
        assert deal["starts_at_ms"] == launched["starts_at_ms"] > to_milliseconds(now())
        early = await one.buy(garment.first.pk, offer=deal["offer"], price_minor=9900)
        assert early["code"] == "offer_not_started"
        withdrawn = await studio_of_owner.press("deal/withdraw", deal=deal["deal"])
        await one.until(lambda: one.sequence >= withdrawn["n"])
        assert one.state["deals"] == []
    assert await Order.objects.filter(person=buyer).acount() == 0


async def test_viewers_of_both_gateways_are_counted(show: Broadcast, stage: Stage, page: Page):
    ticket = await asyncio.to_thread(ticket_for, show, stage.assistant)
    async with await page(show).enter() as here:
        await here.until(lambda: here.viewers == 1)
        there = await page(show, gateway=1).enter()
        staff = await page(show, ticket=ticket, gateway=1).enter()
        await here.until(lambda: here.viewers == 2)
        await staff.until(lambda: staff.viewers == 2)
        await there.leave()
        await here.until(lambda: here.viewers == 1)
        await staff.leave()


async def test_whoever_comes_in_is_counted(show: Broadcast, page: Page):
    """Also when somebody leaves in the same moment, as a page does that comes back with a name."""
    first = await page(show).enter()
    assert first.welcome["viewers"] == 1
    second = await page(show).enter()
    await first.leave()
    await second.until(lambda: second.viewers == 1)
    await second.leave()


async def test_only_staff_see_the_board(show: Broadcast, stage: Stage, page: Page):
    buyer = await asyncio.to_thread(guest)
    ticket = await asyncio.to_thread(ticket_for, show, stage.assistant)
    async with await page(show, ticket=ticket, gateway=1).enter() as staff, await page(show, buyer).enter() as one:
        await staff.until(lambda: bool(staff.boards))
        assert staff.boards[-1]["orders"] == 0
        await one.buy(stage.garments[0].first.pk, quantity=2)
        await staff.until(lambda: staff.boards[-1]["orders"] == 1)
        board = staff.boards[-1]
        assert (board["paid"], board["money_minor"], board["held_minor"], board["currency"]) == (0, 0, 39800, "CNY")
        assert (board["pieces_held"], board["pieces_sold"]) == (2, 0)
        await staff.until(lambda: staff.boards[-1]["viewers"] == 1)
        assert one.boards == []


async def test_an_ended_show_still_tells_its_state(show: Broadcast, stage: Stage, page: Page, studio_of_owner):
    buyer = await asyncio.to_thread(guest)
    async with await page(show, buyer).enter() as before:
        launched = await studio_of_owner.press(
            "deal", style=stage.garments[0].style.pk, price_minor=9900, seconds=60, lead_seconds=0
        )
        ended = await studio_of_owner.press("end")
        await before.until(lambda: before.sequence >= ended["n"])
        assert before.state["broadcast"]["state"] == "ended"
        assert before.state["deals"] == []
        assert launched["n"] < ended["n"]
        assert (await before.ask(type="comment", text="再见"))["code"] == "ended"
        assert (await before.ask(type="like"))["code"] == "ended"
    async with await page(show, buyer, gateway=1).enter() as after:
        assert after.state["broadcast"]["state"] == "ended"
        assert len(after.state["tray"]) == 2
        assert "order" in await after.buy(stage.garments[0].first.pk, price_minor=19900)


async def test_an_expired_ticket_ends_the_connection_unless_it_is_renewed(show: Broadcast, page: Page):
    person = await asyncio.to_thread(guest)
    short = [await asyncio.to_thread(ticket_for, show, person, lifetime=timedelta(seconds=2)) for _ in range(2)]
    renewed = await page(show, ticket=short[0]).enter()
    lapsing = await page(show, ticket=short[1]).enter()
    answer = await renewed.ask(type="renew", ticket=await asyncio.to_thread(ticket_for, show, person))
    assert answer["expires_at_ms"] > lapsing.welcome["expires_at_ms"]
    assert await lapsing.closed() == 4401
    assert (await renewed.ask(type="ping"))["type"] == "pong"
    await renewed.leave()


async def test_a_lost_message_is_found_by_its_number(show: Broadcast, page: Page):
    """An event whose publication was lost (here: written past the bus) is healed from the log."""
    async with await page(show).enter() as one:
        before = one.sequence

        def write() -> None:
            with connection.cursor() as cursor:
                room.append_events(cursor, show.pk, [room.Draft(EventKind.LIKES, {"count": 7})])

        await asyncio.to_thread(write)
        await one.until(lambda: one.state["likes"] == 7)
        assert one.sequence > before


@pytest.fixture
def studio_of_owner(show: Broadcast, open_studio: OpenStudio):
    return open_studio(show)


async def test_who_talks_too_fast_is_slowed(show: Broadcast, page: Page):
    person = await asyncio.to_thread(guest)
    async with await page(show, person).enter() as one:
        answers = [await one.ask(type="comment", text=f"{number}") for number in range(12)]
        refused = [answer for answer in answers if answer["type"] == "error"]
        assert refused
        assert {answer["code"] for answer in refused} == {"too_fast"}
        assert all(answer["data"]["seconds"] >= 1 for answer in refused)
        # A second connection of the same person brings no fresh allowance.
        async with await page(show, person).enter() as second:
            codes = [(await second.ask(type="comment", text="x")).get("code") for _ in range(3)]
            assert "too_fast" in codes


async def test_who_does_not_stop_is_shown_out(show: Broadcast, page: Page):
    one = await page(show).enter()
    try:
        for _ in range(600):
            await one.send(type="ping")
    except (ConnectionError, Closed):
        pass
    assert await one.closed() == 4429
