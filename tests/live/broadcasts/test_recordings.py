"""The end of a show: its recording is put together, or the shop is told that there is none."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator

import pytest
from django.urls import reverse
from procrastinate.jobs import Job
from structlog.testing import capture_logs

from silkroom.kit.clock import to_milliseconds
from silkroom.live.broadcasts.jobs import MISSING_TRIES, RETRY, RecordingMissing, finish_recording
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.recordings import spool_folder
from silkroom.live.broadcasts.services import keep_recording
from silkroom.live.relay.door import RecordingStillOpen
from silkroom.live.relay.packaging import ShowOver
from silkroom.live.room import services as room
from tests.live.conftest import Browser
from tests.live.relay.test_recording import record, tasks_of
from tests.live.relay.video import clip
from tests.live.stage import Stage
from tests.live.test_views import json_in


@pytest.fixture
def ended(stage: Stage, show: Broadcast) -> Iterator[Broadcast]:
    room.end_show(broadcast=show, by=stage.owner)
    yield show
    shutil.rmtree(spool_folder() / str(show.pk), ignore_errors=True)


def test_a_show_without_any_video_is_an_error(stage: Stage, ended: Broadcast):
    with capture_logs() as logs, pytest.raises(RecordingMissing):
        finish_recording(ended.pk)
    assert [(one["log_level"], one["event"], one["show"]) for one in logs] == [
        ("error", "a show has no recording", ended.code)
    ]
    ended.refresh_from_db()
    assert (ended.recording, ended.recording_missing) == ("", True)
    assert json_in(Browser(ended, stage.owner).get("studio/").content.decode(), "studio")["recording_missing"] is True
    client = Browser(ended, stage.owner).client
    page = client.get(reverse("workbench:show", args=[stage.shop.slug, ended.code]), headers={"accept-language": "en"})
    assert "The recording is missing" in page.content.decode()
    # What turns up after all makes it good.
    keep_recording(broadcast_id=ended.pk, name="recordings/x.mp4", seconds=4, pieces=[])
    ended.refresh_from_db()
    assert ended.recording_missing is False


def test_what_is_missing_is_looked_for_a_minute_and_what_is_open_longer():
    def tries(error: Exception) -> int:
        for attempts in itertools.count(1):
            job = Job(id=1, queue="recordings", lock=None, queueing_lock=None, task_name="x", attempts=attempts)
            if RETRY.get_retry_decision(exception=error, job=job) is None:
                return attempts
        raise AssertionError

    assert tries(RecordingMissing()) == MISSING_TRIES
    assert tries(RecordingStillOpen()) == 60


def test_a_show_with_video_has_its_recording(stage: Stage, ended: Broadcast):
    began_us = to_milliseconds(ended.started_at) * 1000
    record(spool_folder(), [*tasks_of(clip(seconds=2), began_us + 1_000_000), ShowOver()], broadcast=str(ended.pk))
    finish_recording(ended.pk)
    ended.refresh_from_db()
    assert ended.recording == f"recordings/{ended.code}.mp4"
    assert ended.recording_missing is False


def test_a_show_none_of_whose_pieces_can_be_read_is_told_as_missing(stage: Stage, ended: Broadcast):
    began_us = to_milliseconds(ended.started_at) * 1000
    record(spool_folder(), [*tasks_of(clip(seconds=2), began_us + 1_000_000), ShowOver()], broadcast=str(ended.pk))
    for piece in (spool_folder() / str(ended.pk)).glob("*.mp4"):
        piece.write_bytes(b"")
    with pytest.raises(RecordingMissing):
        finish_recording(ended.pk)
    ended.refresh_from_db()
    assert ended.recording_missing is True
