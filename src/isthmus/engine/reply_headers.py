"""The headers of an answer: what it is, who gave it after how many tries, and what was lost on its way."""

from functools import lru_cache

from isthmus.core.losses import Loss
from isthmus.dialects.codec import AnyCodec
from isthmus.engine.exchange import Exchange
from isthmus.providers.provider import Provider
from isthmus.wire.headers import Headers, pick

LEDGERS = 256
"""Ledgers whose headers are remembered: a client's requests mostly lose the same."""


def reply_headers(
    exchange: Exchange, upstream: Headers, codec: AnyCodec, content_type: bytes, provider: Provider | None = None
) -> Headers:
    """The answer's headers: ours, and those of the upstream's that this dialect's clients know.

    One in which `provider` repeats what it was sent to prove who asks is left out.
    """
    passed = pick(upstream, codec.passed_reply_headers)
    if passed and provider is not None and provider.tells_secrets(passed):
        passed = tuple(pair for pair in passed if not provider.tells_secrets((pair,)))
    headers: Headers = (
        (b"content-type", content_type),
        (b"x-isthmus-id", exchange.id.encode()),
        *passed,
        *route_headers(exchange),
    )
    if exchange.losses.found:
        headers += ((b"x-isthmus-losses", told_losses((*exchange.losses.found,), exchange.losses.more)),)
    return headers


def route_headers(exchange: Exchange) -> Headers:
    """Who was asked last, and how many tries there were; and that it was a spill. Nothing before the first try, or
    where that is not told."""
    attempts = exchange.attempts
    if not attempts or not (route := attempts[-1].told):
        return ()
    if exchange.plan is not None and exchange.plan.route:
        route += exchange.plan.told
    tries = b"1" if len(attempts) == 1 else b"%d" % len(attempts)
    told = ((b"x-isthmus-route", route), (b"x-isthmus-attempts", tries))
    spill = attempts[-1].spill
    return told if spill is None else (*told, (b"x-isthmus-spill", spill.words().encode()))


@lru_cache(maxsize=LEDGERS)
def told_losses(found: tuple[Loss, ...], more: int) -> bytes:
    """The ledger as one header of at most about a kilobyte: `path;deed` items, and how many more there are."""
    items, size = [], 0
    for loss in found:
        item = f"{loss.path};{loss.deed}".encode("ascii", "replace").replace(b"\n", b" ").replace(b"\r", b" ")
        size += len(item) + 2
        if size > 1000:
            break
        items.append(item)
    left = len(found) - len(items) + more
    return b", ".join(items) + (b", +%d more" % left if left else b"")
