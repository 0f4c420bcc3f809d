"""Device codes (RFC 8628): somebody types a short code in a browser anywhere, and the issuer is asked until they have.

Waiting is the caller's: here the issuer is asked once at a time.
"""

from collections.abc import Mapping
from typing import Any

from isthmus.accounts.endpoint import Ask, check_reached, garbled, posted, refusal_in, shown, told_in
from isthmus.accounts.grants import given_for
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.engine.accounts import Tokens
from isthmus.providers.issuer import Issuer
from isthmus.providers.issuers.checked import check_url

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
USUAL_INTERVAL = 5.0
SLOWER = 5.0
"""Seconds by which the interval grows each time that the issuer says so, or cannot be reached."""
INTERVALS = (1.0, 60.0)
"""The shortest and longest interval, in seconds, whatever an issuer says."""
USUAL_LIFE, LONGEST_LIFE = 600.0, 1800.0
"""Seconds that a device code lasts where the issuer does not say, and at most."""
LONGEST_CODE, LONGEST_URL = 64, 2048

PENDING, SLOW_DOWN = "authorization_pending", "slow_down"
MAY_PASS = frozenset(
    {Kind.UNREACHABLE, Kind.TIMED_OUT, Kind.CUT_SHORT, Kind.OVERLOADED, Kind.UPSTREAM_LIMITED, Kind.GARBLED}
)
"""After which the issuer is asked again, a little later (RFC 8628, section 3.5)."""


class DeviceCode(Value, frozen=True):
    """`user_code` is typed at `url`. Times are seconds."""

    code: Secret
    user_code: str
    url: str
    lasts: float
    interval: float


async def device_code_of(issuer: Issuer, ask: Ask) -> DeviceCode:
    """A new one. Raises CREDENTIAL_REJECTED where the issuer gives none, else as the transport does."""
    fields = {"scope": " ".join(issuer.scopes)} if issuer.scopes else {}
    reply = await ask(posted(issuer, issuer.device_url, fields))
    check_reached(issuer, reply)
    told = told_in(reply)
    word = refusal_in(reply, told)
    if word is not None:
        message = f"{issuer.title} gives out no device code: it said {reply.status}{shown(word)}"
        raise GatewayError(Kind.CREDENTIAL_REJECTED, f"{message}; check the issuer {issuer.name}", code=word)
    return _device_code(issuer, told)


async def polled(issuer: Issuer, device: DeviceCode, ask: Ask, time: float) -> Tokens | None:
    """The tokens once somebody has typed the code; None until then. `time` is Unix time.

    Raises GatewayError with `code` SLOW_DOWN where the issuer was asked too soon, any of MAY_PASS for what may pass,
    and INVALID where nothing will come of it.
    """
    try:
        return await given_for(issuer, {"grant_type": GRANT, "device_code": device.code.reveal()}, ask, time)
    except GatewayError as error:
        if error.code == PENDING:
            return None
        if error.code == SLOW_DOWN or error.kind in MAY_PASS:
            raise
        raise GatewayError(Kind.INVALID, _why(issuer, error.code or ""), code=error.code) from error


def _why(issuer: Issuer, word: str) -> str:
    if word == "access_denied":
        return f"the sign-in at {issuer.title} was denied"
    if word == "expired_token":
        return f"the code was not typed at {issuer.title} in time: begin the sign-in again"
    return f"{issuer.title} ended the sign-in{shown(word)}: begin it again"


def _device_code(issuer: Issuer, told: Mapping[str, Any]) -> DeviceCode:
    code, user_code = told.get("device_code"), told.get("user_code")
    url = told.get("verification_uri_complete") or told.get("verification_uri") or told.get("verification_url")
    if (
        not isinstance(code, str)
        or not code
        or not _is_short(user_code, LONGEST_CODE)
        or not _is_short(url, LONGEST_URL)
    ):
        raise garbled(issuer, "without a device code")
    try:
        check_url("verification_uri", str(url))
    except ValueError as error:
        raise garbled(issuer, "with no address where the device code could be typed") from error
    lasts = min(_number(told.get("expires_in"), USUAL_LIFE), LONGEST_LIFE)
    interval = min(max(_number(told.get("interval"), USUAL_INTERVAL), INTERVALS[0]), INTERVALS[1])
    return DeviceCode(Secret(code), str(user_code), str(url), lasts, interval)


def _is_short(found: object, longest: int) -> bool:
    return isinstance(found, str) and 0 < len(found) <= longest and found.isprintable()


def _number(found: object, usual: float) -> float:
    return float(found) if isinstance(found, int | float) and found > 0 else usual
