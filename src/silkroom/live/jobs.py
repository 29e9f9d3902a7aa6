"""Background entry points of live, where procrastinate looks for them."""

from silkroom.live.broadcasts.jobs import finish_recording
from silkroom.live.moderation.jobs import forget_old_newcomers

__all__ = ["finish_recording", "forget_old_newcomers"]
