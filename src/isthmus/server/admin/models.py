"""The names that clients may ask for: where each leads, what is known of the model there, and what it costs."""

from collections.abc import Mapping

from isthmus.core.facts import Ability, Rates
from isthmus.core.value import Value
from isthmus.engine.live import Now
from isthmus.engine.serve import plan_for
from isthmus.routing.plan import Target
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.admin.paging import QUERY, piece
from isthmus.server.pages import Page
from isthmus.wire import json


class Model(Value, frozen=True, kw_only=True):
    """`targets` are "PROVIDER/MODEL" in the order of their tiers, `because` says how the name leads to them.

    What stands behind is of the first target; None where nobody said so. Rates are US dollars for a million tokens.
    """

    id: str
    owner: str
    route: str | None
    because: str
    targets: tuple[str, ...]
    mode: str | None
    context_limit: int | None
    input_limit: int | None
    output_limit: int | None
    abilities: Mapping[Ability, bool]
    rates: Rates | None


class Models(Value, frozen=True):
    models: tuple[Model, ...]
    more: bool


def model(now: Now, name: str, time: float, owner: str | None = None) -> Model:
    """What one name means, also one that no list holds, and what it costs at Unix time `time`. Raises UNKNOWN_MODEL."""
    plan = plan_for(name, now.directory)
    first = plan.targets[0]
    facts, price = now.facts(first), now.price(first, "", time)
    return Model(
        id=name,
        owner=first.provider if owner is None else owner,
        route=plan.route or None,
        because=plan.because,
        targets=tuple(_told(target) for target in plan.targets),
        mode=facts.mode,
        context_limit=facts.context_limit,
        input_limit=facts.input_limit,
        output_limit=facts.output_limit,
        abilities=facts.abilities,
        rates=None if price is None else price.rates,
    )


async def list_models(call: AdminCall, desk: Desk) -> Page:
    now = desk.live.take()
    found, more = piece(call, now.directory.names(), lambda pair: pair[0])
    return Page(200, json.encode(Models(tuple(model(now, name, call.time, owner) for name, owner in found), more)))


async def show_model(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(model(desk.live.take(), call.params["name"], call.time)))


def _told(target: Target) -> str:
    return f"{target.provider}/{target.model}"


ROWS = (
    Row(
        method="GET",
        path="/admin/models",
        role=Role.VIEWER,
        handler=list_models,
        about="Every name that clients may ask for, where it leads, and what is known of the model there.",
        gives=Models,
        query=QUERY,
    ),
    Row(
        method="GET",
        path="/admin/models/{name...}",
        role=Role.VIEWER,
        handler=show_model,
        about="The same of one name, also of one that is in no list.",
        gives=Model,
    ),
)
