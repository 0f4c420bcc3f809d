"""What a client may be told of a failure at a provider: no key, no address, its words only where they may be told."""

from isthmus.core.errors import GatewayError, Kind, Tell
from isthmus.engine.signed_in import takes_accounts
from isthmus.providers.provider import Provider


def presentable(error: GatewayError, provider: Provider) -> GatewayError:
    """The error as a client may see it: no key in it, and only its kind where its words are not for telling."""
    words = error.upstream if error.rule.tell is Tell.EVERYTHING else None
    if words is not None and provider.masked(words.body) != words.body:
        words = None
    message = provider.masked(error.message) if error.rule.tell is Tell.EVERYTHING else _known(error, provider)
    return GatewayError(
        error.kind,
        message,
        status=error.upstream_status,
        retry_after=error.retry_after,
        param=provider.masked(error.param) if error.param else None,
        code=provider.masked(error.code) if error.code else None,
        upstream=words,
    )


def _known(error: GatewayError, provider: Provider) -> str:
    """A failure between the gateway and `provider`, told without its address: that is for the log."""
    name = f"provider {provider.name}"
    if error.kind in (Kind.CREDENTIAL_REJECTED, Kind.CREDENTIAL_REVOKED):
        status = f" (HTTP {error.upstream_status})" if error.upstream_status else ""
        next_step = "sign in to its account again" if takes_accounts(provider) else "check its api-key"
        return f"{name} refused the gateway's credential{status}; {next_step}"
    if error.kind is Kind.UNREACHABLE:
        return f"{name} cannot be reached; the gateway's log has the reason"
    origin = provider.origin
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    words = provider.masked(error.message).replace(f"{host}:{origin.port}", name)
    return words if name in words else f"{name}: {words}"
