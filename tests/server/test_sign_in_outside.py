"""Signing in at a gateway that runs: begun over its API, ended by a browser, and asked under from then on."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.browser import back_to, browse
from fakes.gateway import RunningGateway, free_port, open_gateway
from fakes.strict_issuer import StrictIssuer, open_strict_issuer
from fakes.strict_words import CLIENT, Person

WITHIN = 5.0
"""Seconds in which what is done here is in force everywhere."""


class Place:
    """A gateway, who its accounts are signed in to at, and all that it has answered."""

    def __init__(self, gateway: RunningGateway, issuer: StrictIssuer, port: int) -> None:
        self.gateway = gateway
        self.issuer = issuer
        self.port = port
        self.answers: list[str] = []

    def ask(self, method: str, path: str, said: Any = None) -> tuple[int, Any]:
        body = None if said is None else json.dumps(said).encode()
        headers = {} if body is None else {"content-type": "application/json"}
        asking = urllib.request.Request(self.gateway.root + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(asking, timeout=10) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read().decode()
        self.answers.append(text)
        return status, json.loads(text)

    def greeting(self, name: str) -> str:
        """What a model says, once it is this person who is greeted."""
        said = {"model": "our-model", "messages": [{"role": "user", "content": "Hello"}]}
        deadline = time.monotonic() + WITHIN
        while True:
            status, told = self.ask("POST", "/v1/chat/completions", said)
            if status == 200 and name in (greeting := str(told["choices"][0]["message"]["content"])):
                return greeting
            assert time.monotonic() < deadline, told
            time.sleep(0.02)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("sign-in")
    with open_strict_issuer() as issuer:
        port = free_port()
        config = f"""
accounts:
  issuers:
    codex:
      client-id: {CLIENT}
      authorize-url: {issuer.authorize_url}
      token-url: {issuer.token_url}
      callback-ports: [{port}]
providers:
  ours: {{type: compatible, base-url: "{issuer.url}/v1", issuer: codex, models: [our-model]}}
"""
        with open_gateway(config, folder) as gateway:
            yield Place(gateway, issuer, port)


def test_somebody_signs_in_and_is_asked_under(place: Place) -> None:
    _, begun = place.ask("POST", "/accounts/add", {})
    assert (begun["status"], begun["callback_port"]) == ("oauth_url", place.port)
    status, page = asyncio.run(browse(begun["oauth_url"]))
    assert (status, "Signed in as ada@example.com" in page) == (200, True)
    assert place.greeting("ada") == "Hello ada@example.com"


def test_the_address_that_a_browser_ended_at_can_be_sent(place: Place) -> None:
    place.issuer.person = Person("bob@example.com", "acc-bob", "pro")
    _, begun = place.ask("POST", "/accounts/add", {})
    status, told = place.ask("POST", "/accounts/add/manual", {"code": asyncio.run(back_to(begun["oauth_url"]))})
    assert (status, told["success"]) == (200, True)
    _, listed = place.ask("GET", "/accounts")
    assert {one["email"] for one in listed["accounts"]} >= {"bob@example.com"}


def test_a_browser_of_another_sign_in_changes_nothing(place: Place) -> None:
    _, before = place.ask("GET", "/accounts")
    _, begun = place.ask("POST", "/accounts/add", {})
    back = asyncio.run(back_to(begun["oauth_url"])).replace(begun["state"], "0" * 32)
    status, told = place.ask("POST", "/accounts/add/manual", {"code": back})
    assert (status, told["success"]) == (400, False)
    assert place.ask("GET", "/accounts")[1]["total"] == before["total"]
    place.ask("POST", "/accounts/oauth/cleanup")


def test_nothing_secret_is_answered_or_logged(place: Place) -> None:
    place.issuer.person = Person("eve@example.com", "acc-eve")
    _, begun = place.ask("POST", "/accounts/add", {})
    asyncio.run(browse(begun["oauth_url"]))
    said = "".join(place.answers) + place.gateway.said()
    tokens = [access for family in place.issuer.families for access in family.accesses]
    named = ("code", "code_verifier", "refresh_token")
    sent = [one.fields[name] for one in place.issuer.asked for name in named if name in one.fields]
    secrets = [*tokens, *sent, *(family.live for family in place.issuer.families)]
    assert len(secrets) >= 4
    assert [secret for secret in secrets if secret in said] == []
    states = [one.query["state"] for one in place.issuer.asked if "state" in one.query]
    assert [state for state in states if state in place.gateway.said()] == []
