"""The headers of this vendor's answers that travel on to a client: who answered, how long it took, what is left."""

_LIMITS = (
    b"limit-requests",
    b"limit-tokens",
    b"remaining-requests",
    b"remaining-tokens",
    b"reset-requests",
    b"reset-tokens",
)
PASSED_BACK = frozenset(
    {
        b"x-request-id",
        b"openai-processing-ms",
        b"openai-version",
        b"retry-after",
        b"retry-after-ms",
        *(b"x-ratelimit-" + name for name in _LIMITS),
    }
)
