"""Where an Ollama server is asked for what, in its own API.

Source: https://docs.ollama.com/api.
"""

from collections.abc import Mapping
from functools import partial

from isthmus.core.operations import Operation
from isthmus.providers.provider import Address, Aim

_PATHS: Mapping[tuple[Operation, str], tuple[str, str]] = {
    (Operation.CHAT, "ollama"): ("POST", "/api/chat"),
    (Operation.CHAT, "ollama_generate"): ("POST", "/api/generate"),
    (Operation.EMBED, "ollama"): ("POST", "/api/embed"),
    (Operation.EMBED, "ollama_embeddings"): ("POST", "/api/embeddings"),
    (Operation.LIST_MODELS, "ollama"): ("GET", "/api/tags"),
}


def address(prefix: str) -> Address:
    """The paths below `prefix`, which may end in /v1 or /api or not: people write each of them."""
    return partial(_address, prefix.removesuffix("/v1").removesuffix("/api"))


def _address(prefix: str, aim: Aim) -> tuple[str, str]:
    method, path = _PATHS[aim.operation, aim.dialect]
    return method, prefix + path
