"""Which secrets an exchange came in touch with: what its client proved itself by, and what it was sent with."""

from isthmus.core.secret import Secret
from isthmus.engine.exchange import Exchange
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.key_guard import PIECE


def known_secrets(exchange: Exchange, snapshot: Snapshot) -> tuple[Secret, ...]:
    """For whoever takes them out of what was said. A key that is no longer configured is not known any more."""
    found = [] if exchange.call.presented is None else [Secret(exchange.call.presented)]
    for provider, credential in dict.fromkeys((one.target.provider, one.credential) for one in exchange.attempts):
        keys = snapshot.keys.get(provider)
        one = snapshot.providers.get(provider) if keys is None else keys.get(credential)
        if one is not None:
            found += [] if one.secret is None else [one.secret]
            found += [Secret(value.decode("latin-1")) for _, value in one.headers if len(value) >= PIECE]
    return tuple(found)
