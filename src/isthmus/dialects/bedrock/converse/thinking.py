"""How much the model may think: Converse has a word for the effort alone; the rest is told in the maker's own fields.

Claude takes `thinking` as in Anthropic's API, Nova `reasoningConfig`, gpt-oss `reasoning_effort`. A model of another
maker cannot be told.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html,
https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html.
"""

from collections.abc import Callable, Mapping, Sequence

from isthmus.core.chat import ChatRequest, ReasoningMode, ReasoningOptions, ToolMode
from isthmus.core.profile import ReasoningStyle
from isthmus.core.reasoning import BUDGETS, USUAL, budget_of, effort_of
from isthmus.core.value import Value
from isthmus.dialects.bedrock.converse.marks import Block
from isthmus.dialects.bedrock.converse.pen import Pen
from isthmus.dialects.bedrock.converse.turns import Turn, is_prefilled, lost_thought
from isthmus.dialects.bedrock.words import CLAUDE, DIALECT
from isthmus.wire.json import Fields

LEAST_BUDGET = 1024
_ORDER = tuple(BUDGETS)
_LEVELS = ("low", "medium", "high")
"""What Nova and gpt-oss know."""
MODES: Mapping[str, ReasoningMode] = {
    "enabled": ReasoningMode.ON,
    "disabled": ReasoningMode.OFF,
    "adaptive": ReasoningMode.ADAPTIVE,
}


class Plan(Value, frozen=True):
    """What is written of the reasoning. `kind` is the type of Claude's `thinking`, `budget` belongs to "enabled".

    `effort` is Converse's own field, `own` are the maker's fields.
    """

    kind: str | None = None
    budget: int | None = None
    effort: str | None = None
    own: Mapping[str, object] = {}

    @property
    def on(self) -> bool:
        return self.kind in ("enabled", "adaptive")


def read_thinking(told: Fields, effort: str | None) -> ReasoningOptions:
    """Claude's `thinking`, whose type is one of MODES."""
    mode = MODES[told.need("type", told.text("type"))]
    return ReasoningOptions(mode, effort, told.integer("budget_tokens"), told.text("display"), told.rest(DIALECT))


def read_config(told: Fields) -> ReasoningOptions:
    """Nova's `reasoningConfig`, whose type is "enabled" or "disabled"."""
    return ReasoningOptions(MODES[told.need("type", told.text("type"))], told.text("maxReasoningEffort"))


def plan_reasoning(request: ChatRequest, turns: Sequence[Turn], pen: Pen) -> Plan:
    """What the caller asked for, in this model's terms, less what the conversation forbids."""
    options = request.reasoning
    if options is None:
        return Plan()
    if pen.profile.reasoning is ReasoningStyle.NONE:
        return _unable(options, pen, "this model does not think")
    plan = _MAKERS.get(pen.profile.maker, _unknown)(options, pen)
    obstacle = _obstacle(request, plan, turns) if plan.on else None
    if obstacle is None:
        return plan
    pen.losses.drop("reasoning", obstacle)
    return Plan(effort=plan.effort)


def _obstacle(request: ChatRequest, plan: Plan, turns: Sequence[Turn]) -> str | None:
    """Claude refuses thinking in these cases. A caller who forces a tool lives by it, so the thinking yields."""
    if is_prefilled(turns):
        return "the model does not think when it continues an answer"
    if plan.kind != "enabled":
        return None
    choice = request.tool_choice
    if request.tools and choice is not None and choice.mode in (ToolMode.REQUIRED, ToolMode.NAMED):
        return "the model does not think when a tool is forced"
    if lost_thought(turns):
        return "the calls being answered have lost the signed thought that led them, without which it must not think"
    return None


def _is_off(options: ReasoningOptions) -> bool:
    if options.budget is not None:
        return options.budget <= 0
    return options.effort == "none" or options.mode is ReasoningMode.OFF


def _unable(options: ReasoningOptions, pen: Pen, why: str) -> Plan:
    if not _is_off(options):
        pen.losses.drop("reasoning", why)
    return Plan()


def _unknown(options: ReasoningOptions, pen: Pen) -> Plan:
    return _unable(options, pen, "this host has no word for how much this model thinks")


def _claude(options: ReasoningOptions, pen: Pen) -> Plan:
    if _is_off(options):
        return Plan("disabled")
    return _CLAUDES.get(pen.profile.reasoning, _as_said)(options, pen)


def _as_said(options: ReasoningOptions, pen: Pen) -> Plan:
    effort = _nearest(options.effort, pen.profile.efforts or _ORDER[1:], pen)
    if options.budget is not None or options.mode is ReasoningMode.ON:
        return Plan("enabled", _budget(options), effort)
    return Plan("adaptive" if options.mode is ReasoningMode.ADAPTIVE else None, effort=effort)


def _by_budget(options: ReasoningOptions, pen: Pen) -> Plan:
    budget = _budget(options)
    if options.budget is None:
        said = "effort" if options.effort is not None else "mode"
        pen.losses.rewrite(f"reasoning.{said}", f"this model takes a budget: {budget} tokens")
    elif options.effort is not None:
        if pen.profile.efforts:
            return Plan("enabled", budget, _nearest(options.effort, pen.profile.efforts, pen))
        pen.losses.drop("reasoning.effort", "this model takes a budget, which the caller gave too")
    return Plan("enabled", budget)


