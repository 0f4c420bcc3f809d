"""The reference of our management API, written from its table: `python -m isthmus.server.admin.reference`."""

import sys
from collections.abc import Sequence

from isthmus.server.admin.call import Row
from isthmus.server.admin.routes import ADMIN

OPENING = """\
# Management API reference

Written from the table of routes in `isthmus.server.admin`; do not edit. The guide is [admin.md](../guide/admin.md). The
gateway itself serves the same, with the shape of every body, as `GET /admin/openapi.json`.

The role is the least that may ask: an owner may do what an operator may, and an operator what a viewer may. What is
marked is kept in the audit log, refused attempts too. A name that ends in `...` may hold slashes. Every error is
`{"error": {"type": ..., "message": ..., "code": ...}}`.

| method | path | role | audited | what |
| --- | --- | --- | --- | --- |
"""
QUERY = """
## What may be asked in the query

| path | field | meaning |
| --- | --- | --- |
"""


def write_reference(rows: Sequence[Row] = ADMIN.rows) -> str:
    """The whole page, in Markdown."""
    ordered = sorted(rows, key=lambda row: row.path)
    return OPENING + "".join(map(_row, ordered)) + QUERY + "".join(map(_query, ordered))


def _row(row: Row) -> str:
    mark = "yes" if row.audited else ""
    return f"| {row.method} | `{row.path}` | {row.role.name.lower()} | {mark} | {row.about} |\n"


def _query(row: Row) -> str:
    return "".join(f"| `{row.path}` | `{name}` | {about} |\n" for name, about in row.query.items())


if __name__ == "__main__":
    sys.stdout.write(write_reference())
