"""A request as it may be shown: whole, but for every secret in it; and who may see addresses and the names of keys."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Raw

from isthmus.core.secret import Secret
from isthmus.engine.explanation import Upstream
from isthmus.engine.live import Now
from isthmus.providers.key_guard import MASK, mask
from isthmus.providers.provider import Outgoing, Provider
from isthmus.routing.places import Ask
from isthmus.wire import json

LONGEST = 4 * 1024 * 1024
"""Bytes of a body that is shown; a longer one is only measured."""
SHORTEST = 8
"""Characters of a configured header's value, below which it is hidden in its header alone."""
_SECRET = frozenset(
    {
        b"api-key",
        b"authorization",
        b"cookie",
        b"proxy-authorization",
        b"x-amz-security-token",
        b"x-api-key",
        b"x-goog-api-key",
    }
)
"""Headers whose values are never shown, whatever stands in them."""
_DEFAULT_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


class Viewer:
    """Who looks. Only somebody who manages the gateway sees where providers are, and what their keys are called."""

    def __init__(self, now: Now, *, manages: bool) -> None:
        self._now = now
        self._manages = manages

    def key(self, ask: Ask) -> str:
        """The key's name, or its number among those of its provider."""
        if self._manages:
            return ask.credential
        names = [key.name for key in self._now.snapshot.credentials.get(ask.target.provider, ())]
        return f"#{names.index(ask.credential) + 1 if ask.credential in names else 1}"

    def words(self, words: str, ask: Ask) -> str:
        """What is told of a place, without its key's name for those who may not know it."""
        if self._manages:
            return words
        own, number = ask.credential, self.key(ask)
        for before in ("key ", f"key {ask.target.provider}/"):
            words = words.replace(before + own, before + number)
        return words

    def request(self, outgoing: Outgoing, provider: Provider, *, notes: Iterable[str]) -> Upstream:
        """The request that `provider` would get."""
        secrets = self._secrets(provider)
        hidden = _SECRET | {name for name, _ in provider.headers}
        headers: dict[str, str] = {}
        for name, value in outgoing.headers:
            told, key = MASK if name in hidden else _clean(value.decode("latin-1"), secrets), name.decode("latin-1")
            headers[key] = f"{headers[key]}, {told}" if key in headers else told
        return Upstream(
            method=outgoing.method,
            url=_clean(_url(outgoing), secrets) if self._manages else None,
            headers=headers,
            body=_body(outgoing.body, secrets),
            notes=tuple(notes),
        )

    def message(self, message: str, provider: Provider) -> str:
        """Why something is refused, without any secret."""
        return _clean(message, self._secrets(provider))

    def _secrets(self, provider: Provider) -> "_Secrets":
        """All that is secret of a provider, under whichever of its keys."""
        keyed = [provider, *self._now.snapshot.keys.get(provider.name, {}).values()]
        found = [one.secret for one in keyed if one.secret is not None]
        found += [one.cloud.secret for one in keyed if one.cloud is not None and one.cloud.secret is not None]
        return _Secrets(found, [value.decode("latin-1") for _, value in provider.headers if len(value) >= SHORTEST])


class _Secrets(NamedTuple):
    """`keys` are hidden in pieces too; `words`, which stand in configured headers and may be no secrets, as a whole."""

    keys: Sequence[Secret]
    words: Sequence[str]


def _clean(text: str, secrets: _Secrets) -> str:
    text = mask(text, None)
    for key in secrets.keys:
        text = mask(text, key)
    for word in secrets.words:
        text = text.replace(word, MASK)
    return text


def _url(outgoing: Outgoing) -> str:
    origin = outgoing.origin
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    port = "" if _DEFAULT_PORTS.get(origin.scheme) == origin.port else f":{origin.port}"
    return f"{origin.scheme}://{host}{port}{outgoing.target}"


def _body(body: bytes, secrets: _Secrets) -> Raw | str | None:
    """JSON as JSON, to the byte; anything else as text."""
    if not body:
        return None
    if len(body) > LONGEST:
        return f"{len(body)} bytes, of which at most {LONGEST} are shown"
    text = _clean(body.decode("utf-8", "replace"), secrets)
    try:
        json.decode(text.encode())
    except json.Malformed:
        return text
    return Raw(text.encode())
