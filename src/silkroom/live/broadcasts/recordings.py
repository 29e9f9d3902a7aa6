"""Where recordings grow (the spool, on the gateway's disk) and where they are kept (the storage)."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings


def spool_folder() -> Path:
    """The relay writes pieces here as they come, the finishing job joins them: both processes see this folder."""
    folder: Path = settings.ENVIRONMENT.data_dir / "spool"
    return folder


def recording_name(broadcast_code: str) -> str:
    """Name of a finished recording in the storage."""
    return f"recordings/{broadcast_code}.mp4"
