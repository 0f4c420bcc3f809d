"""Every client route, on one screen, and which dialect a caller speaks where the path does not say."""

from collections.abc import Mapping
from enum import Enum, auto

from isthmus.core.operations import Operation
from isthmus.core.value import Value
from isthmus.wire.headers import Headers, find


class Serves(Enum):
    """What stands behind a route."""

    CHAT = auto()
    MODELS = auto()
    MODEL = auto()
    ROOT = auto()
    HEALTH = auto()
    READY = auto()


class Endpoint(Value, frozen=True):
    """`dialect` None: the caller's headers say it. `rest` is what a path ending in `/*` matched."""

    serves: Serves
    dialect: str | None = None
    operation: Operation | None = None


ENDPOINTS: Mapping[str, Mapping[str, Endpoint]] = {
    "/v1/chat/completions": {"POST": Endpoint(Serves.CHAT, "openai_chat", Operation.CHAT)},
    "/v1/messages": {"POST": Endpoint(Serves.CHAT, "anthropic", Operation.CHAT)},
    "/v1/models": {"GET": Endpoint(Serves.MODELS)},
    "/v1/models/*": {"GET": Endpoint(Serves.MODEL)},
    "/": {"GET": Endpoint(Serves.ROOT), "HEAD": Endpoint(Serves.ROOT)},
    "/health": {"GET": Endpoint(Serves.HEALTH), "HEAD": Endpoint(Serves.HEALTH)},
    "/ready": {"GET": Endpoint(Serves.READY), "HEAD": Endpoint(Serves.READY)},
}

_PREFIXES = tuple((path[:-1], path) for path in ENDPOINTS if path.endswith("/*"))


def find_path(path: str) -> tuple[Mapping[str, Endpoint] | None, str]:
    """The methods of `path` and what its wildcard matched; None for a path that nobody serves."""
    found = ENDPOINTS.get(path) or ENDPOINTS.get(path.rstrip("/"))
    if found is not None:
        return found, ""
    for prefix, template in _PREFIXES:
        if path.startswith(prefix) and len(path) > len(prefix):
            return ENDPOINTS[template], path[len(prefix) :]
    return None, ""


def caller_dialect(headers: Headers, path: str) -> str:
    """Anthropic's clients send `anthropic-version` and its path is its own; everyone else is taken for OpenAI's."""
    if path.startswith("/v1/messages") or find(headers, b"anthropic-version") is not None:
        return "anthropic"
    agent = find(headers, b"user-agent") or b""
    return "anthropic" if agent.startswith(b"claude-cli") else "openai_chat"
