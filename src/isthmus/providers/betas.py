"""Features on trial in Anthropic's dialect, of which another host knows some: those that a request names."""

from collections.abc import Sequence

from msgspec import Raw

from isthmus.core.losses import Losses
from isthmus.providers.provider import Aim
from isthmus.wire import json
from isthmus.wire.headers import Headers, find


def note_unknown(known: frozenset[str], aim: Aim, headers: Headers, body: bytes, losses: Losses) -> None:
    """Tell which of the betas that the caller named, in a header or in its own body, the host leaves out."""
    if aim.dialect != "anthropic":
        return
    told = json.read_fields(body).get("anthropic_beta") if b'"anthropic_beta"' in body else None
    for beta in named_betas(headers, told):
        if beta not in known:
            losses.drop(f"betas.{beta[:100]}", "the host does not know this beta")


def named_betas(headers: Headers, told: Raw | None = None) -> Sequence[str]:
    """Those that stand in the header, and in `told`, which is the body's field; each once."""
    named = (find(headers, b"anthropic-beta") or b"").decode("latin-1").split(",")
    if told is not None:
        named += [json.decode(item) for item in json.read_items(told) if json.is_text(item)]
    return [beta for beta in dict.fromkeys(map(str.strip, named)) if beta]
