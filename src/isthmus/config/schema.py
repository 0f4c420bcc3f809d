"""Everything that can be configured: the sections of `isthmus.yaml`, their keys, defaults and bounds.

Each key carries its own sentence, from which the reference in the docs is written. Only shapes stand here;
what must agree between keys is in checks.py.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, get_args, get_origin

from isthmus.core.facts import Ability
from isthmus.core.losses import OnLoss
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.engine import snapshot
from isthmus.providers import provider

KIB, MIB, GIB = 1024, 1024**2, 1024**3
DAY = 86_400.0


class Unit(StrEnum):
    """What a number counts. BYTES also lets it be written as 512KiB, 64MiB or 1GiB."""

    NONE = ""
    BYTES = "bytes"
    SECONDS = "seconds"
    DOLLARS = "US dollars"


class About(Value, frozen=True):
    """What a key means, for people, and the bounds of its number."""

    sentence: str
    unit: Unit = Unit.NONE
    least: float | None = None
    most: float | None = None


class Dialect(StrEnum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    OLLAMA = "ollama"
    GEMINI = "gemini"


class LogFormat(StrEnum):
    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Switch(StrEnum):
    AUTO = "auto"
    ON = "true"
    OFF = "false"


MILLION = 1_000_000
_PRICE = (Unit.DOLLARS, 0, MILLION)
_TOKENS = (Unit.NONE, 1, 1_000_000_000)
_LIMITS = snapshot.Limits()
_DEADLINES = provider.Deadlines()
_HABITS = snapshot.Habits()


class ListenerEntry(Value, frozen=True, rename="kebab"):
    host: Annotated[str, About("The address to listen on. Anything but this machine's own needs client keys.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, About("The port to listen on; 0 takes any free one.", least=0, most=65535)] = 8317


class ClientEntry(Value, frozen=True, rename="kebab", kw_only=True):
    name: Annotated[str, About("Who uses the key, for the log. Without it: client-1, client-2, by position.")] = ""
    key: Annotated[Secret, About("The key that the client sends.")]
    on_loss: Annotated[
        OnLoss | None,
        About(
            "Whether its requests may lose something in translation. Without it: as the route or the top level says."
        ),
    ] = None


class KeyEntry(Value, frozen=True, rename="kebab", kw_only=True):
    name: Annotated[str, About("What the key is called, for the log. Without it: key-2, key-3, by position.")] = ""
    key: Annotated[Secret, About("The key itself.")]


class DeadlinesEntry(Value, frozen=True, rename="kebab"):
    connect: Annotated[float, About("For a connection, with TLS.", Unit.SECONDS, 0.1, 600)] = _DEADLINES.connect
    first_byte: Annotated[
        float, About("From the request's last byte to the answer's first.", Unit.SECONDS, 0.1, DAY)
    ] = _DEADLINES.first_byte
    between_bytes: Annotated[float, About("For any silence inside an answer.", Unit.SECONDS, 0.1, DAY)] = (
        _DEADLINES.between_bytes
    )
    total: Annotated[
        float | None, About("For the whole of one request; without it there is no such limit.", Unit.SECONDS, 0.1, DAY)
    ] = _DEADLINES.total


class ProviderEntry(Value, frozen=True, rename="kebab"):
    type: Annotated[
        str | None,
        About("A host that Isthmus knows, or `compatible` for another that speaks a known dialect. Without it: NAME."),
    ] = None
    api_key: Annotated[
        Secret | None, About("The key. Without it, and without a base-url, the host's usual variable is read.")
    ] = None
    api_keys: Annotated[
        tuple[KeyEntry, ...],
        About("Further keys, each a mapping or the key alone. All take turns; one that fails rests."),
    ] = ()
    base_url: Annotated[
        str | None, About("Where the API begins, http or https, in place of the host's usual address.")
    ] = None
    proxy_url: Annotated[Secret | None, About("An http, https, socks5 or socks5h proxy to go through.")] = None
    ca_file: Annotated[
        str | None,
        About("A PEM file of authorities to trust in place of the system's, relative to the configuration file."),
    ] = None
    http2: Annotated[bool, About("Speak HTTP/2 where the host does.")] = False
    headers: Annotated[Mapping[str, Secret], About("Headers to add to every request, by name.")] = {}
    models: Annotated[
        tuple[str, ...],
        About("The models it serves, as names or wildcards (`gpt-*`). Without it: what is known, and what it lists."),
    ] = ()
    dialect: Annotated[
        Dialect | None, About("What it speaks; only for `type: compatible`, which speaks openai unless told otherwise.")
    ] = None
    deadlines: Annotated[DeadlinesEntry, About("How long to wait for it.")] = DeadlinesEntry()
    region: Annotated[
        str | None, About("The cloud's region, for `bedrock` and `vertex`, which also takes `global`, `us` and `eu`.")
    ] = None
    project: Annotated[str | None, About("The Google Cloud project, for `vertex`.")] = None
    profile: Annotated[str | None, About("The name of a profile in the AWS configuration, for `bedrock`.")] = None
    api_version: Annotated[
        str | None,
        About("For `azure`: a dated version asks at the deployments; without it, the v1 API is asked, which has none."),
    ] = None
    credentials_file: Annotated[
        str | None,
        About(
            "The cloud's credentials, relative to the configuration file: what Google gave out as JSON, or the"
            " federated token that Entra takes. Without it, and without an api-key: what the machine itself can prove."
        ),
    ] = None
    tenant_id: Annotated[str | None, About("The Entra tenant, for `azure` without an api-key.")] = None
    client_id: Annotated[
        str | None, About("The application, or the managed identity, in Entra, for `azure` without an api-key.")
    ] = None
    client_secret: Annotated[Secret | None, About("What the application proves itself with to Entra.")] = None
    authority_url: Annotated[
        str | None, About("Where Entra gives out tokens. Without it: the address of the cloud that the host is in.")
    ] = None
    enabled: Annotated[bool, About("Whether it is used.")] = True


class TargetEntry(Value, frozen=True, rename="kebab"):
    provider: Annotated[str, About("The NAME of a provider.")]
    model: Annotated[str, About("The model's name there.")]


class PriceEntry(Value, frozen=True, rename="kebab", kw_only=True):
    input: Annotated[Decimal, About("Input, for a million tokens.", Unit.DOLLARS, 0, MILLION)]
    output: Annotated[Decimal, About("Output, for a million tokens.", Unit.DOLLARS, 0, MILLION)]
    cache_read: Annotated[Decimal | None, About("Input found in a cache. Without it: as input.", *_PRICE)] = None
    cache_write: Annotated[Decimal | None, About("Input put into a cache. Without it: as input.", *_PRICE)] = None
    cache_write_hour: Annotated[
        Decimal | None, About("Input kept in a cache for an hour. Without it: as cache-write.", *_PRICE)
    ] = None
    reasoning: Annotated[Decimal | None, About("Thinking. Without it: as output.", *_PRICE)] = None
    audio_input: Annotated[Decimal | None, About("Sound taken in. Without it: as input.", *_PRICE)] = None
    audio_output: Annotated[Decimal | None, About("Speech. Without it: as output.", *_PRICE)] = None
    image_input: Annotated[Decimal | None, About("Images taken in. Without it: as input.", *_PRICE)] = None
    image_output: Annotated[Decimal | None, About("Images drawn. Without it: as output.", *_PRICE)] = None
    request: Annotated[Decimal | None, About("One request, beside its tokens.", *_PRICE)] = None


class FactsEntry(Value, frozen=True, rename="kebab"):
    context_limit: Annotated[int | None, About("Tokens of input and output together.", *_TOKENS)] = None
    input_limit: Annotated[int | None, About("Tokens of input.", *_TOKENS)] = None
    output_limit: Annotated[int | None, About("Tokens of output.", *_TOKENS)] = None
    can: Annotated[tuple[Ability, ...], About("What the model can do.")] = ()
    cannot: Annotated[tuple[Ability, ...], About("What the model cannot do.")] = ()
    price: Annotated[
        PriceEntry | None, About("What it costs, in US dollars. It takes the place of every other price list.")
    ] = None


class RouteEntry(Value, frozen=True, rename="kebab"):
    targets: Annotated[
        tuple[TargetEntry, ...], About("Tried in order, each a mapping or written `provider/model`.")
    ] = ()
    on_loss: Annotated[
        OnLoss | None, About("Whether requests to it may lose something in translation. Without it: as the top level.")
    ] = None


class LimitsEntry(Value, frozen=True, rename="kebab"):
    request_body: Annotated[
        int, About("The longest request body; a longer one is refused with 413.", Unit.BYTES, KIB, GIB)
    ] = _LIMITS.request_body
    reply_body: Annotated[
        int, About("The longest answer that is held whole, to be translated.", Unit.BYTES, KIB, 4 * GIB)
    ] = _LIMITS.reply_body
    attempts: Annotated[int, About("Tries at upstreams for one request, over all targets.", least=1, most=50)] = (
        _LIMITS.attempts
    )
    ping_every: Annotated[
        float, About("Silence after which a streaming client is sent a sign of life.", Unit.SECONDS, 0.1, 3600)
    ] = _LIMITS.ping_every
    wait: Annotated[
        float,
        About(
            "How long a request may wait for providers that named the time of their rest.",
            Unit.SECONDS,
            0,
            3600,
        ),
    ] = _LIMITS.wait
    drain: Annotated[
        float, About("How long running requests may take to finish when the gateway stops.", Unit.SECONDS, 0, 3600)
    ] = _LIMITS.drain
    exchanges: Annotated[
        int, About("Requests that may run at the same time; one more is refused with 503.", least=1, most=1_000_000)
    ] = _LIMITS.exchanges


class HabitsEntry(Value, frozen=True, rename="kebab"):
    done_marker: Annotated[
        bool, About("Whether `data: [DONE]` follows the end of an Anthropic stream that was translated.")
    ] = _HABITS.done_marker
    ollama_streams: Annotated[
        bool, About("Whether a request of Ollama's that does not say is streamed, as Ollama's own servers do.")
    ] = _HABITS.ollama_streams


class LogEntry(Value, frozen=True, rename="kebab"):
    format: Annotated[
        LogFormat | None, About("How a line is written. Without it: text on a terminal, json elsewhere.")
    ] = None
    level: Annotated[LogLevel, About("The least important messages to write.")] = LogLevel.INFO
    file: Annotated[
        str | None,
        About("A file to append to, relative to the configuration file. Without it: standard error."),
    ] = None


class LocalEntry(Value, frozen=True, rename="kebab"):
    enabled: Annotated[
        Switch, About("`auto` has it on when no other provider is, or when a route or alias names `local`.")
    ] = Switch.AUTO
    idle_seconds: Annotated[
        float, About("Idle time after which its process is stopped; 0 keeps it running.", Unit.SECONDS, 0, DAY)
    ] = 600.0


class StateEntry(Value, frozen=True, rename="kebab"):
    url: Annotated[
        Secret | None,
        About(
            "A Redis or Valkey server (6.2 or later) that instances share, `redis://` or with TLS `rediss://`; takes"
            " the extra `redis`. What is kept there for a day, reasoning and stored responses, holds text of"
            " conversations. Without it: each instance keeps its own, in memory."
        ),
    ] = None
    prefix: Annotated[str, About("What its keys there begin with; instances with the same one share.")] = "isthmus"


class Config(Value, frozen=True, rename="kebab"):
    """One whole configuration."""

    listeners: Annotated[tuple[ListenerEntry, ...], About("Where clients connect.")] = (ListenerEntry(),)
    client_keys: Annotated[
        tuple[ClientEntry, ...],
        About("The keys of those who may ask, each a mapping or the key alone. Without any, no key is asked for."),
    ] = ()
    cors: Annotated[
        tuple[str, ...],
        About(
            "Origins of web pages that may use the gateway from a browser (`https://app.example.com`), or `*`. Pages"
            " from this machine always may."
        ),
    ] = ()
    insecure: Annotated[bool, About("Lets a listener that other machines can reach start without client keys.")] = False
    management_key: Annotated[
        Secret | None, About("What an administrator sends. The variable ISTHMUS_MANAGEMENT_KEY comes before it.")
    ] = None
    providers: Annotated[
        Mapping[str, ProviderEntry],
        About(
            "Where requests can go, by NAME. Without this section, every host whose usual key variable is set is used,"
            " a running Ollama, and else the bundled model."
        ),
    ] = {}
    routes: Annotated[
        Mapping[str, RouteEntry],
        About("Model names of your own, each a mapping, or the list of its targets alone."),
    ] = {}
    aliases: Annotated[
        Mapping[str, str], About("Other names: for a route, for another alias, or for a model, as `provider/model`.")
    ] = {}
    models: Annotated[
        Mapping[str, FactsEntry],
        About(
            "What you know better of models than the catalogue: NAME is a model's name, or `provider/model`, and may"
            " hold `*`. Where several match, the later one holds."
        ),
    ] = {}
    on_loss: Annotated[
        OnLoss,
        About(
            "`refuse` answers 400, naming each item, when a provider's dialect cannot say all of a request. The header"
            " `x-isthmus-on-loss` of a request comes before its client key, that before its route, that before this."
        ),
    ] = OnLoss.ALLOW
    limits: Annotated[LimitsEntry, About("Bounds on what one request may take.")] = LimitsEntry()
    habits: Annotated[HabitsEntry, About("What clients of a dialect expect, where they do not agree.")] = HabitsEntry()
    log: Annotated[LogEntry, About("What the gateway writes about its work.")] = LogEntry()
    local: Annotated[LocalEntry, About("The small model that comes with Isthmus.")] = LocalEntry()
    state: Annotated[StateEntry, About("What is remembered between requests, and with whom it is shared.")] = (
        StateEntry()
    )


def client_of(text: str) -> ClientEntry:
    """A client key written as the key alone."""
    return ClientEntry(key=Secret(text))


def key_of(text: str) -> KeyEntry:
    """A provider's key written as the key alone."""
    return KeyEntry(key=Secret(text))


def target_of(text: str) -> TargetEntry:
    """A target written as `provider/model`. Raises ValueError."""
    name, _, model = text.partition("/")
    if not name or not model:
        raise ValueError("a target is written provider/model, or as a mapping of provider and model")
    return TargetEntry(name, model)


SHORT_FORMS: Mapping[type, Callable[[str], Value]] = {
    ClientEntry: client_of,
    KeyEntry: key_of,
    TargetEntry: target_of,
}
"""What may be written as one text in place of a mapping."""

LIST_FORMS: Mapping[type, str] = {RouteEntry: "targets"}
"""What may be written as one list in place of a mapping: the field that it is."""


def unwrap(hint: Any) -> tuple[Any, About | None]:
    """A declared type without `| None` and without its sentence, and the sentence."""
    about = None
    if get_origin(hint) is Annotated:
        hint, about = get_args(hint)[0], get_args(hint)[1]
    if get_origin(hint) is UnionType:
        hint = next(kind for kind in get_args(hint) if kind is not NoneType)
    return hint, about
