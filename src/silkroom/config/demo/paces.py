"""How fast the demo's evening goes: seconds between things, most as (shortest, longest)."""

from __future__ import annotations

from dataclasses import dataclass

Span = tuple[float, float]


@dataclass(frozen=True)
class Paces:
    """Those of a quiet evening with forty viewers."""

    spotlight: float = 40.0
    first_deal: float = 20.0
    deal: float = 100.0
    deal_after_spotlight: float = 8.0
    hands_off: float = 90.0
    """So long the host leaves the spotlight to somebody else who moved it."""
    answer: Span = (7.0, 13.0)
    chat: Span = (16.0, 26.0)
    tick: float = 0.5
    arrival: Span = (0.2, 2.2)
    comment: Span = (2.0, 4.0)
    question: Span = (8.0, 16.0)
    order: Span = (5.0, 8.0)
    thinking: Span = (3.0, 12.0)
    """Between a held order and its payment."""
    like: Span = (1.0, 3.0)
    walk: Span = (10.0, 20.0)
    away: Span = (15.0, 60.0)
