"""Pure decisions of the ledger."""

from __future__ import annotations

from collections.abc import Sequence

LARGEST_QUANTITY = 10**12
"""A million kilometres of thread in millimetres; larger numbers are mistakes."""

LotPieces = tuple[int | None, int]
"""(lot or None, pieces)."""


def spread_over_lots(wants: Sequence[int], lots: Sequence[LotPieces]) -> list[list[LotPieces]]:
    """For each of ``wants``, in turn, from which lots its pieces come; the lot to be used first stands first.

    Raises ValueError when the lots hold less than is wanted.
    """
    left = list(lots)
    answers = []
    for wanted in wants:
        parts: list[LotPieces] = []
        while wanted > 0:
            if not left:
                raise ValueError(f"{wanted} pieces lie in no lot")
            lot, pieces = left[0]
            part = min(pieces, wanted)
            if part > 0:
                parts.append((lot, part))
            wanted -= part
            if part == pieces:
                left.pop(0)
            else:
                left[0] = (lot, pieces - part)
        answers.append(parts)
    return answers


def choose_place(quantity: int, free_by_place: Sequence[tuple[int, int]], preferred: int | None = None) -> int | None:
    """The place that a line's pieces come from: the preferred one if it has enough, else the first that does.

    ``free_by_place``: [(place, free pieces)], the place to be emptied first stands first. None: no place has enough.
    """
    fitting = [place for place, free in free_by_place if free >= quantity]
    if preferred in fitting:
        return preferred
    return fitting[0] if fitting else None


def undo_of(source: str) -> str:
    """What movements that take back those of ``source`` name as their own."""
    return f"undo:{source}"
