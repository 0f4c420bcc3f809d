"""What is known of a host before anybody configures it: one row of the provider table."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from isthmus.core.operations import Operation
from isthmus.core.value import Value
from isthmus.providers.provider import Address, Emulator, Envelope, Signer
from isthmus.providers.quirks import Quirks
from isthmus.providers.signers import bearer

OPENAI_CHAT = "openai_chat"
ANTHROPIC = "anthropic"
OLLAMA = "ollama"
GEMINI = "gemini"
BEDROCK = "bedrock"

Spoken = Mapping[Operation, tuple[str, ...]]
"""The dialects a host speaks for each operation, the preferred one first."""

SPOKEN: Mapping[str, Spoken] = {
    OPENAI_CHAT: {
        Operation.CHAT: (OPENAI_CHAT,),
        Operation.LIST_MODELS: (OPENAI_CHAT,),
        Operation.EMBED: ("openai",),
    },
    ANTHROPIC: {
        Operation.CHAT: (ANTHROPIC,),
        Operation.LIST_MODELS: (ANTHROPIC,),
        Operation.COUNT_TOKENS: (ANTHROPIC,),
    },
    OLLAMA: {
        Operation.CHAT: (OLLAMA, "ollama_generate"),
        Operation.LIST_MODELS: (OLLAMA,),
        Operation.EMBED: (OLLAMA, "ollama_embeddings"),
    },
    GEMINI: {
        Operation.CHAT: (GEMINI,),
        Operation.LIST_MODELS: (GEMINI,),
        Operation.EMBED: (GEMINI, "gemini_single"),
        Operation.COUNT_TOKENS: (GEMINI,),
    },
    BEDROCK: {
        Operation.CHAT: (BEDROCK, ANTHROPIC),
        Operation.EMBED: ("bedrock_titan", "bedrock_cohere"),
        Operation.COUNT_TOKENS: (BEDROCK,),
    },
}
"""What a host of each family speaks, unless its row says otherwise."""


class Place(Value, frozen=True):
    """What the user configured of where a host is.

    `settings` are the host's own keys; `keyed`: there is a plain key, so no cloud need sign.
    """

    base_url: str | None
    settings: Mapping[str, str] = MappingProxyType({})
    keyed: bool = False


class Location(Value, frozen=True):
    """Where a host is, and what follows from that. `address` is made of the path of `base_url`.

    `also` says what it speaks there for operations in which it is unlike its row.
    """

    base_url: str
    address: Callable[[str], Address]
    envelope: Envelope | None = None
    also: Spoken = MappingProxyType({})


class Host(Value, frozen=True):
    """One row.

    `base_url` is None where only the user can know it. `key_env` are the environment variables
    that usually hold the key, the preferred one first; empty for a host that needs none.
    `automatic`: such a variable alone switches the host on; False where people set it for other
    purposes too. `models` are names or wildcards known to be served; `listed`: the host can be
    asked for its models. `also` says what it speaks for operations in which it is unlike its family.
    `settings` are the keys that only some hosts take, each with the variables that usually hold it;
    `url_env` those for an address that only the user can know. `locate` finds the place from both, and
    raises ValueError where it cannot; None where the address is all there is. `cloud` is the kind of
    credential that signs where there is no key, "" where only a key can. `limits_account`, `issuer` and `stand_ins` are
    as in Provider.
    """

    name: str
    base_url: str | None
    key_env: tuple[str, ...] = ()
    dialect: str = OPENAI_CHAT
    sign: Signer = bearer
    quirks: Quirks | None = None
    models: tuple[str, ...] = ()
    listed: bool = True
    automatic: bool = True
    emulator: Callable[[], Emulator] | None = None
    also: Spoken = MappingProxyType({})
    settings: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    url_env: tuple[str, ...] = ()
    locate: Callable[[Place], Location] | None = None
    cloud: str = ""
    limits_account: bool = False
    issuer: str = ""
    stand_ins: Mapping[str, str] = MappingProxyType({})

    @property
    def spoken(self) -> Spoken:
        return {**SPOKEN[self.dialect], **self.also}
