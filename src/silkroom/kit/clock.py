"""The one place that asks what time it is; pure cores get the moment as an argument."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, aware, UTC."""
    return datetime.now(UTC)


def to_milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC: how moments travel in JSON."""
    return int(moment.timestamp() * 1000)


def from_milliseconds(milliseconds: int) -> datetime:
    """The reverse of `to_milliseconds`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
