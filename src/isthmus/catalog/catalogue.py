"""One catalogue: a dated collection of facts about models, packed into a file and taken out again.

The file is gzipped JSON: an object with `format` (this description's number), `source` and `version` (the package that
the facts were read from), `date` (the day on which it was read), `notice` (that package's licence), and `models`:
facts as core/facts.py spells them, by kind of provider and by the name that this provider gives the model. Prices are
those of a host's usual region, in US dollars for a million tokens, as exact decimal texts.

Rows stay as they arrived until one is asked for, so that an open catalogue takes little more memory than its text.
Refuses what is no such file. Reads no file itself: it is given the bytes.
"""

import zlib
from collections.abc import Iterator, Mapping
from datetime import date

from msgspec import Raw

from isthmus.catalog.spellings import ALSO, MAKERS, spellings, stem
from isthmus.core.facts import ModelFacts
from isthmus.core.value import Value
from isthmus.wire import json

FORMAT = 1
LARGEST = 64 * 1024 * 1024
"""Bytes of an unpacked catalogue."""
_GZIP = 31
"""To zlib: the gzip format, which it writes without a time."""


class NotACatalogue(Exception):
    """The bytes are no catalogue, or one that this version cannot read. Says why."""


class Edition(Value, frozen=True):
    """Where a catalogue's facts come from. `date` is the day on which `source` was read."""

    source: str
    version: str
    date: date
    notice: str


class Match(Value, frozen=True):
    """What the catalogue has about one model at one kind of provider.

    The row stands under `kind` and `name`. `exact` is False where only a dated or undated sibling is known, or the
    model at its maker; then a price that may not hold is left out.
    """

    kind: str
    name: str
    facts: ModelFacts
    exact: bool = True


class _File(Value, frozen=True):
    format: int
    source: str
    version: str
    date: date
    notice: str
    models: Mapping[str, Mapping[str, Raw]]


_decode_file = json.decoder(_File)
_decode_facts = json.decoder(ModelFacts)


def pack(edition: Edition, models: Mapping[str, Mapping[str, ModelFacts]]) -> bytes:
    """The file. The same facts give the same bytes."""
    rows = {kind: {name: json.raw(models[kind][name]) for name in sorted(models[kind])} for kind in sorted(models)}
    file = _File(FORMAT, edition.source, edition.version, edition.date, edition.notice, rows)
    gzip = zlib.compressobj(level=9, wbits=_GZIP)
    return gzip.compress(json.encode(file)) + gzip.flush()


class Catalogue:
    """A catalogue that was opened."""

    __slots__ = ("_models", "_stems", "edition")

    def __init__(self, packed: bytes) -> None:
        """Raises NotACatalogue."""
        try:
            file = _decode_file(_unpacked(packed))
        except json.DECODE_ERRORS as error:
            raise NotACatalogue(f"it is not a catalogue of models: {error}") from error
        if file.format != FORMAT:
            raise NotACatalogue(f"it is of format {file.format}; this version reads format {FORMAT}")
        self.edition = Edition(file.source, file.version, file.date, file.notice)
        self._models = file.models
        self._stems: dict[str, dict[str, str]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._models.values()))

    def names(self, kind: str) -> Iterator[str]:
        """The models known at a kind of provider."""
        return iter(self._models.get(kind, ()))

    def kinds(self) -> Iterator[str]:
        return iter(self._models)

    def facts(self, kind: str, name: str) -> ModelFacts | None:
        """The row of exactly this name. One that says what this version has no words for is as good as none."""
        row = self._models.get(kind, {}).get(name)
        try:
            return None if row is None else _decode_facts(row)
        except json.DECODE_ERRORS:
            return None

    def find(self, kind: str, model: str) -> Match | None:
        """What is known of `model` as a provider of this kind names it, or the nearest row that is about it.

        First the name in its usual spellings, then a sibling that differs in its date only, then what the model's
        maker says of it, without a price.
        """
        kinds = (kind, *ALSO.get(kind, ()))
        for one in kinds:
            if (found := self._exact(one, model)) is not None:
                return found
        for one in kinds:
            if (found := self._alike(one, model)) is not None:
                return found
        return self._at_its_maker(model)

    def _exact(self, kind: str, model: str) -> Match | None:
        for name in spellings(kind, model):
            if (facts := self.facts(kind, name)) is not None:
                return Match(kind, name, facts)
        return None

    def _alike(self, kind: str, model: str) -> Match | None:
        name = self._by_stem(kind).get(stem(model))
        facts = None if name is None else self.facts(kind, name)
        return None if name is None or facts is None else Match(kind, name, facts, exact=False)

    def _at_its_maker(self, model: str) -> Match | None:
        for maker in MAKERS:
            if (found := self._exact(maker, model) or self._alike(maker, model)) is not None:
                return Match(found.kind, found.name, _wherever_it_runs(found.facts), exact=False)
        return None

    def _by_stem(self, kind: str) -> Mapping[str, str]:
        """The names of a kind by their stems: of siblings the shortest, without date and region; then the newest."""
        if (known := self._stems.get(kind)) is None:
            known = self._stems[kind] = {}
            for name in sorted(self._models.get(kind, ()), key=lambda name: (-len(name), name)):
                known[stem(name)] = name
        return known


def _wherever_it_runs(facts: ModelFacts) -> ModelFacts:
    """Without what each host decides for itself."""
    return ModelFacts(
        mode=facts.mode,
        context_limit=facts.context_limit,
        input_limit=facts.input_limit,
        output_limit=facts.output_limit,
        dimensions=facts.dimensions,
        abilities=facts.abilities,
    )


def _unpacked(packed: bytes) -> bytes:
    unzip = zlib.decompressobj(wbits=_GZIP)
    try:
        text = unzip.decompress(packed, LARGEST)
    except zlib.error as error:
        raise NotACatalogue(f"it is not gzipped: {error}") from error
    if not unzip.eof:
        raise NotACatalogue("it is cut short" if len(text) < LARGEST else f"it is longer than {LARGEST} bytes")
    return text
