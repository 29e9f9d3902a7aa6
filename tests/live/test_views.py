"""The addresses of live: who gets in, what goes in and out. live/README.md lists them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from silkroom.accounts import entrance
from silkroom.accounts.models import Person
from silkroom.accounts.tickets import TicketInvalid
from silkroom.live import urls
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.rules import RoomRole
from silkroom.live.broadcasts.states import OVER, BroadcastState
from silkroom.live.broadcasts.tickets import Purpose, read_ticket
from silkroom.live.room import services as room
from silkroom.shops.models import Staff
from silkroom.shops.states import Role
from tests.live.conftest import Browser, events_of, room_of
from tests.live.room.test_shows import picture
from tests.live.stage import Stage, guest, make_stage, member

BODIES: dict[str, dict[str, Any]] = {
    "spotlight": {"style": None},
    "title": {"title": "新"},
    "order": {"styles": []},
    "cover": {},
    "rehearse": {},
    "go-live": {},
    "end": {},
    "deal": {"prepared": 1},
    "deal/withdraw": {"deal": 1},
    "prepared": {"style": 1, "price_minor": 1},
    "prepared/remove": {"prepared": 1},
    "answered": {"question": 1},
    "pin": {"n": 1},
    "unpin": {},
    "hide": {"n": 1},
    "unhide": {"n": 1},
    "mute": {"person": "K7AAAAAAAA"},
    "unmute": {"person": "K7AAAAAAAA"},
}
"""Every studio POST with a body that it takes."""

LEADING = {"title", "order", "cover", "rehearse", "go-live", "end"}


def json_in(page: str, name: str) -> dict[str, Any]:
    """What the page gives its scripts."""
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found.group(1))
    return data


def studio_addresses() -> set[str]:
    studio = "live/<slug:code>/studio/"
    patterns = [str(one.pattern) for one in urls.urlpatterns if isinstance(one, URLPattern)]
    return {pattern.removeprefix(studio) for pattern in patterns if pattern.startswith(studio)} - {""}


def test_every_studio_address_is_walked_here():
    assert studio_addresses() == set(BODIES)


@pytest.mark.parametrize("address", sorted(BODIES))
@pytest.mark.parametrize("who", ["nobody", "a guest", "a stranger", "an owner of another shop", "a clerk"])
def test_a_stranger_gets_404_from_the_studio(stage: Stage, show: Broadcast, address: str, who: str):
    clerk = member()
    Staff.objects.create(shop=stage.shop, person=clerk, role=Role.CLERK)
    people: dict[str, Person | None] = {
        "nobody": None,
        "a guest": guest(),
        "a stranger": stage.stranger,
        "an owner of another shop": make_stage(garments=0).owner,
        "a clerk": clerk,
    }
    before = events_of(show)
    status, body = Browser(show, people[who]).post(f"studio/{address}", BODIES[address])
    assert (status, body["error"]["code"]) == (404, "not_found")
    assert events_of(show) == before


def test_a_stranger_does_not_see_the_studio(stage: Stage, show: Broadcast):
    assert Browser(show, None).get("studio/").status_code == 302
    for person in (stage.stranger, guest(), make_stage(garments=0).owner):
        assert Browser(show, person).get("studio/").status_code == 404


@pytest.mark.parametrize("address", sorted(BODIES))
def test_a_show_that_does_not_exist_is_not_found(stage: Stage, address: str):
    nothing = Broadcast(code="NOSUCHSHOW")
    assert Browser(nothing, stage.owner).post(f"studio/{address}", BODIES[address])[0] == 404
    assert Browser(nothing, stage.owner).get().status_code == 404
    assert Browser(nothing, stage.owner).post("ticket")[0] == 404


@pytest.mark.parametrize("address", sorted(LEADING))
def test_an_assistant_does_not_lead(stage: Stage, show: Broadcast, address: str):
    before = events_of(show)
    assert Browser(show, stage.assistant).post(f"studio/{address}", BODIES[address])[0] == 404
    assert events_of(show) == before


def test_the_studio_speaks_only_by_post(stage: Stage, show: Broadcast):
    for address in BODIES:
        assert Browser(show, stage.owner).get(f"studio/{address}").status_code == 405


def test_writing_needs_the_pages_token(stage: Stage, show: Broadcast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(stage.owner, backend="django.contrib.auth.backends.ModelBackend")
    for address in BODIES:
        answer = client.post(f"/live/{show.code}/studio/{address}", {}, content_type="application/json")
        assert answer.status_code == 403
    assert client.post(f"/live/{show.code}/name", {"name": "x"}, content_type="application/json").status_code == 403
    assert len(events_of(show)) == 2


@pytest.mark.parametrize(
    ("address", "body", "field"),
    [
        ("spotlight", {}, "style"),
        ("spotlight", {"style": "7"}, "style"),
        ("spotlight", {"style": -1}, "style"),
        ("order", {"styles": [1, "x"]}, "styles[1]"),
        ("deal", {"seconds": 60}, "style"),
        ("deal", {"style": 1}, "price_minor"),
        ("answered", {"question": 0}, "question"),
        ("mute", {"person": "x" * 11}, "person"),
        ("pin", {"n": 2**60}, "n"),
        ("title", {"title": 7}, "title"),
    ],
)
def test_bodies_are_of_the_agreed_form(stage: Stage, show: Broadcast, address: str, body: dict, field: str):
    status, answer = Browser(show, stage.owner).post(f"studio/{address}", body)
    assert (status, answer["error"]["code"], answer["error"]["data"]) == (400, "malformed", {"field": field})


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        ("{", 400, "malformed"),
        (b"\xff", 400, "malformed"),
        ("[]", 400, "malformed"),
        (json.dumps({"title": "x" * 20_000}), 413, "body_too_large"),
    ],
)
def test_unreadable_and_oversized_bodies(stage: Stage, show: Broadcast, raw: Any, status: int, code: str):
    client = Browser(show, stage.owner).client
    answer = client.post(f"/live/{show.code}/studio/title", raw, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert room_of(show)["broadcast"]["title"] == "夜场"


def test_the_studio_answers_with_the_number_of_its_event(stage: Stage, show: Broadcast):
    studio = Browser(show, stage.assistant)
    status, answer = studio.post("studio/spotlight", {"style": stage.garments[0].style.pk})
    assert (status, answer) == (200, {"n": len(events_of(show))})
    assert studio.post("studio/spotlight", {"style": stage.garments[0].style.pk}) == (200, {"n": None})


def test_an_assistant_runs_the_deals(stage: Stage, show: Broadcast):
    studio = Browser(show, stage.assistant)
    style = stage.garments[0].style.pk
    _, made = studio.post("studio/prepared", {"style": style, "price_minor": 9900, "seconds": 60, "cap": 5})
    prepared = made["prepared"]["prepared"]
    status, launched = studio.post("studio/deal", {"prepared": prepared, "lead_seconds": 0})
    assert status == 200
    assert room_of(show)["deals"][0]["deal"] == launched["deal"]
    assert room_of(show)["deals"][0]["starts_at_ms"] == launched["starts_at_ms"]
    assert studio.post("studio/deal", {"prepared": prepared})[1]["error"]["code"] == "deal_running"
    assert studio.post("studio/deal/withdraw", {"deal": launched["deal"]})[1]["n"] == len(events_of(show))
    assert studio.post("studio/prepared/remove", {"prepared": prepared}) == (200, {"n": None})
    assert studio.post("studio/deal", {"prepared": prepared})[0] == 404


def test_cover_comes_as_a_form(stage: Stage, show: Broadcast):
    client = Browser(show, stage.owner).client
    answer = client.post(f"/live/{show.code}/studio/cover", {"cover": picture("PNG")})
    assert answer.status_code == 200
    assert room_of(show)["broadcast"]["cover"] == answer.json()["cover"]
    nothing = client.post(
        f"/live/{show.code}/studio/cover",
        {"cover": SimpleUploadedFile("cover", b"x")},
        headers={"accept": "application/json"},
    )
    assert (nothing.status_code, nothing.json()["error"]["code"]) == (400, "cover_unusable")


def test_the_end_orders_the_recording_to_be_finished(stage: Stage, show: Broadcast):
    studio = Browser(show, stage.owner)
    studio.post("studio/deal", {"style": stage.garments[0].style.pk, "price_minor": 9900})
    assert studio.post("studio/end")[0] == 200
    state = room_of(show)
    assert (state["broadcast"]["state"], state["deals"]) == ("ended", [])
    assert studio.post("studio/end") == (200, {"n": None})
    jobs = ProcrastinateJob.objects.filter(task_name="live.finish_recording")
    assert [job.args for job in jobs] == [{"broadcast_id": show.pk}]


# Tickets and names


def tickets(browser: Browser) -> dict[str, Any]:
    status, answer = browser.post("ticket")
    assert status == 200
    return answer


def test_a_visitor_gets_tickets_to_watch(stage: Stage, show: Broadcast):
    answer = tickets(Browser(show, None))
    assert answer["person"] == {"code": "", "name": "", "role": "viewer"}
    ticket = read_ticket(Purpose.ROOM, answer["tickets"]["room"]["ticket"])
    assert (ticket.broadcast_id, ticket.person_id, ticket.role, ticket.may_speak) == (
        show.pk, None, RoomRole.VIEWER, False
    )  # fmt: skip
    assert read_ticket(Purpose.WATCH, answer["tickets"]["watch"]["ticket"]).broadcast_id == show.pk
    assert answer["tickets"]["ingest"] is None


@pytest.mark.parametrize("state", list(BroadcastState))
def test_who_gets_which_ticket(stage: Stage, planned: Broadcast, state: BroadcastState):
    Broadcast.objects.filter(pk=planned.pk).update(state=state)
    public = state in {BroadcastState.ON_AIR, BroadcastState.INTERRUPTED}
    given = {
        person.name: {
            purpose for purpose, ticket in tickets(Browser(planned, person))["tickets"].items() if ticket is not None
        }
        for person in (stage.owner, stage.assistant, stage.stranger)
    }
    watch = {"watch"} if public else set()
    staff = {"watch"} if public or state is BroadcastState.REHEARSING else set()
    send = set() if state in OVER else {"ingest"}
    assert given == {
        stage.owner.name: {"room"} | staff | send,
        stage.assistant.name: {"room"} | staff,
        stage.stranger.name: {"room"} | watch,
    }


def test_a_name_makes_a_guest(stage: Stage, show: Broadcast):
    browser = Browser(show, None)
    status, answer = browser.post("name", {"name": " 小 满 "})
    assert status == 200
    person = Person.objects.get(code=answer["person"]["code"])
    assert (person.name, person.is_guest, person.has_usable_password()) == ("小 满", True, False)
    ticket = read_ticket(Purpose.ROOM, answer["tickets"]["room"]["ticket"])
    assert (ticket.person_id, ticket.name, ticket.may_speak) == (person.pk, "小 满", True)
    assert tickets(browser)["person"]["code"] == person.code
    assert answer["csrf"]


def test_a_guest_may_take_another_name_and_stays_the_same_person(stage: Stage, show: Broadcast):
    browser = Browser(show, None)
    first = browser.post("name", {"name": "小满"})[1]["person"]
    second = browser.post("name", {"name": "大满"})[1]["person"]
    assert (second["code"], second["name"]) == (first["code"], "大满")
    assert Person.objects.filter(is_guest=True).count() == 1


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "x" * 21])
def test_a_name_that_cannot_be_used(stage: Stage, show: Broadcast, name: str):
    status, answer = Browser(show, None).post("name", {"name": name})
    assert (status, answer["error"]["code"]) == (400, "name_unusable")
    assert not Person.objects.filter(is_guest=True).exists()


def test_a_flood_of_guests_is_refused(stage: Stage, show: Broadcast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(entrance, "MOST_NEW_GUESTS", 3)
    answers = [Browser(show, None).post("name", {"name": f"客{number}"}) for number in range(5)]
    assert [status for status, _ in answers] == [200, 200, 200, 429, 429]
    assert answers[-1][1]["error"]["code"] == "too_many"
    assert Person.objects.filter(is_guest=True).count() == 3
    # Whoever has a name already is not counted again.
    assert Browser(show, stage.stranger).post("name", {"name": "路人"})[0] == 200


def test_a_ticket_of_the_room_is_of_no_use_elsewhere(show: Broadcast):
    signed = tickets(Browser(show, None))["tickets"]["room"]["ticket"]
    with pytest.raises(TicketInvalid):
        read_ticket(Purpose.INGEST, signed)


# Pages


def test_the_room_page_holds_the_state(stage: Stage, show: Broadcast):
    answer = Browser(show, None).get()
    assert answer.status_code == 200
    assert "no-cache" in answer.headers["Cache-Control"]
    data = json_in(answer.content.decode(), "room")
    assert data["state"] == room_of(show)
    assert data["sequence"] == 2 == len(events_of(show))
    assert data["gateway"] == "http://testserver:8001"
    assert data["urls"]["studio"] is None
    assert data["tickets"]["watch"]["ticket"]
    assert data["recording"] == ""


def test_the_room_page_of_an_ended_show_has_its_recording(stage: Stage, show: Broadcast):
    room.end_show(broadcast=show, by=stage.owner)
    Broadcast.objects.filter(pk=show.pk).update(recording=f"recordings/{show.code}.mp4", recording_seconds=5)
    answer = Browser(show, None).get()
    assert json_in(answer.content.decode(), "room")["recording"] == f"/gateway/media/recordings/{show.code}.mp4"


@pytest.mark.parametrize("assistant", [False, True])
def test_the_studio_page_holds_its_keys(stage: Stage, show: Broadcast, assistant: bool):
    answer = Browser(show, stage.assistant if assistant else stage.owner).get("studio/")
    assert answer.status_code == 200
    data = json_in(answer.content.decode(), "studio")
    walked = {address.replace("-", "_").replace("/", "_") for address in BODIES}
    assert walked <= set(data["urls"])
    for address in BODIES:
        key = address.replace("-", "_").replace("/", "_")
        assert data["urls"][key] == f"/live/{show.code}/studio/{address}"
    assert data["person"]["role"] == ("assistant" if assistant else "host")
    assert (data["tickets"]["ingest"] is None) is assistant
    assert {one["style"] for one in data["styles"]} == {one.style.pk for one in stage.garments}
    assert data["prepared"] == []


def test_addresses_are_named(show: Broadcast):
    assert reverse("live:room", args=[show.code]) == f"/live/{show.code}/"


def test_nobody_takes_the_name_of_the_shop_or_its_staff(stage: Stage, show: Broadcast):
    stage.shop.name_en = "Brocade House"
    stage.shop.save(update_fields=["name_en"])
    for name in (stage.shop.name, " brocade  HOUSE ", stage.owner.name, f" {stage.assistant.name}"):
        for person in (None, stage.stranger):
            status, answer = Browser(show, person).post("name", {"name": name})
            assert (status, answer["error"]["code"]) == (400, "name_unusable"), name
    assert Browser(show, None).post("name", {"name": f"{stage.owner.name}二"})[0] == 200
    assert Browser(show, stage.owner).post("name", {"name": stage.owner.name})[0] == 200
