"""A mute follows a browser to its next name; beyond that, new names come slowly."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from silkroom.accounts.models import Person
from silkroom.kit.clock import now
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.tickets import Purpose, read_ticket
from silkroom.live.broadcasts.visitors import COOKIE, MOST_PEOPLE, Visitor
from silkroom.live.moderation.models import Mute, Newcomer
from silkroom.live.moderation.services import MOST_NEW_NAMES, forget_newcomers, mute_person, unmute_person
from tests.live.conftest import Browser, room_of
from tests.live.stage import Stage, member


def named(browser: Browser, name: str) -> str:
    """The code of who the browser is after choosing a name."""
    status, answer = browser.post("name", {"name": name})
    assert status == 200, answer
    return answer["person"]["code"]


def signed_out(browser: Browser) -> Browser:
    """As somebody who signs out, or whose session ran out: the room's cookie stays."""
    cookie = browser.client.cookies[COOKIE]
    browser.client.logout()
    browser.client.cookies[COOKIE] = cookie.value
    return browser


def test_a_new_name_in_the_same_browser_is_muted(stage: Stage, show: Broadcast):
    browser = Browser(show, None)
    first = named(browser, "小满")
    mute_person(broadcast=show, code=first, by=stage.assistant)
    second = named(signed_out(browser), "大满")
    assert second != first
    assert room_of(show)["muted"] == [first, second]
    assert Mute.objects.get(person__code=second).muted_by == stage.assistant
    # Lifting is of a person, as muting is.
    unmute_person(broadcast=show, code=second, by=stage.owner)
    assert room_of(show)["muted"] == [first]
    assert browser.post("ticket")[0] == 200
    assert room_of(show)["muted"] == [first]


def test_signing_in_does_not_shake_a_mute_off(stage: Stage, show: Broadcast):
    browser = Browser(show, None)
    first = named(browser, "小满")
    mute_person(broadcast=show, code=first, by=stage.owner)
    person = member("小满满")
    cookie = browser.client.cookies[COOKIE].value
    browser.client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    browser.client.cookies[COOKIE] = cookie
    assert browser.get().status_code == 200
    assert room_of(show)["muted"] == [first, person.code]


def test_a_mute_stays_in_its_show_and_never_falls_on_staff(stage: Stage, show: Broadcast):
    other = stage.on_air()
    browser = Browser(show, None)
    first = named(browser, "小满")
    mute_person(broadcast=show, code=first, by=stage.owner)
    elsewhere = Browser(other, None)
    elsewhere.client = signed_out(browser).client
    named(elsewhere, "大满")
    assert room_of(other)["muted"] == []
    cookie = browser.client.cookies[COOKIE].value
    browser.client.force_login(stage.assistant, backend="django.contrib.auth.backends.ModelBackend")
    browser.client.cookies[COOKIE] = cookie
    assert browser.get().status_code == 200
    assert room_of(show)["muted"] == [first]


def test_a_cookie_of_ones_own_making_is_none(stage: Stage, show: Broadcast):
    browser = Browser(show, None)
    muted = named(Browser(show, None), "小满")
    mute_person(broadcast=show, code=muted, by=stage.owner)
    browser.client.cookies[COOKIE] = f"KEY.{muted}"
    code = named(browser, "大满")
    assert room_of(show)["muted"] == [muted]
    assert code in browser.client.cookies[COOKIE].value


def test_tickets_name_the_browser(stage: Stage, show: Broadcast):
    browser, other = Browser(show, None), Browser(show, None)
    keys = [
        read_ticket(Purpose.ROOM, one.post("ticket")[1]["tickets"]["room"]["ticket"]).visitor
        for one in (browser, browser, other)
    ]
    assert keys[0] == keys[1] != keys[2]
    assert all(len(key) == 16 for key in keys)
    cookie = browser.client.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_a_browser_remembers_its_last_people():
    visitor = Visitor("KEY")
    for number in range(MOST_PEOPLE + 2):
        visitor = visitor.now_is(f"P{number}")
    assert visitor.now_is("P5").people == ("P2", "P3", "P4", "P6", "P7", "P8", "P9", "P5")


def newcomer(show: Broadcast, name: str, address: str) -> tuple[int, dict]:
    """Somebody in a fresh browser."""
    answer = Client(REMOTE_ADDR=address).post(
        f"/live/{show.code}/name", {"name": name}, content_type="application/json"
    )
    return answer.status_code, answer.json()


def test_after_a_mute_new_names_of_an_address_come_slowly(stage: Stage, show: Broadcast):
    for number in range(MOST_NEW_NAMES + 3):
        status, answer = newcomer(show, f"客{number}", "192.0.2.7")
        assert status == 200  # a whole office may come
    people = Person.objects.filter(is_guest=True).count()
    mute_person(broadcast=show, code=answer["person"]["code"], by=stage.owner)
    status, answer = newcomer(show, "又来", "192.0.2.7")
    assert (status, answer["error"]["code"], answer["error"]["data"]) == (429, "too_many_names", {"minutes": 10})
    assert Person.objects.filter(is_guest=True).count() == people
    assert newcomer(show, "别处", "192.0.2.8")[0] == 200
    assert newcomer(stage.on_air(), "别场", "192.0.2.7")[0] == 200
    # The few that are allowed are allowed again later.
    Newcomer.objects.filter(broadcast=show).update(at=now() - timedelta(minutes=11))
    assert newcomer(show, "十分钟后", "192.0.2.7")[0] == 200


@pytest.mark.parametrize("lifted", [True, False])
def test_wariness_ends(stage: Stage, show: Broadcast, lifted: bool):
    for number in range(MOST_NEW_NAMES):
        code = newcomer(show, f"客{number}", "192.0.2.7")[1]["person"]["code"]
    mute_person(broadcast=show, code=code, by=stage.owner)
    if lifted:
        unmute_person(broadcast=show, code=code, by=stage.owner)
    else:
        Mute.objects.update(muted_at=now() - timedelta(minutes=31))
    assert newcomer(show, "又来", "192.0.2.7")[0] == 200


def test_where_guests_came_from_is_forgotten(stage: Stage, show: Broadcast):
    newcomer(show, "小满", "192.0.2.7")
    newcomer(show, "大满", "192.0.2.7")
    row = Newcomer.objects.earliest("id")
    assert "192" not in row.place
    Newcomer.objects.filter(pk=row.pk).update(at=now() - timedelta(hours=25))
    assert forget_newcomers(older_than=timedelta(days=1)) == 1
    assert Newcomer.objects.count() == 1
