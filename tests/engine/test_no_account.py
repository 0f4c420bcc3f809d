"""What is told where a name leads to accounts that cannot be asked under."""

import pytest
from msgspec.structs import replace

from fakes.authority import AccountAuthority
from fakes.transport import Scripted
from isthmus.core.errors import NO_ACCOUNT_WORDS
from isthmus.engine.accounts import Account
from isthmus.wire import json
from support.line import Line, provider

CHAT = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
MESSAGES = b'{"model":"fast","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
REJECTED = b'{"error":{"message":"token expired","type":"invalid_request_error","code":"token_expired"}}'
SPENT = b'{"error":{"message":"no more","type":"insufficient_quota","code":"insufficient_quota"}}'


def accounts(*names: str, script: tuple[Scripted, ...] = ()) -> Line:
    """A name that leads to one provider, which is asked under these accounts."""
    line = Line([replace(provider("one"), issuer="codex", secret=None)], {"one": list(script)}, {"fast": ["one/m"]})
    line.live.sign_in([Account(id=f"id-{name}", issuer="codex", name=name) for name in names])
    line.ports.authority = AccountAuthority()
    return line


async def test_without_an_account_the_caller_is_told_so() -> None:
    status, _, body = await accounts().ask(CHAT)
    assert (status, json.decode(body)["error"]["message"]) == (401, "No active account with valid credentials")


async def test_clients_of_anthropic_are_told_in_their_words() -> None:
    status, _, body = await accounts().ask(MESSAGES, "anthropic")
    error = json.decode(body)["error"]
    assert (status, error["type"], error["message"]) == (401, "authentication_error", NO_ACCOUNT_WORDS)


@pytest.mark.parametrize("names", [("a",), ("a", "b")])
async def test_accounts_whose_tokens_are_all_refused_are_none(names: tuple[str, ...]) -> None:
    line = accounts(*names, script=(Scripted(REJECTED, status=401),) * 3)
    status, _, body = await line.ask(CHAT)
    assert (status, json.decode(body)["error"]["message"]) == (401, NO_ACCOUNT_WORDS)


async def test_where_one_of_them_is_limited_that_is_told() -> None:
    spent = Scripted(SPENT, status=429, headers=((b"content-type", b"application/json"), (b"retry-after", b"70")))
    line = accounts("a", "b", script=(spent, Scripted(REJECTED, status=401)))
    status, headers, _ = await line.ask(CHAT)
    assert (status, dict(headers)[b"retry-after"]) == (429, b"70")


async def test_a_provider_with_a_key_is_told_of_as_ever() -> None:
    line = Line([provider("one")], {"one": [Scripted(REJECTED, status=401)] * 2}, {"fast": ["one/m"]})
    status, _, _ = await line.ask(CHAT)
    assert status == 502
