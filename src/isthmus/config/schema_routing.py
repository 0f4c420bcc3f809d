"""What can be configured of routes: their targets, and what is done with a request on its way to them."""

from typing import Annotated

from isthmus.config.about import About
from isthmus.core.losses import OnLoss
from isthmus.core.value import Value
from isthmus.routing.plan import Strategy


class TargetEntry(Value, frozen=True, rename="kebab"):
    provider: Annotated[str, About("The NAME of a provider.")]
    model: Annotated[str, About("The model's name there.")]


class RouteEntry(Value, frozen=True, rename="kebab"):
    targets: Annotated[
        tuple[TargetEntry, ...], About("Tried in order, each a mapping or written `provider/model`.")
    ] = ()
    on_loss: Annotated[
        OnLoss | None, About("Whether requests to it may lose something in translation. Without it: as the top level.")
    ] = None


class RoutingEntry(Value, frozen=True, rename="kebab"):
    strategy: Annotated[Strategy, About("Which place is asked first where a route says nothing of it.")] = (
        Strategy.FIRST
    )


def target_of(text: str) -> TargetEntry:
    """A target written as `provider/model`. Raises ValueError."""
    name, _, model = text.partition("/")
    if not name or not model:
        raise ValueError("a target is written provider/model, or as a mapping of provider and model")
    return TargetEntry(name, model)
