"""What is configured of names beside the routes: other names, what comes after what, and who is preferred.

Values only; how a name is understood with them is in names.py.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from isthmus.core.value import Value
from isthmus.routing.plan import Strategy


class Naming(Value, frozen=True, kw_only=True):
    """`aliases` and `fallbacks` lead from a name, which may hold `*`, to the names of others, in their order.

    Of providers that offer one name, those with the lowest number in `priority` are asked first and those without
    one last; equals stand in one tier, in the order of `strategy`. `default` is asked where nobody offers a name.
    By provider, `aliases_at` are further names of models there, and `excluded` names, which may hold `*`, of those
    that are not served.
    """

    aliases: Mapping[str, tuple[str, ...]] = {}
    fallbacks: Mapping[str, tuple[str, ...]] = {}
    priority: Mapping[str, float] = {}
    strategy: Strategy = Strategy.FIRST
    default: str | None = None
    aliases_at: Mapping[str, Mapping[str, str]] = {}
    excluded: Mapping[str, tuple[str, ...]] = {}


def is_pattern(name: str) -> bool:
    """Does the name stand for many?"""
    return "*" in name


def matches(name: str, pattern: str) -> bool:
    """Is this name meant by the pattern, however both are capitalized? Only `*` has a meaning of its own."""
    return fnmatchcase(name.lower(), pattern.lower().replace("[", "[[]").replace("?", "[?]"))


def any_matches(name: str, patterns: Iterable[str]) -> bool:
    """Is this name meant by one of the patterns?"""
    return any(matches(name, pattern) for pattern in patterns)


def closest(name: str, written: Iterable[str]) -> str | None:
    """Of names that may hold `*`, the one for `name`: itself, else the pattern that says the most of it."""
    found = None
    for one in written:
        if one == name:
            return one
        if is_pattern(one) and matches(name, one) and (found is None or _said(one) > _said(found)):
            found = one
    return found


def _said(pattern: str) -> int:
    return len(pattern) - pattern.count("*")
