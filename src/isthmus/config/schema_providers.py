"""What can be configured of providers, their keys and their models."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from msgspec import field

from isthmus.config.about import DAY, MILLION, About, Unit
from isthmus.core.facts import Ability
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.providers import provider
from isthmus.routing.places import PoolStrategy

_PRICE = (Unit.DOLLARS, 0, MILLION)
_TOKENS = (Unit.NONE, 1, 1_000_000_000)
_COUNT = (Unit.NONE, 1, 1_000_000_000_000)
_RUNNING = (Unit.NONE, 1, MILLION)
_DEADLINES = provider.Deadlines()


class Dialect(StrEnum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    OLLAMA = "ollama"
    GEMINI = "gemini"


class AllowanceEntry(Value, frozen=True, rename="kebab", kw_only=True):
    """How much may be asked, of a provider or under a key, or by a client. What is not said has no limit."""

    requests_per_minute: Annotated[int | None, About("Requests in any 60 seconds.", *_COUNT)] = None
    tokens_per_minute: Annotated[int | None, About("Tokens, of input and output, in any 60 seconds.", *_COUNT)] = None
    requests_per_day: Annotated[int | None, About("Requests in a day, from midnight UTC.", *_COUNT)] = None
    tokens_per_day: Annotated[int | None, About("Tokens, of input and output, in such a day.", *_COUNT)] = None
    dollars_per_day: Annotated[
        Decimal | None, About("What such a day may cost, by the prices that are known.", Unit.DOLLARS, 0.01, MILLION)
    ] = None


class ConcurrencyEntry(Value, frozen=True, rename="kebab"):
    most: Annotated[int, About("Requests that may run at the same time.", *_RUNNING)]
    adaptive: Annotated[
        bool, About("Whether fewer may while the provider is overloaded or slow: as many as are found to go well.")
    ] = False
    least: Annotated[int, About("Those that always may, where it is adaptive.", *_RUNNING)] = 1


class PriceEntry(Value, frozen=True, rename="kebab", kw_only=True):
    since: Annotated[
        date | None,
        About("The day from which on it holds, at midnight UTC. Only the first of a list may leave it out."),
    ] = field(default=None, name="from")
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


class KeyEntry(AllowanceEntry, frozen=True, rename="kebab"):
    key: Annotated[Secret, About("The key itself.")]
    name: Annotated[str, About("What the key is called, for the log. Without it: key-2, key-3, by position.")] = ""
    models: Annotated[
        tuple[str, ...],
        About("The models it may be used for, as names or wildcards (`gpt-*`). Without it: all of its provider's."),
    ] = ()
    proxy_url: Annotated[Secret | None, About("The proxy to go through with it. Without it: the provider's.")] = None
    price: Annotated[
        tuple[PriceEntry, ...],
        About("What every model costs under it, where that is not what is known of the model; or several, by date."),
    ] = ()
    enabled: Annotated[bool, About("Whether it is used.")] = True
    concurrency: Annotated[int | None, About("Requests that may run under it at the same time.", *_RUNNING)] = None


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


class ProviderEntry(AllowanceEntry, frozen=True, rename="kebab"):
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
    models_excluded: Annotated[
        tuple[str, ...], About("Models it does not serve here, as names or wildcards, however they are capitalized.")
    ] = ()
    aliases: Annotated[
        Mapping[str, str], About("Further names of its models, at this provider alone: the new name, and the model.")
    ] = {}
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
    issuer: Annotated[
        str | None,
        About(
            "Whose accounts it is asked under, in place of a key: `codex`, `google-service-account`, or a name of"
            " accounts.issuers. Without it: as is usual for its type."
        ),
    ] = None
    claude_models: Annotated[
        Mapping[str, str] | None,
        About(
            "Which of its models are asked in place of Claude's: a name, which may hold `*`, and the model. They stand"
            " behind all other names: they count where nobody offers one. Without it: as is usual for its type; for"
            " `codex`, opus and sonnet have one. `{}` for none."
        ),
    ] = None
    pool: Annotated[
        PoolStrategy | None,
        About(
            "How its keys, or the accounts it is asked under, take turns: `round-robin`; `sticky`, which stays with one"
            " until that rests; or `fill-first`, which always begins with the first. Without it: round-robin for keys,"
            " and as routing.pool says for accounts."
        ),
    ] = None
    concurrency: Annotated[
        ConcurrencyEntry | None, About("How many requests may run there at the same time. Without it: any number.")
    ] = None
    enabled: Annotated[bool, About("Whether it is used.")] = True


class FactsEntry(Value, frozen=True, rename="kebab"):
    context_limit: Annotated[int | None, About("Tokens of input and output together.", *_TOKENS)] = None
    input_limit: Annotated[int | None, About("Tokens of input.", *_TOKENS)] = None
    output_limit: Annotated[int | None, About("Tokens of output.", *_TOKENS)] = None
    can: Annotated[tuple[Ability, ...], About("What the model can do.")] = ()
    cannot: Annotated[tuple[Ability, ...], About("What the model cannot do.")] = ()
    price: Annotated[
        tuple[PriceEntry, ...],
        About("What it costs, in US dollars; or several, by date. It takes the place of every other price list."),
    ] = ()
