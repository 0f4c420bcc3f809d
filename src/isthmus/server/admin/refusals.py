"""How our own management API says what went wrong: one shape for every error."""

import math
from collections.abc import Mapping

from isthmus.core.errors import GatewayError
from isthmus.core.value import Value
from isthmus.server.pages import Page
from isthmus.wire import json
from isthmus.wire.headers import Headers

TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
"""By status; any other is what its class says."""


class Fault(Value, frozen=True, omit_defaults=True):
    """`type` is a class of errors, `code` the one of them; `param` names the field at fault."""

    type: str
    message: str
    code: str
    param: str | None = None


class Refused(Value, frozen=True):
    """Every answer of ours that is none."""

    error: Fault


def refuse(error: GatewayError) -> Page:
    kind = TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "gateway_error")
    fault = Fault(kind, error.message, error.code or str(error.kind), error.param)
    return Page(error.status, json.encode(Refused(fault)), headers_of(error))


def headers_of(error: GatewayError) -> Headers:
    """What every management API's refusal says beside its body."""
    if error.retry_after is not None:
        return ((b"retry-after", b"%d" % max(1, math.ceil(error.retry_after))),)
    return ((b"www-authenticate", b"Bearer"),) if error.status == 401 else ()
