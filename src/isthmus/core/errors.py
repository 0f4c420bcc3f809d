"""Everything that can go wrong, by kind, and what each kind permits.

    GatewayError
    ├── the caller's doing     INVALID TOO_LARGE CONTEXT_EXCEEDED UNSUPPORTED REFUSED
    │                          UNAUTHENTICATED FORBIDDEN BUDGET_SPENT RATE_LIMITED
    │                          UNKNOWN_MODEL UNKNOWN_PATH WRONG_METHOD CANCELLED
    ├── the provider's doing   UPSTREAM_LIMITED QUOTA_SPENT OVERLOADED UPSTREAM_FAULT
    │                          UNREACHABLE TIMED_OUT GARBLED CUT_SHORT EMPTY
    └── the gateway's doing    CREDENTIAL_REJECTED CREDENTIAL_REVOKED NO_ACCOUNT NO_TARGET
                               STORE_GONE STOPPING BUG

There is one exception class. Policy reads RULES and nothing else: above the dialects
nobody looks at a status code or at the words of a message.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from typing import NamedTuple

from isthmus.core.value import Value


class Kind(StrEnum):
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    CONTEXT_EXCEEDED = "context_exceeded"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    BUDGET_SPENT = "budget_spent"
    UNKNOWN_MODEL = "unknown_model"
    UNKNOWN_PATH = "unknown_path"
    WRONG_METHOD = "wrong_method"
    UNSUPPORTED = "unsupported"
    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    UPSTREAM_LIMITED = "upstream_limited"
    QUOTA_SPENT = "quota_spent"
    CREDENTIAL_REJECTED = "credential_rejected"
    CREDENTIAL_REVOKED = "credential_revoked"
    OVERLOADED = "overloaded"
    UPSTREAM_FAULT = "upstream_fault"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    GARBLED = "garbled"
    CUT_SHORT = "cut_short"
    EMPTY = "empty"
    NO_ACCOUNT = "no_account"
    NO_TARGET = "no_target"
    STORE_GONE = "store_gone"
    STOPPING = "stopping"
    CANCELLED = "cancelled"
    BUG = "bug"


class Blame(Enum):
    CLIENT = auto()
    UPSTREAM = auto()
    GATEWAY = auto()


class Then(Enum):
    """What may be tried next: nothing, another target, or the same target once more and then another."""

    STOP = auto()
    NEXT = auto()
    AGAIN = auto()


class Rest(Enum):
    """What cools down: nothing, all models under one credential, one model under it, or the provider as a whole."""

    NOTHING = auto()
    CREDENTIAL = auto()
    TARGET = auto()
    PROVIDER = auto()


class Tell(Enum):
    """May the upstream's own words reach the client, or only the kind of error?"""

    EVERYTHING = auto()
    KIND_ONLY = auto()


class Rule(NamedTuple):
    """`status` is what the client sees, unless `keep` and the upstream gave a status of its own."""

    status: int
    keep: bool
    blame: Blame
    then: Then
    rest: Rest
    tell: Tell


_CLIENT, _UPSTREAM, _GATEWAY = Blame.CLIENT, Blame.UPSTREAM, Blame.GATEWAY
_ALL, _KIND = Tell.EVERYTHING, Tell.KIND_ONLY

