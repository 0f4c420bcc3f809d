"""What one upstream key was asked since the process started, and what came of it."""

from isthmus.core.value import Value


class KeyCount(Value, frozen=True):
    """`requests` are those that were sent to the provider, `failed` those of them that did not answer.

    Tokens are those of answers that told them, cached ones within the input, reasoning within the output.
    """

    requests: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
