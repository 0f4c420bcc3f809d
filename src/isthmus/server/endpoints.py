"""Every client route, on one screen, and which dialect a caller speaks where the path does not say."""

from collections.abc import Mapping
from enum import Enum, auto

from isthmus.core.value import Value
from isthmus.wire.headers import Headers, find


class Serves(Enum):
    """What stands behind a route."""

    CHAT = auto()
    EMBED = auto()
    COUNT = auto()
    VERB = auto()
    """One of several operations: which one stands behind a colon at the end of the path."""
    KEPT = auto()
    """An answer that was stored, by its id."""
    SOCKET = auto()
    """A WebSocket, which is not spoken here."""
    MODELS = auto()
    MODEL = auto()
    SHOW = auto()
    LOADED = auto()
    OLLAMA_VERSION = auto()
    MANAGED = auto()
    """Something that only the configuration may change."""
    EXPLAIN = auto()
    """What would become of a request."""
    METRICS = auto()
    """What Prometheus collects."""
    ROOT = auto()
    HEALTH = auto()
    READY = auto()

    __hash__ = object.__hash__  # there is one of each; Enum's own is Python, and asked for every request


class Endpoint(Value, frozen=True):
    """`dialect` is that of the codec that reads the request; None: the caller's headers say it."""

    serves: Serves
    dialect: str | None = None


ASKING = frozenset({Serves.CHAT, Serves.EMBED, Serves.COUNT})
"""What asks something of a model."""

Methods = Mapping[str, Endpoint]

_MODEL = {"GET": Endpoint(Serves.MODEL), "POST": Endpoint(Serves.VERB, "gemini")}
_GEMINI_MODEL = {"GET": Endpoint(Serves.MODEL, "gemini"), "POST": Endpoint(Serves.VERB, "gemini")}
_MANAGED = {method: Endpoint(Serves.MANAGED, "ollama") for method in ("POST", "DELETE", "HEAD")}

_OLLAMA: Mapping[str, Methods] = {
    "/api/chat": {"POST": Endpoint(Serves.CHAT, "ollama")},
    "/api/generate": {"POST": Endpoint(Serves.CHAT, "ollama_generate")},
    "/api/embed": {"POST": Endpoint(Serves.EMBED, "ollama")},
    "/api/embeddings": {"POST": Endpoint(Serves.EMBED, "ollama_embeddings")},
    "/api/tags": {"GET": Endpoint(Serves.MODELS, "ollama")},
    "/api/show": {"POST": Endpoint(Serves.SHOW, "ollama")},
    "/api/ps": {"GET": Endpoint(Serves.LOADED, "ollama")},
    "/api/version": {"GET": Endpoint(Serves.OLLAMA_VERSION, "ollama")},
    **{f"/api/{what}": _MANAGED for what in ("pull", "push", "create", "copy", "delete")},
    "/api/blobs/*": _MANAGED,
}

ENDPOINTS: Mapping[str, Methods] = {
    "/v1/chat/completions": {"POST": Endpoint(Serves.CHAT, "openai_chat")},
    "/v1/completions": {"POST": Endpoint(Serves.CHAT, "openai_completions")},
    "/v1/responses": {
        "POST": Endpoint(Serves.CHAT, "openai_responses"),
        "GET": Endpoint(Serves.SOCKET, "openai_responses"),
    },
    "/v1/responses/input_tokens": {"POST": Endpoint(Serves.COUNT, "openai")},
    "/v1/responses/*": {
        "GET": Endpoint(Serves.KEPT, "openai_responses"),
        "DELETE": Endpoint(Serves.KEPT, "openai_responses"),
        "POST": Endpoint(Serves.KEPT, "openai_responses"),
    },
    "/v1/embeddings": {"POST": Endpoint(Serves.EMBED, "openai")},
    "/v1/messages": {"POST": Endpoint(Serves.CHAT, "anthropic")},
    "/v1/messages/count_tokens": {"POST": Endpoint(Serves.COUNT, "anthropic")},
    "/v1/models": {"GET": Endpoint(Serves.MODELS)},
    "/v1/models/*": _MODEL,
    "/v1beta/models": {"GET": Endpoint(Serves.MODELS, "gemini")},
    "/v1beta/models/*": _GEMINI_MODEL,
    "/v0/explain": {"POST": Endpoint(Serves.EXPLAIN)},
    "/v0/explain/*": {"POST": Endpoint(Serves.EXPLAIN)},
    **_OLLAMA,
    **{f"/ollama{path}": methods for path, methods in _OLLAMA.items()},
    "/": {"GET": Endpoint(Serves.ROOT), "HEAD": Endpoint(Serves.ROOT)},
    "/health": {"GET": Endpoint(Serves.HEALTH), "HEAD": Endpoint(Serves.HEALTH)},
    "/metrics": {"GET": Endpoint(Serves.METRICS), "HEAD": Endpoint(Serves.METRICS)},
    "/ready": {"GET": Endpoint(Serves.READY), "HEAD": Endpoint(Serves.READY)},
}

VERBS: Mapping[str, tuple[Serves, str, bool]] = {
    "generateContent": (Serves.CHAT, "gemini", False),
    "streamGenerateContent": (Serves.CHAT, "gemini", True),
    "countTokens": (Serves.COUNT, "gemini", False),
    "embedContent": (Serves.EMBED, "gemini_single", False),
    "batchEmbedContents": (Serves.EMBED, "gemini", False),
}
"""What stands behind the colon of a Gemini path: what is asked, in which codec, and whether the answer streams."""

_PREFIXES = tuple((path[:-1], path) for path in ENDPOINTS if path.endswith("/*"))


def find_path(path: str) -> tuple[Methods | None, str]:
    """The methods of `path` and what its wildcard matched; None for a path that nobody serves."""
    found = ENDPOINTS.get(path) or ENDPOINTS.get(path.rstrip("/"))
    if found is not None:
        return found, ""
    for prefix, template in _PREFIXES:
        if path.startswith(prefix) and len(path) > len(prefix):
            return ENDPOINTS[template], path[len(prefix) :]
    return None, ""


_BY_PATH = (
    ("/v1/messages", "anthropic"),
    ("/v1beta", "gemini"),
    ("/api/", "ollama"),
    ("/ollama/", "ollama"),
    ("/v1/responses", "openai_responses"),
)
_BY_HEADER = ((b"x-goog-api-key", "gemini"), (b"x-goog-api-client", "gemini"), (b"anthropic-version", "anthropic"))


def caller_dialect(headers: Headers, path: str) -> str:
    """By the path where it belongs to one dialect, else by the headers that its clients send, else OpenAI's."""
    for prefix, dialect in _BY_PATH:
        if path.startswith(prefix):
            return dialect
    for name, dialect in _BY_HEADER:
        if find(headers, name) is not None:
            return dialect
    agent = find(headers, b"user-agent") or b""
    return "anthropic" if agent.startswith(b"claude-cli") else "openai_chat"
