"""How much a model is asked to think, and how much of it is shown: `reasoning`.

Source: the OpenAI API reference, "Create a model response", `reasoning`.
"""

from typing import Any

from isthmus.core.chat import ReasoningMode, ReasoningOptions
from isthmus.core.profile import ReasoningStyle
from isthmus.dialects.openai.efforts import as_effort
from isthmus.dialects.openai.responses.content import Host
from isthmus.dialects.openai.responses.extras import keep, restore
from isthmus.wire.json import Fields

SHOWN = ("auto", "concise", "detailed")
"""This dialect's words for how long a summary of the thinking is wanted."""
_HIDDEN = ("omitted", "none", "hidden")


def read_reasoning(fields: Fields) -> ReasoningOptions | None:
    said = fields.fields("reasoning")
    if said is None:
        return None
    effort, show = said.text("effort"), said.text("summary")
    extra = keep(said)
    return ReasoningOptions(effort=effort, show=show, extra=extra) if effort or show or extra.fields else None


def write_reasoning(options: ReasoningOptions | None, host: Host) -> dict[str, Any]:
    """The field `reasoning`, if there is anything to say in it."""
    if options is None:
        return {}
    if host.profile.reasoning is ReasoningStyle.NONE:
        if options.mode is not ReasoningMode.OFF:
            host.losses.drop("reasoning", "this model does not think")
        return {}
    document: dict[str, Any] = {}
    if (effort := as_effort(options, host.profile, host.losses)) is not None:
        document["effort"] = effort
    if (show := _summary(options.show, host)) is not None:
        document["summary"] = show
    restore(document, options.extra, "reasoning", host.losses)
    return {"reasoning": document} if document else {}


def _summary(show: str | None, host: Host) -> str | None:
    if show is None or show in SHOWN:
        return show
    if show in _HIDDEN:
        return None
    host.losses.rewrite("reasoning.show", "this dialect shows a summary, long or short")
    return "auto"
