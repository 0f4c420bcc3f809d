"""Accounts: credentials that somebody signed in to, and the ports behind which they are kept and managed.

An account belongs to an issuer; every provider of that issuer can ask under it. An `Account` holds no secret. Tokens
are sealed wherever they are kept, and open only on the way from an issuer to a request's signature.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.providers.issuer import Issuer, SignInFlow


class AccountState(StrEnum):
    """READY: may be asked under. REVOKED: its issuer takes its tokens no more, somebody must sign in again."""

    READY = "ready"
    REVOKED = "revoked"
    DISABLED = "disabled"


class UsedWindow(Value, frozen=True):
    """How much of one of its limits an account has used, between 0 and 1, as it was told last.

    `resets_at` is Unix time, `seconds` how long the window is; None where nobody said.
    """

    measure: str
    used: float
    resets_at: float | None = None
    seconds: float | None = None


class Account(Value, frozen=True, kw_only=True):
    """One account, without its tokens. Times are Unix time.

    `name` is what people and routing call it, unique at its issuer; `subject` what its issuer calls it. `expires_at`
    is when its access token does. `active`: the one that a pool which holds on to one holds on to. `why` says, for
    people, why it is not ready. `models` are the names or wildcards it may be used for, empty for all; `concurrency` is
    how many requests may run under it. `source` says, for people, how it came here.
    """

    id: str
    issuer: str
    name: str
    email: str = ""
    subject: str = ""
    plan: str = ""
    added_at: float = 0.0
    expires_at: float | None = None
    refreshed_at: float | None = None
    used_at: float | None = None
    state: AccountState = AccountState.READY
    why: str = ""
    active: bool = False
    concurrency: int | None = None
    models: tuple[str, ...] = ()
    windows: tuple[UsedWindow, ...] = ()
    windows_at: float | None = None
    source: str = ""


class Tokens(Value, frozen=True, kw_only=True):
    """What an issuer gave out. `service_account` is the key file of one that signs for itself, as JSON."""

    access: Secret | None = None
    refresh: Secret | None = None
    id_token: Secret | None = None
    service_account: Secret | None = None
    expires_at: float | None = None


class Sealed(Value, frozen=True):
    """Tokens, encrypted; `key` names the key they are sealed with. `version` rises by one with every change of them."""

    data: bytes
    key: str
    version: int = 0


class AccountRecords(Protocol):
    """Where accounts are kept. Everything that waits for it raises STORE_GONE when it cannot be reached."""

    async def accounts_version(self) -> int:
        """Rises with every change of an account but for what is merely noted of its use; cheap to ask often."""
        ...

    async def accounts(self) -> Sequence[Account]:
        """All, without their tokens, the oldest first."""
        ...

    async def sealed(self, identity: str) -> Sealed | None: ...

    async def sealed_otherwise(self, key: str, after: str = "", limit: int = 100) -> Sequence[str]:
        """Ids of accounts whose tokens are sealed with another key, in order, those after this one; at most 1000."""
        ...

    async def add_account(self, account: Account, sealed: Sealed) -> None:
        """Raises INVALID where another of its issuer has its name."""
        ...

    async def change_account(self, account: Account) -> None:
        """All of it but its tokens. Nothing happens where it is gone. Raises as `add_account`."""
        ...

    async def note_accounts(self, accounts: Sequence[Account]) -> None:
        """When they were used, and their windows: what nobody waits for, and no version rises with."""
        ...

    async def drop_account(self, identity: str) -> None: ...

    async def lease(self, identity: str, owner: str, until: float, now: float) -> bool:
        """May `owner` refresh the tokens until then? False while another may. Then read `sealed` again."""
        ...

    async def release(self, identity: str, owner: str) -> None: ...

    async def replace_tokens(self, account: Account, sealed: Sealed) -> bool:
        """Keep these tokens in place of those of the version before `sealed.version`.

        With them, of the account, what its issuer told: e-mail, subject, plan, times of the tokens, source; and its
        state and why, but for one that is disabled, which tokens do not change. False, and nothing is changed, where
        somebody else was faster. It is on the disk when this returns.
        """
        ...

    async def reseal(self, sealed: Mapping[str, Sealed], now: float) -> int:
        """Keep the same tokens sealed anew, by account, each in place of the version before. How many were.

        Those that somebody refreshes at `now`, or was faster with, are not. On the disk as with `replace_tokens`.
        """
        ...


class SignInProgress(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class SignIn(Value, frozen=True, kw_only=True):
    """One sign-in, as it may be told: no verifier and no code.

    `id` is also the `state` of its URL. `url` is where somebody signs in; `user_code` what they type there, for a
    device code. `port` is the one on loopback that the browser comes back to. `account` is an account's id when it is
    completed, `why` says why it failed.
    """

    id: str
    issuer: str
    flow: SignInFlow
    url: str = ""
    user_code: str = ""
    port: int | None = None
    expires_at: float = 0.0
    interval: float = 5.0
    progress: SignInProgress = SignInProgress.PENDING
    account: str = ""
    why: str = ""


class AccountBook(Protocol):
    """All that can be done with accounts. Who is not known here raises UNKNOWN_PATH; bad input raises INVALID."""

    def issuers(self) -> Mapping[str, Issuer]: ...

    def all(self) -> Sequence[Account]:
        """The oldest first, each as it was told last."""
        ...

    async def catch_up(self) -> None:
        """Take in what others changed. Raises STORE_GONE."""
        ...

    async def begin(self, issuer: str, flow: SignInFlow | None = None, *, port: int | None = None) -> SignIn:
        """Begin a sign-in, and listen for the browser where the flow needs that; at `port` alone, where it is said."""
        ...

    def sign_in(self, identity: str) -> SignIn:
        """How far it is."""
        ...

    async def finish(self, identity: str, said: str) -> Account:
        """End one with what the issuer gave: the code, or the whole URL that the browser was sent back to."""
        ...

    async def cancel(self, identity: str) -> SignIn: ...

    async def stop_listening(self) -> int:
        """Cancel every sign-in that waits for a browser. How many those were."""
        ...

    async def adopt(self, issuer: str, tokens: Tokens, *, source: str = "") -> Account:
        """Take in tokens that somebody has: a refresh token, or a service account. They are tried at once."""
        ...

    async def import_files(self, issuer: str) -> Sequence[Account]:
        """Take in what other tools left on this machine. Their files are only read."""
        ...

    async def refresh(self, identity: str) -> Account:
        """Have its tokens renewed now. Raises CREDENTIAL_REVOKED, and as the transport does."""
        ...

    async def activate(self, identity: str) -> Account:
        """Have pools that hold on to one hold on to this one."""
        ...

    async def change(self, account: Account) -> Account:
        """Keep what may be changed of it: name, state, concurrency, models."""
        ...

    async def remove(self, identity: str) -> Account:
        """The account that is gone. Where it was the active one, the oldest that is ready is now."""
        ...

    async def quota(self, identity: str, *, fresh: bool = False) -> Account:
        """With its windows; `fresh`: as its vendor tells them now. Raises as `refresh`."""
        ...

    async def usage(self, identity: str) -> Mapping[str, Any]:
        """What its vendor tells of its use, in the vendor's own words. Raises as `refresh`."""
        ...

    async def models(self, identity: str) -> Sequence[Mapping[str, Any]]:
        """What its vendor tells of the models it may use, in the vendor's own words. Raises as `refresh`."""
        ...

    async def export(self, passphrase: Secret) -> bytes:
        """All accounts with their tokens, sealed with a passphrase."""
        ...

    async def restore(self, archive: bytes, passphrase: Secret) -> Sequence[Account]:
        """Take in what `export` gave out. An account that is there already is put in place. Raises INVALID."""
        ...
