"""How settings are read and changed, by the kind of text. Every change is read again before anybody may keep it."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from isthmus.core.value import Value
from isthmus.tools.formats import env_text, json_text, toml_text, yaml_text
from isthmus.tools.formats.values import ABSENT, CannotChange, Path, changed

_MARK = "\ufeff"
"""A byte order mark, which some editors put first."""


class Format(StrEnum):
    JSON = "json"
    JSONC = "jsonc"
    TOML = "toml"
    YAML = "yaml"
    ENV = "env"


class Document(Value, frozen=True):
    """One kind of text. Each function raises CannotChange; an empty text is good in every kind."""

    read: Callable[[str], object]
    put: Callable[[str, Path, object], str]
    drop: Callable[[str, Path], str]


DOCUMENTS: Mapping[Format, Document] = {
    Format.JSON: Document(json_text.read_strict, json_text.put, json_text.drop),
    Format.JSONC: Document(json_text.read, json_text.put, json_text.drop),
    Format.TOML: Document(toml_text.read, toml_text.put, toml_text.drop),
    Format.YAML: Document(yaml_text.read, yaml_text.put, yaml_text.drop),
    Format.ENV: Document(env_text.read, env_text.put, env_text.drop),
}


def read(kind: Format, text: str) -> object:
    """The settings; None for a text that says nothing. Raises CannotChange."""
    return DOCUMENTS[kind].read(text.removeprefix(_MARK))


def change(kind: Format, text: str, puts: Mapping[Path, object]) -> str:
    """The text with each value at its path; ABSENT takes away what stands there. Raises CannotChange.

    What comes out says just that: it is read again, and refused where it says anything else.
    """
    mark, text = text[: len(_MARK)] if text.startswith(_MARK) else "", text.removeprefix(_MARK)
    document = DOCUMENTS[kind]
    wanted = document.read(text)
    for path, value in puts.items():
        wanted = changed(wanted, path, value)
        text = document.drop(text, path) if value is ABSENT else document.put(text, path, value)
    if (document.read(text) or None) != (None if wanted is ABSENT else wanted or None):
        raise CannotChange("is written in a way that cannot be changed safely, and is left as it is")
    return mark + text
