"""Explanations as tables for people. They come as JSON, from a gateway that may be of another version."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from isthmus.cli.output import say, say_table
from isthmus.wire import json

Told: TypeAlias = Mapping[str, object]

_CANDIDATES = ("", "PROVIDER", "KEY", "MODEL", "TIER", "HEALTH", "LANE", "COST", "WHY")
_ATTEMPTS = ("AFTER", "TOOK", "PROVIDER", "KEY", "MODEL", "RESULT")
_PLACES = ("", "PROVIDER", "KEY", "MODEL", "WHY")


def say_explained(told: object) -> None:
    """What would become of a request."""
    request, candidates = _part(told, "request"), _parts(told, "candidates")
    stream = ", streamed" if request.get("stream") else ""
    say(f"{_text(request, 'model')}: {_text(request, 'because')}")
    say(f"{_text(request, 'operation')} in {_text(request, 'dialect')}{stream}, for {_text(request, 'client')}")
    for words in _remarks(request, _part(told, "rules")):
        say(words)
    if candidates:
        say("")
        say_table(_CANDIDATES, [_candidate(one) for one in candidates])
    for one in candidates:
        for line in (*_windows(one), *_request(one)):
            say(line)


def say_past(told: object) -> None:
    """What became of one."""
    found = _part({"": told}, "")
    say(f"{_text(found, 'model')}: {_text(found, 'because')}")
    say(
        f"{_text(found, 'outcome')} with {_text(found, 'status')} after {_text(found, 'ms')} ms, {_text(found, 'lane')}"
    )
    if error := _part(found, "error"):
        say(f"{_text(error, 'kind')}: {_text(error, 'message')}")
    for seam in _list(found, "continued"):
        say(f"continued {seam}")
    if found.get("spill"):
        say(_text(found, "spill"))
    if attempts := _parts(found, "attempts"):
        say("")
        say_table(_ATTEMPTS, [_attempt(one) for one in attempts])
    if places := _parts(found, "candidates"):
        say("")
        say_table(_PLACES, [_place(one) for one in places])
    for line in _spent(_part(found, "spent")):
        say(line)
    for line in _losses(found):
        say(line)


def _remarks(request: Told, rules: Told) -> Iterator[str]:
    """What concerns the request as a whole."""
    if excluded := _list(request, "excluded_by"):
        yield f"excluded by {', '.join(map(str, excluded))}"
    if request.get("answered_here"):
        yield _text(request, "answered_here")
    if refusal := _part(request, "refusal"):
        yield f"it would be refused: {_text(refusal, 'message')}"
    if request.get("waits") is not None:
        yield f"it would wait in the queue for a place, for {_text(request, 'waits')} s at most"
    for name in ("affinity", "hedge", "continues", "shadow"):
        if rules.get(name):
            yield _text(rules, name)
    if rules.get("seconds_left") is not None:
        yield f"it has {_text(rules, 'seconds_left')} s in all"


def _candidate(one: Told) -> Sequence[str]:
    estimate = _part(one, "estimate")
    return (
        _text(one, "verdict"),
        _text(one, "provider"),
        _text(one, "key"),
        _text(one, "model"),
        _text(one, "tier"),
        _text(_part(one, "health"), "state"),
        _text(one, "lane"),
        f"${_text(estimate, 'dollars')}" if estimate.get("dollars") is not None else "",
        "; ".join(map(str, _list(one, "why"))),
    )


def _windows(one: Told) -> Iterator[str]:
    """What its provider told of limits of its own."""
    name = f"{_text(one, 'provider')}/{_text(one, 'model')} ({_text(one, 'key')})"
    for window in _parts(one, "told_by_provider"):
        remaining, limit = window.get("remaining"), window.get("limit")
        if isinstance(remaining, int | float) and isinstance(limit, int | float) and limit > 0:
            reset = f", and all of it in {_text(window, 'reset')} s" if window.get("reset") is not None else ""
            yield f"{name} has {remaining / limit:.0%} left of its limit of {_text(window, 'measure')}{reset}"


def _request(one: Told) -> Iterator[str]:
    """What the candidate would be sent, or why it would be sent nothing."""
    name = f"{_text(one, 'provider')}/{_text(one, 'model')} ({_text(one, 'key')})"
    if refusal := _part(one, "refusal"):
        yield f"\n{name} would be sent nothing: {_text(refusal, 'message')}"
    yield from _losses(one)
    upstream = _part(one, "upstream")
    if not upstream:
        return
    yield f"\n{name} would be sent {_text(upstream, 'method')} {_text(upstream, 'url')}".rstrip()
    for header, value in _part(upstream, "headers").items():
        yield f"  {header}: {value}"
    for note in _list(upstream, "notes"):
        yield f"  ({note})"
    body = upstream.get("body")
    yield f"  {body if isinstance(body, str) else json.encode(body).decode()}"
    yield from _estimate(_part(one, "estimate"))


def _estimate(estimate: Told) -> Iterator[str]:
    tokens = f"about {_text(estimate, 'input_tokens')} tokens in and {_text(estimate, 'output_tokens')} out"
    price = f"${_text(estimate, 'dollars')}" if estimate.get("dollars") is not None else ""
    yield f"  {', '.join(filter(None, (tokens, price, _text(estimate, 'why'))))}"


def _attempt(one: Told) -> Sequence[str]:
    failed = ": ".join(filter(None, (_text(one, "error"), _text(one, "reason"))))
    result = " ".join(filter(None, (failed or "answered", _text(one, "note"))))
    times = (f"{_text(one, 'after')} ms", f"{_text(one, 'ms')} ms")
    return (*times, _text(one, "provider"), _text(one, "key"), _text(one, "model"), result)


def _place(one: Told) -> Sequence[str]:
    return tuple(_text(one, name) for name in ("fate", "provider", "key", "model", "why"))


def _spent(spent: Told) -> Iterator[str]:
    if spent:
        price = f"${_text(spent, 'dollars')}" if spent.get("dollars") is not None else _text(spent, "why")
        yield f"\n{_text(spent, 'input_tokens')} tokens in, {_text(spent, 'output_tokens')} out; {price}"


def _losses(one: Told) -> Iterator[str]:
    for loss in _parts(one, "losses"):
        yield f"  {_text(loss, 'path')} is {_text(loss, 'deed')}: {_text(loss, 'reason')}"


def _part(told: object, name: str) -> Told:
    """The object called `name`; an empty one where there is none."""
    part = told.get(name) if isinstance(told, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _parts(told: object, name: str) -> Sequence[Told]:
    return [one for one in _list(told, name) if isinstance(one, Mapping)]


def _list(told: object, name: str) -> Sequence[object]:
    found = told.get(name) if isinstance(told, Mapping) else None
    return found if isinstance(found, list) else []


def _text(told: Told, name: str) -> str:
    """A field for people; "" where there is none."""
    found = told.get(name)
    return "" if found is None else str(found)
