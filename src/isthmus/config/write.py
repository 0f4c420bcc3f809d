"""Writing the configuration file: for the first time, and to give it another management key.

The file holds keys, so nobody but its owner may read it (mode 0600). It is never seen half written.
"""

import os
import secrets
from pathlib import Path

from isthmus.config.load import read_text
from isthmus.config.template import rekey, write_template
from isthmus.core.secret import Secret

KEY_BYTES = 24
MODE = 0o600


def new_key() -> Secret:
    """A management key that nobody can guess, of characters that a header and a YAML file take as they are."""
    return Secret(secrets.token_urlsafe(KEY_BYTES))


def begin(path: Path, management_key: Secret) -> None:
    """Write the commented template where there is no file yet. Raises FileExistsError, or another OSError."""
    write_new(path, write_template(management_key))


def write_new(path: Path, text: str) -> None:
    """Write a file where there is none yet. Raises FileExistsError, or another OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb") as file:
        file.write(text.encode())


def change_key(path: Path, management_key: Secret) -> None:
    """Put another management key into the file and leave the rest as it is.

    Raises ConfigProblems for a file that cannot be read, Broken or CannotRekey for one that cannot be changed, OSError.
    """
    put_in_place(path, rekey(read_text(path), management_key))


def put_in_place(path: Path, text: str) -> None:
    """Put `text` in place of the file in one step, for its owner alone. Raises OSError."""
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
