"""Money: whole minor units (fen, cent) and a currency. No float ever."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

MINOR_DIGITS = {"CNY": 2, "USD": 2, "EUR": 2, "GBP": 2, "HKD": 2, "JPY": 0, "KRW": 0, "TWD": 2, "SGD": 2}
"""Digits after the point by ISO 4217."""

SIGNS = {
    "CNY": "¥",
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "JPY": "¥",
    "KRW": "₩",
    "TWD": "NT$",
    "SGD": "S$",
}

LARGEST_MINOR = 10**15
"""Ten thousand billion yuan: larger numbers are mistakes, and JavaScript still holds this one exactly."""


@dataclass(frozen=True, order=False)
class Money:
    """An amount. ``minor`` counts the smallest unit: Money(19900, "CNY") is 199.00 yuan."""

    minor: int
    currency: str

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __mul__(self, count: int) -> Money:
        return Money(self.minor * count, self.currency)

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")

    @property
    def major(self) -> Decimal:
        return Decimal(self.minor).scaleb(-MINOR_DIGITS[self.currency])

    def __str__(self) -> str:
        """As pages and scripts write it: ¥1,280, but ¥1,280.50."""
        digits = MINOR_DIGITS[self.currency]
        shown = 0 if self.minor % 10**digits == 0 else digits
        return f"{SIGNS[self.currency]}{self.major:,.{shown}f}"


def parse_minor(text: str, currency: str) -> int:
    """Read what a person typed ("199", "1,299.5") as minor units. Raises ValueError."""
    try:
        amount = Decimal(text.replace(",", "").replace("¥", "").replace("￥", "").strip())
    except InvalidOperation:
        raise ValueError("not an amount of money") from None
    minor = amount.scaleb(MINOR_DIGITS[currency])
    if not minor.is_finite() or minor != minor.to_integral_value() or not 0 <= minor <= LARGEST_MINOR:
        raise ValueError("not an amount of money")
    return int(minor)
