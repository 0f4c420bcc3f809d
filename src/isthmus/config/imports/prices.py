"""Prices of other systems as ours: US dollars for a million tokens."""

from decimal import Decimal


def per_million(cost: float, times: int) -> str:
    """What a million cost where `times` fewer cost so much. Exact, as far as the number was written."""
    exact = f"{Decimal(repr(cost)) * times:f}"
    return exact.rstrip("0").rstrip(".") if "." in exact else exact
