"""What is passed through is passed byte for byte, and counted as if it had been read."""

from collections.abc import Callable

import pytest

from isthmus.core.errors import GatewayError
from isthmus.core.events import StreamError, UsageReport
from isthmus.core.fold import fold
from isthmus.core.reply import is_hollow
from isthmus.wire import json
from support.recordings import Record, check_each, records
from support.specimens import codec_of
from support.streams import events_of, pieces_of, tapped

pytestmark = pytest.mark.recordings
Count = Callable[[str, int], None]
SIZES = (1, 7, 64, 1500, 1 << 30)


def test_streams_pass_unchanged_and_are_counted(dialect: str, count: Count) -> None:
    codec = codec_of(dialect)

    def check(record: Record) -> None:
        events = events_of(codec, [record.answer])
        last = events[-1]
        for size in SIZES:
            seen = tapped(codec.tap(False), pieces_of(record.answer, size))
            assert seen.passed == record.answer
            assert seen.started or isinstance(last, StreamError) or all(map(is_hollow, fold(events).candidates))
            if isinstance(last, StreamError):
                assert seen.error == (last.error.kind, last.error.message)
            else:
                assert seen.complete
                assert seen.error is None
                assert seen.usage == fold(events).usage

    count("streams passed", check_each((one for one in records(dialect) if one.streamed), check))


def test_hiding_usage_takes_out_nothing_else(dialect: str, count: Count) -> None:
    """What is said is the same; what is counted is told, if at all, beside what is said."""
    codec = codec_of(dialect)

    def check(record: Record) -> None:
        shown, hidden = ([*pieces_of(record.answer, size)] for size in (1 << 30, 64))
        seen = tapped(codec.tap(True), hidden)
        assert seen._replace(passed=b"") == tapped(codec.tap(False), shown)._replace(passed=b"")
        told, kept = events_of(codec, shown), events_of(codec, [seen.passed])
        if not isinstance(told[-1], StreamError):
            spoken = [event for event in told if not isinstance(event, UsageReport)]
            assert [event for event in kept if not isinstance(event, UsageReport)] == spoken

    count("streams passed with their usage hidden", check_each((o for o in records(dialect) if o.streamed), check))


def test_answers_are_counted_without_reading_them(dialect: str, count: Count) -> None:
    codec = codec_of(dialect)

    def check(record: Record) -> None:
        try:
            usage = codec.read_reply(record.answer).usage
        except GatewayError as error:
            with pytest.raises(GatewayError, match=error.message[:20]):
                codec.tap_reply(record.answer)
        else:
            assert codec.tap_reply(record.answer) == usage

    count("answers counted", check_each((one for one in records(dialect) if one.whole), check))


def test_another_models_name_leaves_the_rest_of_a_request_alone(dialect: str, count: Count) -> None:
    if codec_of(dialect).model_in_path:
        pytest.skip("the model stands in the path")

    def check(record: Record) -> None:
        assert record.request is not None
        before = json.read_fields(record.request)
        after = json.read_fields(json.splice(record.request, {"model": json.raw("another")}))
        assert list(after) == list(before)
        assert {**after, "model": before["model"]} == before

    count("requests given another model", check_each((one for one in records(dialect) if one.request), check))
