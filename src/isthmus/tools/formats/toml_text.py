"""TOML: read by the standard library, changed by a library of its own, which a gateway need not load."""

import tomllib

from isthmus.tools.formats.values import CannotChange, Path


def read(text: str) -> object:
    """The values. Raises CannotChange."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotChange(f"is no TOML ({error}), and is left as it is") from error


def put(text: str, path: Path, value: object) -> str:
    """`value` at `path`, in a table of its own where what leads to it is missing. Raises CannotChange."""
    from isthmus.tools.formats import toml_edit  # noqa: PLC0415  see above

    return toml_edit.put(text, path, value)


def drop(text: str, path: Path) -> str:
    """The text without what stands at `path`. Raises CannotChange."""
    from isthmus.tools.formats import toml_edit  # noqa: PLC0415  see above

    return toml_edit.drop(text, path)
