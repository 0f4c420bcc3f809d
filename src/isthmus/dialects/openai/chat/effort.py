"""How much a model is asked to think: `reasoning_effort`, and what compatible hosts have in its place.

Sources: the OpenAI API reference (`reasoning_effort`), OpenRouter (`reasoning`), Qwen (`enable_thinking`);
`thinking` on this route is spelled as in the Anthropic API.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Raw

from isthmus.core.chat import ReasoningMode, ReasoningOptions
from isthmus.core.profile import ReasoningStyle
from isthmus.core.reasoning import BUDGETS
from isthmus.core.value import Extra
from isthmus.dialects.openai import CHAT
from isthmus.dialects.openai.chat.content import Host
from isthmus.dialects.openai.chat.extras import fields_of
from isthmus.dialects.openai.efforts import as_effort, nearest
from isthmus.wire import json
from isthmus.wire.json import Fields

_MODES: Mapping[str, ReasoningMode] = {
    "enabled": ReasoningMode.ON,
    "disabled": ReasoningMode.OFF,
    "adaptive": ReasoningMode.ADAPTIVE,
}
_WORDS = {mode: word for word, mode in _MODES.items()}


def read_reasoning(fields: Fields) -> tuple[ReasoningOptions | None, dict[str, Raw]]:
    """What the caller asks for, and the top-level leftovers of it."""
    effort, switch = fields.text("reasoning_effort"), fields.flag("enable_thinking")
    spelled, left = _object(fields, "reasoning")
    thinking, more = _object(fields, "thinking")
    left.update(more)
    mode = budget = show = extra = None
    if thinking is not None:
        word = thinking.look("type")
        if word is not None and json.is_text(word) and (mode := _MODES.get(json.decode(word))) is not None:
            thinking.raw("type")
        budget, show = thinking.integer("budget_tokens"), thinking.text("display")
        if rest := fields_of(thinking.rest(CHAT)):
            left["thinking"] = json.raw(rest)
    if spelled is not None:
        effort = spelled.text("effort") or effort
        budget = spelled.integer("max_tokens") or budget
        mode = _switched(spelled.flag("enabled")) or mode
        extra = Extra(CHAT, {"reasoning": json.raw(fields_of(spelled.rest(CHAT)))})
    options = ReasoningOptions(mode or _switched(switch), effort, budget, show, extra)
    return (None if options == ReasoningOptions() else options), left


def _object(fields: Fields, name: str) -> tuple[Fields | None, dict[str, Raw]]:
    """A field that is read if it is an object, and left as it is if it is not: it is no field of OpenAI's."""
    value = fields.raw(name)
    if value is None:
        return None, {}
    if memoryview(value)[0] != ord("{"):
        return None, {name: value}
    return Fields(value, fields.at(name)), {}


def _switched(flag: bool | None) -> ReasoningMode | None:
    return None if flag is None else ReasoningMode.ON if flag else ReasoningMode.OFF


def write_reasoning(options: ReasoningOptions | None, left: Mapping[str, Raw], host: Host) -> dict[str, Any]:
    """The top-level fields for `options`; `left` are the request's leftovers, among which `thinking` may be."""
    if options is None:
        return {}
    style = host.profile.reasoning
    spelled = fields_of(options.extra).get("reasoning")
    if spelled is None:
        host.losses.drop_extra(options.extra, "reasoning")
    if style is ReasoningStyle.NONE:
        if options.mode is not ReasoningMode.OFF:
            host.losses.drop("reasoning", "this model does not think")
        return {}
    if spelled is not None:
        return {"reasoning": {**_spelled(options, host), **json.read_fields(spelled)}}
    if style is ReasoningStyle.EFFORT and "thinking" not in left:
        return _as_effort(options, host)
    return _as_thinking(options, left, host)


def _spelled(options: ReasoningOptions, host: Host) -> dict[str, Any]:
    switch = None if options.mode is None else options.mode is not ReasoningMode.OFF
    effort = None if options.effort is None else nearest(options.effort, host.profile, host.losses)
    document = {"effort": effort, "max_tokens": options.budget, "enabled": switch}
    return {name: value for name, value in document.items() if value is not None}


def _as_effort(options: ReasoningOptions, host: Host) -> dict[str, Any]:
    losses = host.losses
    if options.show is not None:
        losses.drop("reasoning.show", "this dialect cannot choose how thinking is shown")
    effort = as_effort(options, host.profile, losses)
    return {} if effort is None else {"reasoning_effort": effort}


def _as_thinking(options: ReasoningOptions, left: Mapping[str, Raw], host: Host) -> dict[str, Any]:
    """`thinking` as in the Anthropic API, and beside it the effort where the host takes both."""
    both = host.profile.reasoning is not ReasoningStyle.BUDGET
    mode, budget = options.mode, options.budget
    if options.effort is not None and budget is None and not both:
        host.losses.rewrite("reasoning.effort", "this host takes a budget in place of a level of effort")
        budget = BUDGETS.get(options.effort)
        mode = ReasoningMode.OFF if options.effort == "none" else ReasoningMode.ON
    elif budget is not None:
        mode = mode or ReasoningMode.ON
    thinking: dict[str, Any] = {"type": None if mode is None else _WORDS[mode]}
    thinking |= {"budget_tokens": budget, "display": options.show}
    thinking |= json.read_fields(left["thinking"]) if "thinking" in left else {}
    document: dict[str, Any] = {"thinking": {name: value for name, value in thinking.items() if value is not None}}
    if both and options.effort is not None:
        document["reasoning_effort"] = nearest(options.effort, host.profile, host.losses)
    return {name: value for name, value in document.items() if value}
