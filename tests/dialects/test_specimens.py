"""One conversation, many tongues: each dialect reads a specimen into the same values, and any becomes any other."""

from collections.abc import Callable

import pytest

from isthmus.core.fold import fold, unfold
from isthmus.wire import json
from support.specimens import (
    DIALECTS,
    FOLDER,
    WHATS,
    Specimen,
    Way,
    bare,
    codec_of,
    dated,
    ending,
    specimens,
    spoken,
    undated,
    ways,
    ways_of,
)
from support.streams import events_of
from support.tongues import TONGUES

EACH = pytest.mark.parametrize(
    ("specimen", "dialect"), [(one, dialect) for one in specimens() for dialect in one.dialects], ids=str
)
SPECIMEN = pytest.mark.parametrize("specimen", specimens(), ids=str)
"""A test for each of them, which looks at all its ways: one for each way would be fourteen thousand."""


def check_each_way(specimen: Specimen, whats: tuple[str, ...], check: Callable[[Way], None]) -> None:
    """Run `check` on every way of these; fail once, naming every way that failed."""
    failures = []
    for way in ways_of(specimen):
        if way.what in whats:
            try:
                check(way)
            except AssertionError as error:
                failures.append(f"{way}: {error}")
    assert not failures, "\n".join(failures)


@EACH
def test_a_request_reads_into_the_truth(specimen: Specimen, dialect: str) -> None:
    read = codec_of(dialect).read_request(specimen.file(dialect, "request"))
    assert bare(read) == bare(specimen.request_in(dialect))


@EACH
def test_an_answer_reads_into_the_truth(specimen: Specimen, dialect: str) -> None:
    read = codec_of(dialect).read_reply(specimen.file(dialect, "reply"))
    assert undated(bare(read)) == undated(bare(specimen.reply_in(dialect)))


@EACH
def test_a_stream_folds_into_the_same_answer(specimen: Specimen, dialect: str) -> None:
    events = events_of(codec_of(dialect), [specimen.file(dialect, "stream")])
    assert undated(bare(fold(events))) == undated(bare(specimen.reply_in(dialect)))


@EACH
def test_the_time_of_an_answer_is_told_where_the_dialect_tells_it(specimen: Specimen, dialect: str) -> None:
    read = codec_of(dialect).read_reply(specimen.file(dialect, "reply"))
    assert read.created == (specimen.reply.created if TONGUES[dialect].dated else None)


@SPECIMEN
def test_any_tongue_becomes_any_other(specimen: Specimen) -> None:
    def check(way: Way) -> None:
        written = specimen.write(way)
        assert json.decode(written.body) == json.decode(specimen.golden(way))
        assert written.losses == specimen.losses(way)

    check_each_way(specimen, ("request", "reply"), check)


@SPECIMEN
def test_any_stream_becomes_any_other(specimen: Specimen) -> None:
    def check(way: Way) -> None:
        written = specimen.write(way)
        assert not way.golden or written.body == specimen.golden(way)
        assert written.losses == specimen.losses(way)

    check_each_way(specimen, ("stream",), check)


@SPECIMEN
def test_a_translated_stream_says_what_the_translated_answer_says(specimen: Specimen) -> None:
    """But for the empty text that Anthropic's writer puts into a stream without any block; see empty_answer."""

    def check(way: Way) -> None:
        codec = codec_of(way.target)
        answer = codec.read_reply(specimen.write(way._replace(what="reply")).body)
        streamed = fold(events_of(codec, [specimen.write(way).body]))
        assert spoken(bare(dated(streamed))) == spoken(bare(dated(answer)))

    check_each_way(specimen, ("stream",), check)


@SPECIMEN
def test_an_answer_told_as_a_stream_and_folded_again_is_itself(specimen: Specimen) -> None:
    assert fold(unfold(specimen.reply)) == specimen.reply


def test_writing_twice_gives_the_same_bytes() -> None:
    for specimen, way in ways():
        assert specimen.write(way) == specimen.write(way)


def test_every_folder_is_a_whole_specimen() -> None:
    names = {"about.md", "core.py", "losses.toml"}
    columns = {f"{dialect}.{end}" for dialect in DIALECTS for end in ("core.py", "losses.toml")}
    for folder in FOLDER.iterdir():
        found = {path.name for path in folder.iterdir() if path.is_file()}
        spoken = [dialect for dialect in DIALECTS if f"{dialect}.request.json" in found]
        told = {f"{dialect}.{what}.{ending(dialect, what)}" for dialect in spoken for what in WHATS}
        assert names | told <= found, folder.name
        others = {name for name in found - names - told - columns if name.split(".")[0] in DIALECTS}
        assert all(".from_" in name for name in others), folder.name
        assert len((folder / "about.md").read_text().splitlines()) == 2, folder.name


def test_every_expected_loss_belongs_to_some_way() -> None:
    for specimen in specimens():
        told = {one for way in ways_of(specimen) for one in specimen.losses(way)}
        assert told == specimen.expected(), specimen.name


def test_no_golden_file_repeats_the_file_that_it_stands_beside() -> None:
    for specimen, way in ways():
        special = specimen.golden_path(way)
        if special.exists() and way.what != "stream":
            assert json.decode(special.read_bytes()) != json.decode(specimen.file(way.target, way.what)), special
