"""A model as it is listed to callers."""

from collections.abc import Mapping

from isthmus.core.facts import Ability
from isthmus.core.value import Value


class ModelEntry(Value, frozen=True):
    """One name that callers may use. `owner` is who serves it; `created` in Unix seconds, where known.

    `input_limit` and `output_limit` in tokens; `abilities` holds what is known to be so or not to be.
    """

    id: str
    owner: str
    created: int | None = None
    label: str | None = None
    input_limit: int | None = None
    output_limit: int | None = None
    abilities: Mapping[Ability, bool] = {}
