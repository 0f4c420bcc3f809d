"""An issuer: where accounts are signed in to, and what its tokens tell of them. A row of addresses and words.

Source: RFC 6749 (OAuth 2.0), RFC 7636 (PKCE), RFC 8628 (device codes), RFC 7523 (service accounts), RFC 8252 (programs
on a user's machine).
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from isthmus.core.secret import Secret
from isthmus.core.value import Value


class SignInFlow(StrEnum):
    """How somebody signs in. CODE: in a browser, with PKCE; PASTED: a refresh token; FILE: what another tool left."""

    CODE = "code"
    DEVICE = "device"
    PASTED = "pasted"
    SERVICE_ACCOUNT = "service-account"
    FILE = "file"


class Claims(Value, frozen=True):
    """Where facts of an account stand in its ID token, else in its access token, where these are JWTs.

    Each is a path of names: `("https://api.openai.com/auth", "chatgpt_plan_type")`. Empty: nowhere.
    """

    email: tuple[str, ...] = ("email",)
    subject: tuple[str, ...] = ("sub",)
    plan: tuple[str, ...] = ()


class Issuer(Value, frozen=True, kw_only=True):
    """One row. Addresses are whole URLs, https, or http on this machine; "" for what the issuer has not.

    `callback_ports` are tried in their order on loopback, where the browser is sent to `callback_path`; `parameters`
    are further ones of the authorize URL. `scopes` are asked for at sign-in, `refresh_scopes` at a refresh, none where
    empty. `json_tokens`: its token endpoint takes JSON, not forms. `subject_header` is the header in which requests
    name the account, b"" for none. `files` are where other tools leave what they were given, below the home folder.
    `subscription`: what is asked under its accounts is covered by their plans, and costs nothing more.
    `terms` is the notice about the vendor's terms that is shown before the first sign-in. `audience` is what service
    accounts name as such; `proxy` and `ca_file` are as in Origin.
    """

    name: str
    title: str
    client_id: str
    client_secret: Secret | None = None
    flows: tuple[SignInFlow, ...] = (SignInFlow.CODE, SignInFlow.PASTED)
    authorize_url: str = ""
    token_url: str = ""
    device_url: str = ""
    usage_url: str = ""
    models_url: str = ""
    scopes: tuple[str, ...] = ()
    refresh_scopes: tuple[str, ...] = ()
    callback_host: str = "localhost"
    callback_path: str = "/auth/callback"
    callback_ports: tuple[int, ...] = ()
    parameters: Mapping[str, str] = MappingProxyType({})
    json_tokens: bool = False
    subject_header: bytes = b""
    claims: Claims = Claims()
    files: tuple[str, ...] = ()
    subscription: bool = False
    terms: str = ""
    audience: str = ""
    proxy: str | None = None
    ca_file: str | None = None
