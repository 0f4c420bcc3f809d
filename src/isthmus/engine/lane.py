"""The cheapest correct way to carry one request to one target, and the request it makes."""

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.dialects.codec import Codec, Peek
from isthmus.engine.exchange import Lane
from isthmus.providers.provider import Emulator, Outgoing, Provider
from isthmus.providers.quirks import apply_quirks
from isthmus.wire import json
from isthmus.wire.headers import Headers, pick
from isthmus.wire.respell import respell

_JSON = ((b"content-type", b"application/json"), (b"user-agent", b"isthmus"))


def choose_lane(codec: Codec, provider: Provider, peek: Peek) -> Lane:
    """TRANSLATE when the dialects differ or the model is helped, PATCH when the host is odd, else PASSTHROUGH.

    A body that no provider could take as it is goes the same way: PATCH for a field, TRANSLATE for a mark of ours.
    """
    if provider.dialects[codec.operation] != codec.dialect or provider.emulator is not None or peek.marked:
        return Lane.TRANSLATE
    return Lane.PATCH if provider.quirks or peek.refused else Lane.PASSTHROUGH


def forward(body: bytes, peek: Peek, codec: Codec, *, provider: Provider, model: str, losses: Losses) -> bytes:
    """The caller's own body for `provider`: the same bytes, unless a top-level field must change."""
    changes: dict[str, Raw | None] = dict.fromkeys(peek.refused)
    if model != peek.model:
        changes["model"] = json.raw(model)
    asks = peek.stream and not peek.usage_asked and codec.ask_usage is not None
    if not asks and not provider.quirks and not peek.refused:
        if not changes:
            return body
        if (respelt := respell(body, "model", peek.model, model)) is not None:
            return respelt
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
    asked = replace(request, model=model)
    if emulator is not None:
        asked = emulator.prepare(asked, losses)
    body = theirs.write_request(asked, provider.profile(model), losses)
    if provider.quirks:
        fields = json.read_fields(body)
        ours = theirs.ask_usage(fields).keys() if theirs.ask_usage is not None else ()
        body = json.encode(apply_quirks(fields, provider.quirks, losses, ours=frozenset(ours)))
    return body


def outgoing(provider: Provider, model: str, body: bytes, *, stream: bool, client: Headers, codec: Codec) -> Outgoing:
    """The signed request. Of the client's headers only those travel that both ends of one dialect understand."""
    method, target = provider.address(codec.operation, model, stream)
    headers = _with_ours(provider.headers) if provider.headers else _JSON
    if provider.dialects[codec.operation] == codec.dialect:
        headers += pick(client, codec.passed_request_headers)
    return Outgoing(provider.origin, method, target, provider.sign(headers, provider.secret), body)


def _with_ours(configured: Headers) -> Headers:
    """What the operator configured, and of ours what that leaves unsaid."""
    said = {name for name, _ in configured}
    return (*configured, *(pair for pair in _JSON if pair[0] not in said))


def listing(provider: Provider) -> Outgoing:
    """The request that asks a provider for its models."""
    method, target = provider.address(Operation.LIST_MODELS, "", False)
    return Outgoing(provider.origin, method, target, provider.sign(_with_ours(provider.headers), provider.secret))
