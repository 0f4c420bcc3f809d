"""What a key is known by where the key itself may not be: to notice that it, or where it is used, was changed."""

from collections.abc import Mapping
from hashlib import sha256

from isthmus.engine.snapshot import Snapshot
from isthmus.providers.provider import Provider
from isthmus.routing.health import Place
from isthmus.routing.places import ONE_KEY

LENGTH = 16
"""Characters of a fingerprint: enough to tell keys apart, too few to be worth guessing at."""


def fingerprints(snapshot: Snapshot) -> Mapping[Place, str]:
    """The fingerprint of every account of the configuration."""
    return {
        Place(name, key.name): _fingerprint(snapshot.keyed(name, key.name))
        for name in snapshot.providers
        for key in snapshot.credentials.get(name, ONE_KEY)
    }


def _fingerprint(provider: Provider) -> str:
    """Of the key and of the host that is asked with it. How the host is reached does not matter."""
    origin, cloud = provider.origin, provider.cloud
    secret = provider.secret or (cloud.secret if cloud is not None else None)
    settings = sorted(cloud.settings.items()) if cloud is not None else ()
    parts = (origin.scheme, origin.host, str(origin.port), secret.reveal() if secret is not None else "", str(settings))
    return sha256("\n".join(parts).encode()).hexdigest()[:LENGTH]
