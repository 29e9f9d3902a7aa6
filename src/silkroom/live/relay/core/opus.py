"""Opus as far as a relay must understand it: the length of a packet (RFC 6716 3.1), the OpusHead (RFC 7845 5.1)."""

from __future__ import annotations

import struct

OPUS_RATE = 48_000
"""Opus always counts in 48 kHz, whatever went in."""

DEFAULT_PRE_SKIP = 312

_SILK_MS = (10_000, 20_000, 40_000, 60_000)
_HYBRID_MS = (10_000, 20_000)
_CELT_MS = (2_500, 5_000, 10_000, 20_000)


def opus_duration_us(packet: bytes) -> int:
    """Length of a packet in microseconds, from its table-of-contents byte; 0 when it cannot be told."""
    if not packet:
        return 0
    mode = packet[0] >> 3
    if mode < 12:
        frame = _SILK_MS[mode & 3]
    elif mode < 16:
        frame = _HYBRID_MS[mode & 1]
    else:
        frame = _CELT_MS[mode & 3]
    code = packet[0] & 3
    if code < 3:
        return frame * (1, 2, 2)[code]
    if len(packet) < 2:
        return 0
    total = frame * (packet[1] & 0x3F)
    return total if total <= 120_000 else 0


def opus_head(channels: int, rate: int) -> bytes:
    """An OpusHead for mono or stereo, as decoders want it where the sender gave none."""
    return b"OpusHead" + struct.pack("<BBHIhB", 1, channels, DEFAULT_PRE_SKIP, rate, 0, 0)


def pre_skip(description: bytes) -> int:
    """Samples to throw away at the start, from an OpusHead."""
    if description.startswith(b"OpusHead") and len(description) >= 12:
        return int.from_bytes(description[10:12], "little")
    return DEFAULT_PRE_SKIP
