"""From a request line to what is meant: which endpoint, read by which codec, and what the path says itself."""

from collections.abc import Mapping
from urllib.parse import parse_qs

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.core.value import Value
from isthmus.dialects.codec import AnyCodec
from isthmus.dialects.table import CODECS, COUNT_CODECS, EMBED_CODECS
from isthmus.engine.exchange import Named
from isthmus.server.endpoints import ENDPOINTS, VERBS, Endpoint, Methods, Serves, caller_dialect, find_path
from isthmus.wire.headers import Headers, find


class Route(Value, frozen=True):
    """`serves` is None where nothing stands behind the path for this method; `error` says why.

    `codec` reads the request, and writes errors in any case. `rest` is what the path's wildcard matched.
    """

    serves: Serves | None
    codec: AnyCodec
    rest: str = ""
    named: Named | None = None
    methods: tuple[str, ...] = ()
    error: GatewayError | None = None


_CODECS: Mapping[Serves, Mapping[str, AnyCodec]] = {
    Serves.CHAT: {dialect: codec for (dialect, operation), codec in CODECS.items() if operation is Operation.CHAT},
    Serves.EMBED: EMBED_CODECS,
    Serves.COUNT: COUNT_CODECS,
}
_CHAT = _CODECS[Serves.CHAT]
_WHOLE: Mapping[tuple[str, str], Route] = {
    (method, path): Route(endpoint.serves, _CODECS[endpoint.serves][endpoint.dialect])
    for path, methods in ENDPOINTS.items()
    for method, endpoint in methods.items()
    if endpoint.dialect is not None and endpoint.dialect in _CODECS.get(endpoint.serves, ())
}
"""Where method and path say all."""


def find_route(method: str, path: str, query: bytes, headers: Headers) -> Route:
    """What a request to `path` means. Never raises: what is wrong is in the route."""
    if (whole := _WHOLE.get((method, path))) is not None:
        return whole
    methods, rest = find_path(path)
    endpoint = methods.get(method) if methods is not None else None
    if endpoint is None:
        return _nowhere(methods, method, path, headers)
    if endpoint.serves is Serves.VERB:
        return _verb(rest, query, headers)
    if endpoint.serves in _CODECS:
        return _WHOLE[method, path.rstrip("/")]
    return Route(endpoint.serves, _CHAT[endpoint.dialect or caller_dialect(headers, path)], rest)


def _verb(rest: str, query: bytes, headers: Headers) -> Route:
    """`MODEL:VERB`, as Gemini's paths end. A model's own name may hold colons and slashes.

    As at Google, a stream is one JSON array for who does not ask for events, by `alt=sse` or by what it accepts.
    """
    model, _, verb = rest.rpartition(":")
    if verb not in VERBS or not model:
        words = f"a model is asked by one of {', '.join(VERBS)}, as in /v1beta/models/MODEL:generateContent"
        return Route(None, _CHAT["gemini"], error=GatewayError(Kind.UNKNOWN_PATH, words))
    serves, dialect, stream = VERBS[verb]
    if stream and (_alt(query) or _accepted(headers)) != "sse":
        dialect = "gemini_array"
    return Route(serves, _CODECS[serves][dialect], named=Named(model, stream))


def _accepted(headers: Headers) -> str:
    return "sse" if b"text/event-stream" in (find(headers, b"accept") or b"") else "json"


def _alt(query: bytes) -> str | None:
    """How a streamed answer is wanted: `alt`, or `$alt`, which means the same."""
    if b"alt=" not in query:
        return None
    fields = parse_qs(query.decode("latin-1"))
    return next(iter(fields.get("alt") or fields.get("$alt") or ()), None)


def _nowhere(methods: Methods | None, method: str, path: str, headers: Headers) -> Route:
    codec = _CHAT[_dialect_of(methods) or caller_dialect(headers, path)]
    shown = path[:200]
    if methods is None:
        error = GatewayError(Kind.UNKNOWN_PATH, f"nothing is served at {shown}; GET / lists what is")
        return Route(None, codec, error=error)
    error = GatewayError(Kind.WRONG_METHOD, f"{shown} does not take {method}; it takes {', '.join(methods)}")
    return Route(None, codec, methods=tuple(methods), error=error)


def error_codec(path: str, headers: Headers) -> AnyCodec:
    """The codec to write errors in for a caller whose route is not looked for."""
    return _CHAT[caller_dialect(headers, path)]


def _dialect_of(methods: Methods | None) -> str | None:
    """The dialect that a path belongs to, whatever the method."""
    endpoints: tuple[Endpoint, ...] = tuple((methods or {}).values())
    found = {endpoint.dialect for endpoint in endpoints if endpoint.dialect in _CHAT}
    return found.pop() if len(found) == 1 else None