def _by_effort(options: ReasoningOptions, pen: Pen) -> Plan:
    return Plan("adaptive", effort=_nearest(_wanted(options, pen), pen.profile.efforts or _ORDER[1:], pen))


_CLAUDES: Mapping[ReasoningStyle, Callable[[ReasoningOptions, Pen], Plan]] = {
    ReasoningStyle.EFFORT: _as_said,
    ReasoningStyle.BUDGET: _by_budget,
    ReasoningStyle.ADAPTIVE: _by_effort,
}


def _nova(options: ReasoningOptions, pen: Pen) -> Plan:
    if _is_off(options):
        return Plan(own={"reasoningConfig": {"type": "disabled"}})
    config: Block = {"type": "enabled"}
    effort = _nearest(_wanted(options, pen), pen.profile.efforts or _LEVELS, pen)
    if effort is not None:
        config["maxReasoningEffort"] = effort
    return Plan(own={"reasoningConfig": config})


def _gpt_oss(options: ReasoningOptions, pen: Pen) -> Plan:
    if _is_off(options):
        pen.losses.rewrite("reasoning", "this model always thinks: the least is low")
        return Plan(own={"reasoning_effort": "low"})
    effort = _nearest(_wanted(options, pen), pen.profile.efforts or _LEVELS, pen)
    return Plan(own={} if effort is None else {"reasoning_effort": effort})


_MAKERS: Mapping[str, Callable[[ReasoningOptions, Pen], Plan]] = {
    CLAUDE: _claude,
    "amazon": _nova,
    "openai": _gpt_oss,
}


def _wanted(options: ReasoningOptions, pen: Pen) -> str | None:
    if options.budget is None:
        return options.effort
    effort = effort_of(options.budget)
    pen.losses.rewrite("reasoning.budget", f"this model takes an effort: {effort}")
    return effort


def _budget(options: ReasoningOptions) -> int:
    if options.budget is not None:
        return options.budget
    return max(LEAST_BUDGET, budget_of(options.effort or USUAL))


def _nearest(word: str | None, levels: Sequence[str], pen: Pen) -> str | None:
    """The nearest level that the model takes, of two the higher. A word nobody has ranked passes as it is."""
    if word is None or word == "none" or word in levels or word not in _ORDER:
        return None if word == "none" else word
    rank = _ORDER.index(word)
    known = [level for level in levels if level in _ORDER]
    nearest = min(known, key=lambda level: (abs(_ORDER.index(level) - rank), -_ORDER.index(level)))
    pen.losses.rewrite("reasoning.effort", f"this model has no effort {word}: the nearest is {nearest}")
    return nearest


def write_thinking(options: ReasoningOptions | None, plan: Plan, pen: Pen) -> Block:
    """The maker's fields."""
    fields: Block = dict(plan.own)
    if options is not None and options.show is not None and not plan.on:
        pen.losses.drop("reasoning.show", "there is no thinking to show")
    if plan.kind is None:
        return fields
    thinking: Block = {"type": plan.kind}
    if plan.budget is not None:
        thinking["budget_tokens"] = plan.budget
    if options is not None and plan.on and options.show is not None:
        thinking["display"] = options.show
    extra = None if options is None else options.extra
    if extra is not None and extra.dialect == DIALECT:
        thinking.update(extra.fields)
    elif extra is not None:
        pen.losses.drop_extra(extra, "reasoning")
    return {**fields, "thinking": thinking}


def fit_output(request: ChatRequest, plan: Plan, pen: Pen) -> tuple[int | None, Plan]:
    """`maxTokens`, which holds the thinking too, and a budget that leaves room for words.

    Where the caller names no limit the provider takes the model's own.
    """
    limit, wanted = pen.profile.max_output_limit, request.max_output
    budget = None if plan.budget is None else max(plan.budget, LEAST_BUDGET)
    if wanted is None or budget is None:
        total = wanted if wanted is None or limit is None else min(wanted, limit)
        return _said(request, total, pen), plan if budget is None else _with_budget(plan, budget, pen)
    total = wanted if wanted > budget else budget + wanted
    if limit is not None and total > limit:
        total = limit
        budget = min(budget, max(LEAST_BUDGET, limit - min(wanted, limit // 2)))
    return _said(request, total, pen), _with_budget(plan, budget, pen)


def _with_budget(plan: Plan, budget: int, pen: Pen) -> Plan:
    if budget != plan.budget:
        pen.losses.rewrite("reasoning.budget", f"thinking takes at least {LEAST_BUDGET} tokens and must leave some")
    return Plan(plan.kind, budget, plan.effort, plan.own)


def _said(request: ChatRequest, total: int | None, pen: Pen) -> int | None:
    if request.max_output is not None and request.max_output != total:
        pen.losses.rewrite("max_output", f"the model's limit and its thinking make it {total}")
    return total
