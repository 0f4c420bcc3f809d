"""Files of variables, a `NAME=value` a line, as many programs read them from `.env`. All values are texts."""

import re

from isthmus.tools.formats.values import CannotChange, Path

_LINE = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(?P<name>[\w.-]+)[ \t]*=[ \t]*"
    r"(?P<value>'[^']*'|\"(?:[^\"\\]|\\.)*\"|[^#\r\n]*?)(?=[ \t]*(?:#[^\r\n]*)?\r?$)",
    re.MULTILINE | re.ASCII,
)
_PLAIN = re.compile(r"[\w./:@%+,~*-]*", re.ASCII)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def read(text: str) -> object:
    """The variables; a later line wins. Raises CannotChange for what is no text."""
    if "\0" in text:
        raise CannotChange("is no text, and is left as it is")
    return {found["name"]: _unquoted(found["value"]) for found in _LINE.finditer(text)}


def put(text: str, path: Path, value: object) -> str:
    """The variable that `path` names, set to `value` where it was set last, or on a line of its own at the end."""
    name, said = _name(path), _quoted(str(value))
    last = _last(text, name)
    if last is not None:
        return text[: last.start("value")] + said + text[last.end("value") :]
    newline = "\r\n" if "\r\n" in text else "\n"
    apart = newline if text and not text.endswith("\n") else ""
    return f"{text}{apart}{name}={said}{newline}"


def drop(text: str, path: Path) -> str:
    """The text without the variable's lines."""
    while (found := _last(text, _name(path))) is not None:
        end = text.find("\n", found.end())
        text = text[: found.start()] + ("" if end < 0 else text[end + 1 :])
    return text


def _name(path: Path) -> str:
    match path:
        case (str(name),):
            return name
        case _:
            raise CannotChange("holds variables and nothing inside them")


def _last(text: str, name: str) -> "re.Match[str] | None":
    return next((found for found in reversed(list(_LINE.finditer(text))) if found["name"] == name), None)


def _unquoted(value: str) -> str:
    if value[:1] == '"':
        return _ESCAPE.sub(lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), value[1:-1])
    return value[1:-1] if value[:1] == "'" else value


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
