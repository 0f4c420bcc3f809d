"""Two accounts of a subscription in front of a provider that is paid by use, through a gateway that runs: nothing is
paid while one has something left, no request fails, and what is paid is told everywhere."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fakes.codex_backend import open_codex_backend
from fakes.gateway import CLIENT_KEY, open_gateway
from fakes.scripts import HELLO, KEY, Answer, Words
from fakes.strict_issuer import open_strict_issuer
from fakes.upstream import Upstream
from support.asking import ask
from support.codex import ADA, BEN, CodexPlace, configured
from support.log_files import await_written

MODEL = "gpt-5.2"
CHAT = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}).encode()
SPILL = "codex; input=1.25; output=10"
MORE = f"""
models:
  paid/{MODEL}: {{price: {{input: 1.25, output: 10}}}}
routing:
  priority: {{codex: 1, paid: 2}}
log: {{file: all.log, format: json}}
"""


@pytest.fixture
def place(upstream: Upstream, tmp_path: Path) -> Iterator[CodexPlace]:
    paid = f"  paid: {{type: compatible, base-url: '{upstream.root}/v1', api-key: {KEY}, models: [{MODEL}]}}\n"
    with open_strict_issuer() as issuer, open_codex_backend(issuer) as backend:
        for answering in (upstream, backend):
            answering.play(MODEL, lambda _: Answer((Words(HELLO),)))
        config = configured(issuer, backend, MORE).replace("client-keys:", f"{paid}client-keys:")
        with open_gateway(config, tmp_path) as gateway:
            place = CodexPlace(gateway, backend, issuer)
            for person in (ADA, BEN):
                place.sign_in(person)
                backend.plan(person.account).left = 2
            yield place


def asked(place: CodexPlace) -> Mapping[str, str]:
    headers = {"authorization": f"Bearer {CLIENT_KEY}", "content-type": "application/json"}
    status, body, told = ask(f"{place.gateway.root}/v1/chat/completions", "POST", CHAT, headers)
    assert status == 200, body
    return {name.lower(): value for name, value in told.items()}


def test_accounts_are_used_up_one_after_the_other_and_what_is_paid_then_is_told(
    place: CodexPlace, tmp_path: Path
) -> None:
    answers = [asked(place) for _ in range(6)]
    who = [ADA.account, ADA.account, ADA.account, BEN.account, BEN.account, BEN.account]
    assert place.backend.who == who, "each is asked until it refuses, and no more"
    assert [one.get("x-isthmus-spill") for one in answers] == [None] * 4 + [SPILL] * 2
    assert [one["x-isthmus-route"] for one in answers] == [f"codex/{MODEL}"] * 4 + [f"paid/{MODEL}"] * 2
    _, page, _ = ask(f"{place.gateway.root}/metrics")
    assert b'isthmus_spills_total{provider="paid",source="codex"} 2.0' in page
    written = await_written(tmp_path / "all.log", b'"event":"exchange"', times=len(answers))
    lines = [json.loads(line) for line in written.splitlines()]
    assert [one.get("spill") for one in lines if one.get("event") == "exchange"] == [None] * 4 + [SPILL] * 2
    assert _considered(place, answers[4]) == [
        ("codex", BEN.email, "asked"),
        ("codex", ADA.email, "skipped"),
        ("paid", "key", "asked"),
    ]


def test_what_the_accounts_covered_costs_nothing(place: CodexPlace) -> None:
    answers = [asked(place) for _ in range(5)]
    spent = [_record(place, one)["spent"]["dollars"] for one in answers]
    assert [float(one) for one in spent[:4]] == [0, 0, 0, 0]
    assert float(spent[4]) > 0


def test_an_account_that_has_something_left_again_is_asked_before_anything_is_paid(place: CodexPlace) -> None:
    for _ in range(5):
        asked(place)
    place.manage("DELETE", "/admin/rests")
    place.backend.plan(ADA.account).left = None
    assert "x-isthmus-spill" not in asked(place)


def test_the_account_that_is_switched_to_is_asked_at_once(place: CodexPlace) -> None:
    asked(place)
    assert place.manage("POST", "/accounts/switch", {"email": BEN.email})[1]["success"] is True
    asked(place)
    assert place.backend.who == [ADA.account, BEN.account]


def _record(place: CodexPlace, answer: Mapping[str, str]) -> Any:
    status, told = place.manage("GET", f"/admin/explain/{answer['x-isthmus-id']}")
    assert status == 200, told
    return told


def _considered(place: CodexPlace, answer: Mapping[str, str]) -> list[tuple[str, str, str]]:
    return [(one["provider"], one["key"], one["fate"]) for one in _record(place, answer)["candidates"]]
