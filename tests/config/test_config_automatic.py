"""With no file, what the environment and this machine offer is used."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from isthmus.config.compile import compile_loaded
from isthmus.config.environment import ollama_answers
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account
from isthmus.engine.live import Live
from isthmus.providers.table import PROVIDERS
from support.configured import load_text, problems_of

KEY = "key-0123456789abcdef"
VARIABLES = [
    (variable, host.name)
    for host in PROVIDERS.values()
    if host.automatic and not host.url_env
    for variable in host.key_env
]


@pytest.mark.parametrize(("variable", "name"), VARIABLES)
def test_a_key_variable_alone_switches_its_host_on(variable: str, name: str) -> None:
    snapshot = compile_loaded(load_text("", {variable: KEY}), ollama=False)
    assert list(snapshot.providers) == [name]
    assert snapshot.providers[name].secret == Secret(KEY)


def test_the_usual_variables_are_among_them() -> None:
    assert {
        ("OPENAI_API_KEY", "openai"),
        ("ANTHROPIC_API_KEY", "anthropic"),
        ("GEMINI_API_KEY", "gemini"),
        ("GOOGLE_API_KEY", "gemini"),
        ("GROQ_API_KEY", "groq"),
        ("OPENROUTER_API_KEY", "openrouter"),
        ("DEEPSEEK_API_KEY", "deepseek"),
        ("MISTRAL_API_KEY", "mistral"),
        ("XAI_API_KEY", "xai"),
    } <= set(VARIABLES)


def test_of_two_variables_the_first_that_holds_something_counts() -> None:
    both = load_text("", {"GOOGLE_API_KEY": "google-key-123", "GEMINI_API_KEY": "gemini-key-123"})
    assert both.config.providers["gemini"].api_key == Secret("gemini-key-123")
    one = load_text("", {"GOOGLE_API_KEY": "google-key-123", "GEMINI_API_KEY": ""})
    assert one.config.providers["gemini"].api_key == Secret("google-key-123")


@pytest.mark.parametrize(
    "variable", [host.key_env[0] for host in PROVIDERS.values() if not host.automatic and host.key_env]
)
def test_a_variable_with_other_uses_switches_nothing_on(variable: str) -> None:
    assert list(compile_loaded(load_text("", {variable: KEY}), ollama=False).providers) == ["local"]


def test_a_file_without_providers_leaves_them_to_the_environment() -> None:
    loaded = load_text("log: {level: debug}\nproviders:\n", {"GROQ_API_KEY": KEY})
    assert (loaded.automatic, list(loaded.config.providers)) == (True, ["groq"])


def test_a_file_with_providers_has_those_and_no_others() -> None:
    loaded = load_text("providers:\n  openai:\n", {"GROQ_API_KEY": KEY, "OPENAI_API_KEY": KEY})
    assert (loaded.automatic, list(loaded.config.providers)) == (False, ["openai"])


def test_a_usual_key_is_not_sent_to_an_address_of_ones_own() -> None:
    loaded = load_text("providers: {openai: {base-url: http://llm.example.com}}", {"OPENAI_API_KEY": KEY})
    assert loaded.config.providers["openai"].api_key is None


def test_a_broken_key_in_the_environment_is_a_problem() -> None:
    (problem,) = problems_of("", {"OPENAI_API_KEY": "two words"})
    assert problem.key == "providers.openai.api-key"


def test_ollama_is_used_where_it_answers_and_no_file_names_providers() -> None:
    snapshot = compile_loaded(load_text(""), ollama=True)
    assert list(snapshot.providers) == ["ollama"]
    assert snapshot.providers["ollama"].origin.port == 11434
    named = compile_loaded(load_text("providers: {vllm: {}}"), ollama=True)
    assert list(named.providers) == ["vllm"]


@pytest.mark.parametrize(
    ("text", "providers"),
    [
        ("", ["local"]),
        ("local: {enabled: true}\nproviders: {vllm: {}}", ["vllm", "local"]),
        ("local: {enabled: false}", []),
        ("providers: {vllm: {}}", ["vllm"]),
        ("providers: {vllm: {enabled: false}}", ["local"]),
        ("providers: {vllm: {}}\nroutes: {r: [vllm/a, local/b]}", ["vllm", "local"]),
        ("providers: {vllm: {}}\naliases: {a: local/b}", ["vllm", "local"]),
        ("providers: {local: {enabled: false}}", []),
        ("providers: {vllm: {}, local: {}}", ["vllm", "local"]),
    ],
)
def test_the_bundled_model_is_on_when_nothing_else_is_or_when_it_is_asked_for(text: str, providers: list[str]) -> None:
    assert list(compile_loaded(load_text(text), ollama=False).providers) == providers


@asynccontextmanager
async def server(answer: bytes) -> AsyncIterator[tuple[str, int]]:
    """A server that gives this answer to whatever it is asked."""
    talks: list[asyncio.Task[None]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.ensure_future(talk(reader, writer)))

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()
        await asyncio.gather(*talks)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"HTTP/1.0 200 OK\r\ncontent-length: 17\r\n\r\nOllama is running", True),
        (b"HTTP/1.0 404 Not Found\r\n\r\n<h1>nothing here</h1>", False),
        (b"", False),
        (b"x" * 100_000, False),
    ],
)
async def test_an_ollama_is_known_by_what_it_says(answer: bytes, found: bool) -> None:
    async with server(answer) as address:
        assert await ollama_answers(address, patience=5.0) is found


async def test_a_silent_server_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as never_accepts:
        assert await ollama_answers(never_accepts.getsockname(), patience=0.01) is False


async def test_a_closed_port_is_no_ollama() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = closed.getsockname()
    assert await ollama_answers(address, patience=5.0) is False


def test_where_no_file_names_providers_a_host_of_accounts_waits_for_somebody_to_sign_in() -> None:
    snapshot = compile_loaded(load_text(""), ollama=False)
    assert list(snapshot.awaited) == ["codex"]
    assert list(snapshot.providers) == ["local"]
    live = Live(snapshot)
    live.sign_in([Account(id="acc_1", issuer="codex", name="ada@example.com")])
    assert list(live.take().snapshot.providers) == ["codex", "local"]


@pytest.mark.parametrize("text", ["providers: {openai: {api-key: sk-0123456789}}", "store: {enabled: false}"])
def test_where_providers_are_named_or_nothing_is_stored_none_waits(text: str) -> None:
    assert not compile_loaded(load_text(text), ollama=False).awaited


def test_a_listener_for_the_clients_of_codex_claude_proxy_has_its_provider_before_anybody_signs_in() -> None:
    snapshot = compile_loaded(load_text("listeners: [{compat: codex}]"), ollama=False)
    assert list(snapshot.providers) == ["local", "codex"]
    assert not snapshot.awaited
