"""Whatever providers and clients really sent is read, and obeys the grammar where it is a stream."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import StreamError
from isthmus.core.grammar import Checker
from support.recordings import Record, check_each, records
from support.specimens import codec_of
from support.streams import events_of

pytestmark = pytest.mark.recordings
_T = TypeVar("_T")
Count = Callable[[str, int], None]
BROKEN = frozenset({"error_in_stream"})
SENSIBLE: Mapping[int, frozenset[Kind]] = {
    400: frozenset({Kind.INVALID, Kind.CONTEXT_EXCEEDED, Kind.UNSUPPORTED, Kind.REFUSED, Kind.UNKNOWN_MODEL}),
    401: frozenset({Kind.CREDENTIAL_REJECTED}),
    403: frozenset({Kind.CREDENTIAL_REJECTED}),
    404: frozenset({Kind.UNKNOWN_MODEL}),
    429: frozenset({Kind.UPSTREAM_LIMITED, Kind.QUOTA_SPENT}),
}
"""What each status that was recorded may mean."""


def told(read: Callable[[bytes], _T], body: bytes) -> _T | GatewayError:
    """What is read, or the error that is raised."""
    try:
        return read(body)
    except GatewayError as error:
        return error


def test_requests_are_read(dialect: str, count: Count) -> None:
    """All but those that the provider refused too."""
    codec = codec_of(dialect)

    def check(record: Record) -> None:
        assert record.request is not None
        read = told(codec.read_request, record.request)
        if isinstance(read, GatewayError):
            assert (read.kind, record.status) == (Kind.INVALID, 400)
            return
        peek = codec.peek(record.request)
        assert (peek.model, peek.stream) == (read.model, read.stream)

    count("requests read", check_each((one for one in records(dialect) if one.request), check))


def test_answers_are_read(dialect: str, count: Count) -> None:
    """The one that tells an error under a good status raises that error."""
    codec = codec_of(dialect)

    def check(record: Record) -> None:
        read = told(codec.read_reply, record.answer)
        assert isinstance(read, GatewayError) == ("error_in_200" in record.features)
        assert read.kind is Kind.REFUSED if isinstance(read, GatewayError) else read.candidates

    count("answers read", check_each((one for one in records(dialect) if one.whole), check))


def test_streams_are_read_and_obey_the_grammar(dialect: str, count: Count) -> None:
    """A stream breaks exactly where the provider told an error in it.

    Those that were recorded without their end mark had all told a reason to stop, and are whole.
    """
    codec = codec_of(dialect)

    def check(record: Record) -> None:
        events, checker = events_of(codec, [record.answer]), Checker()
        for event in events:
            checker.check(event)
        checker.end()
        assert isinstance(events[-1], StreamError) == bool(BROKEN & record.features)

    count("streams read", check_each((one for one in records(dialect) if one.streamed), check))


def test_refusals_are_of_a_sensible_kind(dialect: str, count: Count) -> None:
    codec = codec_of(dialect)

    def check(record: Record) -> None:
        error = codec.read_error(record.status, record.headers, record.answer)
        assert error.kind in SENSIBLE[record.status]
        assert error.message in record.answer.decode().replace('\\"', '"').replace("\\n", "\n")

    count("refusals read", check_each((one for one in records(dialect) if one.status != 200), check))
