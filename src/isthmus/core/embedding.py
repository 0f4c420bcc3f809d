"""Texts to be turned into vectors, and the vectors."""

from typing import TypeAlias

from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Value

Input: TypeAlias = str | tuple[int, ...]
"""One text, or its tokens in the vocabulary of the model."""


class EmbedRequest(Value, frozen=True, kw_only=True):
    """`dimensions` is the length wanted of each vector; `task` what they are for.

    A task is one of retrieval_query, retrieval_document, semantic_similarity, classification, clustering, or
    another word as the caller spelled it.

    `base64`: the caller takes vectors as base64 of little-endian 32-bit floats; None when it did not say.
    `single`: the caller sent one input by itself, not a list of one.
    """

    model: str
    inputs: tuple[Input, ...]
    dimensions: int | None = None
    task: str | None = None
    base64: bool | None = None
    single: bool = False
    end_user: str | None = None
    extra: Extra | None = None


class EmbedReply(Value, frozen=True, kw_only=True):
    """One vector for each input, in the order of the inputs."""

    model: str
    vectors: tuple[tuple[float, ...], ...]
    usage: Usage | None = None
    extra: Extra | None = None
