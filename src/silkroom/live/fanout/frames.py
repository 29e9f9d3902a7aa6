"""Bytes on the wire: WebSocket frames (RFC 6455, server to client) and the JSON around events.

Everything is built once and shared. A server's frame is not masked and, without an extension, looks the same for every
receiver, so one ``bytes`` object serves ten thousand watchers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

TEXT = 0x81
BINARY = 0x82
CLOSE = 0x88
"""First bytes: FIN bit and opcode (RFC 6455, 5.2)."""

LONGEST_REASON = 123
"""A control frame carries 125 bytes, two of them are the close code (RFC 6455, 5.5)."""

OPENING = b'{"type":"events","events":['
CLOSING = b"]}"


def _frame(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65536:
        return bytes((first, 126)) + length.to_bytes(2, "big") + payload
    return bytes((first, 127)) + length.to_bytes(8, "big") + payload


def text_frame(payload: bytes) -> bytes:
    """One whole text message. ``payload`` is UTF-8."""
    return _frame(TEXT, payload)


def binary_frame(payload: bytes) -> bytes:
    """One whole binary message."""
    return _frame(BINARY, payload)


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; ``reason`` is cut to what a control frame can carry, on a character boundary."""
    text = reason.encode()[:LONGEST_REASON].decode(errors="ignore").encode()
    return _frame(CLOSE, code.to_bytes(2, "big") + text)


def encode_event(sequence: int, kind: str, at_ms: int, data: bytes) -> bytes:
    """``{"n":…,"k":…,"at":…,"d":…}``; ``data`` is JSON already and goes in as it is."""
    return b'{"n":%d,"k":"%b","at":%d,"d":%b}' % (sequence, kind.encode("ascii"), at_ms, data)


def _batches(encoded: Iterable[bytes], limit: int) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for one in encoded:
        if batch and size + len(one) > limit:
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += len(one) + 1
    if batch:
        yield batch


def event_frames(encoded: Iterable[bytes], limit: int) -> bytes:
    """Whole frames, one after the other, for events in order. A frame's payload stays near ``limit`` bytes unless one
    event alone is larger: it is part of the room's truth and cannot be left out."""
    return b"".join(text_frame(OPENING + b",".join(batch) + CLOSING) for batch in _batches(encoded, limit))
