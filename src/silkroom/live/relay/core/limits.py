"""Bounds on what a sender may send: a bucket of bytes and one of messages."""

from __future__ import annotations

from dataclasses import dataclass

MAX_TEXT = 16 * 1024
"""Longest JSON message: a config with its parameter sets takes about 400 bytes."""

BYTES_PER_SECOND = 1_500_000
"""12 Mbit/s: 1080p at a rate that no browser asks for."""
BYTES_BURST = 6_000_000
"""A phone that comes out of a tunnel sends what it had gathered, at most a few seconds."""
MESSAGES_PER_SECOND = 400
"""60 pictures, 100 pieces of sound, and room."""
MESSAGES_BURST = 2_000
CONFIGS_PER_MINUTE = 60


@dataclass(slots=True)
class Bucket:
    """Token bucket; ``take`` says whether so much may pass now."""

    per_second: float
    burst: float
    level: float = -1.0
    last_us: int = 0

    def take(self, amount: float, now_us: int) -> bool:
        if self.level < 0:
            self.level = self.burst
        elif now_us > self.last_us:
            self.level = min(self.burst, self.level + (now_us - self.last_us) * self.per_second / 1_000_000)
        self.last_us = max(now_us, self.last_us)
        if amount > self.level:
            return False
        self.level -= amount
        return True
