"""Writing to rooms. One module per subject; this is the list that others use."""

from .events import Draft, append_events, keep_checkpoint, lock_room
from .ledger import LedgerKeeper, tell_ledger
from .presence import mark_interrupted, mark_returned
from .publishing import publisher, tell_room
from .shows import (
    cancel_show,
    change_cover,
    change_planned_at,
    change_running_order,
    change_title,
    end_show,
    go_live,
    plan_show,
    rehearse,
    renew_tray,
    stop_rehearsal,
)
from .spotlight import put_in_spotlight
from .words import Ask, Comment, Likes, Speaker, Words, say_in_room

__all__ = [
    "Ask",
    "Comment",
    "Draft",
    "LedgerKeeper",
    "Likes",
    "Speaker",
    "Words",
    "append_events",
    "cancel_show",
    "change_cover",
    "change_planned_at",
    "change_running_order",
    "change_title",
    "end_show",
    "go_live",
    "keep_checkpoint",
    "lock_room",
    "mark_interrupted",
    "mark_returned",
    "plan_show",
    "publisher",
    "put_in_spotlight",
    "rehearse",
    "renew_tray",
    "say_in_room",
    "stop_rehearsal",
    "tell_ledger",
    "tell_room",
]
