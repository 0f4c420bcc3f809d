"""An Ollama server is asked in its own API, however its address was written."""

import pytest

from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.providers.build import build
from isthmus.providers.provider import Aim
from isthmus.providers.table import PROVIDERS

CHAT = Aim(Operation.CHAT, "ollama", "llama3.2", stream=True)


@pytest.mark.parametrize(
    ("base_url", "target"),
    [
        ("http://127.0.0.1:11434", "/api/chat"),
        ("http://127.0.0.1:11434/", "/api/chat"),
        ("http://127.0.0.1:11434/v1", "/api/chat"),
        ("http://127.0.0.1:11434/v1/", "/api/chat"),
        ("http://127.0.0.1:11434/api", "/api/chat"),
        ("https://example.com/llms/ollama/v1", "/llms/ollama/api/chat"),
    ],
)
def test_the_end_of_the_address_does_not_matter(base_url: str, target: str) -> None:
    provider = build(PROVIDERS["ollama"], name="ollama", base_url=base_url)
    assert provider.address(CHAT) == ("POST", target)


@pytest.mark.parametrize(
    ("operation", "dialect", "asked"),
    [
        (Operation.CHAT, "ollama", ("POST", "/api/chat")),
        (Operation.CHAT, "ollama_generate", ("POST", "/api/generate")),
        (Operation.EMBED, "ollama", ("POST", "/api/embed")),
        (Operation.EMBED, "ollama_embeddings", ("POST", "/api/embeddings")),
        (Operation.LIST_MODELS, "ollama", ("GET", "/api/tags")),
    ],
)
def test_every_operation_has_its_path(operation: Operation, dialect: str, asked: tuple[str, str]) -> None:
    provider = build(PROVIDERS["ollama"], name="ollama")
    assert dialect in provider.dialects[operation]
    assert provider.address(Aim(operation, dialect, "llama3.2")) == asked


def test_a_key_that_the_user_gives_is_sent() -> None:
    provider = build(PROVIDERS["ollama"], name="far", base_url="https://example.com", secret=Secret("k-1"))
    assert provider.sign((), provider.secret) == ((b"authorization", b"Bearer k-1"),)


def test_a_model_with_levels_of_thinking_is_told_from_all_others() -> None:
    provider = build(PROVIDERS["ollama"], name="ollama")
    assert provider.profile("gpt-oss:20b").efforts == ("low", "medium", "high")
    assert provider.profile("deepseek-v3.1:671b").efforts == ()
