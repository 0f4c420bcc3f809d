"""Where the keys are that the tokens of accounts are sealed with, as the configuration has it. Opens nothing."""

from importlib.util import find_spec
from pathlib import Path

from isthmus.config.places import data_dir
from isthmus.config.reading import Reading
from isthmus.config.schema import Config
from isthmus.config.secrets import Environment
from isthmus.core.secret import Secret
from isthmus.core.value import Value

VARIABLE = "ISTHMUS_ACCOUNTS_KEY"
FILE = "accounts.key"


class SealPlaces(Value, frozen=True):
    """`said` is what the variable holds; it comes before the keyring, and that before the file."""

    said: Secret | None
    file: Path
    keyring: bool


def seal_places(config: Config, environment: Environment) -> SealPlaces:
    entry = config.accounts
    file = Path(entry.key_file) if entry.key_file else data_dir(environment) / FILE
    return SealPlaces(environment.secret(VARIABLE), file, entry.keyring)


def check_seal(config: Config, reading: Reading) -> None:
    """Note a keyring that is asked for, and not installed."""
    if config.accounts.keyring and find_spec("keyring") is None:
        reading.note(("accounts", "keyring"), "needs an extra; run: pip install 'isthmus[keyring]'")
