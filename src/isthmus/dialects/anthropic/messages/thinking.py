"""How much the model may think, and what may not be said beside it.

The core knows a budget, an effort and a mode; a model knows one or two of them, and its profile
says which. A profile that says no more than EFFORT is of a host that nobody described: it is told
what the caller said, in the caller's terms.

Source: https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking (feature compatibility),
/adaptive-thinking and /effort.
"""

from collections.abc import Mapping, Sequence

from isthmus.core.chat import ChatRequest, ReasoningMode, ReasoningOptions
from isthmus.core.profile import ReasoningStyle
from isthmus.core.reasoning import BUDGETS, USUAL, budget_of, effort_of
from isthmus.core.value import Value
from isthmus.dialects.anthropic.messages.marks import Block, add_extra
from isthmus.dialects.anthropic.messages.pen import Pen
from isthmus.dialects.anthropic.messages.tools import FORCED
from isthmus.dialects.anthropic.messages.turns import Turn, is_prefilled, lost_thought
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.wire.json import Fields

LEAST_BUDGET = 1024
_ORDER = tuple(BUDGETS)
THINKING_MODES: Mapping[str, ReasoningMode] = {
    "enabled": ReasoningMode.ON,
    "disabled": ReasoningMode.OFF,
    "adaptive": ReasoningMode.ADAPTIVE,
}


class Plan(Value, frozen=True):
    """What is written of the reasoning. `kind` is the type of `thinking`; `budget` belongs to "enabled"."""

    kind: str | None = None
    budget: int | None = None
    effort: str | None = None

    @property
    def on(self) -> bool:
        return self.kind in ("enabled", "adaptive")


def read_reasoning(thinking: Fields | None, effort: str | None) -> ReasoningOptions | None:
    """`thinking` must be of a known type, see `is_known`."""
    if thinking is None:
        return None if effort is None else ReasoningOptions(effort=effort)
    mode = THINKING_MODES[thinking.need("type", thinking.text("type"))]
    budget = thinking.integer("budget_tokens")
    other = thinking.integer("budgetTokens")
    return ReasoningOptions(
        mode, effort, other if budget is None else budget, thinking.text("display"), thinking.rest(DIALECT)
    )


def is_known(kind: str | None) -> bool:
    return kind in THINKING_MODES


def plan_reasoning(request: ChatRequest, turns: Sequence[Turn], pen: Pen) -> Plan:
    """What the caller asked for, in this model's terms, less what the conversation forbids."""
    options = request.reasoning
    if options is None:
        return Plan()
    plan = _STYLES[pen.profile.reasoning](options, pen)
    if not plan.on:
        return plan
    obstacle = _obstacle(request, plan, turns)
    if obstacle is None:
        return plan
    pen.losses.drop("reasoning", obstacle)
    return Plan(effort=plan.effort)


def _obstacle(request: ChatRequest, plan: Plan, turns: Sequence[Turn]) -> str | None:
    """The provider refuses thinking in these cases. A caller who forces a tool lives by it, so the thinking yields."""
    if is_prefilled(turns):
        return "the provider does not think when it continues an answer"
    if plan.kind != "enabled":
        return None  # Adaptive thinking goes with a forced tool, and needs no thought at the head of a turn.
    if request.tools and request.tool_choice is not None and request.tool_choice.mode in FORCED:
        return "the provider does not think when a tool is forced"
    if lost_thought(turns):
        return "the calls being answered have lost the signed thought that led them, without which it must not think"
    return None


def _is_off(options: ReasoningOptions) -> bool:
    if options.budget is not None:
        return options.budget <= 0
    return options.effort == "none" or options.mode is ReasoningMode.OFF


def _unable(options: ReasoningOptions, pen: Pen) -> Plan:
    if not _is_off(options):
        pen.losses.drop("reasoning", "this model does not think")
    return Plan()


def _as_said(options: ReasoningOptions, pen: Pen) -> Plan:
    effort = _effort(options.effort, pen)
    if _is_off(options):
        return Plan("disabled", effort=effort)
    if options.budget is not None or options.mode is ReasoningMode.ON:
        return Plan("enabled", _budget(options), effort)
    return Plan("adaptive" if options.mode is ReasoningMode.ADAPTIVE else None, effort=effort)


