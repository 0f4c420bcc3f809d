"""An authority that signs as somebody who has signed in: it shows the account's id in place of a token."""

from msgspec.structs import replace

from isthmus.providers.provider import CloudKey, Outgoing


class AccountAuthority:
    """Implements the engine's Authority. `signed` are the accounts that were signed for, in their order."""

    def __init__(self) -> None:
        self.signed: list[str] = []

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        account = key.settings["account"]
        self.signed.append(account)
        shown = (b"authorization", f"Bearer {account}".encode())
        return replace(outgoing, headers=(*outgoing.headers, shown, (b"chatgpt-account-id", account.encode())))

    async def refused(self, outgoing: Outgoing, key: CloudKey) -> Outgoing | None:
        """There is nothing newer."""
