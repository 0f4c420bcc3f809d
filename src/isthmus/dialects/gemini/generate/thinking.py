"""How much the model may think: `generationConfig.thinkingConfig`.

Models of the 2.5 series take a budget of tokens (-1: the model decides, 0: none), later ones a level. Thoughts are
shown to who asks for them. In the core's words: a budget or the model's own choice with `includeThoughts` is the mode
ON or ADAPTIVE; without it, nothing is to be shown. A profile that says no more than EFFORT, without levels, is of a
model that nobody described: it is told what the caller said, in the caller's terms.

Source: https://ai.google.dev/gemini-api/docs/thinking.
"""

from isthmus.core.chat import ReasoningMode, ReasoningOptions
from isthmus.core.profile import ReasoningStyle
from isthmus.core.reasoning import BUDGETS, budget_of, effort_of
from isthmus.dialects.gemini.generate.media import Block
from isthmus.dialects.gemini.generate.pen import Pen, add_extra
from isthmus.dialects.gemini.spelling import Camel
from isthmus.dialects.gemini.words import DIALECT

HIDDEN, SHOWN = "omitted", "summarized"
"""What a caller says who wants to see no thoughts, or what the model makes of them."""
DYNAMIC = -1
_ORDER = tuple(BUDGETS)


def read_thinking(config: Camel | None) -> ReasoningOptions | None:
    if config is None:
        return None
    budget, level = config.integer("thinkingBudget"), config.word("thinkingLevel")
    shown = config.flag("includeThoughts")
    effort = None if level is None else level.lower()
    mode: ReasoningMode | None = None
    show = HIDDEN if shown is False else None
    if budget == 0:
        mode, budget, show = ReasoningMode.OFF, None, SHOWN if shown else show
    elif budget == DYNAMIC:
        mode, budget, show = ReasoningMode.ADAPTIVE, None, None if shown else HIDDEN
    elif budget is not None:
        mode = ReasoningMode.ON if shown else None
    elif effort is not None:
        mode = ReasoningMode.ADAPTIVE if shown else None
    elif shown:
        show = SHOWN
    options = ReasoningOptions(mode, effort, budget, show, config.rest(DIALECT))
    return None if options == ReasoningOptions() else options


def write_thinking(options: ReasoningOptions | None, pen: Pen) -> Block:
    """The `thinkingConfig`; empty where nothing is to be said."""
    if options is None:
        return {}
    if pen.profile.reasoning is ReasoningStyle.NONE:
        if not _is_off(options):
            pen.losses.drop("reasoning", "this model does not think")
        return {}
    block = _STYLES[pen.profile.reasoning](options, pen)
    if _is_shown(options):
        block["includeThoughts"] = True
    elif options.show == HIDDEN and options.mode is not ReasoningMode.ADAPTIVE:
        block["includeThoughts"] = False
    add_extra(block, options.extra, "reasoning", pen.losses)
    return block


def _is_off(options: ReasoningOptions) -> bool:
    if options.budget is not None:
        return options.budget <= 0
    return options.effort == "none" or options.mode is ReasoningMode.OFF


def _is_shown(options: ReasoningOptions) -> bool:
    if options.show is not None:
        return options.show != HIDDEN
    return not _is_off(options) and options.mode in (ReasoningMode.ON, ReasoningMode.ADAPTIVE)


def _as_said(options: ReasoningOptions, pen: Pen) -> Block:
    if _is_off(options):
        return {"thinkingBudget": 0}
    if options.budget is not None:
        if options.effort is not None:
            pen.losses.drop("reasoning.effort", "the provider takes a budget or a level, and the caller gave both")
        return {"thinkingBudget": options.budget}
    if options.effort is not None:
        return {"thinkingLevel": _level(options.effort, pen).upper()}
    return {"thinkingBudget": DYNAMIC} if options.mode is not None else {}


def _by_budget(options: ReasoningOptions, pen: Pen) -> Block:
    if _is_off(options):
        return {"thinkingBudget": _fit(0, pen)}
    if options.budget is not None:
        if options.effort is not None:
            pen.losses.drop("reasoning.effort", "this model takes a budget, which the caller gave too")
        return {"thinkingBudget": _fit(options.budget, pen)}
    if options.effort is not None:
        budget = _fit(budget_of(options.effort), pen, told=False)
        pen.losses.rewrite("reasoning.effort", f"this model takes a budget: {budget} tokens")
        return {"thinkingBudget": budget}
    return {"thinkingBudget": DYNAMIC} if options.mode is not None else {}


def _fit(budget: int, pen: Pen, *, told: bool = True) -> int:
    """The nearest budget that the model takes. Nought stands for no thinking, where the model can be without."""
    if pen.profile.budgets is None or (budget == 0 and "none" in pen.profile.efforts):
        return budget
    least, most = pen.profile.budgets
    fitting = min(max(budget, least), most)
    if told and fitting != budget:
        if budget == 0:
            pen.losses.rewrite("reasoning.mode", f"this model always thinks: {fitting} tokens are the least")
        else:
            pen.losses.rewrite("reasoning.budget", f"this model takes {least} to {most} tokens")
    return fitting


def _by_level(options: ReasoningOptions, pen: Pen) -> Block:
    levels = [level for level in pen.profile.efforts if level in _ORDER] or ["low", "high"]
    if _is_off(options):
        pen.losses.rewrite("reasoning.mode", f"this model always thinks: its least is {levels[0]}")
        return {"thinkingLevel": levels[0].upper()}
    if options.budget is not None:
        level = _level(effort_of(options.budget), pen, told=False)
        pen.losses.rewrite("reasoning.budget", f"this model takes a level: {level}")
        if options.effort is not None:
            pen.losses.drop("reasoning.effort", "the budget says more, and the caller gave both")
        return {"thinkingLevel": level.upper()}
    return {"thinkingLevel": _level(options.effort, pen).upper()} if options.effort is not None else {}


def _level(word: str, pen: Pen, *, told: bool = True) -> str:
    """The nearest level that the model takes, of two the higher. A word nobody has ranked passes as it is."""
    levels = [level for level in pen.profile.efforts if level in _ORDER]
    if word in levels or word not in _ORDER or not levels:
        return word
    rank = _ORDER.index(word)
    nearest = min(levels, key=lambda level: (abs(_ORDER.index(level) - rank), -_ORDER.index(level)))
    if told:
        pen.losses.rewrite("reasoning.effort", f"this model has no level {word}: the nearest is {nearest}")
    return nearest


def _by_profile(options: ReasoningOptions, pen: Pen) -> Block:
    return _by_level(options, pen) if pen.profile.efforts else _as_said(options, pen)


_STYLES = {
    ReasoningStyle.EFFORT: _by_profile,
    ReasoningStyle.BUDGET: _by_budget,
    ReasoningStyle.ADAPTIVE: _by_profile,
}
