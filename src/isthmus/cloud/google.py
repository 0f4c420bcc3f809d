"""Google Cloud's credentials: a file, or what the machine itself can prove, exchanged for tokens by google-auth.

That library is imported only when it is needed. It blocks, so it runs in threads; its questions go out by our own
client. Commands that a credentials file would have executed are refused.

Source: https://cloud.google.com/docs/authentication/application-default-credentials, and the library's own reference,
https://googleapis.dev/python/google-auth/latest/.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.cloud.http import DIRECT, Answer, NoAnswer, Route, ask
from isthmus.cloud.tokens import Token, Tokens
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.providers.provider import CloudKey, Outgoing
from isthmus.wire import json

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.auth.transport import Request

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
WAIT = 10.0
"""Seconds that one answer may take, where the library does not say."""
HOUR = 3600.0
NEXT = (
    "set credentials-file or GOOGLE_APPLICATION_CREDENTIALS to a key file,"
    " or run: gcloud auth application-default login"
)

Key = tuple[str | None, Route]


class Google:
    """Signs for Google Cloud. Credentials are read once for each file and way out."""

    def __init__(self, tokens: Tokens, time: Callable[[], float]) -> None:
        self._tokens = tokens
        self._time = time
        self._known: dict[Key, Credentials] = {}

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        """The request with a token. Raises CREDENTIAL_REJECTED, UNREACHABLE and TIMED_OUT."""
        which = (key.settings.get("credentials-file"), Route(outgoing.origin.proxy, outgoing.origin.ca_file))
        token = await self._tokens.of(("google", *which), partial(asyncio.to_thread, self._refresh, which))
        return token.sign(outgoing)

    def _refresh(self, key: Key) -> Token:
        """A new token. Blocks."""
        file, route = key
        try:
            from google.auth import exceptions  # noqa: PLC0415  an extra
        except ImportError as error:
            raise _rejected("signing for Google Cloud needs google-auth: pip install 'isthmus[vertex]'") from error
        call = _caller(route)
        try:
            if key not in self._known:
                self._known[key] = _default(call) if file is None else _read(Path(file))
            credentials = self._known[key]
            credentials.refresh(call)
        except exceptions.DefaultCredentialsError as error:
            raise _rejected(f"this machine has no Google credentials; {NEXT}") from error
        except exceptions.TransportError as error:
            raise GatewayError(Kind.UNREACHABLE, f"Google's tokens cannot be had: {error}") from error
        except exceptions.GoogleAuthError as error:
            raise _refused(error, file) from error
        return self._token(credentials)

    def _token(self, credentials: "Credentials") -> Token:
        if not isinstance(credentials.token, str) or not credentials.token:
            raise _rejected(f"Google gave out an empty token; {NEXT}")
        expiry = credentials.expiry
        ends = self._time() + HOUR if expiry is None else expiry.replace(tzinfo=UTC).timestamp()
        return Token(Secret(credentials.token), ends, getattr(credentials, "quota_project_id", None))


def _rejected(message: str) -> GatewayError:
    return GatewayError(Kind.CREDENTIAL_REJECTED, message)


def _refused(error: Exception, file: str | None) -> GatewayError:
    """Google's word for the reason, which is all of its answer that is safe to show."""
    told = error.args[1] if len(error.args) > 1 else None
    reason = told.get("error") if isinstance(told, Mapping) else None
    whose = "the machine's own credentials" if file is None else "the credentials-file"
    said = f" ({reason})" if isinstance(reason, str) and reason.isidentifier() else ""
    return _rejected(f"Google refuses {whose}{said}; {NEXT}")


def _default(call: "Request") -> "Credentials":
    """Application default credentials: a variable's file, gcloud's login, or the metadata server."""
    import google.auth  # noqa: PLC0415  an extra

    credentials, _ = google.auth.default(scopes=SCOPES, request=call)
    return credentials


def _read(file: Path) -> "Credentials":
    """The credentials in a file of any type that runs nothing. Raises CREDENTIAL_REJECTED."""
    try:
        info = json.decode(file.read_bytes())
    except (OSError, json.Malformed) as error:
        raise _rejected(f"the credentials-file cannot be read as JSON; {NEXT}") from error
    kind = str(info.get("type")) if isinstance(info, dict) else ""
    if kind not in _TYPES:
        known = ", ".join(_TYPES)
        raise _rejected(f"the credentials-file is none of the types that Google gives out ({known}); {NEXT}")
    try:
        return _TYPES[kind](info)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _rejected(f"the credentials-file of type {kind} is not complete; {NEXT}") from error


def _service_account(info: dict[str, Any]) -> "Credentials":
    from google.oauth2 import service_account  # noqa: PLC0415  an extra

    made: Credentials = service_account.Credentials.from_service_account_info(info, scopes=SCOPES)
    return made


def _user(info: dict[str, Any]) -> "Credentials":
    from google.oauth2 import credentials  # noqa: PLC0415  an extra

    made: Credentials = credentials.Credentials.from_authorized_user_info(info, scopes=SCOPES)
    return made


def _external(info: dict[str, Any]) -> "Credentials":
    """Workload identity: AWS proves it by its own signature, all others by a token in a file or at a URL."""
    from google.auth import aws, identity_pool  # noqa: PLC0415  an extra

    source = info["credential_source"]
    if "executable" in source:
        raise _rejected(
            "the credentials-file wants a command to be run, which is refused; use a file or URL as its source"
        )
    maker = aws if str(source.get("environment_id", "")).startswith("aws") else identity_pool
    made: Credentials = maker.Credentials.from_info(info, scopes=SCOPES)
    return made


def _impersonated(info: dict[str, Any]) -> "Credentials":
    from google.auth import impersonated_credentials as impersonated  # noqa: PLC0415  an extra

    made: Credentials = impersonated.Credentials.from_impersonated_service_account_info(info, scopes=SCOPES)
    return made


_TYPES: Mapping[str, Callable[[dict[str, Any]], "Credentials"]] = {
    "service_account": _service_account,
    "authorized_user": _user,
    "external_account": _external,
    "impersonated_service_account": _impersonated,
}


def _caller(route: Route) -> "Request":
    """The library's way out. Metadata servers speak plain HTTP beside the machine, where no proxy leads."""
    from google.auth.exceptions import TransportError  # noqa: PLC0415  an extra
    from google.auth.transport import Request  # noqa: PLC0415  an extra

    class Call(Request):
        def __call__(
            self,
            url: str,
            method: str = "GET",
            body: bytes | str | None = None,
            headers: Mapping[str, str] | None = None,
            timeout: float | None = None,
            **_: object,
        ) -> Answer:
            way = route if url.startswith("https:") else DIRECT
            content = body.encode() if isinstance(body, str) else body
            seconds = WAIT if timeout is None else min(timeout, WAIT)
            try:
                return ask(method, url, route=way, timeout=seconds, headers=headers, body=content)
            except NoAnswer as error:
                raise TransportError(str(error)) from error

    return Call()
