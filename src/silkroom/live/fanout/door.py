"""The door of the fan-out engine: the only module of it that others import.

In a gateway (one event loop)::

    bus = NatsBus(nats_url)
    await bus.start()                                   # serves without NATS too; heals when it comes
    fan = FanOut(bus, load_gap, limits=Limits(watchers=20_000))

    async def room_handler(request):
        room = await fan.open(broadcast_id, make_keeper)   # make_keeper() -> Keeper: the folded state of the room
        if room.is_full: ...                               # 503 room_full before the upgrade
        ws = WebSocketResponse(compress=False, heartbeat=20, max_msg_size=4096)
        await ws.prepare(request)
        watcher = await room.join(request.transport, after=hello.after)
        try:
            async for message in ws:
                watcher.send(b'{"type":"reply",...}')
        finally:
            watcher.leave()

* ``load_gap(broadcast_id, after, upto)`` is awaited for committed events (see `LoadGap`).
* A gateway's own writer, after its commit: ``room.offer(events)`` (if ``fan.find_room(id)`` has one) and
  ``await publish_committed(bus, id, events)``. Repeats and any order are fine, numbers decide.
* ``room.heal(last_sequence)`` now and then, with the number the database has.
* ``room.pulse(b'{"type":"pulse",...}')`` for what has no number.
* Once ``watcher.gone`` is true, the engine has sent a close frame itself (``watcher.close_code``) or the line is dead.
* Never use ``ws.send_*`` with compression or for large messages on a watched socket; `Watcher.send` keeps the order and
  the backlog limit. Pings and pongs of the library are fine.

In a web process (threads)::

    publisher = CommittedPublisher(nats_url)            # one per process
    transaction.on_commit(lambda: publisher.publish_committed(broadcast_id, events))

Frames on the wire: ``{"type":"events","events":[{"n":1,"k":"comment","at":ms,"d":{}}]}``; snapshots, pulses and replies
are encoded by their owners. Close codes of the engine: 4503 going away, 4508 too slow; a client resumes after both.
"""

from silkroom.live.fanout.bus import (
    Bus,
    LocalBus,
    NatsBus,
    Subscription,
    decode_committed,
    encode_committed,
    publish_committed,
    room_subject,
)
from silkroom.live.fanout.core import Event, Limits
from silkroom.live.fanout.delivery import GOING_AWAY, TOO_SLOW, Watcher
from silkroom.live.fanout.errors import FrameTooLarge, RoomClosed, RoomFull
from silkroom.live.fanout.frames import binary_frame, close_frame, encode_event, event_frames, text_frame
from silkroom.live.fanout.publisher import CommittedPublisher
from silkroom.live.fanout.rooms import FanOut, Keeper, LoadGap, Room, Snapshot, TakeSnapshot

__all__ = [
    "GOING_AWAY",
    "TOO_SLOW",
    "Bus",
    "CommittedPublisher",
    "Event",
    "FanOut",
    "FrameTooLarge",
    "Keeper",
    "Limits",
    "LoadGap",
    "LocalBus",
    "NatsBus",
    "Room",
    "RoomClosed",
    "RoomFull",
    "Snapshot",
    "Subscription",
    "TakeSnapshot",
    "Watcher",
    "binary_frame",
    "close_frame",
    "decode_committed",
    "encode_committed",
    "encode_event",
    "event_frames",
    "publish_committed",
    "room_subject",
    "text_frame",
]
