"""Several people change a style's pictures at once: afterwards it has one cover, and no place twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction

from silkroom.catalog.models import Picture, Style
from silkroom.catalog.queries import style_pictures
from silkroom.catalog.rules import Turn
from silkroom.catalog.services import add_picture, remove_picture, turn_picture
from tests.house import make_house, make_picture, make_style, picture_bytes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def style(settings: Any, tmp_path: Path) -> Style:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, storage_url=str(tmp_path))
    with transaction.atomic():
        made = make_style(make_house())
        for _ in range(5):
            make_picture(made)
    return made


def at_once(*acts: Callable[[], object]) -> None:
    """Each in a thread and a transaction of its own, all let go at the same moment; a failure fails the test."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        try:
            gate.wait(30)
            with transaction.atomic():
                act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as threads:
        for one in [threads.submit(run, act) for act in acts]:
            one.result(timeout=60)


def positions(style: Style) -> list[int]:
    return list(Picture.objects.filter(style=style).order_by("position", "id").values_list("position", flat=True))


def test_two_who_choose_a_cover_at_once_leave_one(style: Style) -> None:
    chosen = style_pictures(style)[1:]
    for first, second in zip(chosen, reversed(chosen), strict=True):
        if first == second:
            continue
        at_once(
            lambda one=first: turn_picture(picture=one, turn=Turn.COVER),  # type: ignore[misc]
            lambda one=second: turn_picture(picture=one, turn=Turn.COVER),  # type: ignore[misc]
        )
        cover, next_one, *_ = style_pictures(style)
        assert {cover, next_one} == {first, second}, "the later choice stands before the earlier one"
        assert positions(style) == [0, 1, 2, 3, 4]


def test_choosing_adding_and_removing_at_once_leaves_no_gap_and_no_double(style: Style) -> None:
    first, second, third, *_ = style_pictures(style)
    at_once(
        lambda: turn_picture(picture=third, turn=Turn.COVER),
        lambda: remove_picture(picture=first),
        lambda: add_picture(style=style, data=picture_bytes(colour="#123456")),
        lambda: turn_picture(picture=second, turn=Turn.END),
        lambda: add_picture(style=style, data=picture_bytes(colour="#654321")),
    )
    assert positions(style) == list(range(6))
    assert first not in style_pictures(style)
