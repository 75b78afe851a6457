"""Numbers as the page writes them: commas between thousands, units that stay on the line."""

from collections.abc import Sequence

__all__ = ["JOIN", "MISSING", "count", "decimal", "difference", "join", "percent", "quantity"]

#: Space that keeps a number and its unit on one line.
JOIN = "\N{NO-BREAK SPACE}"
#: What stands where there is no number: never 0.
MISSING = "\N{EN DASH}"


def count(value: float | None) -> str:
    """A count, which may end in a half: ``5,796``, ``49.5``."""
    if value is None:
        return MISSING
    return f"{value:,.1f}" if value % 1 else f"{int(value):,}"


def decimal(value: float | None, digits: int = 3) -> str:
    """A number of so many decimals."""
    return MISSING if value is None else f"{value:,.{digits}f}"


def difference(value: float | None) -> str:
    """A difference in percent, with its sign."""
    if value is None:
        return MISSING
    sign = "\N{MINUS SIGN}" if value < 0 else "+"
    return sign + percent(abs(value), 1)


def percent(value: float | None, digits: int = 2) -> str:
    """A share that is in percent already."""
    return MISSING if value is None else f"{value:,.{digits}f}{JOIN}%"


def quantity(value: float | None, unit: str, digits: int | None = None) -> str:
    """A number and its unit: ``250 MHz``; ``digits`` is None for a count."""
    if value is None:
        return MISSING
    return (count(value) if digits is None else decimal(value, digits)) + JOIN + unit


def join(words: Sequence[str], most: int = 6) -> str:
    """An enumeration: ``a, b and c``; of more than ``most`` words the first ones and a number."""
    if len(words) > most:
        words = [*words[: most - 1], f"{count(len(words) - most + 1)} more"]
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
