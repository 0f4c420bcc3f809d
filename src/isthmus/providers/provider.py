"""A provider: a dialect, an address, a signature and a few oddities. Five independent choices in one row."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from msgspec import Raw

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError
from isthmus.core.events import Event
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.core.profile import ModelProfile
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.providers.key_guard import PIECE, SHORTEST, mask
from isthmus.providers.quirks import Quirks
from isthmus.wire.frames import Framing
from isthmus.wire.headers import Headers

_Text = TypeVar("_Text", str, bytes)


class Origin(Value, frozen=True):
    """Where connections go, and how. `scheme` is http or https; the host comes from configuration only.

    `proxy` is an http, https or socks5 URL (it may hold a secret and is never logged); `ca_file`
    a PEM file trusted in place of the system's; `http2` asks for HTTP/2.
    """

    scheme: str
    host: str
    port: int
    proxy: str | None = None
    ca_file: str | None = None
    http2: bool = False


class Deadlines(Value, frozen=True):
    """Seconds for each phase of one upstream request; `total` None means no limit as a whole."""

    connect: float = 10.0
    first_byte: float = 300.0
    between_bytes: float = 120.0
    total: float | None = None


class Outgoing(Value, frozen=True):
    """One request, ready to be sent. `target` is the path with its query. Names in `headers` are lower case.

    The transport adds `host`, `content-length`, `connection` and `accept-encoding`, and nothing else.
    """

    origin: Origin
    method: str
    target: str
    headers: Headers
    body: bytes = b""


Signer = Callable[[Headers, Secret | None], Headers]
"""Adds what proves who is asking."""


class Aim(Value, frozen=True):
    """What one request wants of a provider. `model` is the provider's name for it, "" where none is meant."""

    operation: Operation
    dialect: str
    model: str = ""
    stream: bool = False


Address = Callable[[Aim], tuple[str, str]]
"""To method, and path with query."""


class CloudKey(Value, frozen=True):
    """A credential that is no plain key: it comes from a cloud's own chain. `kind` is "aws", "google" or "entra".

    `settings` are what the user configured of it: a region, a profile, the path of a key file. Never a secret:
    `secret` is what the cloud gives its tokens for, where that is a word that somebody keeps.
    """

    kind: str
    settings: Mapping[str, str] = {}
    secret: Secret | None = None


class Unwrap(Protocol):
    """Takes one vendor's stream out of another's envelope. One per stream."""

    def feed(self, data: bytes) -> bytes:
        """The bytes of the dialect's own framing that `data` completes. Raises FrameTooLarge, or GARBLED."""
        ...

    def end(self) -> bytes:
        """The upstream closed: what is left."""
        ...


class Envelope(Value, frozen=True):
    """How a host wraps another vendor's dialect.

    `wrap` changes the top-level fields of a body to what the host takes; it is told the client's
    headers that are passed in this dialect. `unwrap` is None for a stream that comes bare. `read_error`
    reads the host's own refusals; None where they come in the dialect's form. `note` tells what the host leaves out
    of a body in the caller's own dialect; None where that is nothing. `framing` is that of the streams which `unwrap`
    reads. `passes` are further names of headers (lower case) that travel on from clients of its dialect.
    """

    wrap: Callable[[Aim, dict[str, Raw], Headers], dict[str, Raw]]
    unwrap: Callable[[Aim], Unwrap | None]
    read_error: Callable[[int, Headers, bytes], GatewayError] | None = None
    note: Callable[[Aim, Headers, bytes, Losses], None] | None = None
    framing: Framing = Framing.EVENT_STREAM
    passes: frozenset[bytes] = frozenset()


class Emulator(Protocol):
    """Makes a model look as if it could do more than it can: one request's way there and back."""

    def prepare(self, request: ChatRequest, losses: Losses) -> ChatRequest:
        """The request as this model can take it."""
        ...

    def read(self, event: Event) -> Sequence[Event]:
        """The events the caller should see in place of one of the model's."""
        ...


class Provider(Value, frozen=True, kw_only=True):
    """One configured provider, compiled.

    `dialects` says what it speaks for each operation, the preferred one first. `models` are the names or wildcards it
    is known to serve; `listed`: it can be asked for its models. `emulator` is None for all
    models that need no help. `envelope` is set for a host that wraps another vendor's
    dialect, `cloud` where requests are signed by a cloud credential in place of `secret`. `limits_account`: who asks
    too often is limited for all models, not for the one that was asked. `kind` is the type that was configured.
    `may_be_gateway`: its address was configured, and may be that of a gateway, or of this one.
    `issuer` names whose accounts it is asked under, "" for one that has keys. `stand_ins` are models of its that are
    asked for names, which may hold `*`, that nobody offers. `models_presumed`: `models` are those of its type, and
    where it is asked under accounts the exact ones count until these list theirs; `stand_ins_presumed` likewise.
    """

    name: str
    dialects: Mapping[Operation, tuple[str, ...]]
    origin: Origin
    address: Address
    sign: Signer
    secret: Secret | None = None
    headers: Headers = ()
    quirks: Quirks | None = None
    profile: Callable[[str], ModelProfile]
    emulator: Callable[[], Emulator] | None = None
    envelope: Envelope | None = None
    cloud: CloudKey | None = None
    deadlines: Deadlines = Deadlines()
    models: tuple[str, ...] = ()
    listed: bool = True
    limits_account: bool = False
    kind: str = ""
    may_be_gateway: bool = False
    issuer: str = ""
    stand_ins: Mapping[str, str] = {}
    models_presumed: bool = False
    stand_ins_presumed: bool = False

    def masked(self, text: _Text) -> _Text:
        """The text without its key, whole or in pieces, and without the headers that were configured for it."""
        if not self.headers:
            return mask(text, self.secret)
        return mask(text, self.secret, [value.decode("latin-1") for _, value in self.headers])

    def tells_secrets(self, headers: Headers) -> bool:
        """Does any of these hold the whole key, or a header that was configured?"""
        if self.secret is not None and len(key := self.secret.encoded()) >= SHORTEST:
            for _, value in headers:
                if value.find(key) >= 0:  # `in` raises and catches an error
                    return True
        if not self.headers:
            return False
        told = b"\n".join([value for _, value in headers])
        return any(len(value) >= PIECE and value in told for _, value in self.headers)
