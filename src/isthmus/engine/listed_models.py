"""What a provider lists of its models, for people who choose one; asked when somebody wants to know it.

Keeps each list for a while. Never on the way of a request.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple

from isthmus.core.errors import GatewayError
from isthmus.core.value import Value
from isthmus.engine.discovery import MOST, PATIENCE
from isthmus.engine.lane import listing
from isthmus.engine.ports import Clock, Transport
from isthmus.providers.provider import Provider
from isthmus.wire import json
from isthmus.wire.frames import MAX_FRAME

FOR = 600.0
"""Seconds for which a list is kept."""
FAILED_FOR = 30.0
"""Seconds after which a provider is asked again that gave none."""
PROVIDERS_KEPT = 8
"""Providers whose lists are kept; beyond that, the one that was asked first is forgotten."""

log = logging.getLogger(__name__)


class ListedModel(Value, frozen=True):
    """One line of a list. `supported_parameters` is None where nothing is said of them."""

    id: str
    name: str = ""
    context_length: float | None = None
    supported_parameters: tuple[str, ...] | None = None

    @property
    def is_free(self) -> bool:
        """By OpenRouter's way of naming, which Kilo has too."""
        return self.id.endswith(":free")


class _List(Value, frozen=True):
    data: tuple[ListedModel, ...]


class _Kept(NamedTuple):
    until: float
    models: Sequence[ListedModel] | None


_read = json.decoder(_List)


class ListedModels:
    """One for the gateway. Whoever asks while a list is on its way waits for that one."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self._kept: dict[tuple[str, str, int], _Kept] = {}
        self._asking = asyncio.Lock()

    async def of(self, provider: Provider) -> Sequence[ListedModel] | None:
        """At most `MOST` of its models, in its own order; None where its list cannot be had."""
        key = (provider.name, provider.origin.host, provider.origin.port)
        async with self._asking:
            kept = self._kept.get(key)
            if kept is not None and self._clock.now() < kept.until:
                return kept.models
            models = await self._ask(provider)
            if key not in self._kept and len(self._kept) >= PROVIDERS_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = _Kept(self._clock.now() + (FAILED_FOR if models is None else FOR), models)
            return models

    async def _ask(self, provider: Provider) -> Sequence[ListedModel] | None:
        try:
            incoming = await self._transport.send(listing(provider), PATIENCE)
            try:
                body = await incoming.body(MAX_FRAME)
                if incoming.status != 200:
                    log.info("provider %s does not list its models (HTTP %d)", provider.name, incoming.status)
                    return None
                return _read(body).data[:MOST]
            finally:
                incoming.close()
        except GatewayError as error:
            log.info("provider %s could not be asked for its models: %s", provider.name, provider.masked(error.message))
        except json.DECODE_ERRORS as error:
            log.info("provider %s lists its models in a way that is not known: %s", provider.name, error)
        return None
