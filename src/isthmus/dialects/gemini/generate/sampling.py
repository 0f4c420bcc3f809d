"""The numbers of `generationConfig` that steer the choice of words.

Source: https://ai.google.dev/api/generate-content (GenerationConfig).
"""

from collections.abc import Mapping

from isthmus.core.chat import ChatRequest, Sampling
from isthmus.dialects.gemini.generate.media import Block
from isthmus.dialects.gemini.generate.pen import Pen
from isthmus.dialects.gemini.spelling import Camel

MOST_STOPS = 5
"""Stop sequences that the provider takes."""
_NAMES: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
    "seed": "seed",
    "n": "candidateCount",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
}
_STEERING = frozenset({"temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty"})


def read_sampling(config: Camel) -> Sampling:
    return Sampling(
        temperature=config.number("temperature"),
        top_p=config.number("topP"),
        top_k=config.integer("topK"),
        frequency_penalty=config.number("frequencyPenalty"),
        presence_penalty=config.number("presencePenalty"),
        seed=config.integer("seed"),
        stop=config.texts("stopSequences") or None,
        n=config.integer("candidateCount"),
        logprobs=config.flag("responseLogprobs"),
        top_logprobs=config.integer("logprobs"),
    )


def write_sampling(config: Block, sampling: Sampling, pen: Pen) -> None:
    for name, spelled in _NAMES.items():
        value = getattr(sampling, name)
        if value is None:
            continue
        if name in _STEERING and not pen.profile.sampling:
            pen.losses.drop(f"sampling.{name}", "this model takes no sampling")
        else:
            config[spelled] = value
    if (
        sampling.temperature is not None
        and "temperature" in config
        and sampling.temperature > (most := pen.profile.max_temperature)
    ):
        pen.losses.rewrite("sampling.temperature", f"this model takes at most {most}")
        config["temperature"] = most
    if sampling.stop:
        config["stopSequences"] = sampling.stop[:MOST_STOPS]
        if len(sampling.stop) > MOST_STOPS:
            pen.losses.drop(f"sampling.stop[{MOST_STOPS}:]", f"the provider takes {MOST_STOPS} stop sequences")


def write_max_output(config: Block, request: ChatRequest, pen: Pen) -> None:
    profile, wanted = pen.profile, request.max_output
    if wanted is None:
        if profile.requires_max_output:
            config["maxOutputTokens"] = profile.default_max_output
        return
    if profile.max_output_limit is not None and wanted > profile.max_output_limit:
        pen.losses.rewrite("max_output", f"this model writes at most {profile.max_output_limit} tokens")
        wanted = profile.max_output_limit
    config["maxOutputTokens"] = wanted
