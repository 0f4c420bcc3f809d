"""What can be configured of those who ask: their keys, what they may use, and how much."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from isthmus.config.about import MILLION, About, Unit
from isthmus.config.schema_providers import AllowanceEntry
from isthmus.core.losses import OnLoss
from isthmus.core.secret import Secret
from isthmus.core.value import Value

_SPENT = (Unit.DOLLARS, 0.01, MILLION)


class Operation(StrEnum):
    """What can be asked of a model."""

    CHAT = "chat"
    EMBED = "embed"
    COUNT = "count"


class BudgetsEntry(Value, frozen=True, rename="kebab"):
    """What may be spent, by the prices that are known. What is not said has no bound."""

    day: Annotated[Decimal | None, About("In a day, from midnight UTC.", *_SPENT)] = None
    week: Annotated[Decimal | None, About("In a week, from Monday.", *_SPENT)] = None
    month: Annotated[Decimal | None, About("In a month, from its first day.", *_SPENT)] = None
    all: Annotated[Decimal | None, About("In all, for good.", *_SPENT)] = None


class TeamEntry(AllowanceEntry, frozen=True, rename="kebab"):
    """All client keys of one team together."""

    concurrency: Annotated[
        int | None, About("Requests of its keys that may run at the same time.", least=1, most=MILLION)
    ] = None
    budgets: Annotated[BudgetsEntry, About("What the requests of its keys may cost.")] = BudgetsEntry()


class ClientEntry(AllowanceEntry, frozen=True, rename="kebab"):
    key: Annotated[Secret, About("The key that the client sends.")]
    name: Annotated[str, About("Who uses the key, for the log. Without it: client-1, client-2, by position.")] = ""
    on_loss: Annotated[
        OnLoss | None,
        About(
            "Whether its requests may lose something in translation. Without it: as the route or the top level says."
        ),
    ] = None
    concurrency: Annotated[int | None, About("Its requests that may run at the same time.", least=1, most=MILLION)] = (
        None
    )
    cache: Annotated[
        bool | None,
        About(
            "Whether its answers are kept for the same request to come again. Without it: as the section `cache` says."
        ),
    ] = None
    budgets: Annotated[BudgetsEntry, About("What its requests may cost.")] = BudgetsEntry()
    team: Annotated[str, About("The team whose key it is, for what teams use and may spend.")] = ""
    owner: Annotated[str, About("Who answers for it, for people.")] = ""
    tags: Annotated[tuple[str, ...], About("Words to find it by.")] = ()
    models: Annotated[
        tuple[str, ...],
        About(
            "What it may be used for: routes, aliases, models or `provider/model`, which may hold `*`. Without it: all."
        ),
    ] = ()
    providers: Annotated[tuple[str, ...], About("The providers that may be asked. Without it: all.")] = ()
    keys: Annotated[
        tuple[str, ...], About("The keys of providers that may be used, as `provider/key`. Without it: all.")
    ] = ()
    operations: Annotated[tuple[Operation, ...], About("What may be asked of models. Without it: all.")] = ()
    expires: Annotated[
        str | None,
        About("Until when it is taken: `2027-01-31`, or `2027-01-31T18:00:00Z`; a day begins at midnight UTC."),
    ] = None
