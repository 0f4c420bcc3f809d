"""From one text of the file to a value, and what such a text must look like, in words.

Raises ValueError with words that never repeat the text: it may be a key in the wrong place.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from isthmus.config.about import GIB, KIB, MIB, About, Unit
from isthmus.core.secret import Secret

PLAIN = About("")
_INTEGER = re.compile(r"(?P<number>-?(0|[1-9][0-9]{0,17}))\s*(?P<unit>[A-Za-z]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?")
_SIZES: Mapping[str, int] = MappingProxyType({"b": 1, "kib": KIB, "mib": MIB, "gib": GIB})
_FLAGS: Mapping[str, str] = MappingProxyType({"yes": "true", "on": "true", "no": "false", "off": "false"})


def read_scalar(text: str, kind: type, about: About | None) -> object:
    """The value of the type `kind` that the text says. Raises ValueError."""
    about = about or PLAIN
    if issubclass(kind, StrEnum):
        return _choice(text, kind)
    return _READERS[kind](text, about)


def expected(kind: type, about: About | None) -> str:
    """What a value of this type looks like: "a whole number from 1 to 50"."""
    about = about or PLAIN
    if issubclass(kind, StrEnum):
        return f"one of {', '.join(kind)}"
    return _NAMES[kind, about.unit] + _bounds(about)


def write_number(number: float, unit: Unit = Unit.NONE) -> str:
    """A number as the file would have it: 67108864 bytes are 64MiB."""
    if unit is Unit.BYTES:
        for name, scale in (("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
            if number and number % scale == 0:
                return f"{int(number // scale)}{name}"
    if unit is Unit.SHARE:
        return f"{number * 100:g}%"
    return str(int(number)) if number == int(number) else str(number)


def _bounds(about: About) -> str:
    if about.least is None or about.most is None:
        return ""
    comma = "," if about.unit is Unit.BYTES else ""
    return f"{comma} from {write_number(about.least, about.unit)} to {write_number(about.most, about.unit)}"


def _choice(text: str, kind: type[StrEnum]) -> StrEnum:
    lower = text.lower()
    for said in (lower, lower.replace("-", "_"), _FLAGS.get(lower)):
        if said in list(kind):
            return kind(said)
    raise ValueError(f"must be {expected(kind, None)}")


def _text(text: str, about: About) -> str:  # noqa: ARG001  one of _READERS
    if not text.isprintable():
        raise ValueError("holds a line break or another character that cannot be printed")
    return text


def _secret(text: str, about: About) -> Secret:
    return Secret(_text(text, about))


def _flag(text: str, about: About) -> bool:  # noqa: ARG001  one of _READERS
    said = _FLAGS.get(text.lower(), text.lower())
    if said not in ("true", "false"):
        raise ValueError("must be true or false")
    return said == "true"


def _integer(text: str, about: About) -> int:
    match = _INTEGER.fullmatch(text)
    scale = _scale(match["unit"], about) if match else None
    if match is None or scale is None:
        raise ValueError(f"must be {expected(int, about)}")
    number = int(match["number"]) * scale
    _check_bounds(number, int, about)
    return number


def _scale(unit: str, about: About) -> int | None:
    if not unit:
        return 1
    return _SIZES.get(unit.lower()) if about.unit is Unit.BYTES else None


def _number(text: str, about: About) -> float:
    digits = text.removesuffix("%") if about.unit is Unit.SHARE else text
    if not _NUMBER.fullmatch(digits):
        raise ValueError(f"must be {expected(float, about)}")
    number = float(digits) if digits == text else float(digits) / 100
    _check_bounds(number, float, about)
    return number


def _amount(text: str, about: About) -> Decimal:
    """Exactly what is written."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"must be {expected(Decimal, about)}")
    number = Decimal(text)
    _check_bounds(float(number), Decimal, about)
    return number


def _date(text: str, about: About) -> date:  # noqa: ARG001  one of _READERS
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"must be {expected(date, None)}") from error


def _check_bounds(number: float, kind: type, about: About) -> None:
    if (about.least is not None and number < about.least) or (about.most is not None and number > about.most):
        raise ValueError(f"must be {expected(kind, about)}")


_READERS: Mapping[type, Callable[[str, About], object]] = {
    str: _text,
    Secret: _secret,
    bool: _flag,
    int: _integer,
    float: _number,
    Decimal: _amount,
    date: _date,
}
_NAMES: Mapping[tuple[type, Unit], str] = {
    (str, Unit.NONE): "text",
    (Secret, Unit.NONE): "text",
    (bool, Unit.NONE): "true or false",
    (int, Unit.NONE): "a whole number",
    (int, Unit.BYTES): "a size such as 512KiB or 64MiB",
    (float, Unit.NONE): "a number",
    (float, Unit.SHARE): "a share such as 10% or 0.1,",
    (float, Unit.SECONDS): "a number of seconds",
    (Decimal, Unit.DOLLARS): "an amount of US dollars",
    (date, Unit.NONE): "a date such as 2026-01-31",
}
