"""Wherever the network cuts a stream, its reader and its tap see the same."""

import pytest

from isthmus.wire.frames import Framing
from support.specimens import DIALECTS, Specimen, codec_of, told, told_in
from support.streams import events_of, frames_of, pieces_of, read_frames, tapped

SIZES = (1, 2, 3, 7, 64)
CUT_EVERYWHERE = ("late_usage", "one_tool_call")
"""Whose streams a tap is given cut at every byte; those of the others are cut at every 17th."""
LINE_ENDS = pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
DIALECT = pytest.mark.parametrize("dialect", DIALECTS)
EACH = pytest.mark.parametrize(("specimen", "dialect"), told(), ids=str)
HIDE = pytest.mark.parametrize("hide", [False, True], ids=["shown", "hidden"])


def stream_in(specimen: Specimen, dialect: str, line_end: bytes) -> bytes:
    """With other ends of lines, where the framing has lines."""
    stream = specimen.file(dialect, "stream")
    return stream if codec_of(dialect).framing is Framing.EVENT_STREAM else stream.replace(b"\n", line_end)


@LINE_ENDS
@EACH
def test_a_stream_cut_at_any_byte_gives_the_same_events(specimen: Specimen, line_end: bytes, dialect: str) -> None:
    """A reader sees frames and nothing else, so that equal frames are equal events: one reading stands for all."""
    stream = stream_in(specimen, dialect, line_end)
    codec = codec_of(dialect)
    whole = frames_of([specimen.file(dialect, "stream")], codec.framing)
    for cut in range(len(stream)):
        assert frames_of((stream[:cut], stream[cut:]), codec.framing) == whole, f"cut at byte {cut}"
    middle = len(stream) // 2
    assert events_of(codec, (stream[:middle], stream[middle:])) == read_frames(codec, whole)


@DIALECT
@LINE_ENDS
def test_reads_of_any_size_give_the_same_events(line_end: bytes, dialect: str) -> None:
    codec = codec_of(dialect)
    for specimen in told_in(dialect):
        stream = stream_in(specimen, dialect, line_end)
        whole = events_of(codec, [stream])
        for size in SIZES:
            assert events_of(codec, pieces_of(stream, size)) == whole, f"{specimen} in reads of {size}"


@DIALECT
@LINE_ENDS
@HIDE
def test_a_tap_sees_the_same_wherever_a_stream_is_cut(line_end: bytes, dialect: str, *, hide: bool) -> None:
    codec = codec_of(dialect)
    for specimen in told_in(dialect):
        stream = stream_in(specimen, dialect, line_end)
        whole = tapped(codec.tap(hide), [stream])
        for cut in range(0, len(stream), 1 if specimen.name in CUT_EVERYWHERE else 17):
            assert tapped(codec.tap(hide), (stream[:cut], stream[cut:])) == whole, f"{specimen} cut at byte {cut}"


@DIALECT
@LINE_ENDS
@HIDE
def test_a_tap_sees_the_same_in_reads_of_any_size(line_end: bytes, dialect: str, *, hide: bool) -> None:
    codec = codec_of(dialect)
    for specimen in told_in(dialect):
        stream = stream_in(specimen, dialect, line_end)
        whole = tapped(codec.tap(hide), [stream])
        for size in SIZES:
            assert tapped(codec.tap(hide), pieces_of(stream, size)) == whole, f"{specimen} in reads of {size}"
