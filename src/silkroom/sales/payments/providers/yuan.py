"""Amounts as Chinese providers write them: yuan with two digits."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation


def to_yuan(minor: int) -> str:
    """39800 -> "398.00"."""
    return f"{minor // 100}.{minor % 100:02d}"


def to_fen(text: str) -> int:
    """ "398.00" or "398" -> 39800. Raises ValueError, also for a part of a fen."""
    try:
        fen = Decimal(text.strip()).scaleb(2)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not an amount") from None
    if not fen.is_finite() or fen != fen.to_integral_value():
        raise ValueError(f"{text!r} is not an amount")
    return int(fen)
