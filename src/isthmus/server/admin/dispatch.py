"""Which row of which management API a method and a path mean. Built once from the tables of all of them."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from isthmus.server.admin.call import Facade, Row

LONGEST = 2048
"""Characters of a path that are looked at; nothing is served at a longer one."""
_PART = re.compile(r"\{(\w+)(\.\.\.)?\}")


class Found(NamedTuple):
    """`row` is None where the path is the facade's and nothing is served there, for this method or at all.

    `methods` are those that the path takes.
    """

    facade: Facade
    row: Row | None
    params: Mapping[str, str] = {}
    methods: tuple[str, ...] = ()


Methods = dict[str, tuple[Facade, Row]]


class Rows:
    """All rows by path. Raises ValueError for two that mean the same."""

    def __init__(self, facades: Sequence[Facade]) -> None:
        self._exact: dict[str, Methods] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], Methods]] = {}
        within = sorted((facade for facade in facades if facade.realm), key=lambda one: len(one.realm), reverse=True)
        self._realms = [(facade.realm, facade) for facade in within]
        for facade in facades:
            for row in facade.rows:
                self._add(facade, row)

    def find(self, method: str, path: str) -> Found | None:
        """None for a path of nobody's. A slash at the end is not meant, and HEAD is asked as GET."""
        if len(path) > LONGEST:
            return None
        methods, params = self._at(path)
        if not methods and path.endswith("/"):
            methods, params = self._at(path[:-1])
        hit = methods.get("GET" if method == "HEAD" and "HEAD" not in methods else method)
        if hit is not None:
            return Found(hit[0], hit[1], params)
        facade = next((facade for facade, _ in methods.values()), None) or self._whose(path)
        return None if facade is None else Found(facade, None, methods=tuple(methods))

    def _at(self, path: str) -> tuple[Methods, Mapping[str, str]]:
        if (exact := self._exact.get(path)) is not None:
            return exact, {}
        for pattern, methods in self._patterns.values():
            if (match := pattern.fullmatch(path)) is not None:
                return methods, match.groupdict()
        return {}, {}

    def _whose(self, path: str) -> Facade | None:
        return next((facade for realm, facade in self._realms if path.startswith(realm)), None)

    def _add(self, facade: Facade, row: Row) -> None:
        if "{" not in row.path:
            methods = self._exact.setdefault(row.path, {})
        else:
            pattern = _pattern(row.path)
            _, methods = self._patterns.setdefault(pattern.pattern, (pattern, {}))
        if row.method in methods:
            raise ValueError(f"{row.method} {row.path} is served twice")
        methods[row.method] = facade, row


def _pattern(template: str) -> re.Pattern[str]:
    """`{name}` matches one part of the path, `{name...}` all that is left of it."""
    parts, end = [], 0
    for mark in _PART.finditer(template):
        parts.append(re.escape(template[end : mark.start()]))
        parts.append(f"(?P<{mark[1]}>{'.+' if mark[2] else '[^/]+'})")
        end = mark.end()
    return re.compile("".join((*parts, re.escape(template[end:]))), re.DOTALL)
