"""Asking providers which models they have. Never on the way of a request."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from isthmus.core.errors import GatewayError
from isthmus.core.facts import ModelFacts
from isthmus.core.operations import Operation
from isthmus.core.value import Value
from isthmus.dialects.listings import LISTINGS
from isthmus.engine.lane import listing
from isthmus.engine.live import Live
from isthmus.engine.ports import Authority, Transport
from isthmus.engine.signed_in import takes_accounts
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


async def discover(live: Live, transport: Transport, authority: Authority | None = None) -> bool:
    """Ask every provider that can be asked. True when each of them answered."""
    answers = await ask_all(_askable(live).values(), transport, authority)
    told = {name: listed for name, listed in answers.items() if listed is not None}
    live.learn({name: said.names for name, said in told.items()}, {name: said.facts for name, said in told.items()})
    return None not in answers.values()


async def ask_all(
    providers: Iterable[Provider], transport: Transport, authority: Authority | None = None
) -> Mapping[str, Listed | None]:
    """What each provider that can be asked lists, by its name; None where it does not say. All are asked at once."""
    askable = [provider for provider in providers if provider.listed]
    answers = await asyncio.gather(*(ask(provider, transport, authority) for provider in askable))
    return {provider.name: listed for provider, listed in zip(askable, answers, strict=True)}


async def keep_discovering(
    live: Live,
    transport: Transport,
    first: asyncio.Event,
    authority: Authority | None = None,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Ask, wait and ask again, for as long as the gateway runs. `first` is set after the first round.

    `pause` waits for so many seconds. Where somebody signs in to a provider that could not be asked before, all are
    asked soon.
    """
    while True:
        asked = _askable(live).keys()
        complete = await discover(live, transport, authority)
        first.set()
        waited = 0.0
        while waited < (EVERY if complete else SOON) and _askable(live).keys() <= asked:
            await pause(SOON)
            waited += SOON


def _askable(live: Live) -> Mapping[str, Provider]:
    """Every provider, by its name. One that takes accounts is asked under the first; where there is none, it is not."""
    snapshot = live.take().snapshot
    found = {name: one for name, one in snapshot.providers.items() if not takes_accounts(one)}
    for name in snapshot.providers.keys() - found.keys():
        for account in snapshot.credentials.get(name, ())[:1]:
            found[name] = snapshot.keyed(name, account.name)
    return found


async def ask(provider: Provider, transport: Transport, authority: Authority | None = None) -> Listed | None:
    """The models of one provider, or None when it does not say. Why is in the log."""
    try:
        request = listing(provider)
        if authority is not None and provider.cloud is not None and takes_accounts(provider):
            request = await authority.sign(request, provider.cloud)
        incoming = await transport.send(request, PATIENCE)
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
