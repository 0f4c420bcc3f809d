"""Google Cloud's credentials: a file, or what the machine itself can prove, exchanged for tokens.

Files are looked for as Google's own libraries do. google-auth, which reads them, is imported only when there is one;
it blocks, so it runs in threads, and its questions go out by our own client. Commands that a file would have executed
are refused. A machine of Google's is asked without that library, whose own way there needs a second HTTP client.

Source: https://cloud.google.com/docs/authentication/application-default-credentials (the order),
https://cloud.google.com/compute/docs/access/authenticate-workloads (the machine's own token), and the library's
reference, https://googleapis.dev/python/google-auth/latest/.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.cloud.http import DIRECT, Answer, NoAnswer, Route, ask
from isthmus.cloud.tokens import Token, Tokens
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.providers.provider import CloudKey, Outgoing
from isthmus.wire import json

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.auth.transport import Request

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
WAIT = 10.0
"""Seconds that one answer may take, where the library does not say."""
GLANCE = 3.0
"""Seconds in which a machine of Google's answers."""
HOUR = 3600.0
METADATA = "169.254.169.254"
SERVICE_ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default/token"
LOGIN = "application_default_credentials.json"
"""What gcloud calls the file of whoever has logged in."""
NEXT = (
    "set credentials-file or GOOGLE_APPLICATION_CREDENTIALS to a key file,"
    " or run: gcloud auth application-default login"
)

_TOKEN = re.compile(r"[!-~]+")

Variable = Callable[[str], str | None]
"""What a variable of the environment holds."""


class Which(Value, frozen=True):
    """Whose token: that of a file, or what the machine itself can prove; and by which way it is asked for."""

    file: str | None
    route: Route


def _which(outgoing: Outgoing, key: CloudKey) -> Which:
    return Which(key.settings.get("credentials-file"), Route(outgoing.origin.proxy, outgoing.origin.ca_file))


class Google:
    """Signs for Google Cloud. Credentials are read once for each file and way out."""

    def __init__(self, tokens: Tokens, time: Callable[[], float], variable: Variable) -> None:
        self._tokens = tokens
        self._time = time
        self._variable = variable
        self._known: dict[tuple[str, Route], Credentials] = {}

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        """The request with a token. Raises CREDENTIAL_REJECTED, UNREACHABLE, GARBLED and TIMED_OUT."""
        which = _which(outgoing, key)
        token = await self._tokens.of(which, partial(asyncio.to_thread, self._ask, which.file, which.route))
        return token.sign(outgoing)

    async def refused(self, outgoing: Outgoing, key: CloudKey) -> None:
        """Google does not take the token any more."""
        self._tokens.forget(_which(outgoing, key))

    def _ask(self, file: str | None, route: Route) -> Token:
        """A new token. Blocks."""
        file = file or self._variable("GOOGLE_APPLICATION_CREDENTIALS") or self._login()
        return self._machine() if file is None else self._exchange(file, route)

    def _login(self) -> str | None:
        """The file of whoever has logged in with gcloud, if there is one."""
        home, folder = self._variable("HOME"), self._variable("CLOUDSDK_CONFIG")
        if folder is None and (roaming := self._variable("APPDATA")) is not None:
            folder = str(Path(roaming) / "gcloud")
        if folder is None and home is not None:
            folder = str(Path(home) / ".config" / "gcloud")
        found = None if folder is None else Path(folder) / LOGIN
        return str(found) if found is not None and found.is_file() else None

    def _machine(self) -> Token:
        """A virtual machine, a container in Kubernetes, Cloud Run: whatever has a metadata server beside it."""
        url = f"http://{self._variable('GCE_METADATA_HOST') or METADATA}{SERVICE_ACCOUNT}?scopes={SCOPES[0]}"
        try:
            answer = ask("GET", url, route=DIRECT, timeout=GLANCE, headers={"metadata-flavor": "Google"})
        except NoAnswer as error:
            raise _rejected(f"this machine has no Google credentials; {NEXT}") from error
        if answer.status >= 500:
            raise GatewayError(Kind.UPSTREAM_FAULT, f"Google gives out no token now: it answered {answer.status}")
        if answer.status != 200 or answer.headers.get("metadata-flavor") != "Google":
            raise _rejected(f"this machine has no service account of Google's; {NEXT}")
        return self._given(answer.data)

    def _given(self, body: bytes) -> Token:
        try:
            told = json.decode(body)
        except json.Malformed as error:
            raise GatewayError(Kind.GARBLED, "the metadata server's answer is no JSON") from error
        token, lasts = (told.get("access_token"), told.get("expires_in")) if isinstance(told, dict) else (None, None)
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise GatewayError(Kind.GARBLED, "the metadata server's answer holds no token")
        return Token(Secret(token), self._time() + (lasts if isinstance(lasts, int | float) else HOUR))

    def _exchange(self, file: str, route: Route) -> Token:
        try:
            from google.auth import exceptions  # noqa: PLC0415  an extra
        except ImportError as error:
            raise _rejected("signing for Google Cloud needs google-auth: pip install 'isthmus[vertex]'") from error
        try:
            if (file, route) not in self._known:
                self._known[file, route] = _read(Path(file))
            credentials = self._known[file, route]
            credentials.refresh(_caller(route))
        except exceptions.TransportError as error:
            raise GatewayError(Kind.UNREACHABLE, f"Google's tokens cannot be had: {error}") from error
        except exceptions.GoogleAuthError as error:
            raise _refused(error) from error
        except (TypeError, ValueError, KeyError, AttributeError) as error:  # as the library fails on what is no answer
            raise GatewayError(Kind.GARBLED, "Google's answer holds no token") from error
        return self._token(credentials)

    def _token(self, credentials: "Credentials") -> Token:
        token, expiry = credentials.token, credentials.expiry
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise GatewayError(Kind.GARBLED, "Google's answer holds no token")
        ends = self._time() + HOUR if expiry is None else expiry.replace(tzinfo=UTC).timestamp()
        return Token(Secret(token), ends, getattr(credentials, "quota_project_id", None))


def _rejected(message: str) -> GatewayError:
    return GatewayError(Kind.CREDENTIAL_REJECTED, message)


def _refused(error: Exception) -> GatewayError:
    """Google's word for the reason, which is all of its answer that is safe to show."""
    told = error.args[1] if len(error.args) > 1 else None
    reason = told.get("error") if isinstance(told, Mapping) else None
    said = f" ({reason})" if isinstance(reason, str) and reason.isidentifier() else ""
    return _rejected(f"Google refuses the credentials-file{said}; {NEXT}")


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
