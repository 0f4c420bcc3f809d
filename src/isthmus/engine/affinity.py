"""Requests of one conversation prefer the place that answered the last one, where its prompt is in a cache.

A preference, never a lock: a place that rests, is busy or near its limit is not asked first, and whoever answers
instead is preferred from then on. What is kept is a digest of how the conversation is named, and no text of it.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b

from msgspec import Raw

from isthmus.dialects.body_fields import SYSTEM, TURNS
from isthmus.engine.exchange import Bond, Exchange
from isthmus.engine.ports import Memory
from isthmus.engine.snapshot import AffinityRule
from isthmus.routing.health import Place
from isthmus.wire import json
from isthmus.wire.headers import find

HEADERS = (
    b"x-isthmus-session",
    b"x-claude-code-session-id",
    b"session-id",
    b"session_id",
    b"x-session-affinity",
    b"x-session-id",
)
"""Headers in which agents name a conversation, the first that is there counts. The first is ours; Claude Code, Codex,
pi and opencode send the others."""
_NAMED = (b'"prompt_cache_key"', b'"user_id"')
_CACHE_MARK = re.compile(rb'"cache_control"\s*:\s*\{[^{}]*\}')
OPENING = 2
"""Turns by which a conversation is known that does not name itself, where the system's words are the first of them."""
RENEWED = 0.1
"""Share of its time after which a bond is written anew."""


async def find_bond(exchange: Exchange, body: bytes, rule: AffinityRule, memory: Memory) -> Bond | None:
    """The bond of the request's conversation; None where it has no name, or affinity is off."""
    assert exchange.plan is not None  # noqa: S101  the line has planned before
    enabled = rule.enabled if exchange.plan.rules.affinity is None else exchange.plan.rules.affinity
    if enabled is False:
        return None
    name = session_of(exchange, body, opening=enabled is True)
    if name is None:
        return None
    digest = blake2b(b"\0".join((exchange.client.name.encode(), exchange.plan.name.encode(), name)), digest_size=16)
    bond = Bond(f"bond:{digest.hexdigest()}")
    _fill(bond, (await memory.get((bond.key,))).get(bond.key), exchange.clock.time() - rule.seconds)
    return bond


async def keep_bond(exchange: Exchange, rule: AffinityRule, memory: Memory | None) -> None:
    """A place has answered: the conversation prefers it from now on."""
    bond, place, now = exchange.bond, exchange.attempts[-1].place, exchange.clock.time()
    if bond is None or memory is None:
        return
    if place != bond.place or now - bond.at > RENEWED * rule.seconds:
        await memory.put((bond.key,), json.encode([now, *place]))


def session_of(exchange: Exchange, body: bytes, *, opening: bool) -> bytes | None:
    """How the conversation is named, by a header or in the body; with `opening` else by how it begins."""
    headers = exchange.call.headers
    for header in HEADERS:
        if (said := find(headers, header)) is not None:
            return said
    if not opening and not any(name in body for name in _NAMED):
        return None
    try:
        fields = json.read_fields(body)
        named = next(_named(fields), None)
        return _opening(fields) if named is None and opening else named
    except json.Malformed:
        return None


def _named(fields: dict[str, Raw]) -> Iterator[bytes]:
    """The names in a body, the better one first."""
    if (key := fields.get("prompt_cache_key")) is not None and key != json.NULL:
        yield bytes(key)
    if (metadata := fields.get("metadata")) is not None and metadata != json.NULL:
        user = json.read_fields(metadata).get("user_id")
        if user is not None and user != json.NULL:
            yield bytes(user)


def _opening(fields: dict[str, Raw]) -> bytes | None:
    """What all requests of a conversation begin with, whatever is marked to be cached in it."""
    said = [bytes(fields[name]) for name in SYSTEM if name in fields]
    for name in TURNS:
        if name in fields and bytes(fields[name]).startswith(b"["):
            turns = json.read_items(fields[name])
            said += map(bytes, turns[: 1 if said else OPENING])
    return _CACHE_MARK.sub(b"", b"\0".join(said)) if said else None


def _fill(bond: Bond, kept: bytes | None, oldest: float) -> None:
    """Take in what was kept. What is too old, or in no form of ours, counts as nothing."""
    match json.decode(kept) if kept is not None else None:
        case [float(at) | int(at), str(provider), str(credential), str(model)] if at >= oldest:
            bond.at, bond.place = at, Place(provider, credential, model)
