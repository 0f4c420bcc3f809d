"""What a model can do and how its provider wants things spelled.

Data only. A codec asks a field ("does this model take a budget?"), never a model's
name. The defaults describe an unknown model of an unknown host: the widest spelling.
"""

from enum import StrEnum

from isthmus.core.value import Value


class ReasoningStyle(StrEnum):
    """How a model is told to think."""

    NONE = "none"
    EFFORT = "effort"
    BUDGET = "budget"
    ADAPTIVE = "adaptive"


class SchemaStyle(StrEnum):
    """How a model is held to a JSON schema: natively, by JSON mode and words, or only by words."""

    NATIVE = "native"
    JSON_MODE = "json_mode"
    NONE = "none"


class ModelProfile(Value, frozen=True, kw_only=True):
    """One model at one provider.

    `efforts` are the levels the model takes, lowest first; empty when unknown, and then any passes.
    `reasoning_field` is the message field in which an OpenAI-like host takes and gives thinking in clear;
    None where the host refuses thinking in the history. `dialects` are those the model is served in, the
    best one first; empty for all that its provider speaks. `budgets` are the least and most tokens of thinking
    that the model takes, None when unknown. `signed_calls`: the provider refuses a call in the history that
    carries no signature. `schema_with_tools`: the answer can be held to a schema while there are tools.
    `maker` names whose own request fields the model takes beside those of a dialect that serves many makers;
    "" where nobody's are known. `cache_marks`: the model may be told what to cache.
    `fetches`: media may be given by URL. `prefill`: a conversation may end in words of the assistant. `continues`: the
    model is known to go on right behind them, in the same breath, without saying any of them again.
    """

    dialects: tuple[str, ...] = ()
    maker: str = ""

    max_output_field: str = "max_tokens"
    requires_max_output: bool = False
    default_max_output: int = 8192
    max_output_limit: int | None = None

    system_role: str = "system"
    system_in_place: bool = True
    content_lists: bool = True

    fetches: bool = True
    images: bool = True
    documents: bool = True
    audio: bool = True

    reasoning: ReasoningStyle = ReasoningStyle.EFFORT
    efforts: tuple[str, ...] = ()
    budgets: tuple[int, int] | None = None
    reasoning_field: str | None = None
    signed_calls: bool = False
    sampling_while_reasoning: bool = True
    sampling: bool = True
    max_temperature: float = 2.0

    schema: SchemaStyle = SchemaStyle.NATIVE
    schema_with_tools: bool = True
    media_in_results: bool = True
    parallel_tools: bool = True
    prefill: bool = True
    continues: bool = False
    cache_marks: bool = True


UNKNOWN = ModelProfile()
