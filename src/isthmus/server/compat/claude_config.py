"""codex-claude-proxy's routes that point Claude Code at this gateway, at Anthropic, or anywhere."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import HIDDEN
from isthmus.core.value import Value
from isthmus.engine.live import Now
from isthmus.engine.serve import plan_for
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import ClaudeSettings, Desk
from isthmus.server.admin.readers import reader
from isthmus.server.pages import Page
from isthmus.wire import json
from isthmus.wire.headers import find

URL, KEY, TOKEN, MODEL = "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_MODEL"
MODELS: Mapping[str, Sequence[str]] = {
    MODEL: ("claude-sonnet-4-6", "claude-sonnet-4-5", "sonnet"),
    "ANTHROPIC_DEFAULT_OPUS_MODEL": ("claude-opus-4-6", "claude-opus-4-5", "opus"),
    "ANTHROPIC_DEFAULT_SONNET_MODEL": ("claude-sonnet-4-6", "claude-sonnet-4-5", "sonnet"),
    "ANTHROPIC_DEFAULT_HAIKU_MODEL": ("claude-haiku-4-5", "claude-haiku-4", "haiku"),
}
"""Variables that name a model: set to the first of these that leads somewhere here."""
ANY_KEY = "any-key"
"""What is sent where no client key is asked for."""
_SECRETS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


class Shown(Value, frozen=True, rename="camel"):
    """What the file says; what looks like a secret is hidden."""

    success: bool
    config_path: str
    config: Mapping[str, Any]


class Pointed(Value, frozen=True):
    success: bool
    message: str
    config: Mapping[str, Any]


class Direct(Value, frozen=True, rename="camel"):
    api_key: str = ""


class Elsewhere(Value, frozen=True, rename="camel"):
    api_url: str = ""
    api_key: str = ""


_direct, _elsewhere = reader(Direct), reader(Elsewhere)


async def show(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    claude = _claude(desk)
    found = await asyncio.to_thread(claude.read)
    return Page(200, json.encode(Shown(True, str(claude.path), _masked(found))))


async def proxy(call: AdminCall, desk: Desk) -> Page:
    """The address is the one that the caller used. Without a client key of its own a tool sends any."""
    url = f"http://{(find(call.headers, b'host') or b'localhost').decode('latin-1')}"
    put = {URL: url, KEY: ANY_KEY, **_models(desk.live.take())}
    return await _point(desk, put, (TOKEN,), f"Claude CLI configured to use proxy at {url}")


async def direct(call: AdminCall, desk: Desk) -> Page:
    key = _direct(call.body or b"{}").api_key
    if not key:
        raise GatewayError(Kind.INVALID, "API key required")
    return await _point(desk, {KEY: key}, (URL, TOKEN, *MODELS), "Claude CLI configured to use direct API")


async def point(call: AdminCall, desk: Desk) -> Page:
    asked = _elsewhere(call.body or b"{}")
    if not asked.api_url or not asked.api_key:
        raise GatewayError(Kind.INVALID, "API URL and API key required")
    if urlsplit(asked.api_url).scheme not in ("http", "https"):
        raise GatewayError(Kind.INVALID, "API URL must be http or https")
    put = {URL: asked.api_url, KEY: asked.api_key}
    return await _point(desk, put, (TOKEN,), f"Claude CLI configured to use {asked.api_url}")


async def _point(desk: Desk, put: Mapping[str, str], drop: Sequence[str], message: str) -> Page:
    changed = await asyncio.to_thread(_claude(desk).change, put, drop)
    return Page(200, json.encode(Pointed(True, message, _masked(changed))))


def _claude(desk: Desk) -> ClaudeSettings:
    if desk.claude is None:
        raise GatewayError(Kind.UNSUPPORTED, "Claude Code's settings cannot be found: there is no home folder")
    return desk.claude


def _models(now: Now) -> Mapping[str, str]:
    """Variables for the models that this gateway has."""
    found = {variable: _first(now, names) for variable, names in MODELS.items()}
    return {variable: name for variable, name in found.items() if name is not None}


def _first(now: Now, names: Sequence[str]) -> str | None:
    for name in names:
        try:
            plan_for(name, now.directory)
        except GatewayError:
            continue
        return name
    return None


def _masked(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    env = settings.get("env")
    if not isinstance(env, dict):
        return settings
    hidden = {name: HIDDEN if any(word in name.upper() for word in _SECRETS) else one for name, one in env.items()}
    return {**settings, "env": hidden}


ROWS = (
    Row(
        method="GET",
        path="/claude/config",
        role=Role.VIEWER,
        handler=show,
        about="Claude Code's settings on this machine.",
        gives=Shown,
    ),
    Row(
        method="POST",
        path="/claude/config/proxy",
        role=Role.OWNER,
        handler=proxy,
        about="Have Claude Code ask this gateway.",
        gives=Pointed,
        audited=True,
    ),
    Row(
        method="POST",
        path="/claude/config/direct",
        role=Role.OWNER,
        handler=direct,
        about="Have Claude Code ask Anthropic, with this key.",
        takes=Direct,
        may_be_empty=True,
        gives=Pointed,
        audited=True,
    ),
    Row(
        method="POST",
        path="/claude/config/set",
        role=Role.OWNER,
        handler=point,
        about="Have Claude Code ask any address.",
        takes=Elsewhere,
        may_be_empty=True,
        gives=Pointed,
        audited=True,
    ),
)
