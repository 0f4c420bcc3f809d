"""Where keys come from: how they may be written, who may read them, and that several who begin end with one."""

import base64
import os
import stat
import subprocess
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from isthmus.accounts import seal_keys
from isthmus.accounts.seal_keys import (
    MOST_BYTES,
    MOST_KEYS,
    KeyFile,
    KeySource,
    SaidKeys,
    SealKey,
    SystemKeyring,
    new_key,
)
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret

BYTES = bytes(range(200, 232))
KEY = SealKey(BYTES)


def refusal_of(source: KeySource) -> str:
    with pytest.raises(GatewayError) as refused:
        source.made()
    assert refused.value.kind is Kind.CREDENTIAL_REJECTED
    return refused.value.message


def said(text: str) -> SaidKeys:
    return SaidKeys(Secret(text), "the variable X")


def ids(source: KeySource) -> list[str]:
    return [key.id for key in source.known()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "accounts.key"


def put(file: Path, text: str | bytes, mode: int = 0o600) -> KeyFile:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(mode)
    return KeyFile(file)


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(BYTES).decode(),
        base64.urlsafe_b64encode(BYTES).decode().rstrip("="),
        BYTES.hex(),
        BYTES.hex().upper(),
        f"  {KEY.written()}\n",
        f"# a note, with a comma\n{KEY.written()}\r\n",
        KEY.written() + ",",
    ],
)
def test_a_key_may_be_written_in_several_ways(text: str) -> None:
    assert ids(said(text)) == [KEY.id]


def test_several_keys_stay_in_their_order() -> None:
    keys = [new_key() for _ in range(3)]
    text = ",".join(key.written() for key in keys[:2]) + "\n" + keys[2].reveal().hex()
    assert ids(said(text)) == [key.id for key in keys]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no key"),
        ("# nothing", "holds no key"),
        ("correct horse battery staple", "32 random bytes"),
        ("é" * 44, "32 random bytes"),
        (BYTES.hex()[:-2], "32 random bytes"),
        (base64.b64encode(BYTES[:-1]).decode(), "32 random bytes"),
        (base64.b64encode(bytes(32)).decode(), "32 random bytes"),
        (f"{KEY.written()},hunter2", "32 random bytes"),
        (",".join([KEY.written()] * (MOST_KEYS + 1)), "more than 100 keys"),
    ],
)
def test_what_is_no_key_is_told_without_repeating_it(text: str, words: str) -> None:
    message = refusal_of(said(text))
    assert words in message
    assert message.startswith("the variable X ")
    assert not any(part in message for part in ("hunter2", "horse", KEY.written(), BYTES.hex()[:-2]))


def test_keys_that_somebody_says_are_not_put_anywhere() -> None:
    assert not said(KEY.written()).changes
    with pytest.raises(GatewayError, match="change them there"):
        said(KEY.written()).put((new_key(),))


def test_the_file_is_made_for_its_owner_alone_and_read_again(file: Path) -> None:
    made = KeyFile(file).made()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ids(KeyFile(file)) == [made[0].id]
    assert [one.name for one in file.parent.iterdir()] == ["accounts.key"]


def test_no_mask_of_the_process_opens_it_to_others(file: Path) -> None:
    before = os.umask(0)
    try:
        KeyFile(file).made()
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_none_is_made_by_looking(file: Path) -> None:
    assert ids(KeyFile(file)) == []
    assert not file.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644])
def test_a_file_that_others_can_read_is_refused(file: Path, mode: int) -> None:
    words = refusal_of(put(file, KEY.written(), mode))
    assert words == f"the key file {file} can be read by others; run: chmod 600 {file}"


def test_a_file_that_is_opened_to_others_later_is_refused_from_then_on(file: Path) -> None:
    source = put(file, KEY.written())
    assert ids(source) == [KEY.id]
    file.chmod(0o644)
    assert "chmod 600" in refusal_of(source)
    file.chmod(0o600)
    assert ids(source) == [KEY.id]


def test_a_file_that_only_its_owner_can_read_is_taken(file: Path) -> None:
    assert ids(put(file, KEY.written(), 0o400)) == [KEY.id]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "holds no key"), (b"\xff\xfe", "32 random bytes"), (b"#" * (MOST_BYTES + 1), "longer than 64 KiB")],
)
def test_a_file_that_is_none_is_told_and_left_alone(file: Path, content: bytes, words: str) -> None:
    assert words in refusal_of(put(file, content))
    assert file.read_bytes() == content


def test_a_folder_in_its_place_is_told(file: Path) -> None:
    file.mkdir()
    assert "cannot be read: Is a directory" in refusal_of(KeyFile(file))


def test_a_file_that_is_gone_is_missed_and_its_keys_still_open(file: Path) -> None:
    source = put(file, KEY.written())
    assert ids(source) == [KEY.id]
    file.unlink()
    assert ids(source) == [KEY.id]
    assert "is gone; put it back" in refusal_of(source)
    assert not file.exists()


