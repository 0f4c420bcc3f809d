"""What fuzzing once found stays repaired, every target is sound on what it begins from, and none is forgotten."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from fuzz import judge
from fuzz.judge import Costly, timed, weighed
from fuzz.mutate import mutated
from fuzz.targets import targets
from isthmus.dialects.table import CODECS
from isthmus.wire.framings import SPLITTERS

CORPUS = Path(__file__).parent / "corpus"
TARGETS = targets()
FOUND: Sequence[Path] = sorted(path for path in CORPUS.glob("*/*"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_found_once_is_sound(path: Path) -> None:
    target = TARGETS[path.parent.name]
    timed(target.run, path.read_bytes())
    weighed(target.run, path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_target_begins_from_is_sound(name: str) -> None:
    target = TARGETS[name]
    seeds = list(target.seeds())
    assert seeds
    for seed in seeds[:: 1 + len(seeds) // 20]:
        weighed(target.run, seed)


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_target_begins_from_can_be_taken_apart(name: str) -> None:
    """Else the fuzzer would only flip bits of it."""
    target, dice = TARGETS[name], random.Random(name)
    changed = [mutated(seed, target.framing, dice, 100_000) for seed in list(target.seeds())[:40]]
    assert any(changed)


def test_every_codec_and_every_framing_is_a_target() -> None:
    assert {f"{name}.{what}" for name, _ in CODECS for what in ("request", "reply", "stream")} <= TARGETS.keys()
    assert {f"{framing}.framing" for framing in SPLITTERS} <= TARGETS.keys()


def test_what_takes_too_long_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "SECONDS", 0.0)
    with pytest.raises(Costly):
        timed(lambda data: sorted(data * 1_000_000) and None, b"ab")


def test_what_holds_too_much_is_a_fault() -> None:
    with pytest.raises(Costly):
        weighed(lambda data: bytes(len(data) * 10_000_000) and None, b"x")
