"""The cheapest correct way to carry one request to one target, and the request it makes."""

import re

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.core.repair import repair
from isthmus.dialects.codec import AnyCodec, Codec, Peek
from isthmus.dialects.table import CODECS
from isthmus.engine.exchange import Call, Lane
from isthmus.providers.provider import Aim, Emulator, Outgoing, Provider
from isthmus.providers.quirks import apply_quirks
from isthmus.wire import json
from isthmus.wire.headers import Headers, pick
from isthmus.wire.respell import respell

HOPS = b"x-isthmus-hops"
"""How many gateways have sent the request on. Providers that are certainly none are not told."""
MOST_HOPS = 8
_TOLD = tuple(b"%d" % hops for hops in range(MOST_HOPS + 1))
_BY_URL = re.compile(rb'"type"\s*:\s*"url"')
_PASSTHROUGH, _PATCH, _TRANSLATE, _CHAT = Lane.PASSTHROUGH, Lane.PATCH, Lane.TRANSLATE, Operation.CHAT
"""Looked up once, as wherever requests come by: a member of an enumeration takes as long as three dictionaries."""
_JSON = ((b"content-type", b"application/json"), (b"user-agent", b"isthmus"))


def their_codec(ours: Codec, provider: Provider, model: str) -> Codec:
    """The codec to speak to `provider` in: the caller's own where the model is served in it, else the best one."""
    spoken = provider.dialects[_CHAT]
    if len(spoken) > 1:
        served = provider.profile(model).dialects
        spoken = tuple(dialect for dialect in served if dialect in spoken) or spoken
    return CODECS[ours.dialect if ours.dialect in spoken else spoken[0], _CHAT]


def spoken_for(operation: Operation, provider: Provider, model: str) -> tuple[str, ...]:
    """The dialects of a provider for an operation: those that the model is served in, where that is known of any."""
    spoken = provider.dialects.get(operation, ())
    if len(spoken) < 2:
        return spoken
    return tuple(dialect for dialect in provider.profile(model).dialects if dialect in spoken) or spoken


def choose_lane(ours: Codec, theirs: Codec, provider: Provider, peek: Peek) -> Lane:
    """TRANSLATE when the dialects differ or the model is helped, PATCH when the host is odd, else PASSTHROUGH.

    A body that no provider could take as it is goes the same way: PATCH for a field, TRANSLATE for a mark of ours.
    One dialect framed in two ways is translated where it streams.
    """
    if ours.dialect != theirs.dialect or provider.emulator is not None or peek.marked:
        return _TRANSLATE
    if peek.stream and ours.framing is not theirs.framing:
        return _TRANSLATE
    return _PATCH if provider.quirks or provider.envelope or peek.refused else _PASSTHROUGH


def names_files(body: bytes, provider: Provider, model: str) -> bool:
    """Does the body name files by URL, where the model is one that is given none so?

    What a dialect that such models are served in calls `source` says its type; a word in a text has other quotes.
    """
    return not provider.profile(model).fetches and _BY_URL.search(body) is not None


def forward(body: bytes, peek: Peek, codec: Codec, *, provider: Provider, model: str, losses: Losses) -> bytes:
    """The caller's own body for `provider`: the same bytes, unless a top-level field must change."""
    renamed = model != peek.model and not codec.model_in_path
    asks = peek.stream and not peek.usage_asked and codec.ask_usage is not None
    if not asks and not provider.quirks and not peek.refused:
        if not renamed:
            return body
        if (respelt := respell(body, "model", peek.model, model)) is not None:
            return respelt
    changes: dict[str, Raw | None] = dict.fromkeys(peek.refused)
    if renamed:
        changes["model"] = json.raw(model)
    fields = json.read_fields(body)
    ours: frozenset[str] = frozenset()
    if asks and codec.ask_usage is not None:
        asked = codec.ask_usage(fields)
        ours = frozenset(asked.keys() - fields.keys())
        changes.update(asked)
    for name, value in changes.items():
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
    return json.encode(apply_quirks(fields, provider.quirks, losses, ours=ours) if provider.quirks else fields)


def translate(
    request: ChatRequest, theirs: Codec, *, provider: Provider, model: str, emulator: Emulator | None, losses: Losses
) -> bytes:
    """The request in the provider's dialect, written anew from what the caller said."""
    asked = repair(replace(request, model=model), losses)
    if emulator is not None:
        asked = emulator.prepare(asked, losses)
    body = theirs.write_request(asked, provider.profile(model), losses)
    if provider.quirks:
        fields = json.read_fields(body)
        ours = theirs.ask_usage(fields).keys() if theirs.ask_usage is not None else ()
        body = json.encode(apply_quirks(fields, provider.quirks, losses, ours=frozenset(ours)))
    return body


def outgoing(provider: Provider, aim: Aim, body: bytes, *, call: Call, ours: AnyCodec) -> Outgoing:
    """The signed request. Of the client's headers only those travel that both ends of one dialect understand.

    Raises INVALID for a request that comes back again and again, where a provider leads to this gateway itself.
    """
    method, target = provider.address(aim)
    headers = _with_ours(provider.headers) if provider.headers else _JSON
    passed = pick(call.headers, ours.passed_request_headers) if aim.dialect == ours.dialect else ()
    if provider.envelope is not None:
        if provider.envelope.passes and aim.dialect == ours.dialect:
            passed += pick(call.headers, provider.envelope.passes)
        body = json.encode(provider.envelope.wrap(aim, json.read_fields(body), passed))
    if provider.may_be_gateway:
        passed += ((HOPS, _TOLD[_one_more(call)]),)
    return Outgoing(provider.origin, method, target, provider.sign(headers + passed, provider.secret), body)


def _one_more(call: Call) -> int:
    """How many gateways the request has been through, this one too."""
    told = call.said.get(HOPS, b"")
    hops = int(told) + 1 if told.isdigit() and len(told) < 4 else 1
    if hops > MOST_HOPS:
        words = f"the request has been through {MOST_HOPS} gateways: a provider leads back to the gateway that asks it"
        raise GatewayError(Kind.INVALID, words)
    return hops


def _with_ours(configured: Headers) -> Headers:
    """What the operator configured, and of ours what that leaves unsaid."""
    said = {name for name, _ in configured}
    return (*configured, *(pair for pair in _JSON if pair[0] not in said))


def listing(provider: Provider) -> Outgoing:
    """The request that asks a provider for its models."""
    method, target = provider.address(Aim(Operation.LIST_MODELS, provider.dialects[Operation.LIST_MODELS][0]))
    return Outgoing(provider.origin, method, target, provider.sign(_with_ours(provider.headers), provider.secret))
