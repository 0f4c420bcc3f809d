"""Files about exchanges that failed are listed and read by operators, and nothing else is read by their names."""

from collections.abc import Sequence

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.logs import Dump
from isthmus.telemetry.dumps import DumpFolder
from isthmus.wire import json
from support.administering import Managed

NAME = "20231114T221321.250-ex_0001.json"


class Folder:
    """Implements the engine's Dumps, with one file."""

    def names(self) -> Sequence[Dump]:
        return (Dump(name=NAME, at=1.0, bytes=2),)

    def read(self, name: str) -> bytes:
        if name != NAME:
            raise GatewayError(Kind.UNKNOWN_PATH, "none of this name")
        return b"{}"


def managed(folder: Folder | DumpFolder | None) -> Managed:
    return Managed().at_desk(dumps=folder)


async def test_dumps_are_listed_and_read() -> None:
    gateway = managed(Folder())
    listed = json.decode((await gateway.ask("GET", "/admin/dumps")).body)
    assert listed == {"dumps": [{"name": NAME, "at": 1.0, "bytes": 2}]}
    assert (await gateway.ask("GET", f"/admin/dumps/{NAME}")).body == b"{}"


async def test_where_none_are_written_it_is_said_how_they_would_be() -> None:
    visit = await managed(None).ask("GET", "/admin/dumps")
    assert visit.status == 501
    assert b"log.dumps: true" in visit.body


@pytest.mark.parametrize("name", ["other.json", "..", "../isthmus.db", "%2e%2e", "a/b"])
async def test_what_is_no_dump_is_not_found(name: str) -> None:
    assert (await managed(Folder()).ask("GET", f"/admin/dumps/{name}")).status == 404
