"""Claude, as Anthropic serves it. Read on 2026-11-21.

Sources: platform.claude.com/docs/en/about-claude/models (limits of output), .../build-with-claude/extended-thinking,
.../adaptive-thinking (4.6 and later; budgets are refused from 4.7), .../effort, .../structured-outputs (from 4.5);
the migration guide there: sampling parameters are refused from 4.7, and an assistant turn at the end from 4.6; until
then it is gone on with (.../prompt-engineering/prefill-claudes-response), not while thinking.
Witnesses: github.com/agno-agi/docs/issues/570 (prefill), github.com/simstudioai/sim/pull/5328 (sampling).
"""

from msgspec.structs import replace

from isthmus.catalog.row import Row
from isthmus.core.profile import ModelProfile, ReasoningStyle, SchemaStyle

_CLAUDE = ModelProfile(
    requires_max_output=True,
    system_in_place=False,
    audio=False,
    max_temperature=1.0,
    reasoning=ReasoningStyle.ADAPTIVE,
    efforts=("low", "medium", "high", "xhigh", "max"),
    sampling=False,
    sampling_while_reasoning=False,
    prefill=False,
)
"""The newest, and every Claude with a name that is not known yet."""

_BEFORE_4_7 = replace(_CLAUDE, sampling=True, sampling_while_reasoning=True)
_BUDGET = replace(
    _BEFORE_4_7, reasoning=ReasoningStyle.BUDGET, efforts=(), prefill=True, continues=True, max_output_limit=64_000
)
_WORDS = replace(_BUDGET, schema=SchemaStyle.NONE)
_THOUGHTLESS = replace(_WORDS, reasoning=ReasoningStyle.NONE)

COPIED = replace(_BUDGET, max_output_limit=None, continues=False)
"""A model of another maker behind Anthropic's dialect: what hosts that copy the dialect have copied first."""

ROWS = (
    Row(r"claude-3-(opus|sonnet|haiku)", replace(_THOUGHTLESS, max_output_limit=4096, default_max_output=4096)),
    Row(r"claude-3-5", replace(_THOUGHTLESS, max_output_limit=8192)),
    Row(r"claude-3-7", _WORDS),
    Row(r"claude-opus-4(-[01](?!\d)|-\d{8}|-[a-z]|$)", replace(_WORDS, max_output_limit=32_000)),
    Row(r"claude-sonnet-4(-0(?!\d)|-\d{8}|-[a-z]|$)", _WORDS),
    Row(r"claude-opus-4-5", replace(_BUDGET, efforts=("low", "medium", "high"))),
    Row(r"claude-(sonnet|haiku)-4-5", _BUDGET),
    Row(r"claude-opus-4-6", replace(_BEFORE_4_7, efforts=("low", "medium", "high", "max"), max_output_limit=128_000)),
    Row(r"claude-sonnet-4-6", replace(_BEFORE_4_7, efforts=("low", "medium", "high"), max_output_limit=64_000)),
    Row(r"claude-(opus-4-[78]|opus-5|sonnet-5|fable-5|mythos-5)", replace(_CLAUDE, max_output_limit=128_000)),
    Row(r"claude", _CLAUDE),
)


def spoken_elsewhere(profile: ModelProfile) -> ModelProfile:
    """The same model behind OpenAI's dialect, where thinking is asked for by effort and the host does the rest."""
    style = ReasoningStyle.NONE if profile.reasoning is ReasoningStyle.NONE else ReasoningStyle.EFFORT
    return replace(profile, reasoning=style, requires_max_output=False, system_in_place=True, continues=False)
