"""What is said of a refusal that is no JSON: a proxy's page, a word, or nothing."""

from isthmus.wire.headers import Headers, find

LONGEST = 2000
"""Characters of a message that are passed on."""


def describe(status: int, headers: Headers, body: bytes) -> str:
    """What came in place of JSON, at most LONGEST characters of it. A web page is never shown."""
    start = body[: LONGEST * 4].decode(errors="replace").strip()
    if not start:
        return f"the provider answered {status} without a body"
    kind = (find(headers, b"content-type") or b"").lower()
    if b"html" in kind or start.startswith("<"):
        return f"the provider answered {status} with a web page in place of JSON"
    if not start.isprintable() and "\ufffd" in start:
        return f"the provider answered {status} with {len(body)} bytes that are not text"
    return start[:LONGEST]
