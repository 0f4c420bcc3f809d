"""Levels of effort, as every dialect of this vendor words them.

Source: the OpenAI API reference, `reasoning_effort` and `reasoning.effort`.
"""

from isthmus.core.chat import ReasoningMode, ReasoningOptions
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.reasoning import LEVELS, effort_of


def is_on(options: ReasoningOptions | None) -> bool:
    """Will the model think because of `options`?"""
    if options is None:
        return False
    if options.budget is not None or options.effort is not None:
        return options.effort != "none" or options.budget is not None
    return options.mode in (ReasoningMode.ON, ReasoningMode.ADAPTIVE)


def as_effort(options: ReasoningOptions, profile: ModelProfile, losses: Losses) -> str | None:
    """The level that says what `options` say; None where the host decides by itself."""
    if options.budget is not None:
        losses.rewrite("reasoning.budget", "this host takes a level of effort in place of a budget")
        return nearest(effort_of(options.budget), profile, losses)
    if options.effort is not None:
        return nearest(options.effort, profile, losses)
    match options.mode:
        case ReasoningMode.OFF:
            return nearest("none", profile, losses)
        case ReasoningMode.ON:
            losses.rewrite("reasoning.mode", "this host takes a level of effort, and medium is the usual one")
            return nearest("medium", profile, losses)
        case ReasoningMode.ADAPTIVE:
            losses.drop("reasoning.mode", "this host decides by itself how much to think")
    return None


def nearest(effort: str, profile: ModelProfile, losses: Losses) -> str:
    """The level itself where the model takes it or its levels are unknown, else the nearest one; lower if two are."""
    allowed = profile.efforts
    if not allowed or effort in allowed:
        return effort
    wanted = _rank(effort)
    thinking = [level for level in allowed if level != "none"] or list(allowed)
    found = min(thinking, key=lambda level: (abs(_rank(level) - wanted), _rank(level)))
    losses.rewrite("reasoning.effort", f"this model takes {', '.join(allowed)}")
    return found


def _rank(level: str) -> int:
    return LEVELS.index(level if level in LEVELS else "medium")
