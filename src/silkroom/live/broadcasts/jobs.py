"""Background work of shows."""

from __future__ import annotations

from pathlib import Path

import structlog
from django.core.files.base import File
from django.core.files.storage import default_storage
from procrastinate import RetryDecision, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from silkroom.kit.clock import to_milliseconds
from silkroom.live.relay.door import RecordingStillOpen
from silkroom.live.relay.door import finish_recording as join_pieces

from .models import Broadcast
from .recordings import recording_name, spool_folder
from .services import keep_recording, miss_recording

FIRST_TRY_SECONDS = 3
"""After the end of a show the gateway needs a moment to close the last piece."""

MISSING_TRIES = 6
"""A spool that is not there yet may be mounted within a minute; video that was never written does not come."""


class RecordingMissing(Exception):
    """The show was on air, and the spool has nothing of it."""


class Patience(RetryStrategy):
    """A gateway that died leaves a piece open; it counts as closed once nothing has been added for a while."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, RecordingMissing) and job.attempts >= MISSING_TRIES:
            return None
        return super().get_retry_decision(exception=exception, job=job)


RETRY = Patience(max_attempts=60, wait=10)

log = structlog.get_logger("silkroom.live.broadcasts")


@app.task(name="live.finish_recording", queue="recordings", retry=RETRY)
def finish_recording(broadcast_id: int) -> None:
    """Join the pieces of an ended show into one file in the storage. Twice changes nothing.

    Raises RecordingMissing, so that the job stands among those that failed.
    """
    broadcast = Broadcast.objects.filter(pk=broadcast_id).exclude(ended_at=None).first()
    if broadcast is None or broadcast.recording:
        return
    name = recording_name(broadcast.code)
    try:
        finished = join_pieces(
            spool_dir=spool_folder(),
            broadcast_id=broadcast.pk,
            store=lambda path, _: _store(path, name),
            # What was sent in a rehearsal is not part of the show.
            start_ms=to_milliseconds(broadcast.started_at) if broadcast.started_at else None,
        )
    except RecordingStillOpen:
        raise
    except Exception:
        # It is tried again, and a later success takes the word back; until then the shop knows.
        miss_recording(broadcast_id=broadcast.pk)
        raise
    if finished is None:
        miss_recording(broadcast_id=broadcast.pk)
        log.error("a show has no recording", show=broadcast.code, spool=str(spool_folder()))
        raise RecordingMissing(broadcast.code)
    keep_recording(
        broadcast_id=broadcast.pk,
        name=name,
        seconds=round(finished.duration_ms / 1000),
        pieces=[[piece.relay_ms, piece.media_ms, piece.duration_ms] for piece in finished.pieces],
    )


def _store(path: Path, name: str) -> str:
    if default_storage.exists(name):
        default_storage.delete(name)
    with path.open("rb") as file:
        return default_storage.save(name, File(file))
