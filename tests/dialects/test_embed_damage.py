"""However what is asked or answered beside conversations is damaged, it is read or refused with a known error."""

import random
from collections.abc import Callable

import pytest

from isthmus.core.embedding import EmbedReply, EmbedRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import UNKNOWN
from isthmus.core.usage import Usage
from isthmus.dialects.table import COUNT_CODECS, EMBED_CODECS
from support.mutations import damaged
from support.specimens import specimens

TIMES = 150
ASKED = EmbedRequest(model="m-1", inputs=("the sea",), single=True)
TOLD = EmbedReply(model="m-1", vectors=((0.5, -0.25),), usage=Usage(fresh_input=3))


def kinds_of(read: Callable[[bytes], object], body: bytes, name: str) -> set[Kind]:
    """What is raised for damaged forms of `body`."""
    found = set()
    for bad in damaged(body, random.Random(name), TIMES):
        try:
            read(bad)
        except GatewayError as error:
            found.add(error.kind)
    return found


@pytest.mark.parametrize("dialect", EMBED_CODECS)
def test_a_damaged_request_for_embeddings_is_read_or_refused(dialect: str) -> None:
    codec = EMBED_CODECS[dialect]
    body = codec.write_request(ASKED, UNKNOWN, Losses())
    refused = {Kind.INVALID, Kind.UNSUPPORTED}
    assert kinds_of(codec.read_request, body, dialect) <= refused
    assert kinds_of(codec.peek, body, dialect) <= refused


@pytest.mark.parametrize("dialect", EMBED_CODECS)
def test_a_damaged_answer_of_embeddings_is_read_or_garbled(dialect: str) -> None:
    codec = EMBED_CODECS[dialect]
    body = codec.write_reply(TOLD, ASKED, Losses())
    assert Kind.GARBLED in kinds_of(codec.read_reply, body, dialect)
    if codec.tap_reply is not None:
        kinds_of(codec.tap_reply, body, dialect)


@pytest.mark.parametrize("dialect", COUNT_CODECS)
def test_a_damaged_count_is_read_or_refused(dialect: str) -> None:
    codec = COUNT_CODECS[dialect]
    (specimen,) = (one for one in specimens() if one.name == "one_tool_call")
    body = codec.write_request(specimen.request, UNKNOWN, Losses())
    assert kinds_of(codec.read_request, body, dialect) <= {Kind.INVALID, Kind.UNSUPPORTED}
    assert kinds_of(codec.read_reply, codec.write_reply(7), dialect) <= {Kind.GARBLED}