def test_a_file_that_changes_is_read_again(file: Path) -> None:
    source, other = put(file, KEY.written()), new_key()
    assert ids(source) == [KEY.id]
    KeyFile(file).put((other, KEY))
    assert ids(source) == [other.id, KEY.id]
    assert [one.name for one in file.parent.iterdir()] == ["accounts.key"]


def test_no_more_keys_are_put_than_are_read(file: Path) -> None:
    source = put(file, KEY.written())
    with pytest.raises(GatewayError, match="100 keys already"):
        source.put([new_key() for _ in range(MOST_KEYS + 1)])
    assert ids(source) == [KEY.id]


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be read: Not a directory" in refusal_of(KeyFile(tmp_path / "file" / "accounts.key"))


def test_a_link_that_the_folder_cannot_hold_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    assert "cannot be made: Operation not supported" in refusal_of(KeyFile(file))
    assert list(file.parent.iterdir()) == []


def test_threads_that_begin_at_once_end_with_one_key(tmp_path: Path) -> None:
    for attempt in range(20):
        file = tmp_path / f"{attempt}.key"
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda path: KeyFile(path).made()[0].id, [file] * 8))
        assert set(found) == {KeyFile(file).known()[0].id}


RACE = """
import sys
from pathlib import Path
from isthmus.accounts.seal_keys import KeyFile
files = [KeyFile(Path(sys.argv[1]) / f"{number}.key") for number in range(200)]
print("ready", flush=True)
sys.stdin.readline()
print([file.made()[0].id for file in files])
"""


def test_processes_that_begin_at_once_end_with_one_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) for _ in range(2)
    ]
    assert [racer.stdout.readline() for racer in racers if racer.stdout] == ["ready\n"] * 2
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
    found = [racer.communicate(timeout=30)[0] for racer in racers]
    assert found[0] == found[1]
    assert found[0].count("'") == 400


def test_who_changes_the_keys_does_so_alone(file: Path) -> None:
    one, other = KeyFile(file), KeyFile(file)
    with one.alone(), pytest.raises(GatewayError, match="somebody else is changing the key file"), other.alone():
        raise AssertionError("two at once")
    with other.alone():
        pass


class FakeKeyring(types.ModuleType):
    """As the package is used here. `fails`: what each question raises."""

    class errors:  # noqa: N801  as the package has it
        class KeyringError(Exception):
            pass

    def __init__(self) -> None:
        super().__init__("keyring")
        self.kept: dict[tuple[str, str], str] = {}
        self.fails: Exception | None = None

    def get_password(self, service: str, user: str) -> str | None:
        if self.fails is not None:
            raise self.fails
        return self.kept.get((service, user))

    def set_password(self, service: str, user: str, text: str) -> None:
        self.kept[service, user] = text


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    fake = FakeKeyring()
    monkeypatch.setitem(sys.modules, "keyring", fake)
    return fake


def test_the_keyring_gets_a_key_when_one_is_needed(keyring: FakeKeyring, tmp_path: Path) -> None:
    source = SystemKeyring(tmp_path / "lock")
    assert ids(source) == []
    assert keyring.kept == {}
    (made,) = source.made()
    assert keyring.kept == {("isthmus", "accounts"): made.written()}
    assert ids(SystemKeyring(tmp_path / "lock")) == [made.id]


def test_threads_that_begin_at_once_with_a_keyring_end_with_one_key(keyring: FakeKeyring, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda path: SystemKeyring(path).made()[0].id, [tmp_path / "lock"] * 8))
    assert len(found) == 1


def test_the_keyring_keeps_several_in_order(keyring: FakeKeyring, tmp_path: Path) -> None:
    source, other = SystemKeyring(tmp_path / "lock"), new_key()
    (first,) = source.made()
    with source.alone():
        source.put((other, first))
    assert ids(source) == [other.id, first.id]


@pytest.mark.parametrize("fault", [FakeKeyring.errors.KeyringError("no backend"), RuntimeError("x"), OSError("bus")])
def test_a_keyring_that_cannot_be_used_is_told_with_what_to_do(
    keyring: FakeKeyring, tmp_path: Path, fault: Exception
) -> None:
    keyring.fails = fault
    words = refusal_of(SystemKeyring(tmp_path / "lock"))
    assert f"cannot be used ({type(fault).__name__}); unlock it, or leave accounts.keyring out" in words


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert "pip install 'isthmus[keyring]'" in refusal_of(SystemKeyring(tmp_path / "lock"))


def test_nothing_in_the_keyring_is_mistaken_for_a_key(keyring: FakeKeyring, tmp_path: Path) -> None:
    keyring.kept["isthmus", "accounts"] = "hunter2"
    assert "the keyring of the system cannot be used: a key must be" in refusal_of(SystemKeyring(tmp_path / "lock"))


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GatewayError, match="cannot be made"), seal_keys.locked(tmp_path / "file" / "lock", "it"):
        raise AssertionError("locked")
