"""The show's verbs: each changes its row and tells its room, in one transaction."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from PIL import Image

from silkroom.catalog.states import StyleState
from silkroom.journal.models import Entry
from silkroom.live.broadcasts.errors import (
    CoverUnusable,
    MoveRefused,
    OrderEmpty,
    OrderUnusable,
    TitleUnusable,
)
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.states import BroadcastState
from silkroom.live.room import services as room
from silkroom.live.room.errors import NotOnSale, ShowEnded
from silkroom.live.room.queries import manned_shows, open_shows
from tests.live.conftest import events_of, room_of
from tests.live.stage import Stage, make_stage


def test_planning_opens_the_room_with_the_whole_tray(stage: Stage, planned: Broadcast):
    first, second = stage.garments
    state = room_of(planned)
    assert state["broadcast"] == {
        "code": planned.code,
        "title": "夜场",
        "state": "planned",
        "planned_at_ms": None,
        "started_at_ms": None,
        "ended_at_ms": None,
        "host_name": stage.owner.name,
        "cover": "",
        "shop": {"slug": stage.shop.slug, "name": stage.shop.name},
    }
    assert [one["style"] for one in state["tray"]] == [first.style.pk, second.style.pk]
    shown: dict[str, Any] = state["tray"][0]
    colour = first.first.colour
    assert shown == {
        "style": first.style.pk,
        "code": first.style.code,
        "position": 1,
        "name": "真丝衬衫1",
        "name_en": "Silk shirt 1",
        "picture": "",
        "price_minor": 19900,
        "currency": "CNY",
        "colours": [{"id": colour.pk, "name": "月白", "name_en": "moon", "swatch": "#f2f2ee"}],
        "sizes": [{"id": one.size_id, "label": one.size.label} for one in first.variants],
        "variants": [
            {"variant": one.pk, "colour": colour.pk, "size": one.size_id, "price_minor": 19900, "left": 10}
            for one in first.variants
        ],
    }
    assert Entry.objects.filter(kind="broadcast.planned", shop=stage.shop.pk).count() == 1


def test_a_new_time_is_told_to_who_waits(stage: Stage, planned: Broadcast):
    moment = datetime(2026, 12, 1, 20, 0, tzinfo=UTC)
    number = room.change_planned_at(broadcast=planned, planned_at=moment)
    assert room_of(planned)["broadcast"]["planned_at_ms"] == 1_796_155_200_000
    assert events_of(planned)[-1] == ("show_changed", {"planned_at_ms": 1_796_155_200_000})
    assert number == len(events_of(planned))
    assert room.change_planned_at(broadcast=planned, planned_at=moment) is None
    room.change_planned_at(broadcast=planned, planned_at=None)
    assert room_of(planned)["broadcast"]["planned_at_ms"] is None
    planned.refresh_from_db()
    assert planned.planned_at is None
    room.cancel_show(broadcast=planned, by=stage.owner)
    assert room_of(planned)["broadcast"]["state"] == "cancelled"
    with pytest.raises(ShowEnded):
        room.change_planned_at(broadcast=planned, planned_at=moment)


def test_a_show_with_a_time_opens_its_room_with_it(stage: Stage):
    moment = datetime(2026, 12, 1, 20, 0, tzinfo=UTC)
    show = room.plan_show(shop=stage.shop, host=stage.owner, title="夜场", planned_at=moment)
    assert room_of(show)["broadcast"]["planned_at_ms"] == 1_796_155_200_000


def test_a_running_order_takes_the_shops_own_published_styles_once(stage: Stage, planned: Broadcast):
    foreign = make_stage(garments=1).garments[0].style
    draft = stage.make_garment().style
    draft.state = StyleState.DRAFT
    draft.save()
    mine = stage.garments[0].style.pk
    for wrong in ([mine, foreign.pk], [draft.pk], [mine, mine], [2**40]):
        with pytest.raises(OrderUnusable), transaction.atomic():
            room.change_running_order(broadcast=planned, style_ids=wrong)
    assert [one["style"] for one in room_of(planned)["tray"]] == [one.style.pk for one in stage.garments[:2]]
    assert len(events_of(planned)) == 1


def test_changing_the_running_order(stage: Stage, planned: Broadcast):
    first, second = stage.garments
    room.change_running_order(broadcast=planned, style_ids=[second.style.pk, first.style.pk])
    assert [one["style"] for one in room_of(planned)["tray"]] == [second.style.pk, first.style.pk]
    same = room.change_running_order(broadcast=planned, style_ids=[second.style.pk, first.style.pk])
    assert same is None
    room.change_running_order(broadcast=planned, style_ids=[])
    assert room_of(planned)["tray"] == []
    with pytest.raises(OrderEmpty):
        room.go_live(broadcast=planned, by=stage.owner)


def test_the_way_of_a_show(stage: Stage, planned: Broadcast):
    by = stage.owner
    room.rehearse(broadcast=planned, by=by)
    assert room_of(planned)["broadcast"]["state"] == "rehearsing"
    room.stop_rehearsal(broadcast=planned, by=by)
    room.rehearse(broadcast=planned, by=by)
    number = room.go_live(broadcast=planned, by=by)
    assert number == Broadcast.objects.get(pk=planned.pk).last_sequence
    on_air = room_of(planned)["broadcast"]
    assert on_air["state"] == "on_air"
    assert on_air["started_at_ms"] == round(planned.started_at.timestamp() * 1000 // 1)
    assert room.go_live(broadcast=planned, by=by) is None
    with pytest.raises(MoveRefused):
        room.rehearse(broadcast=planned, by=by)
    room.end_show(broadcast=planned, by=by)
    ended = room_of(planned)["broadcast"]
    assert (ended["state"], ended["ended_at_ms"] >= ended["started_at_ms"]) == ("ended", True)
    assert room.end_show(broadcast=planned, by=by) is None
    with pytest.raises(MoveRefused):
        room.go_live(broadcast=planned, by=by)
    kinds = list(Entry.objects.filter(kind__startswith="broadcast.").order_by("id").values_list("kind", flat=True))
    assert kinds == [
        "broadcast.planned", "broadcast.rehearsing", "broadcast.planned", "broadcast.rehearsing", "broadcast.on_air",
        "broadcast.ended",
    ]  # fmt: skip


def test_going_live_shows_the_stock_of_this_moment(stage: Stage, planned: Broadcast):
    variant = stage.garments[0].first
    stage.receive(variant, 5)
    room.go_live(broadcast=planned, by=stage.owner)
    assert room_of(planned)["tray"][0]["variants"][0]["left"] == 15


def test_a_planned_show_cannot_end(stage: Stage, planned: Broadcast):
    with pytest.raises(MoveRefused):
        room.end_show(broadcast=planned, by=stage.owner)
    assert room_of(planned)["broadcast"]["state"] == "planned"


@pytest.mark.parametrize("state", ["planned", "rehearsing"])
def test_a_show_that_was_not_on_air_can_be_cancelled(stage: Stage, planned: Broadcast, state: str):
    by = stage.owner
    if state == "rehearsing":
        room.rehearse(broadcast=planned, by=by)
    with connection.cursor() as cursor:
        assert planned.pk in open_shows(cursor)
        assert (planned.pk in manned_shows(cursor)) == (state == "rehearsing")
    room.cancel_show(broadcast=planned, by=by)
    assert room_of(planned)["broadcast"]["state"] == "cancelled"
    assert room.cancel_show(broadcast=planned, by=by) is None
    with connection.cursor() as cursor:
        assert planned.pk not in open_shows(cursor)
        assert planned.pk not in manned_shows(cursor)
    before = events_of(planned)
    for refused, verb in (
        (MoveRefused, lambda: room.go_live(broadcast=planned, by=by)),
        (MoveRefused, lambda: room.rehearse(broadcast=planned, by=by)),
        (ShowEnded, lambda: room.change_title(broadcast=planned, title="新")),
        (ShowEnded, lambda: room.put_in_spotlight(broadcast=planned, style_id=None)),
    ):
        with pytest.raises(refused):
            verb()
    assert events_of(planned) == before
    assert Entry.objects.filter(kind="broadcast.cancelled").count() == 1


def test_a_show_on_air_is_ended_and_not_cancelled(stage: Stage, show: Broadcast):
    with connection.cursor() as cursor:
        assert show.pk in manned_shows(cursor)
    with pytest.raises(MoveRefused):
        room.cancel_show(broadcast=show, by=stage.owner)
    assert room_of(show)["broadcast"]["state"] == "on_air"


def test_nothing_changes_after_the_end(stage: Stage, show: Broadcast):
    room.end_show(broadcast=show, by=stage.owner)
    before = events_of(show)
    for verb in (
        lambda: room.change_title(broadcast=show, title="新"),
        lambda: room.change_running_order(broadcast=show, style_ids=[]),
        lambda: room.put_in_spotlight(broadcast=show, style_id=None),
    ):
        with pytest.raises(ShowEnded):
            verb()
    assert events_of(show) == before


def test_title(show: Broadcast):
    room.change_title(broadcast=show, title=" 秋夜  专场 ")
    assert room_of(show)["broadcast"]["title"] == "秋夜 专场"
    assert room.change_title(broadcast=show, title="秋夜 专场") is None
    with pytest.raises(TitleUnusable):
        room.change_title(broadcast=show, title="  ")


def picture(kind: str, size: tuple[int, int] = (40, 30)) -> SimpleUploadedFile:
    drawn = io.BytesIO()
    Image.new("RGB", size, "#8a2f3b").save(drawn, kind)
    return SimpleUploadedFile("cover", drawn.getvalue())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_cover(show: Broadcast, kind: str):
    room.change_cover(broadcast=show, picture=picture(kind))
    address = room_of(show)["broadcast"]["cover"]
    assert address == show.cover.url
    assert address.startswith("/gateway/media/pictures/")
    with Image.open(show.cover.open()) as kept:
        assert (kept.format, kept.size) == ("WEBP", (40, 30))


def test_a_cover_carries_neither_the_camera_s_data_nor_what_was_appended(show: Broadcast):
    exif = Image.Exif()
    exif[0x010F] = "CameraOfLin"
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "#8a2f3b").save(drawn, "JPEG", exif=exif)
    data = drawn.getvalue() + b"<script>appended</script>"
    assert b"CameraOfLin" in data
    room.change_cover(broadcast=show, picture=SimpleUploadedFile("cover.jpg", data))
    with show.cover.open() as kept:
        served = kept.read()
    assert b"CameraOfLin" not in served
    assert b"appended" not in served
    with Image.open(io.BytesIO(served)) as shown:
        assert not shown.getexif()


def test_the_former_cover_is_deleted_after_the_commit(
    show: Broadcast, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[Any]]
):
    room.change_cover(broadcast=show, picture=picture("PNG"))
    former = show.cover.name
    with django_capture_on_commit_callbacks(execute=True):
        room.change_cover(broadcast=show, picture=picture("PNG"))
        assert default_storage.exists(former)
    assert not default_storage.exists(former)
    assert default_storage.exists(show.cover.name)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg/>", b"\x89PNG\r\n\x1a\n" + b"x" * 50])
def test_what_is_no_picture_is_no_cover(show: Broadcast, data: bytes):
    with pytest.raises(CoverUnusable):
        room.change_cover(broadcast=show, picture=SimpleUploadedFile("cover", data))
    assert room_of(show)["broadcast"]["cover"] == ""


def test_a_picture_of_another_kind_is_no_cover(show: Broadcast):
    with pytest.raises(CoverUnusable):
        room.change_cover(broadcast=show, picture=picture("GIF"))


def test_spotlight(stage: Stage, show: Broadcast):
    style = stage.garments[1].style.pk
    assert room.put_in_spotlight(broadcast=show, style_id=style) is not None
    assert room_of(show)["spotlight"] == style
    assert room.put_in_spotlight(broadcast=show, style_id=style) is None
    with pytest.raises(NotOnSale):
        room.put_in_spotlight(broadcast=show, style_id=stage.make_garment().style.pk)
    room.put_in_spotlight(broadcast=show, style_id=None)
    assert room_of(show)["spotlight"] is None


def test_a_refused_change_leaves_neither_row_nor_event(stage: Stage, show: Broadcast):
    before = events_of(show)
    with pytest.raises(OrderEmpty), transaction.atomic():
        room.change_running_order(broadcast=show, style_ids=[])
    show.refresh_from_db()
    assert show.state == BroadcastState.ON_AIR
    assert show.running_order.count() == 2
    assert events_of(show) == before
