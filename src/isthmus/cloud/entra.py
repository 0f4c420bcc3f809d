"""Microsoft Entra's tokens for Azure: for an application's secret or federated token, else for what the machine is.

Where an application is configured, it alone is asked for. Else the machine's managed identity is tried, that of App
Service or of the virtual machine, and at last whoever has logged in with Azure's command line. Certificates are not
taken: a federated token does what they do.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow (secret, federated token),
.../entra/identity/managed-identities-azure-resources/how-to-use-vm-token, https://learn.microsoft.com/azure/app-service/
overview-managed-identity, https://learn.microsoft.com/cli/azure/account; the variables are azure-identity's.
"""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode

from isthmus.cloud.http import DIRECT, Answer, NoAnswer, Route, ask
from isthmus.cloud.tokens import Token, Tokens
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.providers.provider import CloudKey, Outgoing
from isthmus.wire import json

Variable = Callable[[str], str | None]
"""What a variable of the environment holds."""

WAIT = 10.0
"""Seconds that an issuer may be silent."""
GLANCE = 1.0
"""Seconds in which a virtual machine's identity answers, where there is one."""
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
METADATA = "http://169.254.169.254"
_CODE = re.compile(r"AADSTS\d+")
_WORD = re.compile(r"[a-z_]{1,60}")


class Cloud(Value, frozen=True):
    """One of Azure's separate clouds: who gives out tokens, and for whom."""

    authority: str
    resource: str


PUBLIC = Cloud("https://login.microsoftonline.com", "https://cognitiveservices.azure.com")
CLOUDS: Mapping[str, Cloud] = {
    ".azure.us": Cloud("https://login.microsoftonline.us", "https://cognitiveservices.azure.us"),
    ".azure.cn": Cloud("https://login.partner.microsoftonline.cn", "https://cognitiveservices.azure.cn"),
}
"""By the end of a resource's host. All others are in the public cloud, or in front of it."""


class Asked(Value, frozen=True):
    """One question: on whose behalf, in which cloud, by which way."""

    settings: tuple[tuple[str, str], ...]
    secret: Secret | None
    cloud: Cloud
    route: Route

    def get(self, name: str) -> str | None:
        return dict(self.settings).get(name)


def _asked(outgoing: Outgoing, key: CloudKey) -> Asked:
    origin = outgoing.origin
    cloud = next((cloud for end, cloud in CLOUDS.items() if origin.host.endswith(end)), PUBLIC)
    return Asked(tuple(sorted(key.settings.items())), key.secret, cloud, Route(origin.proxy, origin.ca_file))


