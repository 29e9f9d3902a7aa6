"""One connection of a room: who it is, and what is sent to it alone."""

from __future__ import annotations

import asyncio
from typing import Any

from silkroom.kit.errors import Refusal
from silkroom.live.broadcasts.rules import may_assist
from silkroom.live.broadcasts.tickets import Ticket
from silkroom.live.fanout.door import Watcher, close_frame, text_frame

from .access import translator
from .buckets import Bucket, Rate
from .messages import encode

MESSAGES = Rate(per_second=20, burst=60)
"""Of one connection, of all kinds: a person does not come near, a script does."""

STRIKES = 40
"""So many refused messages in a row end the connection."""


class Seat:
    """Before it has joined the room (``watcher`` None), frames go straight to the transport: nobody else writes yet."""

    def __init__(self, transport: asyncio.Transport, ticket: Ticket, now: float) -> None:
        self.transport = transport
        self.ticket = ticket
        self.language = "zh-hans"
        self.watcher: Watcher | None = None
        self.messages = Bucket(MESSAGES, now)
        self.strikes = 0
        self.expiry: asyncio.TimerHandle | None = None
        self.counted_as = ""
        """viewer or staff, while in the room; the house keeps it."""

    @property
    def is_staff(self) -> bool:
        return may_assist(self.ticket.role)

    @property
    def is_gone(self) -> bool:
        return self.transport.is_closing() or (self.watcher is not None and self.watcher.gone)

    def send(self, message: dict[str, Any]) -> None:
        """A frame for this connection alone; nothing happens when it is gone."""
        data = encode(message)
        if self.watcher is not None:
            self.watcher.send(data)
        elif not self.transport.is_closing():
            self.transport.write(text_frame(data))

    def refuse(self, message_id: int | str | None, refusal: Refusal) -> None:
        """An error frame with a sentence in this person's language."""
        error = refusal.as_json(translator(self.language))
        self.send({"type": "error", "id": message_id, **error})

    def close(self, code: int, reason: str) -> None:
        """End the connection with a close code of the contract."""
        if self.watcher is not None:
            self.watcher.close(code, reason)
        elif not self.transport.is_closing():
            self.transport.write(close_frame(code, reason))
            self.transport.close()
