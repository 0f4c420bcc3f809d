"""Exchanges that failed have files: bounded in number, for their owner's eyes, and without a secret."""

import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from fakes.clock import FakeClock
from isthmus.core.errors import GatewayError, Kind, UpstreamWords
from isthmus.dialects.openai.chat import CODEC
from isthmus.engine.exchange import AttemptRecord, Call, Exchange
from isthmus.providers.key_guard import MASK
from isthmus.routing.plan import Target
from isthmus.telemetry.dumps import AT_ONCE, DumpFolder
from isthmus.telemetry.redaction import Redactor
from isthmus.wire import json
from isthmus.wire.headers import Headers
from support.line import KEY, Line, provider

PLANTED = "planted-words-0123456789"
HEADERS: Headers = (
    (b"content-type", b"application/json"),
    (b"authorization", b"Bearer " + PLANTED.encode()),
    (b"cookie", PLANTED.encode()),
    (b"x-of-ones-own", PLANTED.encode()),
)


def failed(number: int = 1, kind: Kind = Kind.UPSTREAM_FAULT, body: bytes = b"{}") -> Exchange:
    call = Call(CODEC, "/v1/chat/completions", HEADERS, PLANTED, "192.0.2.7")
    exchange = Exchange(f"ex_{number:04x}", call, FakeClock(time=1_700_000_000.25 + number), version=1)
    exchange.attempts.append(AttemptRecord(Target("one", "m")))
    exchange.fail(GatewayError(kind, f"it said no to {PLANTED}", upstream=UpstreamWords("openai_chat", 500, body)))
    return exchange


def folder_at(path: Path, **how: int) -> DumpFolder:
    return DumpFolder(path / "dumps", Redactor(), Line([provider("one")], {"one": []}).live, **how)


def written(path: Path, exchanges: Sequence[Exchange], **how: int) -> DumpFolder:
    folder = folder_at(path, **how)
    folder.take(exchanges)
    folder.close()
    return folder


def test_a_failed_exchange_has_a_file_with_what_became_of_it(tmp_path: Path) -> None:
    folder = written(tmp_path, [failed(body=b'{"error": "no room"}')])
    (dump,) = folder.names()
    told = json.decode(folder.read(dump.name))
    assert dump.name == "20231114T221321.250-ex_0001.json"
    assert (dump.at, dump.bytes) == (1_700_000_001.25, len(folder.read(dump.name)))
    assert told["exchange"]["error"] == "upstream_fault"
    assert told["exchange"]["attempts"][0]["target"] == "one/m"
    assert told["refusal"] == {"dialect": "openai_chat", "status": 500, "body": '{"error": "no room"}'}


def test_of_most_headers_only_the_names_are_told(tmp_path: Path) -> None:
    folder = written(tmp_path, [failed()])
    told = dict(json.decode(folder.read(folder.names()[0].name))["headers"])
    assert told == {
        "content-type": "application/json", "authorization": MASK, "cookie": MASK, "x-of-ones-own": MASK,
    }  # fmt: skip


@pytest.mark.parametrize("secret", [PLANTED, KEY, json.encode(KEY).decode()])
def test_no_secret_of_the_client_or_the_provider_is_in_it(tmp_path: Path, secret: str) -> None:
    folder = written(tmp_path, [failed(body=json.encode({"error": f"the key {secret} is wrong"}))])
    text = folder.read(folder.names()[0].name)
    assert KEY.encode() not in text
    assert PLANTED.encode() not in text
    assert json.decode(text)


def test_an_exchange_that_was_answered_has_none(tmp_path: Path) -> None:
    exchange = failed()
    exchange.error = None
    assert written(tmp_path, [exchange]).names() == ()


def test_files_and_their_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = written(tmp_path, [failed()])
    path = tmp_path / "dumps" / folder.names()[0].name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_latest_are_kept_and_listed_first(tmp_path: Path) -> None:
    folder = written(tmp_path, [failed(number) for number in (1, 2, 3)], kept=2)
    assert [dump.name[-9:-5] for dump in folder.names()] == ["0003", "0002"]


def test_of_many_that_fail_at_once_some_have_a_file_and_the_others_are_counted(tmp_path: Path) -> None:
    folder = written(tmp_path, [failed(number) for number in range(AT_ONCE + 3)])
    assert (len(folder.names()), folder.skipped) == (AT_ONCE, 3)


def test_a_folder_that_cannot_be_made_costs_nothing_but_the_file(tmp_path: Path) -> None:
    (tmp_path / "dumps").touch()
    assert written(tmp_path, [failed()]).skipped == 1


@pytest.mark.parametrize("name", ["../isthmus.yaml", "..", "", "/etc/passwd", "a.json", "20231114T221321.250-ex_.json"])
def test_only_names_of_dumps_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "isthmus.yaml").write_text("secret")
    with pytest.raises(GatewayError) as refused:
        written(tmp_path, [failed()]).read(name)
    assert refused.value.kind is Kind.UNKNOWN_PATH