RULES: Mapping[Kind, Rule] = {
    Kind.INVALID: Rule(400, True, _CLIENT, Then.STOP, Rest.NOTHING, _ALL),
    Kind.TOO_LARGE: Rule(413, False, _CLIENT, Then.STOP, Rest.NOTHING, _ALL),
    Kind.CONTEXT_EXCEEDED: Rule(400, True, _CLIENT, Then.NEXT, Rest.NOTHING, _ALL),
    Kind.UNAUTHENTICATED: Rule(401, False, _CLIENT, Then.STOP, Rest.NOTHING, _ALL),
    Kind.FORBIDDEN: Rule(403, False, _CLIENT, Then.STOP, Rest.NOTHING, _ALL),
    Kind.BUDGET_SPENT: Rule(403, False, _CLIENT, Then.STOP, Rest.NOTHING, _ALL),
    Kind.UNKNOWN_MODEL: Rule(404, False, _CLIENT, Then.NEXT, Rest.NOTHING, _ALL),
    Kind.UNKNOWN_PATH: Rule(404, False, _CLIENT, Then.STOP, Rest.NOTHING, _ALL),
    Kind.WRONG_METHOD: Rule(405, False, _CLIENT, Then.STOP, Rest.NOTHING, _ALL),
    Kind.UNSUPPORTED: Rule(400, True, _CLIENT, Then.NEXT, Rest.NOTHING, _ALL),
    Kind.REFUSED: Rule(400, True, _CLIENT, Then.STOP, Rest.NOTHING, _ALL),
    Kind.RATE_LIMITED: Rule(429, False, _CLIENT, Then.STOP, Rest.NOTHING, _ALL),
    Kind.UPSTREAM_LIMITED: Rule(429, False, _UPSTREAM, Then.NEXT, Rest.TARGET, _ALL),
    Kind.QUOTA_SPENT: Rule(429, False, _UPSTREAM, Then.NEXT, Rest.CREDENTIAL, _ALL),
    Kind.CREDENTIAL_REJECTED: Rule(502, False, _GATEWAY, Then.NEXT, Rest.CREDENTIAL, _KIND),
    Kind.CREDENTIAL_REVOKED: Rule(502, False, _GATEWAY, Then.NEXT, Rest.CREDENTIAL, _KIND),
    Kind.OVERLOADED: Rule(503, True, _UPSTREAM, Then.AGAIN, Rest.TARGET, _ALL),
    Kind.UPSTREAM_FAULT: Rule(502, True, _UPSTREAM, Then.AGAIN, Rest.TARGET, _ALL),
    Kind.UNREACHABLE: Rule(502, False, _UPSTREAM, Then.AGAIN, Rest.PROVIDER, _KIND),
    Kind.TIMED_OUT: Rule(504, False, _UPSTREAM, Then.NEXT, Rest.TARGET, _KIND),
    Kind.GARBLED: Rule(502, False, _UPSTREAM, Then.NEXT, Rest.TARGET, _KIND),
    Kind.CUT_SHORT: Rule(502, False, _UPSTREAM, Then.AGAIN, Rest.TARGET, _KIND),
    Kind.EMPTY: Rule(502, False, _UPSTREAM, Then.AGAIN, Rest.NOTHING, _ALL),
    Kind.NO_ACCOUNT: Rule(401, False, _GATEWAY, Then.NEXT, Rest.NOTHING, _ALL),
    Kind.NO_TARGET: Rule(503, False, _GATEWAY, Then.STOP, Rest.NOTHING, _ALL),
    Kind.STORE_GONE: Rule(503, False, _GATEWAY, Then.STOP, Rest.NOTHING, _ALL),
    Kind.STOPPING: Rule(503, False, _GATEWAY, Then.STOP, Rest.NOTHING, _ALL),
    Kind.CANCELLED: Rule(499, False, _CLIENT, Then.STOP, Rest.NOTHING, _KIND),
    Kind.BUG: Rule(500, False, _GATEWAY, Then.STOP, Rest.NOTHING, _KIND),
}


NO_ACCOUNT_WORDS = "No active account with valid credentials"
"""What is told where a name leads only to accounts, and none can be asked under. Clients look for these words."""


class UpstreamWords(Value, frozen=True):
    """The refusal as the provider sent it, so that a client of the same dialect can be given its exact words."""

    dialect: str
    status: int
    body: bytes


class GatewayError(Exception):
    """Something went wrong, of a known kind.

    `message` tells what, where and what next, and is safe to show. `status` is the
    upstream's own, `retry_after` is in seconds, `param` is the path of the field at
    fault ("messages[1].content"), `code` a machine-readable word of the provider.
    """

    def __init__(
        self,
        kind: Kind,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        param: str | None = None,
        code: str | None = None,
        upstream: UpstreamWords | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.upstream_status = status
        self.retry_after = retry_after
        self.param = param
        self.code = code
        self.upstream = upstream

    @property
    def rule(self) -> Rule:
        return RULES[self.kind]

    @property
    def status(self) -> int:
        """The HTTP status the client sees."""
        if self.rule.keep and self.upstream_status is not None and self.upstream_status >= 400:
            return self.upstream_status
        return self.rule.status
