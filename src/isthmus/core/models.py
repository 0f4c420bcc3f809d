"""A model as it is listed to callers."""

from isthmus.core.value import Value


class ModelEntry(Value, frozen=True):
    """One name that callers may use. `owner` is who serves it; `created` in Unix seconds, where known."""

    id: str
    owner: str
    created: int | None = None
    label: str | None = None
