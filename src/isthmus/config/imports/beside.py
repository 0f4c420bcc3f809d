"""What a reader may know besides its document: what stands beside the file, and which variables are set."""

from collections.abc import Callable, Mapping

from isthmus.core.value import Value


class Beside(Value, frozen=True):
    """`catalogue` is the file of providers and models that llms.py keeps next to its own."""

    is_set: Callable[[str], bool] = lambda name: True  # noqa: ARG005  as if every variable were
    catalogue: Mapping[str, object] = {}


NOTHING = Beside()
