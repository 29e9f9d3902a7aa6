"""All tables of live, where Django looks for them."""

from silkroom.live.broadcasts.models import Broadcast, RunningOrderItem
from silkroom.live.deals.models import Deal, PreparedDeal
from silkroom.live.moderation.models import Mute, Newcomer
from silkroom.live.questions.models import Question
from silkroom.live.room.models import RoomCheckpoint, RoomEvent

__all__ = [
    "Broadcast",
    "Deal",
    "Mute",
    "Newcomer",
    "PreparedDeal",
    "Question",
    "RoomCheckpoint",
    "RoomEvent",
    "RunningOrderItem",
]
