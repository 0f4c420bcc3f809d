"""Numbers that steer the choice of words, and where the provider refuses them.

Beside thinking, `temperature` may only be 1, `top_p` not below 0.95, and `top_k` must be absent.
Source: https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking (feature compatibility).
"""

from isthmus.core.chat import Sampling
from isthmus.dialects.anthropic.messages.marks import Block
from isthmus.dialects.anthropic.messages.pen import Pen
from isthmus.wire.json import Fields

_LEAST_TOP_P = 0.95
_UNKNOWN = ("frequency_penalty", "presence_penalty", "seed", "logprobs", "top_logprobs")


def read_sampling(body: Fields) -> Sampling:
    return Sampling(
        temperature=body.number("temperature"),
        top_p=body.number("top_p"),
        top_k=body.integer("top_k"),
        stop=body.texts("stop_sequences") or None,
    )


def write_sampling(sampling: Sampling, pen: Pen, *, thinking: bool) -> Block:
    """The fields of the request's body."""
    body: Block = {}
    for name, value in _chosen(sampling, pen).items():
        reason = _refusal(name, value, pen, thinking=thinking)
        if reason is None:
            body[name] = value
        else:
            pen.losses.drop(f"sampling.{name}", reason)
    if stop := _write_stop(sampling.stop or (), pen):
        body["stop_sequences"] = stop
    _drop_unknown(sampling, pen)
    return body


def _chosen(sampling: Sampling, pen: Pen) -> dict[str, float]:
    chosen: dict[str, float] = {}
    if sampling.temperature is not None:
        chosen["temperature"] = min(sampling.temperature, pen.profile.max_temperature)
        if chosen["temperature"] != sampling.temperature:
            pen.losses.rewrite("sampling.temperature", f"this model takes at most {pen.profile.max_temperature:g}")
    if sampling.top_p is not None:
        chosen["top_p"] = sampling.top_p
    if sampling.top_k is not None:
        chosen["top_k"] = sampling.top_k
    return chosen


def _refusal(name: str, value: float, pen: Pen, *, thinking: bool) -> str | None:
    if not pen.profile.sampling:
        return "this model chooses for itself"
    if not thinking:
        return None
    if not pen.profile.sampling_while_reasoning:
        return "this model chooses for itself while it thinks"
    allowed = {"temperature": value == 1, "top_p": value >= _LEAST_TOP_P, "top_k": False}
    return None if allowed[name] else f"the provider refuses {name} {value:g} beside thinking"


def _write_stop(stop: tuple[str, ...], pen: Pen) -> list[str]:
    if not stop:
        return []
    sent = [word for word in stop if word.strip()]
    if len(sent) < len(stop):
        pen.losses.drop("sampling.stop", "the provider takes no blank stop sequence")
    return sent


def _drop_unknown(sampling: Sampling, pen: Pen) -> None:
    for name in _UNKNOWN:
        if getattr(sampling, name):
            pen.losses.drop(f"sampling.{name}", f"this dialect has no {name}")
    if sampling.n is not None and sampling.n > 1:
        pen.losses.drop("sampling.n", "this dialect gives one answer")
