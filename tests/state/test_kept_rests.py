"""A restart forgets nothing that a provider said, and keeps nothing that was only found out by failing."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from fakes.clock import FakeClock
from isthmus.core.errors import RULES, Kind
from isthmus.core.secret import Secret
from isthmus.engine.fingerprints import fingerprints
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.health import TRY_EVERY, Health, Place, State
from isthmus.state import kept_rests
from isthmus.state.kept_rests import KeptRests
from support.line import KEY, provider

HERE = Place("openai", "first", "gpt-5")
OTHER = Place("openai", "second", "gpt-5")
KEYS: Mapping[Place, str] = {HERE.account: "0123456789abcdef", OTHER.account: "fedcba9876543210"}


class Life:
    """One run of a gateway, from its start to its stop, as far as rests are concerned."""

    def __init__(self, folder: Path, clock: FakeClock, keys: Mapping[Place, str] = KEYS) -> None:
        self.clock = clock
        self.health = Health()
        self.kept = KeptRests(folder / "data" / kept_rests.FILE, self.health, clock, lambda: keys)
        self.kept.load()

    def fail(self, kind: Kind, hint: float | None = None, *, at: Place = HERE) -> None:
        self.health.failed(at, kind, RULES[kind].rest, self.clock.now(), hint=hint, cause="busy")

    def state(self, place: Place = HERE) -> State:
        return self.health.state(place, self.clock.now())


def restarted(clock: FakeClock, after: float) -> FakeClock:
    """The clock of a process that begins later: its monotonic seconds are others."""
    return FakeClock(now=7.0, time=clock.time() + after)


@pytest.mark.parametrize(
    ("kind", "hint", "kept"),
    [
        (Kind.UPSTREAM_LIMITED, 600.0, True),
        (Kind.QUOTA_SPENT, 600.0, True),
        (Kind.CREDENTIAL_REVOKED, None, True),
        (Kind.UPSTREAM_LIMITED, None, False),
        (Kind.OVERLOADED, None, False),
        (Kind.CREDENTIAL_REJECTED, None, False),
        (Kind.UNREACHABLE, None, False),
    ],
)
def test_what_the_provider_said_is_kept_and_nothing_else(
    tmp_path: Path, kind: Kind, hint: float | None, kept: bool
) -> None:
    clock = FakeClock()
    before = Life(tmp_path, clock)
    before.fail(kind, hint)
    before.kept.save()
    after = Life(tmp_path, restarted(clock, 0.5))
    assert (after.state() is State.RESTING) is kept


def test_a_rest_ends_when_it_would_have_ended(tmp_path: Path) -> None:
    clock = FakeClock()
    before = Life(tmp_path, clock)
    before.fail(Kind.UPSTREAM_LIMITED, 60.0)
    before.kept.save()
    after = Life(tmp_path, restarted(clock, 45.0))
    assert after.health.rests_until(HERE, 7.0) == pytest.approx(7.0 + 15.0, abs=0.2)
    assert Life(tmp_path, restarted(clock, 61.0)).state() is State.READY


def test_a_long_rest_is_tried_before_its_end_after_a_restart_too(tmp_path: Path) -> None:
    clock = FakeClock()
    before = Life(tmp_path, clock)
    before.fail(Kind.QUOTA_SPENT, 3600.0)
    before.kept.save()
    after = Life(tmp_path, restarted(clock, 1.0))
    after.clock.move(TRY_EVERY)
    assert after.state() is State.TRIAL


def test_a_changed_key_starts_afresh(tmp_path: Path) -> None:
    clock = FakeClock()
    before = Life(tmp_path, clock)
    for place in (HERE, OTHER):
        before.fail(Kind.QUOTA_SPENT, 3600.0, at=place)
    before.kept.save()
    after = Life(tmp_path, restarted(clock, 1.0), {**KEYS, HERE.account: "another"})
    assert (after.state(HERE), after.state(OTHER)) == (State.READY, State.RESTING)


def test_an_ended_rest_is_not_kept(tmp_path: Path) -> None:
    clock = FakeClock()
    before = Life(tmp_path, clock)
    before.fail(Kind.QUOTA_SPENT, 3600.0)
    before.kept.save()
    before.health.clear()
    before.kept.save()
    assert Life(tmp_path, restarted(clock, 1.0)).state() is State.READY


def test_the_file_is_for_its_owner_and_holds_neither_keys_nor_words(tmp_path: Path) -> None:
    life = Life(tmp_path, FakeClock())
    life.fail(Kind.QUOTA_SPENT, 3600.0)
    life.kept.save()
    [file] = (tmp_path / "data").iterdir()
    assert file.name == kept_rests.FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"busy" not in file.read_bytes()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"rests":[{"provider":1}]}', b'{"rests":null}', b"\xff\xfe", b"x" * 3_000_000]
)
def test_a_damaged_file_is_told_and_passed_over(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / kept_rests.FILE).write_bytes(content)
    life = Life(tmp_path, FakeClock())
    assert life.state() is State.READY
    assert "what rested before cannot be read" in caplog.text


def test_a_kind_that_nobody_knows_any_more_is_passed_over(tmp_path: Path) -> None:
    clock = FakeClock()
    life = Life(tmp_path, clock)
    life.fail(Kind.QUOTA_SPENT, 3600.0)
    life.kept.save()
    file = tmp_path / "data" / kept_rests.FILE
    file.write_bytes(file.read_bytes().replace(b"quota_spent", b"novel"))
    assert Life(tmp_path, restarted(clock, 1.0)).state() is State.READY


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "data").write_text("a file in its place")
    life = Life(tmp_path, FakeClock())
    life.fail(Kind.QUOTA_SPENT, 3600.0)
    life.kept.save()
    life.kept.save()
    assert caplog.text.count("what rests cannot be kept") == 1


async def test_a_change_is_written_while_the_gateway_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rests, "ROUND", 0.0)
    clock = FakeClock()
    life = Life(tmp_path, clock)
    life.fail(Kind.QUOTA_SPENT, 3600.0)
    running = asyncio.create_task(life.kept.run())
    while not (tmp_path / "data" / kept_rests.FILE).exists():
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert Life(tmp_path, restarted(clock, 1.0)).state() is State.RESTING


def test_a_fingerprint_tells_keys_and_hosts_apart_and_shows_neither() -> None:
    one = provider("one")
    moved = replace(one, origin=replace(one.origin, host="elsewhere.example.com"))
    through = replace(one, origin=replace(one.origin, proxy="http://proxy.example.com:3128"))
    rekeyed = replace(one, secret=Secret("sk-another-0123456789"))
    prints = [fingerprints(Snapshot(providers={"one": each}))[Place("one", "key")] for each in (one, moved, rekeyed)]
    assert len(set(prints)) == 3
    assert fingerprints(Snapshot(providers={"one": through}))[Place("one", "key")] == prints[0]
    assert KEY not in "".join(prints)
