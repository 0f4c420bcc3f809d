"""What is known of each configured model: the catalogue's word, the provider's own, and the user's.

The catalogue is opened when somebody first asks, so that a gateway that nobody asks holds its packed bytes only.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from itertools import pairwise

from msgspec.structs import asdict, replace

from isthmus.catalog.catalogue import Catalogue, Match
from isthmus.catalog.merge import Known, Said, merge
from isthmus.config.catalogues import Shelf, take_shelf
from isthmus.config.hosts import host_of
from isthmus.config.issuers import issuers_of
from isthmus.config.load import Loaded
from isthmus.config.places import data_dir
from isthmus.config.schema import Config
from isthmus.config.schema_providers import FactsEntry, PriceEntry, ProviderEntry
from isthmus.core.facts import Ability, ModelFacts, Price, Rates, Superseded

REMEMBERED = 4096
"""Models that are not looked up again; the least used are forgotten first."""
_BY_DEFAULT = ProviderEntry()
LISTED = "the provider's list"
"""The source of what a provider tells of its models."""
_NOTHING = Decimal(0)
COVERED = Said(
    "the plan of the account",
    ModelFacts(price=Price(rates=Rates(input=_NOTHING, output=_NOTHING, cache_read=_NOTHING, cache_write=_NOTHING))),
)
"""What requests cost under accounts of a subscription, unless the configuration says otherwise."""


class Facts:
    """Answers for one configuration."""

    def __init__(self, config: Config, shelf: Shelf) -> None:
        self._config = config
        self._shelf = shelf
        self._issuers = issuers_of(config)
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._in_catalogue)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The newest catalogue there is."""
        return self._shelf.newest()

    def of(self, provider: str, model: str, listed: ModelFacts | None = None) -> ModelFacts:
        """The facts alone."""
        return self.known(provider, model, listed).facts

    def known(self, provider: str, model: str, listed: ModelFacts | None = None) -> Known:
        """All that is known of the model that the configured provider calls so. `listed` is what that provider told."""
        told = Said(LISTED, listed) if listed is not None else None
        plan = (COVERED,) if self._is_covered(provider) else ()
        return merge(self._remembered(provider, model), told, *plan, *written(self._config, provider, model))

    def _is_covered(self, provider: str) -> bool:
        """Is it asked under accounts whose plans pay for it?"""
        entry = self._config.providers.get(provider, _BY_DEFAULT)
        host = host_of(provider, entry)
        issuer = self._issuers.get(entry.issuer or (host.issuer if host else ""))
        return issuer is not None and issuer.subscription and not (entry.api_key or entry.api_keys)

    def _in_catalogue(self, provider: str, model: str) -> Said | None:
        host = host_of(provider, self._config.providers.get(provider, _BY_DEFAULT))
        found = self.catalogue.find(host.name, model) if host else None
        return Said(self._source(found), found.facts) if found else None

    def _source(self, found: Match) -> str:
        edition = self.catalogue.edition
        like = "" if found.exact else "like "
        return f"{like}{found.kind}/{found.name} in {edition.source} {edition.version} of {edition.date}"


def facts_of_loaded(loaded: Loaded) -> Facts:
    """The facts for a configuration that was loaded, with the catalogues of its environment."""
    return Facts(loaded.config, take_shelf(data_dir(loaded.environment)))


def written(config: Config, provider: str, model: str) -> Iterator[Said]:
    """What the user wrote about the model, as the file has it."""
    for name, entry in config.models.items():
        if is_about(name, provider, model):
            yield Said(f"models.{name} in the configuration", facts_of(entry))


def is_about(name: str, provider: str, model: str) -> bool:
    """Is a name under `models` in the file, which may hold `*`, that of this model?"""
    return fnmatchcase(model, name) or fnmatchcase(f"{provider}/{model}", name)


def facts_of(entry: FactsEntry) -> ModelFacts:
    abilities: Mapping[Ability, bool] = {**dict.fromkeys(entry.cannot, False), **dict.fromkeys(entry.can, True)}
    return ModelFacts(
        context_limit=entry.context_limit,
        input_limit=entry.input_limit,
        output_limit=entry.output_limit,
        abilities=abilities,
        price=price_of(entry.price) if entry.price else None,
    )


def price_of(entries: Sequence[PriceEntry]) -> Price:
    """The price list that came last, which knows those before it. The first one holds before its own date as well."""
    followed = ((entry, after.since) for entry, after in pairwise(entries))
    earlier = tuple(Superseded(_midnight(since), _price(entry)) for entry, since in followed if since is not None)
    return replace(_price(entries[-1]), earlier=earlier)


def _price(entry: PriceEntry) -> Price:
    rates = asdict(entry)
    del rates["since"]
    return Price(request=rates.pop("request"), rates=Rates(**rates))


def _midnight(day: date) -> float:
    """Its beginning in UTC, in Unix time."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