def _by_budget(options: ReasoningOptions, pen: Pen) -> Plan:
    known = bool(pen.profile.efforts)
    effort = _effort(options.effort, pen) if known else None
    if _is_off(options):
        return Plan("disabled", effort=effort)
    budget = _budget(options)
    if options.budget is None:
        said = "effort" if options.effort is not None else "mode"
        pen.losses.rewrite(f"reasoning.{said}", f"this model takes a budget: {budget} tokens")
        effort = None
    elif options.effort is not None and not known:
        pen.losses.drop("reasoning.effort", "this model takes a budget, which the caller gave too")
    return Plan("enabled", budget, effort)


def _by_effort(options: ReasoningOptions, pen: Pen) -> Plan:
    if _is_off(options):
        return Plan("disabled", effort=_effort(options.effort, pen))
    wanted = options.effort
    if options.budget is not None:
        wanted = effort_of(options.budget)
        pen.losses.rewrite("reasoning.budget", f"this model takes an effort: {wanted}")
    return Plan("adaptive", effort=_effort(wanted, pen))


_STYLES = {
    ReasoningStyle.NONE: _unable,
    ReasoningStyle.EFFORT: _as_said,
    ReasoningStyle.BUDGET: _by_budget,
    ReasoningStyle.ADAPTIVE: _by_effort,
}


def _budget(options: ReasoningOptions) -> int:
    if options.budget is not None:
        return options.budget
    return max(LEAST_BUDGET, budget_of(options.effort or USUAL))


def _effort(word: str | None, pen: Pen) -> str | None:
    """The nearest level that the model takes, of two the higher. A word nobody has ranked passes as it is."""
    if word is None or word == "none" or word in pen.profile.efforts or word not in _ORDER:
        return None if word == "none" else word
    levels = [level for level in pen.profile.efforts if level in _ORDER] or _ORDER[1:]
    rank = _ORDER.index(word)
    nearest = min(levels, key=lambda level: (abs(_ORDER.index(level) - rank), -_ORDER.index(level)))
    if nearest != word:
        pen.losses.rewrite("reasoning.effort", f"this model has no effort {word}: the nearest is {nearest}")
    return nearest


def write_thinking(options: ReasoningOptions | None, plan: Plan, pen: Pen) -> Block | None:
    if plan.kind is None:
        if options is not None and options.show is not None:
            pen.losses.drop("reasoning.show", "there is no thinking to show")
        return None
    block: Block = {"type": plan.kind}
    if plan.budget is not None:
        block["budget_tokens"] = plan.budget
    if options is not None:
        if options.show is not None and plan.on:
            block["display"] = options.show
        add_extra(block, options.extra, "reasoning", pen.losses)
    return block


def fit_output(request: ChatRequest, plan: Plan, pen: Pen) -> tuple[int, Plan]:
    """`max_tokens`, which this dialect demands and which holds the thinking too, and a budget that leaves room."""
    limit = pen.profile.max_output_limit
    wanted = pen.profile.default_max_output if request.max_output is None else request.max_output
    visible = wanted if limit is None else min(wanted, limit)
    budget = plan.budget
    if budget is None:
        return _said(request, visible, pen), plan
    if limit is not None and limit <= LEAST_BUDGET:
        pen.losses.drop("reasoning", "this model's answers are too short to think in")
        return _said(request, visible, pen), Plan(effort=plan.effort)
    budget = max(budget, LEAST_BUDGET)
    total = visible if visible > budget else budget + visible
    if limit is not None and total > limit:
        total = limit
        budget = min(budget, max(LEAST_BUDGET, limit - min(visible, limit // 2)))
    if budget != plan.budget:
        pen.losses.rewrite("reasoning.budget", f"thinking takes at least {LEAST_BUDGET} tokens and must leave some")
    return _said(request, total, pen), Plan(plan.kind, budget, plan.effort)


def _said(request: ChatRequest, total: int, pen: Pen) -> int:
    if request.max_output is not None and request.max_output != total:
        pen.losses.rewrite("max_output", f"the model's limit and its thinking make it {total}")
    return total
