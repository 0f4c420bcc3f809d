"""Signs requests with the tokens of the account that they are asked under. Implements what an Authority asks of a
signer; whose tokens are good, and how they come to be, is the keeper's business."""

from msgspec.structs import replace

from isthmus.accounts.keeper import Keeper
from isthmus.accounts.tokens_kept import Kept
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account
from isthmus.engine.signed_in import ACCOUNT
from isthmus.providers.issuer import Issuer
from isthmus.providers.provider import CloudKey, Outgoing
from isthmus.wire.headers import find

_BEARER = b"Bearer "


class AccountSigner:
    """For the kind of credential that names an account."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        """Raises CREDENTIAL_REVOKED where somebody has to sign in again, CREDENTIAL_REJECTED for all other reasons."""
        identity = key.settings[ACCOUNT]
        try:
            kept = await self._keeper.usable(identity)
        except GatewayError as error:
            if error.kind is Kind.CREDENTIAL_REVOKED:
                raise
            raise GatewayError(Kind.CREDENTIAL_REJECTED, error.message, retry_after=error.retry_after) from error
        return self._signed(outgoing, identity, kept)

    async def refused(self, outgoing: Outgoing, key: CloudKey) -> Outgoing | None:
        """As Authority.refused."""
        identity = key.settings[ACCOUNT]
        used = (find(outgoing.headers, b"authorization") or b"").removeprefix(_BEARER).decode("latin-1")
        try:
            kept = await self._keeper.after_refusal(identity, used)
        except GatewayError as error:
            if error.kind is Kind.CREDENTIAL_REVOKED:
                raise
            return None
        return None if kept is None else self._signed(outgoing, identity, kept)

    def _signed(self, outgoing: Outgoing, identity: str, kept: Kept) -> Outgoing:
        account = self._keeper.roster.need(identity)
        return signed(outgoing, account, self._keeper.issuer(account), kept)


def signed(outgoing: Outgoing, account: Account, issuer: Issuer | None, kept: Kept) -> Outgoing:
    """The request with the account's access token in place of any other, and who it is, where its issuer wants that."""
    assert kept.tokens.access is not None  # noqa: S101  they are good
    own = issuer.subject_header if issuer is not None and account.subject else b""
    headers = [pair for pair in outgoing.headers if pair[0] not in (b"authorization", own)]
    headers.append((b"authorization", _BEARER + kept.tokens.access.reveal().encode("ascii")))
    if own:
        headers.append((own, account.subject.encode("latin-1", "replace")))
    return replace(outgoing, headers=tuple(headers))
