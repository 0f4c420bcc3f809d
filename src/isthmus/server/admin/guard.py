"""Who calls, and whether management is open to them where they are. What they may do is said by the row they ask for.

A program on this machine is one whose peer is a loopback address, that names this machine as the host, and that no
proxy and no browser's page stands in front of. What a header says of who calls can only take away from what they may.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.management import NOBODY, Actor, Management, Role
from isthmus.engine.snapshot import Snapshot
from isthmus.server.admin.attempts import Attempts
from isthmus.server.clients import is_loopback, names_this_machine
from isthmus.wire.headers import Headers, find

HEADER = b"x-management-key"
LOCAL_OWNER = Actor("a program on this machine", Role.OWNER)
LOCAL_VIEWER = Actor("a program on this machine", Role.VIEWER)
HERE = (LOCAL_OWNER, LOCAL_VIEWER)
"""Those who sent no key."""
_PROXIED = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})
_OWN_PAGES = (None, b"same-origin", b"none")

_PAGE = "web pages of other origins may not manage the gateway"
_ELSEWHERE = (
    "management is open to programs on this machine alone; for others set a management key, and admin.remote or"
    " admin.listener"
)
_APART = "management has a listener of its own for other machines (admin.listener)"
NOT_WITHOUT = "only an administrator may do this; send the management key as 'x-management-key: KEY'"
_WRONG = "this management key is not known here"


class Caller(NamedTuple):
    """A request, before it is known who sent it.

    `apart`: it came to a listener for management alone. `bare`: who asks for this sends no secret, and what looks like
    one is for somebody else. `landing`: other sites send browsers here, as a whole page.
    """

    headers: Headers
    peer: str
    apart: bool = False
    bare: bool = False
    landing: bool = False


class Guard:
    """Knows who was wrong how often, and nothing else."""

    def __init__(self) -> None:
        self._attempts = Attempts()

    def identify(self, caller: Caller, snapshot: Snapshot, at: float) -> Actor:
        """Who calls, at this time in monotonic seconds.

        Raises FORBIDDEN where management is not open, UNAUTHENTICATED without a secret where one is needed or with a
        wrong one, RATE_LIMITED after too many of these.
        """
        if not (caller.landing and _lands(caller.headers)):
            refuse_pages(caller.headers)
        rule = snapshot.management
        if not is_here(caller):
            _refuse_elsewhere(rule, apart=caller.apart)
        return self._recognised(caller, snapshot, at)

    def known(self, caller: Caller, snapshot: Snapshot, at: float) -> Actor:
        """Who asks for what everybody may have in part, wherever they are. NOBODY for those who may not manage."""
        try:
            refuse_pages(caller.headers)
            return self._recognised(caller, snapshot, at)
        except GatewayError:
            return NOBODY

    def _recognised(self, caller: Caller, snapshot: Snapshot, at: float) -> Actor:
        rule, here = snapshot.management, is_here(caller)
        if not here:
            self._refuse_guesses(caller.peer, at)
        presented = tuple(_presented(caller.headers, snapshot))
        found = _owner_of(presented, rule.secrets)
        if found is not None:
            self._attempts.right(caller.peer)
            return found
        if presented and rule.secrets and not (here and caller.bare):
            self._refuse_guesses(caller.peer, at)
            self._attempts.wrong(caller.peer, at)
            raise GatewayError(Kind.UNAUTHENTICATED, _WRONG)
        if not (rule.local and is_program_here(caller)):
            raise GatewayError(Kind.UNAUTHENTICATED, NOT_WITHOUT)
        return LOCAL_VIEWER if rule.secrets and not caller.bare else LOCAL_OWNER

    def _refuse_guesses(self, peer: str, at: float) -> None:
        if (wait := self._attempts.wait(peer, at)) > 0:
            words = f"too many wrong management keys; try again in {wait:.0f} s"
            raise GatewayError(Kind.RATE_LIMITED, words, retry_after=wait)


def refuse_pages(headers: Headers) -> None:
    """Raises FORBIDDEN for what a page of another origin sent, as its browser says."""
    origin, host = find(headers, b"origin"), find(headers, b"host") or b""
    foreign = origin is not None and origin not in (b"http://" + host, b"https://" + host)
    if foreign or find(headers, b"sec-fetch-site") not in _OWN_PAGES:
        raise GatewayError(Kind.FORBIDDEN, _PAGE)


def _lands(headers: Headers) -> bool:
    """Did a browser open this as a whole page, and no page for itself? Such an answer is shown, and read by nobody."""
    return (
        find(headers, b"origin") is None
        and find(headers, b"sec-fetch-mode") == b"navigate"
        and find(headers, b"sec-fetch-dest") == b"document"
    )


def is_here(caller: Caller) -> bool:
    """Is the peer on this machine, and no proxy that others use?"""
    return is_loopback(caller.peer) and not any(name in _PROXIED for name, _ in caller.headers)


def _refuse_elsewhere(rule: Management, *, apart: bool) -> None:
    """What other machines may not use. Without a secret there is nothing that they may."""
    if not rule.secrets:
        raise GatewayError(Kind.FORBIDDEN, _ELSEWHERE)
    if not apart and (rule.apart or not rule.remote):
        raise GatewayError(Kind.FORBIDDEN, _APART if rule.apart else _ELSEWHERE)


def is_program_here(caller: Caller) -> bool:
    """Is this a program on this machine, that nobody stands behind?"""
    return is_here(caller) and _is_program(caller.headers)


def _is_program(headers: Headers) -> bool:
    """No page sent this, not even one whose host's name was made to lead here."""
    return find(headers, b"origin") is None and names_this_machine(headers)


def _presented(headers: Headers, snapshot: Snapshot) -> Iterator[bytes]:
    """The digests of what may be secrets of an administrator. A client's own key is not meant as one."""
    for name, value in headers:
        if name == HEADER and (said := value.strip()):
            yield hashlib.sha256(said).digest()
        elif name == b"authorization" and value[:7].lower() == b"bearer " and (said := value[7:].strip()):
            digest = hashlib.sha256(said).digest()
            if digest not in snapshot.clients:
                yield digest


def _owner_of(presented: tuple[bytes, ...], secrets: Mapping[bytes, Actor]) -> Actor | None:
    """Every secret is compared, in constant time, whichever is found."""
    found = None
    for digest, actor in secrets.items():
        for said in presented:
            if hmac.compare_digest(digest, said):
                found = actor
    return found
