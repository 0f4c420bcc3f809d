"""Accounts in memory, for tests of what stands in front of them: it implements the engine's AccountBook.

It holds what must never be told, so that a test can look for it: tokens, a verifier, and what was pasted.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, AccountState, SignIn, SignInProgress, Tokens, UsedWindow
from isthmus.providers.issuer import Issuer, SignInFlow

CODEX = Issuer(
    name="codex",
    title="ChatGPT",
    client_id="app_client",
    flows=(SignInFlow.CODE, SignInFlow.PASTED, SignInFlow.FILE),
    authorize_url="https://auth.openai.com/oauth/authorize",
    token_url="https://auth.openai.com/oauth/token",
    callback_ports=(1455, 1456),
    files=(".codex/auth.json",),
    terms="ChatGPT's terms say how an account may be used.",
)
DEVICES = Issuer(
    name="devices",
    title="An issuer of device codes",
    client_id="isthmus",
    flows=(SignInFlow.DEVICE,),
    device_url="https://id.example.com/device",
)
GOOGLE = Issuer(
    name="google-service-account",
    title="Google Cloud",
    client_id="",
    flows=(SignInFlow.SERVICE_ACCOUNT,),
    token_url="https://oauth2.googleapis.com/token",
)
GOOD_CODE = "code-of-the-issuer-4471"
PLANTED = ("access-planted-5512", "refresh-planted-6623", "id-planted-7734", "verifier-planted-8845")
"""Never to be told."""
STATE = "state-0123456789abcdef"
GONE = GatewayError(Kind.UNREACHABLE, "the issuer cannot be reached")


class FakeAccountBook:
    """`fails` are what asking the issuer of an account raises, by the account's id; `asked` are such questions.

    `elsewhere` are accounts that others added; the store is `gone` where a test says so.
    """

    def __init__(self, *accounts: Account, time: float = 1_700_000_000.0) -> None:
        self.kept = {account.id: account for account in accounts}
        self.pending: dict[str, SignIn] = {}
        self.adopted: list[tuple[str, Tokens, str]] = []
        self.finished: list[tuple[str, str]] = []
        self.fails: dict[str, GatewayError] = {}
        self.found: Sequence[Account] | GatewayError = ()
        self.elsewhere: Sequence[Account] = ()
        self.gone = False
        self.passphrases: list[str] = []
        self.asked: list[str] = []
        self.running = 0
        self.most_running = 0
        self.time = time

    def issuers(self) -> Mapping[str, Issuer]:
        return {issuer.name: issuer for issuer in (CODEX, DEVICES, GOOGLE)}

    def all(self) -> Sequence[Account]:
        return tuple(self.kept.values())

    async def catch_up(self) -> None:
        if self.gone:
            raise GatewayError(Kind.STORE_GONE, "the store cannot be reached")
        for account in self.elsewhere:
            self.kept[account.id] = account
        self.elsewhere = ()

    async def begin(self, issuer: str, flow: SignInFlow | None = None, *, port: int | None = None) -> SignIn:
        found = self.issuers().get(issuer)
        if found is None:
            raise GatewayError(Kind.INVALID, f"there is no issuer {issuer!r}", param="issuer")
        identity = f"{STATE}-{len(self.pending)}"
        chosen = flow or found.flows[0]
        device = chosen is SignInFlow.DEVICE
        sign_in = SignIn(
            id=identity,
            issuer=issuer,
            flow=chosen,
            url=found.device_url if device else f"{found.authorize_url}?state={identity}&code_challenge=challenge",
            user_code="ABCD-EFGH" if device else "",
            port=None if device else port or 1455,
            expires_at=self.time + 300,
        )
        self.pending[identity] = sign_in
        return sign_in

    def sign_in(self, identity: str) -> SignIn:
        if identity not in self.pending:
            raise GatewayError(Kind.UNKNOWN_PATH, "there is no such sign-in, or it is over")
        return self.pending[identity]

    async def finish(self, identity: str, said: str) -> Account:
        sign_in = self.sign_in(identity)
        self.finished.append((identity, said))
        if GOOD_CODE not in said:
            raise GatewayError(Kind.INVALID, "the issuer does not know this code")
        account = await self.adopt(sign_in.issuer, Tokens(), source="signed in")
        done = replace(sign_in, progress=SignInProgress.COMPLETED, account=account.id)
        self.pending[identity] = done
        return account

    async def cancel(self, identity: str) -> SignIn:
        self.pending[identity] = replace(self.sign_in(identity), progress=SignInProgress.CANCELLED)
        return self.pending[identity]

    async def stop_listening(self) -> int:
        waiting = [one for one in self.pending.values() if one.progress is SignInProgress.PENDING]
        for one in waiting:
            await self.cancel(one.id)
        return len(waiting)

    async def adopt(self, issuer: str, tokens: Tokens, *, source: str = "") -> Account:
        self.adopted.append((issuer, tokens, source))
        number = len(self.kept) + 1
        name = f"new{number}@example.com"
        account = Account(id=f"acc_{number}", issuer=issuer, name=name, email=name, added_at=self.time, source=source)
        self.kept[account.id] = account
        return account

    async def import_files(self, issuer: str) -> Sequence[Account]:
        if isinstance(self.found, GatewayError):
            raise self.found
        for account in self.found:
            self.kept[account.id] = account
        return self.found

    async def refresh(self, identity: str) -> Account:
        await self._ask(identity, "refresh")
        return self._put(replace(self._account(identity), refreshed_at=self.time, state=AccountState.READY, why=""))

    async def activate(self, identity: str) -> Account:
        chosen = self._account(identity)
        for account in self.all():
            if account.issuer == chosen.issuer:
                self._put(replace(account, active=account.id == identity))
        return self._account(identity)

    async def change(self, account: Account) -> Account:
        self._account(account.id)
        return self._put(account)

    async def remove(self, identity: str) -> Account:
        gone = self._account(identity)
        del self.kept[identity]
        left = [one for one in self.all() if one.issuer == gone.issuer]
        if gone.active and left:
            await self.activate(left[0].id)
        return gone

    async def quota(self, identity: str, *, fresh: bool = False) -> Account:
        if fresh:
            await self._ask(identity, "quota")
            used = UsedWindow("primary", 0.25, resets_at=self.time + 3600, seconds=18_000.0)
            self._put(replace(self._account(identity), windows=(used,), windows_at=self.time, plan="plus"))
        return self._account(identity)

    async def usage(self, identity: str) -> Mapping[str, Any]:
        await self._ask(identity, "usage")
        return {"plan_type": "plus", "rate_limit": {"allowed": True}}

    async def models(self, identity: str) -> Sequence[Mapping[str, Any]]:
        await self._ask(identity, "models")
        return (
            {
                "slug": "gpt-5.2",
                "display_name": "GPT-5.2",
                "description": "Thinks.",
                "default_reasoning_level": "medium",
                "supported_reasoning_levels": [{"effort": "low"}, {"effort": "medium"}],
            },
        )

    async def export(self, passphrase: Secret) -> bytes:
        self.passphrases.append(passphrase.reveal())
        return b"\x00sealed\xff"

    async def restore(self, archive: bytes, passphrase: Secret) -> Sequence[Account]:
        self.passphrases.append(passphrase.reveal())
        if archive != b"\x00sealed\xff":
            raise GatewayError(Kind.INVALID, "this is no archive of accounts", param="archive")
        return self.all()

    def _account(self, identity: str) -> Account:
        if identity not in self.kept:
            raise GatewayError(Kind.UNKNOWN_PATH, "there is no such account")
        return self.kept[identity]

    def _put(self, account: Account) -> Account:
        self.kept[account.id] = account
        return account

    async def _ask(self, identity: str, what: str) -> None:
        """A question to the issuer, during which others may be asked."""
        self._account(identity)
        self.asked.append(f"{what} {identity}")
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        if identity in self.fails:
            raise self.fails[identity]
