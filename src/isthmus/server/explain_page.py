"""What would become of a request, asked for in place of sending it: POST /v0/explain, with the same body and headers.

Which API the request is of is said by the path behind /v0/explain, or by `?path=`; without either, by the headers that
the API's clients send, else by the names of its fields. What fits several is not guessed.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import parse_qs

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.admit import identify
from isthmus.engine.answer import Answer
from isthmus.engine.exchange import Exchange
from isthmus.engine.explain import explain
from isthmus.engine.live import Now
from isthmus.engine.ports import Ports
from isthmus.engine.serve import refuse
from isthmus.engine.shown import Viewer
from isthmus.server.endpoints import ASKING
from isthmus.server.routes import Route, find_route
from isthmus.wire import json
from isthmus.wire.headers import Headers, find

EXPLAIN = "/v0/explain"
"""Where it is served, with the path of a call behind it or without one."""
_WHICH = "which API this request is of cannot be told; give its path, as in POST /v0/explain/v1/chat/completions"
_NO_CALL = "there is no such call to explain; give the path of one, as in POST /v0/explain/v1/chat/completions"
_HIDDEN = "names of providers are not told here (habits.route-headers); only an administrator may ask for explanations"


class Shape(NamedTuple):
    """A body with the field `has`, and one of `marks` where there are any, is one that `path` takes."""

    path: str
    has: str
    marks: frozenset[str] = frozenset()


SHAPES = (
    Shape("/v1/messages", "messages", frozenset({"system", "stop_sequences", "thinking", "anthropic_version"})),
    Shape("/api/chat", "messages", frozenset({"options", "keep_alive", "think"})),
    Shape("/v1/chat/completions", "messages"),
    Shape("/api/generate", "prompt", frozenset({"options", "keep_alive", "raw", "think", "context"})),
    Shape("/v1/completions", "prompt", frozenset({"max_tokens", "logprobs", "echo", "best_of", "stop"})),
    Shape("/api/embed", "input", frozenset({"options", "keep_alive", "truncate"})),
    Shape("/v1/embeddings", "input", frozenset({"encoding_format", "dimensions"})),
    Shape(
        "/v1/responses",
        "input",
        frozenset({"instructions", "max_output_tokens", "reasoning", "text", "store", "tools", "stream", "include"}),
    ),
)
"""The first that fits a body says what it is."""
_HEADERS = ((b"anthropic-version", "/v1/messages"), (b"anthropic-beta", "/v1/messages"))
"""Headers that only one API's clients send, where the model is not in the path."""


async def serve_explanation(
    exchange: Exchange,
    receive: Callable[[int], Awaitable[bytes]],
    now: Now,
    ports: Ports,
    *,
    path: str,
    query: bytes,
    manages: bool,
) -> Answer:
    """Answer one request. Never raises for what can go wrong. `path` is what stood behind EXPLAIN, "" for nothing."""
    try:
        client = identify(exchange.call.presented, now.snapshot, exchange.at)
        if not (manages or now.snapshot.habits.route_headers):
            raise GatewayError(Kind.FORBIDDEN, _HIDDEN)
        body = await receive(now.snapshot.limits.request_body)
        route = _route(path, query, exchange.call.headers, body)
        exchange.call = replace(exchange.call, codec=route.codec, named=route.named)
        looked = Exchange(exchange.id, exchange.call, exchange.clock, exchange.version)
        exchange.client = looked.client = client
        told = await explain(looked, body, now, ports, every=_asks_for_all(query), viewer=Viewer(now, manages=manages))
        return Answer(200, ((b"content-type", b"application/json"),), json.encode(told))
    except GatewayError as error:
        exchange.fail(error)
        return refuse(exchange, error)


def _route(path: str, query: bytes, headers: Headers, body: bytes) -> Route:
    """The call that is to be explained. Raises INVALID where that cannot be told."""
    said, _, own = (path or _field(query, "path")).partition("?")
    route = find_route("POST", said or _by_headers(headers) or by_shape(body), own.encode() or query, headers)
    if route.error is not None or route.serves not in ASKING:
        raise GatewayError(Kind.INVALID, _NO_CALL)
    return route


def _by_headers(headers: Headers) -> str | None:
    return next((path for name, path in _HEADERS if find(headers, name) is not None), None)


def by_shape(body: bytes) -> str:
    """The path that takes such a body. Raises INVALID for one that several do, or none."""
    try:
        fields = json.read_fields(body)
    except json.Malformed as error:
        raise GatewayError(Kind.INVALID, f"the request's body is no JSON object: {error.message}") from error
    for shape in SHAPES:
        if shape.has in fields and (not shape.marks or shape.marks & fields.keys()):
            return shape.path
    raise GatewayError(Kind.INVALID, _WHICH)


def _asks_for_all(query: bytes) -> bool:
    return _field(query, "all").lower() in ("true", "1")


def _field(query: bytes, name: str) -> str:
    return parse_qs(query.decode("latin-1")).get(name, [""])[0]
