"""Background entry points of live, where procrastinate looks for them."""

from silkroom.live.broadcasts.jobs import finish_recording

__all__ = ["finish_recording"]
