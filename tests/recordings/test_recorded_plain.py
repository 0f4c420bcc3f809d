"""What was really sent is read alike whether the readers' short ways are taken or not."""

from collections.abc import Callable

import pytest

from support.plain import SHORT_WAYS, reads_alike
from support.recordings import Record, check_each, records
from support.specimens import codec_of

pytestmark = pytest.mark.recordings
Count = Callable[[str, int], None]


@pytest.fixture(params=list(SHORT_WAYS))
def dialect(request: pytest.FixtureRequest) -> str:
    """Not every dialect has short ways."""
    return str(request.param)


def test_requests_are_read_alike(dialect: str, count: Count) -> None:
    def check(record: Record) -> None:
        assert record.request is not None
        assert reads_alike(dialect, codec_of(dialect).read_request, record.request)

    count("requests read alike", check_each((one for one in records(dialect) if one.request), check))


def test_answers_are_read_alike(dialect: str, count: Count) -> None:
    def check(record: Record) -> None:
        assert reads_alike(dialect, codec_of(dialect).read_reply, record.answer)

    count("answers read alike", check_each((one for one in records(dialect) if one.whole), check))
