"""Whom we trust: TLS contexts, built once for each CA file.

Certificates and host names are always verified; there is no way to turn that off.
"""

import asyncio
import ssl
import sys
from collections.abc import Sequence

import truststore

from isthmus.core.errors import GatewayError, Kind


class Contexts:
    """One TLS context per CA file, and one for the system's own trust. Reading them happens off the loop."""

    def __init__(self, alpn: Sequence[str]) -> None:
        self._alpn = list(alpn)
        self._built: dict[str | None, ssl.SSLContext] = {}
        self._lock = asyncio.Lock()

    async def get(self, ca_file: str | None) -> ssl.SSLContext:
        """Raises UNREACHABLE when the file cannot be read."""
        async with self._lock:
            if ca_file not in self._built:
                context = await asyncio.to_thread(build, ca_file)
                context.set_alpn_protocols(self._alpn)
                self._built[ca_file] = context
            return self._built[ca_file]


def build(ca_file: str | None) -> ssl.SSLContext:
    """A verifying context: `ca_file` takes the place of the system's trust."""
    if ca_file is None:
        return system_trust()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = error.strerror or "it holds no PEM certificate"
        raise GatewayError(Kind.UNREACHABLE, f"the CA file {ca_file!r} cannot be used: {why}") from error


def system_trust() -> ssl.SSLContext:
    """macOS and Windows verify by themselves, through truststore; elsewhere OpenSSL reads the system's files, once."""
    if sys.platform in ("darwin", "win32"):
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context()


def explain(error: ssl.SSLError, peer: str) -> GatewayError:
    """A failed handshake in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message.rstrip(".") or "it cannot be verified"
        return GatewayError(Kind.UNREACHABLE, f"the TLS certificate of {peer} is refused: {why}")
    why = (error.reason or "the handshake failed").replace("_", " ").lower()
    return GatewayError(Kind.UNREACHABLE, f"no TLS connection to {peer}: {why}")
