"""Where an OpenAI-like host is asked for what. Holds no host's name."""

from collections.abc import Mapping
from functools import partial

from isthmus.core.operations import Operation
from isthmus.providers.provider import Address, Aim

_PATHS: Mapping[tuple[Operation, str], tuple[str, str]] = {
    (Operation.CHAT, "openai_chat"): ("POST", "/chat/completions"),
    (Operation.CHAT, "openai_responses"): ("POST", "/responses"),
    (Operation.CHAT, "openai_completions"): ("POST", "/completions"),
    (Operation.EMBED, "openai"): ("POST", "/embeddings"),
    (Operation.COUNT_TOKENS, "openai"): ("POST", "/responses/input_tokens"),
    (Operation.LIST_MODELS, "openai_chat"): ("GET", "/models"),
}


def address(prefix: str) -> Address:
    """The paths below `prefix`, the path of the base URL without a slash at its end."""
    return partial(_address, prefix)


def _address(prefix: str, aim: Aim) -> tuple[str, str]:
    method, path = _PATHS[aim.operation, aim.dialect]
    return method, prefix + path
