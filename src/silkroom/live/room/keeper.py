"""The state of an open room in memory: folded from its events, encoded once for all who join at the same number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from silkroom.live.fanout.door import Event, Snapshot

from .rules import RoomFact, State, apply_event
from .states import EventKind


def fact_of(event: Event) -> RoomFact:
    """The event with its data decoded."""
    return RoomFact(event.sequence, event.kind, event.at_ms, msgspec.json.decode(event.data))


def _variants_of(state: State) -> frozenset[int]:
    return frozenset(one["variant"] for style in state["tray"] for one in style["variants"])


class RoomKeeper:
    """Keeper of `silkroom.live.fanout.door`. ``muted`` holds everybody who may not write, not only the last ones;
    ``variants`` what can be bought here."""

    def __init__(self, sequence: int, state: State, *, muted: Iterable[str] = ()) -> None:
        self._sequence = sequence
        self.state = state
        self.muted = set(muted)
        self.variants = _variants_of(state)
        self._snapshot: Snapshot | None = None

    @property
    def sequence(self) -> int:
        return self._sequence

    def apply(self, events: Sequence[Event]) -> None:
        for event in events:
            fact = fact_of(event)
            self.state = apply_event(self.state, fact)
            self._sequence = event.sequence
            match fact.kind:
                case EventKind.MUTED:
                    self.muted.add(fact.data["person"])
                case EventKind.UNMUTED:
                    self.muted.discard(fact.data["person"])
                case EventKind.OPENED | EventKind.TRAY_CHANGED:
                    self.variants = _variants_of(self.state)
        self._snapshot = None

    def snapshot(self) -> Snapshot:
        if self._snapshot is None:
            message = {"type": "snapshot", "sequence": self._sequence, "state": self.state}
            self._snapshot = Snapshot(self._sequence, msgspec.json.encode(message))
        return self._snapshot
