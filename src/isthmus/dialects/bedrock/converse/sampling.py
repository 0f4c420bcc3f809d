"""Numbers that steer the choice of words, and where the provider refuses them.

`top_k` stands in the fields of the model's maker, under the maker's name for it. Beside Claude's thinking,
`temperature` may only be 1, `topP` not below 0.95, and `top_k` must be absent.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html.
"""

from collections.abc import Mapping

from isthmus.core.chat import Sampling
from isthmus.dialects.bedrock.converse.marks import Block
from isthmus.dialects.bedrock.converse.pen import Pen
from isthmus.dialects.bedrock.words import CLAUDE
from isthmus.wire.json import Fields

_LEAST_TOP_P = 0.95
_UNKNOWN = ("frequency_penalty", "presence_penalty", "seed", "logprobs", "top_logprobs")
_TOP_K: Mapping[str, tuple[str, ...]] = {
    CLAUDE: ("top_k",),
    "amazon": ("inferenceConfig", "topK"),
    "cohere": ("k",),
    "mistral": ("top_k",),
}
"""Where each maker's models take it."""


def read_sampling(config: Fields, top_k: int | None) -> Sampling:
    """From `inferenceConfig`; `top_k` stood elsewhere."""
    return Sampling(
        temperature=config.number("temperature"),
        top_p=config.number("topP"),
        top_k=top_k,
        stop=config.texts("stopSequences") or None,
    )


def write_sampling(sampling: Sampling, pen: Pen, *, thinking: bool) -> tuple[Block, Block]:
    """The fields of `inferenceConfig`, and those of the maker."""
    body: Block = {}
    own: Block = {}
    if sampling.temperature is not None and _takes(
        "temperature", pen, beside=sampling.temperature == 1, thinking=thinking
    ):
        body["temperature"] = min(sampling.temperature, pen.profile.max_temperature)
        if body["temperature"] != sampling.temperature:
            pen.losses.rewrite("sampling.temperature", f"this model takes at most {pen.profile.max_temperature:g}")
    if sampling.top_p is not None and _takes("top_p", pen, beside=sampling.top_p >= _LEAST_TOP_P, thinking=thinking):
        body["topP"] = sampling.top_p
    if sampling.top_k is not None and _takes("top_k", pen, beside=False, thinking=thinking):
        own = _write_top_k(sampling.top_k, pen)
    if stop := _write_stop(sampling.stop or (), pen):
        body["stopSequences"] = stop
    _drop_unknown(sampling, pen)
    return body, own


def _takes(name: str, pen: Pen, *, beside: bool, thinking: bool) -> bool:
    """`beside`: the value may stand beside thinking."""
    reason: str | None = None
    if not pen.profile.sampling:
        reason = "this model chooses for itself"
    elif thinking and not (beside and pen.profile.sampling_while_reasoning):
        reason = f"the model refuses this {name} while it thinks"
    if reason is not None:
        pen.losses.drop(f"sampling.{name}", reason)
    return reason is None


def _write_top_k(top_k: int, pen: Pen) -> Block:
    place = _TOP_K.get(pen.profile.maker)
    if place is None:
        pen.losses.drop("sampling.top_k", "this dialect has no top_k, and this model's maker no known word for it")
        return {}
    own: Block = {place[-1]: top_k}
    return own if len(place) == 1 else {place[0]: own}


def _write_stop(stop: tuple[str, ...], pen: Pen) -> list[str]:
    sent = [word for word in stop if word]
    if len(sent) < len(stop):
        pen.losses.drop("sampling.stop", "the provider takes no empty stop sequence")
    return sent


def _drop_unknown(sampling: Sampling, pen: Pen) -> None:
    for name in _UNKNOWN:
        if getattr(sampling, name):
            pen.losses.drop(f"sampling.{name}", f"this dialect has no {name}")
    if sampling.n is not None and sampling.n > 1:
        pen.losses.drop("sampling.n", "this dialect gives one answer")