class Entra:
    """Signs for Azure."""

    def __init__(self, tokens: Tokens, time: Callable[[], float], variable: Variable) -> None:
        self._tokens = tokens
        self._time = time
        self._variable = variable

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        """The request with a token. Raises CREDENTIAL_REJECTED, UNREACHABLE, UPSTREAM_FAULT, GARBLED and TIMED_OUT."""
        asked = _asked(outgoing, key)
        token = await self._tokens.of(asked, partial(asyncio.to_thread, self._ask, asked))
        return token.sign(outgoing)

    async def refused(self, outgoing: Outgoing, key: CloudKey) -> None:
        """Azure does not take the token any more."""
        self._tokens.forget(_asked(outgoing, key))

    def _ask(self, asked: Asked) -> Token:
        """Blocks."""
        if asked.secret is not None or asked.get("credentials-file") is not None:
            return self._application(asked)
        if self._variable("IDENTITY_ENDPOINT") and self._variable("IDENTITY_HEADER"):
            return self._app_service(asked)
        try:
            return self._machine(asked)
        except NoAnswer:
            return self._command_line(asked)

    def _application(self, asked: Asked) -> Token:
        """An application's own secret, or a token of another issuer that Entra trusts to speak for it."""
        tenant, client = asked.get("tenant-id"), asked.get("client-id")
        if tenant is None or client is None:
            raise _rejected("an application in Entra needs both tenant-id and client-id")
        authority = (asked.get("authority-url") or asked.cloud.authority).rstrip("/")
        form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "scope": f"{asked.cloud.resource}/.default",
            **_proof(asked),
        }
        answer = _reach(
            "POST",
            f"{authority}/{quote(tenant, safe='')}/oauth2/v2.0/token",
            route=asked.route,
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )
        return self._read(answer, f"the application {client}; check tenant-id, client-id and what proves it")

    def _app_service(self, asked: Asked) -> Token:
        """App Service, Functions and Container Apps tell by variables where they are asked."""
        query = {"api-version": "2019-08-01", "resource": asked.cloud.resource, **_chosen(asked)}
        answer = _reach(
            "GET",
            f"{self._variable('IDENTITY_ENDPOINT')}?{urlencode(query)}",
            route=DIRECT,
            headers={"x-identity-header": self._variable("IDENTITY_HEADER") or ""},
        )
        return self._read(answer, "the identity of this app; assign one, and give it a role on the resource")

    def _machine(self, asked: Asked) -> Token:
        """A virtual machine or a container in Kubernetes. Raises NoAnswer where this is none of Azure's."""
        root = (self._variable("AZURE_POD_IDENTITY_AUTHORITY_HOST") or METADATA).rstrip("/")
        query = {"api-version": "2018-02-01", "resource": asked.cloud.resource, **_chosen(asked)}
        url = f"{root}/metadata/identity/oauth2/token?{urlencode(query)}"
        answer = ask("GET", url, route=DIRECT, timeout=GLANCE, headers={"metadata": "true"})
        if answer.status in (400, 404) and asked.get("client-id") is None:
            raise NoAnswer("this machine has no identity")
        return self._read(answer, "the identity of this machine; assign one, and give it a role on the resource")

    def _command_line(self, asked: Asked) -> Token:
        """Whoever has run `az login`."""
        command = shutil.which("az", path=self._variable("PATH"))
        if command is None:
            raise _rejected(_NOTHING)
        words = [command, "account", "get-access-token", "--output", "json", "--resource", asked.cloud.resource]
        if (tenant := asked.get("tenant-id")) is not None:
            words += ["--tenant", tenant]
        try:
            done = subprocess.run(words, check=True, capture_output=True, timeout=WAIT)  # noqa: S603  no shell, no words of a caller's
        except (OSError, subprocess.SubprocessError) as error:
            raise _rejected(_NOTHING) from error
        return self._token(_fields(done.stdout), "accessToken")

    def _read(self, answer: Answer, whose: str) -> Token:
        """The token in an issuer's answer. `whose` ends with what to do where it is refused."""
        if answer.status == 429 or answer.status >= 500:
            raise GatewayError(Kind.UPSTREAM_FAULT, f"Entra gives out no token now: it answered {answer.status}")
        if answer.status != 200:
            raise _rejected(f"Entra refuses{_reason(answer)} a token to {whose}")
        return self._token(_fields(answer.data), "access_token")

    def _token(self, told: Mapping[str, object], name: str) -> Token:
        token, now = told.get(name), self._time()
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise GatewayError(Kind.GARBLED, "Entra's answer holds no token")
        ends = _number(told.get("expires_on"))
        lasts = _number(told.get("expires_in"))
        if ends is None:
            ends = now + (3600.0 if lasts is None else lasts)
        return Token(Secret(token), ends)


_NOTHING = (
    "no Azure credential was found: give the provider an api-key, or tenant-id, client-id and client-secret,"
    " or assign this machine an identity, or run: az login"
)


def _rejected(message: str) -> GatewayError:
    return GatewayError(Kind.CREDENTIAL_REJECTED, message)


def _proof(asked: Asked) -> Mapping[str, str]:
    if asked.secret is not None:
        return {"client_secret": asked.secret.reveal()}
    try:
        token = Path(asked.get("credentials-file") or "").read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _rejected("the credentials-file with the federated token cannot be read") from error
    return {"client_assertion_type": ASSERTION, "client_assertion": token}


def _chosen(asked: Asked) -> Mapping[str, str]:
    """Which of several identities, where one is configured."""
    client = asked.get("client-id")
    return {} if client is None else {"client_id": client}


def _reach(method: str, url: str, *, route: Route, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
    try:
        return ask(method, url, route=route, timeout=WAIT, headers=headers, body=body)
    except NoAnswer as error:
        raise GatewayError(Kind.UNREACHABLE, f"Entra's tokens cannot be had: {error}") from error


def _fields(body: bytes) -> Mapping[str, object]:
    try:
        told = json.decode(body)
    except json.Malformed as error:
        raise GatewayError(Kind.GARBLED, "Entra's answer is no JSON") from error
    if not isinstance(told, dict):
        raise GatewayError(Kind.GARBLED, "Entra's answer is no object")
    return told


def _reason(answer: Answer) -> str:
    """The issuer's words for it, of which only the codes are sure to hold no secret."""
    try:
        told = _fields(answer.data)
    except GatewayError:
        return ""
    error, about = told.get("error"), told.get("error_description")
    words = [error] if isinstance(error, str) and _WORD.fullmatch(error) else []
    words += _CODE.findall(about)[:1] if isinstance(about, str) else []
    return f" ({', '.join(words)})" if words else ""


def _number(told: object) -> float | None:
    """Seconds, which some issuers write as text."""
    try:
        return float(told) if isinstance(told, int | float | str) else None
    except ValueError:
        return None
