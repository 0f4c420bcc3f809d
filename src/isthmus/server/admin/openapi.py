"""Our own management API, described for programs (OpenAPI 3.1): written from the table of its rows."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from isthmus import __version__
from isthmus.server.admin.call import AdminCall, Media, Role, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.admin.refusals import Refused
from isthmus.server.pages import Page
from isthmus.wire import json

Described: TypeAlias = Mapping[str, Any]

_SECURITY: Described = {
    "managementKey": {"type": "apiKey", "in": "header", "name": "X-Management-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
_ABOUT = (
    "Each operation takes a role, told as `x-role`: an owner may do what an operator may, and an operator what a viewer"
    " may. Programs on the gateway's own machine may look without a key, and do everything while no key is configured."
)
_ERROR = "What went wrong, by kind; `Retry-After` says when to come again, where that helps."
_MEDIA: Mapping[str, Described] = {"text/csv": {"type": "string"}, "text/event-stream": {"type": "string"}}
"""What a body is that is no JSON; one of any other type may hold anything."""
_PARAM = re.compile(r"\{(\w+)(?:\.\.\.)?\}")


def row_of(rows: Sequence[Row]) -> Row:
    """The row that describes these, and itself."""

    async def show(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
        return Page(200, json.encode(described((*rows, row))))

    row = Row(
        method="GET",
        path="/admin/openapi.json",
        role=Role.VIEWER,
        handler=show,
        about="This description of the management API, in OpenAPI 3.1.",
        gives=dict[str, object],
    )
    return row


def described(rows: Sequence[Row]) -> Described:
    """The whole document."""
    shapes = [*dict.fromkeys(shape for row in rows for shape in _shapes(row.takes, row.gives)), Refused]
    schemas, components = json.schemas(shapes, "#/components/schemas/{name}")
    known = dict(zip(shapes, schemas, strict=True))
    paths: dict[str, dict[str, Described]] = {}
    for row in rows:
        paths.setdefault(_PARAM.sub(r"{\1}", row.path), {})[row.method.lower()] = _operation(row, known)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Isthmus: management", "version": __version__, "description": _ABOUT},
        "security": [{name: []} for name in _SECURITY] + [{}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": _SECURITY,
            "responses": {
                "Error": {"description": _ERROR, "content": {"application/json": {"schema": known[Refused]}}}
            },
        },
    }


def _operation(row: Row, known: Mapping[object, Described]) -> Described:
    words = _PARAM.sub(r"\1", row.path).strip("/").replace("/", "_").replace(".", "_")
    told: dict[str, Any] = {
        "operationId": f"{row.method.lower()}_{words}",
        "summary": row.about,
        "tags": [row.path.split("/")[2].partition(".")[0]],
        "x-role": row.role.name.lower(),
        "parameters": list(_parameters(row)),
        "responses": {str(row.status): _answer(row, known), "default": {"$ref": "#/components/responses/Error"}},
    }
    if row.takes is not None:
        told["requestBody"] = {"required": not row.may_be_empty, "content": _content(row.takes, known)}
    if row.role is Role.ANYONE:
        told["security"] = []
    return told


def _parameters(row: Row) -> Iterator[Described]:
    for name in _PARAM.findall(row.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    for name, about in row.query.items():
        yield {"name": name, "in": "query", "description": about, "schema": {"type": "string"}}


def _answer(row: Row, known: Mapping[object, Described]) -> Described:
    return {"description": row.about, **({} if row.gives is None else {"content": _content(row.gives, known)})}


def _content(given: object, known: Mapping[object, Described]) -> Described:
    """By media type: a Media is a text of its own, anything else is JSON."""
    return {
        one.type if isinstance(one, Media) else "application/json": {
            "schema": _MEDIA.get(one.type, {}) if isinstance(one, Media) else known[one]
        }
        for one in _several(given)
    }


def _shapes(*given: object) -> Iterator[object]:
    return (one for each in given for one in _several(each) if not isinstance(one, Media))


def _several(given: object) -> Iterable[object]:
    if given is None:
        return ()
    return given if isinstance(given, tuple) else (given,)
