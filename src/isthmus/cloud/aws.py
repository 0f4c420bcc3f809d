"""Signs for AWS, with Signature Version 4 and a credential of AWS's own chain, both botocore's.

The chain is the environment, the shared files with their profiles, roles and single sign-on, a container's or an
instance's own role. botocore is imported with the first request that needs it. Whatever may block (the chain, a
refresh) runs in a thread, for all who wait at once; signing itself is a few hashes.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html,
https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import CloudKey, Origin, Outgoing
from isthmus.wire.headers import Headers

REGION = "us-east-1"
AGAIN = 20.0
"""Seconds after a failure in which the chain is not gone through again: it may take long to find nothing."""
SERVICE = "bedrock"
"""What requests to `bedrock-runtime` are signed for."""
_IN_HOST = re.compile(r"\bbedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.")
_SIGNED = re.compile(rb"content-type|accept|x-amz.*")
"""Headers that belong to the request's meaning; others may be changed on the way without harm."""
_INSTALL = (
    "signing for AWS needs the package botocore: install isthmus[bedrock], or give the provider a Bedrock API key "
    "as api-key or in AWS_BEARER_TOKEN_BEDROCK"
)
_NOTHING = (
    "no AWS credential was found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile, or run "
    "`aws configure` or `aws sso login`, or give the provider a Bedrock API key as api-key"
)


class Frozen(Protocol):
    """Three words that belong together."""

    access_key: str
    secret_key: str
    token: str | None


class Credentials(Protocol):
    """What a chain ends in. botocore's own, which may have to be refreshed."""

    def get_frozen_credentials(self) -> Frozen:
        """As they are now. May block for as long as the cloud takes."""
        ...


Chain = Callable[[str | None], Credentials | None]
"""From the name of a profile to a credential, or None where there is none to be had. May block."""


def usual_chain(profile: str | None) -> Credentials | None:
    """As every AWS SDK looks for it. Raises ImportError where botocore is not installed."""
    from botocore.session import Session  # noqa: PLC0415  costs 0.2 s and 30 MB, and most never need it

    found: Credentials | None = Session(profile=profile).get_credentials()
    return found


class AwsSigner:
    """One for the process. Keeps a credential for each profile. `now` gives monotonic seconds."""

    def __init__(self, now: Callable[[], float], chain: Chain = usual_chain) -> None:
        self._now = now
        self._chain = chain
        self._keepers: dict[str | None, _Keeper] = {}

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        frozen = await self._keeper(key).credential()
        return replace(outgoing, headers=outgoing.headers + _signature(outgoing, frozen, region_of(outgoing, key)))

    async def refused(self, outgoing: Outgoing, key: CloudKey) -> None:
        """Nothing to do: a chain that is asked again before a credential's end gives the same one."""

    async def probe(self, key: CloudKey) -> None:
        """Is there a credential? Raises CREDENTIAL_REJECTED, with what to do next, where there is none."""
        await self._keeper(key).credential()

    def _keeper(self, key: CloudKey) -> "_Keeper":
        profile = key.settings.get("profile")
        return self._keepers.setdefault(profile, _Keeper(self._chain, profile, self._now))


class _Keeper:
    """The credential of one profile. While it is fetched or refreshed, all who need it wait for the same answer."""

    def __init__(self, chain: Chain, profile: str | None, now: Callable[[], float]) -> None:
        self._chain = chain
        self._profile = profile
        self._now = now
        self._credentials: Credentials | None = None
        self._frozen: Frozen | None = None
        self._failure: tuple[str, float] | None = None
        self._fetching = asyncio.Lock()

    async def credential(self) -> Frozen:
        """One that holds. When it nears its end the first to notice waits for a new one, the others use the old."""
        frozen = self._frozen
        if frozen is not None and (not self._ends_within(None) or self._is_replaced()):
            return frozen
        async with self._fetching:
            if self._frozen is None or self._ends_within(None):
                self._frozen = await self._renewed()
            return self._frozen

    def _is_replaced(self) -> bool:
        """Does somebody fetch a new one, while the old one still holds?"""
        return self._fetching.locked() and not self._ends_within(0)

    def _ends_within(self, seconds: int | None) -> bool:
        """None stands for botocore's own time to refresh, a quarter of an hour before the end. Some never end."""
        needed = getattr(self._credentials, "refresh_needed", None)
        return needed is not None and bool(needed(seconds))

    async def _renewed(self) -> Frozen:
        if self._failure is not None and self._now() - self._failure[1] < AGAIN:
            raise GatewayError(Kind.CREDENTIAL_REJECTED, self._failure[0])
        try:
            return await asyncio.to_thread(self._fetch)
        except GatewayError as error:
            self._failure = error.message, self._now()
            raise

    def _fetch(self) -> Frozen:
        """botocore keeps an old credential while a refresh fails and the old one still holds."""
        try:
            if self._credentials is None:
                self._credentials = self._chain(self._profile)
            if self._credentials is None:
                raise GatewayError(Kind.CREDENTIAL_REJECTED, _NOTHING)
            return self._credentials.get_frozen_credentials()
        except ImportError as error:
            raise GatewayError(Kind.CREDENTIAL_REJECTED, _INSTALL) from error
        except GatewayError:
            raise
        except Exception as error:  # Providers of credentials raise of everything; each is told, none is passed over.
            raise GatewayError(Kind.CREDENTIAL_REJECTED, f"the AWS credential could not be had: {error}") from error


def region_of(outgoing: Outgoing, key: CloudKey) -> str:
    """The configured region, else the one in the host's name."""
    if (named := key.settings.get("region")) is not None:
        return named
    found = _IN_HOST.search(outgoing.origin.host)
    return REGION if found is None else found[1]


def _signature(outgoing: Outgoing, frozen: Frozen, region: str) -> Headers:
    """The headers that sign the request: the date, the session's token where there is one, and the proof."""
    from botocore.auth import SigV4Auth  # noqa: PLC0415  as above
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415  as above

    signed = {name.decode(): value.decode("latin-1") for name, value in outgoing.headers if _SIGNED.fullmatch(name)}
    url = f"{outgoing.origin.scheme}://{_authority(outgoing.origin)}{outgoing.target}"
    request: Any = AWSRequest(outgoing.method, url, headers=dict(signed), data=outgoing.body)
    SigV4Auth(frozen, SERVICE, region).add_auth(request)
    return _added(request.headers, signed)


def _added(headers: Mapping[str, str], before: Mapping[str, str]) -> Headers:
    return tuple((name.lower().encode(), str(value).encode()) for name, value in headers.items() if name not in before)


def _authority(origin: Origin) -> str:
    """The host as the transport will name it: without the usual port."""
    usual = {"https": 443, "http": 80}[origin.scheme]
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return host if origin.port == usual else f"{host}:{origin.port}"
