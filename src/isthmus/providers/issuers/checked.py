"""What an issuer must be before anybody is sent there: complete, and reached over TLS or on this machine.

Refuses with ValueError, in words for whoever wrote the configuration.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from isthmus.providers.build import parse_base
from isthmus.providers.issuer import Issuer, SignInFlow

OURS = frozenset(
    {"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"}
)
"""Parameters of an authorize URL that a sign-in fills in."""
LONGEST = 512
"""Characters of a file's name."""

_NEEDS: Mapping[SignInFlow, tuple[str, ...]] = {
    SignInFlow.CODE: ("client_id", "authorize_url", "token_url"),
    SignInFlow.DEVICE: ("client_id", "device_url", "token_url"),
    SignInFlow.PASTED: ("client_id", "token_url"),
    SignInFlow.SERVICE_ACCOUNT: (),
    SignInFlow.FILE: ("client_id", "token_url", "files"),
}
_URLS = ("authorize_url", "token_url", "device_url", "usage_url", "models_url")
_HEADER = re.compile(rb"[a-z0-9-]{1,64}")
_FILE = re.compile(r"(\$\{[A-Z][A-Z0-9_]*:-[^${}]+\}|[^${}/][^${}]*)(/[^${}]+)?")


def checked(issuer: Issuer) -> Issuer:
    """The same issuer. Raises ValueError."""
    for field in _URLS:
        if url := getattr(issuer, field):
            check_url(_spelled(field), url)
    for flow in issuer.flows:
        for field in _NEEDS[flow]:
            if not getattr(issuer, field):
                raise ValueError(f"the flow {flow} needs {_spelled(field)}")
    _check_callback(issuer)
    for file in issuer.files:
        _check_file(file)
    for name in issuer.parameters:
        if name in OURS:
            raise ValueError(f"the parameter {name} is set by the sign-in itself")
    if issuer.subject_header and not _HEADER.fullmatch(issuer.subject_header):
        raise ValueError("the subject-header is no header's name in lower case")
    return issuer


def check_url(name: str, url: str) -> None:
    """Raises ValueError for what is not https, or http on this machine."""
    bare, _, query = url.partition("?")
    if "#" in url or not all("!" <= char <= "~" for char in query):
        raise ValueError(f"{name} {url!r} holds a fragment, space or character that must be percent-encoded")
    parse_base(bare)
    parts = urlsplit(bare)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError(f"{name} {url!r} must begin with https://, since tokens go there; http is for this machine")


def is_loopback(host: str) -> bool:
    """Is this a name or address that never leaves the machine?"""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _check_callback(issuer: Issuer) -> None:
    if not is_loopback(issuer.callback_host):
        raise ValueError("the callback-host must be this machine's: localhost, 127.0.0.1 or ::1")
    if not re.fullmatch(r"/[!-~]*", issuer.callback_path) or set("?#") & set(issuer.callback_path):
        raise ValueError("the callback-path must begin with / and hold neither a query nor a space")
    for port in issuer.callback_ports:
        if not 0 < port < 65536:
            raise ValueError(f"{port} is no port that a browser could be sent to")


def _check_file(file: str) -> None:
    """Below the home folder, which no `..` leads out of; or where a variable says, by a name like ${NAME:-folder}/."""
    if len(file) > LONGEST or not _FILE.fullmatch(file) or ".." in re.split(r"[/-]", file):
        raise ValueError(f"{file!r} is no file below the home folder; write it like .tool/auth.json")


def _spelled(field: str) -> str:
    return field.replace("_", "-")
