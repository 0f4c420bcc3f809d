"""The dialects that specimens are told in: one line each."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from isthmus.core.profile import ModelProfile


def _as_it_is(stored: bytes) -> bytes:
    return stored


class Tongue(NamedTuple):
    """One dialect. `able` is a model of it that can do whatever the dialect can say.

    `ending` is that of its stream files; `to_wire` makes of such a file what a provider sends, and
    `to_file` the reverse, for framings that no text file holds. `dated`: its answers tell when they were made.
    `id` is what every answer in its files is called where the dialect gives answers no ids, and the reader invents one.
    """

    able: ModelProfile
    ending: str = "sse"
    to_wire: Callable[[bytes], bytes] = _as_it_is
    to_file: Callable[[bytes], bytes] = _as_it_is
    dated: bool = False
    id: str | None = None


TONGUES: Mapping[str, Tongue] = {
    "openai_chat": Tongue(
        ModelProfile(max_output_field="max_completion_tokens", reasoning_field="reasoning_details"), dated=True
    ),
    "anthropic": Tongue(ModelProfile(requires_max_output=True)),
}
