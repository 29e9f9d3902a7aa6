"""A shop and its show in Django's test database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from silkroom.accounts.models import Person
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.room.models import RoomEvent
from silkroom.live.room.queries import load_state
from silkroom.live.room.rules import State
from tests.live.stage import Stage, make_stage


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


@pytest.fixture
def planned(stage: Stage) -> Broadcast:
    return stage.plan()


@pytest.fixture
def show(stage: Stage) -> Broadcast:
    """On air."""
    return stage.on_air()


def room_of(broadcast: Broadcast) -> State:
    """The state of a room, folded from its log."""
    with connection.cursor() as cursor:
        return load_state(cursor, broadcast.pk).state


def events_of(broadcast: Broadcast) -> list[tuple[str, dict[str, Any]]]:
    """The log as (kind, data)."""
    rows = RoomEvent.objects.filter(broadcast=broadcast).order_by("sequence")
    return [(row.kind, row.data) for row in rows]


class Browser:
    """A person's browser on a show's addresses."""

    def __init__(self, broadcast: Broadcast, person: Person | None) -> None:
        self.client = Client()
        self._base = f"/live/{broadcast.code}/"
        if person is not None:
            self.client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")

    def post(self, place: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        answer = self.client.post(
            self._base + place, body or {}, content_type="application/json", headers={"accept": "application/json"}
        )
        return answer.status_code, answer.json()

    def get(self, place: str = ""):
        return self.client.get(self._base + place)
