"""What a vendor itself tells of an account: how much it has used, and which models it may use."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from isthmus.accounts import codex_usage
from isthmus.accounts.endpoint import Ask, Reply, check_reached, garbled, target_of, told_in
from isthmus.accounts.keeper import Keeper
from isthmus.accounts.signer import signed
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, UsedWindow
from isthmus.providers import codex
from isthmus.providers.build import parse_base
from isthmus.providers.issuer import Issuer
from isthmus.providers.provider import Outgoing
from isthmus.wire import json

MOST_MODELS = 1000

ReadUsage: TypeAlias = Callable[[bytes, float], tuple[str | None, Sequence[UsedWindow]]]
"""The plan, where it is told, and the windows in a vendor's answer that came at this Unix time. Raises GARBLED."""
READERS: Mapping[str, ReadUsage] = MappingProxyType({codex.ISSUER: codex_usage.read_usage})
"""By the issuer's name."""


class Vendor:
    """Asks under an account. Raises as `Keeper.usable`, UNSUPPORTED where nothing is told, and as the issuer does."""

    def __init__(self, keeper: Keeper, ask: Ask) -> None:
        self._keeper = keeper
        self._ask = ask

    async def usage(self, account: Account) -> Reply:
        issuer = self._keeper.need_issuer(account)
        return await self._told(account, issuer, issuer.usage_url, "how much an account has used")

    async def models(self, account: Account) -> Sequence[Mapping[str, Any]]:
        issuer = self._keeper.need_issuer(account)
        reply = await self._told(account, issuer, issuer.models_url, "which models an account may use")
        told = json.decode(reply.body) if reply.body[:1] == b"[" else told_in(reply)
        found = told if isinstance(told, list) else told.get("models") or told.get("data")
        if not isinstance(found, list):
            raise garbled(issuer, "without a list of models")
        return tuple(one for one in found[:MOST_MODELS] if isinstance(one, dict))

    async def _told(self, account: Account, issuer: Issuer, url: str, what: str) -> Reply:
        if not url:
            raise GatewayError(Kind.UNSUPPORTED, f"{issuer.title} does not tell {what}")
        origin, _ = parse_base(url.partition("?")[0], proxy=issuer.proxy, ca_file=issuer.ca_file)
        outgoing = Outgoing(origin, "GET", target_of(url), ((b"accept", b"application/json"),))
        kept = await self._keeper.usable(account.id)
        reply = await self._ask(signed(outgoing, account, issuer, kept))
        if reply.status == 401 and kept.tokens.access is not None:
            again = await self._keeper.after_refusal(account.id, kept.tokens.access.reveal())
            if again is not None:
                reply = await self._ask(signed(outgoing, account, issuer, again))
        check_reached(issuer, reply)
        if reply.status in (401, 403):
            words = f"{issuer.title} does not tell {what}: it refused the account {account.name}"
            raise GatewayError(Kind.CREDENTIAL_REJECTED, words, status=reply.status)
        if reply.status >= 400:
            raise garbled(issuer, f"with status {reply.status}")
        return reply
