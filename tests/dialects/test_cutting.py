"""Wherever the network cuts a stream, its reader and its tap see the same."""

import pytest

from support.specimens import DIALECTS, Specimen, codec_of, specimens
from support.streams import events_of, frames_of, pieces_of, read_frames, tapped

SIZES = (1, 2, 3, 7, 64)
CUT_EVERYWHERE = ("late_usage", "one_tool_call")
"""Whose streams a tap is given cut at every byte; those of the others are cut at every 17th."""
LINE_ENDS = pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
DIALECT = pytest.mark.parametrize("dialect", DIALECTS)
SPECIMEN = pytest.mark.parametrize("specimen", specimens(), ids=str)
HIDE = pytest.mark.parametrize("hide", [False, True], ids=["shown", "hidden"])


def stream_in(specimen: Specimen, dialect: str, line_end: bytes) -> bytes:
    return specimen.file(dialect, "stream").replace(b"\n", line_end)


@DIALECT
@LINE_ENDS
@SPECIMEN
def test_a_stream_cut_at_any_byte_gives_the_same_events(specimen: Specimen, line_end: bytes, dialect: str) -> None:
    """A reader sees frames and nothing else, so that equal frames are equal events: one reading stands for all."""
    stream = stream_in(specimen, dialect, line_end)
    whole = frames_of([specimen.file(dialect, "stream")])
    for cut in range(len(stream)):
        assert frames_of((stream[:cut], stream[cut:])) == whole, f"cut at byte {cut}"
    codec, middle = codec_of(dialect), len(stream) // 2
    assert events_of(codec, (stream[:middle], stream[middle:])) == read_frames(codec, whole)


@DIALECT
@LINE_ENDS
def test_reads_of_any_size_give_the_same_events(line_end: bytes, dialect: str) -> None:
    codec = codec_of(dialect)
    for specimen in specimens():
        stream = stream_in(specimen, dialect, line_end)
        whole = events_of(codec, [stream])
        for size in SIZES:
            assert events_of(codec, pieces_of(stream, size)) == whole, f"{specimen} in reads of {size}"


@DIALECT
@LINE_ENDS
@HIDE
def test_a_tap_sees_the_same_wherever_a_stream_is_cut(line_end: bytes, dialect: str, *, hide: bool) -> None:
    codec = codec_of(dialect)
    for specimen in specimens():
        stream = stream_in(specimen, dialect, line_end)
        whole = tapped(codec.tap(hide), [stream])
        for cut in range(0, len(stream), 1 if specimen.name in CUT_EVERYWHERE else 17):
            assert tapped(codec.tap(hide), (stream[:cut], stream[cut:])) == whole, f"{specimen} cut at byte {cut}"


@DIALECT
@LINE_ENDS
@HIDE
def test_a_tap_sees_the_same_in_reads_of_any_size(line_end: bytes, dialect: str, *, hide: bool) -> None:
    codec = codec_of(dialect)
    for specimen in specimens():
        stream = stream_in(specimen, dialect, line_end)
        whole = tapped(codec.tap(hide), [stream])
        for size in SIZES:
            assert tapped(codec.tap(hide), pieces_of(stream, size)) == whole, f"{specimen} in reads of {size}"
