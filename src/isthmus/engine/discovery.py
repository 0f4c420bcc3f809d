"""Asking providers which models they have. Never on the way of a request."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from isthmus.core.errors import GatewayError
from isthmus.core.facts import ModelFacts
from isthmus.core.operations import Operation
from isthmus.core.value import Value
from isthmus.dialects.listings import LISTINGS
from isthmus.engine.lane import listing
from isthmus.engine.live import Live
from isthmus.engine.ports import Transport
from isthmus.providers.provider import Deadlines, Provider
from isthmus.wire.frames import MAX_FRAME

PATIENCE = Deadlines(connect=5.0, first_byte=10.0, between_bytes=10.0, total=15.0)
EVERY = 3600.0
"""Seconds between two rounds."""
SOON = 60.0
"""Seconds until a provider that could not be asked is asked again."""
MOST = 5000
"""Models kept of one provider's list."""

log = logging.getLogger(__name__)


class Listed(Value, frozen=True):
    """What a provider lists: the models' names, and what it tells of some of them."""

    names: tuple[str, ...]
    facts: Mapping[str, ModelFacts]


async def discover(live: Live, transport: Transport) -> bool:
    """Ask every provider that can be asked. True when each of them answered."""
    answers = await ask_all(live.take().snapshot.providers.values(), transport)
    told = {name: listed for name, listed in answers.items() if listed is not None}
    live.learn({name: said.names for name, said in told.items()}, {name: said.facts for name, said in told.items()})
    return None not in answers.values()


async def ask_all(providers: Iterable[Provider], transport: Transport) -> Mapping[str, Listed | None]:
    """What each provider that can be asked lists, by its name; None where it does not say. All are asked at once."""
    askable = [provider for provider in providers if provider.listed]
    answers = await asyncio.gather(*(ask(provider, transport) for provider in askable))
    return {provider.name: listed for provider, listed in zip(askable, answers, strict=True)}


async def keep_discovering(live: Live, transport: Transport, first: asyncio.Event) -> None:
    """Ask, wait and ask again, for as long as the gateway runs. `first` is set after the first round."""
    while True:
        complete = await discover(live, transport)
        first.set()
        await asyncio.sleep(EVERY if complete else SOON)


async def ask(provider: Provider, transport: Transport) -> Listed | None:
    """The models of one provider, or None when it does not say. Why is in the log."""
    try:
        incoming = await transport.send(listing(provider), PATIENCE)
        try:
            body = await incoming.body(MAX_FRAME)
            if incoming.status != 200:
                log.info("provider %s does not list its models (HTTP %d)", provider.name, incoming.status)
                return None
            dialect = LISTINGS[provider.dialects[Operation.LIST_MODELS][0]]
            names = dialect.read_models(body)[:MOST]
            return Listed(names, dialect.read_facts(body) if len(names) < MOST else {})
        finally:
            incoming.close()
    except GatewayError as error:
        log.info("provider %s could not be asked for its models: %s", provider.name, provider.masked(error.message))
        return None
