"""What is known of a host before anybody configures it: one row of the provider table."""

from collections.abc import Callable

from isthmus.core.value import Value
from isthmus.providers.provider import Emulator, Signer
from isthmus.providers.quirks import NO_QUIRKS, Quirks
from isthmus.providers.signers import bearer

OPENAI_CHAT = "openai_chat"
ANTHROPIC = "anthropic"


class Host(Value, frozen=True):
    """One row.

    `base_url` is None where only the user can know it. `key_env` are the environment variables
    that usually hold the key, the preferred one first; empty for a host that needs none.
    `automatic`: such a variable alone switches the host on; False where people set it for other
    purposes too. `models` are names or wildcards known to be served; `listed`: the host can be
    asked for its models, at GET {base}/models.
    """

    name: str
    base_url: str | None
    key_env: tuple[str, ...] = ()
    dialect: str = OPENAI_CHAT
    sign: Signer = bearer
    quirks: Quirks = NO_QUIRKS
    models: tuple[str, ...] = ()
    listed: bool = True
    automatic: bool = True
    emulator: Callable[[], Emulator] | None = None
