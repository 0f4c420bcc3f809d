"""How a request proves who is asking. Each is a plain function from headers and a key to headers."""

from isthmus.core.secret import Secret
from isthmus.wire.headers import Headers


def bearer(headers: Headers, secret: Secret | None) -> Headers:
    """`authorization: Bearer KEY` (RFC 6750); nothing without a key."""
    if secret is None:
        return headers
    return (*headers, (b"authorization", b"Bearer " + secret.reveal().encode("ascii")))


def header_key(name: bytes, headers: Headers, secret: Secret | None) -> Headers:
    """The bare key in a header of its own; nothing without a key. Bind `name` (lower case) with `partial`."""
    if secret is None:
        return headers
    return (*headers, (name, secret.reveal().encode("ascii")))


def unsigned(headers: Headers, secret: Secret | None) -> Headers:  # noqa: ARG001  a Signer
    """Nothing at all, even when there is a key."""
    return headers
