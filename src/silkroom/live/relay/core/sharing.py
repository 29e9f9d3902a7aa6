"""What gateways tell each other about a stream, as MessagePack.

Three subjects for each broadcast: *control* (who is the origin, who wants what), *live* (config and chunks, numbered)
and *parts* (events of the shelf), and one inbox for each asking gateway, where a snapshot arrives.
"""

from __future__ import annotations

import msgspec

from silkroom.live.relay.core.chunks import Chunk, Kind, StreamConfig
from silkroom.live.relay.core.segments import Event, InitMade, PartMade, SegmentEnded, StreamEnded


class OriginHere(msgspec.Struct, frozen=True, tag="origin"):
    """A gateway has the sender. The one with the greatest (serial, since) is right."""

    gateway: str
    serial: int
    since_us: int


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """A gateway has viewers. ``snapshot`` asks for what came before; without it the wish is only kept alive."""

    gateway: str
    inbox: str
    live: bool
    parts: bool
    snapshot: bool


class LiveConfig(msgspec.Struct, frozen=True, tag="config"):
    number: int
    config: StreamConfig


class LivePaused(msgspec.Struct, frozen=True, tag="paused"):
    number: int


class LiveEnded(msgspec.Struct, frozen=True, tag="ended"):
    number: int


class LiveChunk(msgspec.Struct, frozen=True, tag="chunk"):
    number: int
    kind: int
    time_us: int
    duration_us: int
    payload: bytes

    def chunk(self) -> Chunk:
        return Chunk(Kind(self.kind), self.time_us, self.duration_us, self.payload)


class SnapshotDone(msgspec.Struct, frozen=True, tag="done"):
    """Everything up to live message ``number`` has been sent to the inbox."""

    number: int


Control = OriginHere | Ask
Live = LiveConfig | LivePaused | LiveEnded | LiveChunk
Snapshot = (
    LiveConfig | LivePaused | LiveEnded | LiveChunk | InitMade | PartMade | SegmentEnded | StreamEnded | SnapshotDone
)

_encoder = msgspec.msgpack.Encoder()
_control: msgspec.msgpack.Decoder[Control] = msgspec.msgpack.Decoder(Control)
_live: msgspec.msgpack.Decoder[Live] = msgspec.msgpack.Decoder(Live)
_snapshot: msgspec.msgpack.Decoder[Snapshot] = msgspec.msgpack.Decoder(Snapshot)
_event: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def encode(message: Control | Snapshot) -> bytes:
    return _encoder.encode(message)


def decode_control(data: bytes) -> Control:
    return _control.decode(data)


def decode_live(data: bytes) -> Live:
    return _live.decode(data)


def decode_snapshot(data: bytes) -> Snapshot:
    return _snapshot.decode(data)


def decode_event(data: bytes) -> Event:
    return _event.decode(data)


def subjects(broadcast_id: str) -> tuple[str, str, str]:
    """Control, live, parts."""
    base = f"silkroom.media.{broadcast_id}"
    return f"{base}.control", f"{base}.live", f"{base}.parts"
