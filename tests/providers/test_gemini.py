"""Gemini is asked at the model's own path, and the key stands in a header."""

import pytest

from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.providers.build import build
from isthmus.providers.gemini import address
from isthmus.providers.provider import Aim
from isthmus.providers.table import PROVIDERS

CHAT, COUNT, EMBED = Operation.CHAT, Operation.COUNT_TOKENS, Operation.EMBED


@pytest.mark.parametrize(
    ("aim", "expected"),
    [
        (Aim(CHAT, "gemini", "gemini-2.5-pro"), "/v1beta/models/gemini-2.5-pro:generateContent"),
        (
            Aim(CHAT, "gemini", "gemini-2.5-pro", stream=True),
            "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
        ),
        (Aim(COUNT, "gemini", "gemini-2.5-pro"), "/v1beta/models/gemini-2.5-pro:countTokens"),
        (Aim(EMBED, "gemini", "gemini-embedding-001"), "/v1beta/models/gemini-embedding-001:batchEmbedContents"),
        (Aim(EMBED, "gemini_single", "gemini-embedding-001"), "/v1beta/models/gemini-embedding-001:embedContent"),
        (Aim(CHAT, "gemini", "models/gemini-2.5-pro"), "/v1beta/models/gemini-2.5-pro:generateContent"),
        (Aim(CHAT, "gemini", "tunedModels/mine"), "/v1beta/tunedModels/mine:generateContent"),
        (Aim(CHAT, "gemini", "a b?c/d:e"), "/v1beta/models/a%20b%3Fc%2Fd%3Ae:generateContent"),
    ],
    ids=["chat", "stream", "count", "embed", "embed one", "models/", "tuned", "escaped"],
)
def test_the_model_and_the_method_stand_in_the_path(aim: Aim, expected: str) -> None:
    assert address("/v1beta")(aim) == ("POST", expected)


def test_models_are_listed_on_one_page() -> None:
    assert address("/v1beta")(Aim(Operation.LIST_MODELS, "gemini")) == ("GET", "/v1beta/models?pageSize=1000")


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("", "/v1beta"), ("/google", "/google/v1beta"), ("/v1", "/v1"), ("/x/v1beta", "/x/v1beta")],
)
def test_a_base_url_without_a_version_gets_one(prefix: str, expected: str) -> None:
    method, path = address(prefix)(Aim(CHAT, "gemini", "m"))
    assert (method, path) == ("POST", f"{expected}/models/m:generateContent")


def test_the_key_stands_in_a_header_of_its_own() -> None:
    gemini = build(PROVIDERS["gemini"], name="g", secret=Secret("AIza-test-0123456789"))
    assert gemini.sign((), gemini.secret) == ((b"x-goog-api-key", b"AIza-test-0123456789"),)
    assert gemini.sign((), None) == ()


def test_gemini_is_spoken_to_in_its_own_dialect_for_everything() -> None:
    gemini = build(PROVIDERS["gemini"], name="g")
    assert {operation: dialects[0] for operation, dialects in gemini.dialects.items()} == dict.fromkeys(
        (CHAT, Operation.LIST_MODELS, EMBED, COUNT), "gemini"
    )
