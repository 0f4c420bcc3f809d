"""Accounts of a real gateway: a refresh for all its workers, a restart, and a sign-in that is over."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes.codex_backend import CodexBackend, open_codex_backend
from fakes.gateway import open_gateway
from fakes.scripts import Act, Answer, Conversation, Words
from fakes.strict_issuer import StrictIssuer, open_strict_issuer
from support.codex import ADA, BEN, CodexPlace, configured, open_codex_place

QUESTION: Any = {"model": "gpt-5.2", "messages": [{"role": "user", "content": "hi"}]}


def ask(place: CodexPlace) -> tuple[int, Any]:
    return place.ask("/v1/chat/completions", QUESTION)


def hello(talk: Conversation) -> Act:
    return Answer((Words("hello"),))


def known(place: CodexPlace) -> None:
    """Until every worker knows of the account: each looks once a second."""
    deadline = time.monotonic() + 10
    well = 0
    while well < 10:
        well = well + 1 if ask(place)[0] == 200 else 0
        assert time.monotonic() < deadline


def spoil(issuer: StrictIssuer) -> None:
    """No access token that was given out is good any more."""
    for family in issuer.families:
        family.accesses.clear()


@contextmanager
def open_twice(folder: Path, *, workers: int = 1) -> Iterator[tuple[StrictIssuer, CodexBackend, Any]]:
    """An issuer, a backend, and how to start a gateway of theirs, each time on the same folder."""

    @contextmanager
    def start() -> Iterator[CodexPlace]:
        with open_gateway(configured(issuer, backend), folder, workers=workers) as gateway:
            yield CodexPlace(gateway, backend, issuer)

    with open_strict_issuer() as issuer, open_codex_backend(issuer) as backend:
        yield issuer, backend, start


def test_fifty_requests_that_are_refused_for_their_token_make_one_refresh(tmp_path: Path) -> None:
    with open_twice(tmp_path, workers=2) as (issuer, backend, start), start() as place:
        backend.play("gpt-5.2", hello)
        place.sign_in(ADA)
        known(place)
        spoil(issuer)
        before = issuer.refreshes()
        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(lambda _: ask(place)[0], range(50)))
        assert answers == [200] * 50
        assert issuer.refreshes() == before + 1
        assert set(backend.who) == {ADA.account}


def test_a_gateway_that_is_started_again_goes_on_with_its_accounts_and_their_rests(tmp_path: Path) -> None:
    with open_twice(tmp_path) as (issuer, backend, start):
        backend.play("gpt-5.2", hello)
        with start() as place:
            for person in (ADA, BEN):
                place.sign_in(person)
            backend.plan(ADA.account).left = 1
            assert [ask(place)[0] for _ in range(2)] == [200, 200]
        before = issuer.refreshes()
        with start() as place:
            assert ask(place)[0] == 200
        assert backend.who == [ADA.account, ADA.account, BEN.account, BEN.account]
        assert issuer.refreshes() == before


def test_an_account_whose_sign_in_is_over_is_told_and_not_tried_again(tmp_path: Path) -> None:
    with open_codex_place(tmp_path) as place:
        place.backend.play("gpt-5.2", hello)
        assert ask(place)[0] == 200
        place.issuer.revoke(ADA)
        before = place.issuer.refreshes()
        status, told = ask(place)
        assert (status, told["error"]["message"]) == (401, "No active account with valid credentials")
        assert ask(place)[0] == 401
        assert place.issuer.refreshes() == before + 1
        _, listed = place.manage("GET", "/admin/accounts")
        (account,) = listed["accounts"]
        assert account["state"] == "revoked"
        assert "sign in again" in account["why"]
        place.sign_in(ADA)
        assert ask(place)[0] == 200


def test_who_signs_in_again_is_asked_under_by_every_worker(tmp_path: Path) -> None:
    with open_twice(tmp_path, workers=2) as (issuer, backend, start), start() as place:
        backend.play("gpt-5.2", hello)
        place.sign_in(ADA)
        known(place)
        issuer.revoke(ADA)
        deadline = time.monotonic() + 10
        while {ask(place)[0] for _ in range(10)} != {401}:
            assert time.monotonic() < deadline
        place.sign_in(ADA)
        known(place)
