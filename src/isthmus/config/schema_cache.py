"""What can be configured of answers that are kept for the same request to come again."""

from typing import Annotated

from isthmus.config.about import GIB, KIB, MIB, About, Unit
from isthmus.core.value import Value
from isthmus.engine.caching import CacheRule, SharedBy

_RULE = CacheRule()
_WEEK = 7 * 86_400.0


class CacheEntry(Value, frozen=True, rename="kebab"):
    enabled: Annotated[
        bool, About("Whether answers are kept, where neither the route nor the client key says otherwise.")
    ] = _RULE.enabled
    seconds: Annotated[float, About("How long an answer is kept.", Unit.SECONDS, 1, _WEEK)] = _RULE.seconds
    most_bytes: Annotated[int, About("The longest answer that is kept.", Unit.BYTES, KIB, MIB)] = _RULE.most_bytes
    memory: Annotated[
        int, About("What all kept answers may take in the memory of one instance.", Unit.BYTES, MIB, 4 * GIB)
    ] = 64 * MIB
    shared_by: Annotated[
        SharedBy, About("Who may be given an answer that was made for another: `client` is for nobody else.")
    ] = _RULE.shared_by


class RouteCacheEntry(Value, frozen=True, rename="kebab"):
    enabled: Annotated[bool, About("Whether its answers are kept.")] = True
    seconds: Annotated[float | None, About("How long. Without it: as the top level says.", Unit.SECONDS, 1, _WEEK)] = (
        None
    )
