"""The configuration reference, written from the schema: `python -m isthmus.config.reference`."""

import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias, get_args, get_origin

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from isthmus.config.about import About, unwrap
from isthmus.config.hosts import LOCAL
from isthmus.config.scalars import PLAIN, expected, write_number
from isthmus.config.schema import LIST_FORMS, LONE_FORMS, ONE_OR_MANY, SHORT_FORMS, Config
from isthmus.config.schema_providers import Dialect
from isthmus.core.secret import Secret
from isthmus.providers.host import ANTHROPIC, GEMINI, OLLAMA, OPENAI_CHAT
from isthmus.providers.table import PROVIDERS, Host

OPENING = """\
# Configuration reference

Written from the schema in `isthmus.config`; do not edit. The guide is [configure.md](../guide/configure.md).

The file is YAML, UTF-8, at most 4 MiB. It is looked for as `--config FILE`, as `ISTHMUS_CONFIG`, as `./isthmus.yaml`,
and as `isthmus/isthmus.yaml` in `$XDG_CONFIG_HOME` (or `~/.config`); the first that is there is used. It may be
[the file of another system](../guide/coming-from.md), too. An unknown key is an error. In every value `${NAME}` stands
for an environment variable, `${NAME:-default}` for a variable with a default, and `$${` for `${`. An empty value counts
as not given, an empty variable as not set.
"""
HOSTS = """
## Known hosts

What `type` can name. With an empty last column no key is needed; a host marked * is used only when it is configured.

| type | usual address | dialect | key variables |
| --- | --- | --- | --- |
"""

_Found: TypeAlias = dict[type[Struct], tuple[list[str], About]]
_CLOUDS: Mapping[str, str] = {"aws": "AWS", "entra": "Entra", "google": "Google Cloud"}
_MANY: Mapping[type, str] = {Secret: "secret texts", int: "whole numbers"}
_DIALECTS: Mapping[str, Dialect] = {
    OPENAI_CHAT: Dialect.OPENAI,
    ANTHROPIC: Dialect.ANTHROPIC,
    OLLAMA: Dialect.OLLAMA,
    GEMINI: Dialect.GEMINI,
}


def write_reference() -> str:
    """The whole page, in Markdown."""
    sections = [_section(paths, kind, about) for kind, (paths, about) in _gather("", Config, {}).items()]
    top = _section([], Config, PLAIN)
    return OPENING + top + "".join(sections) + HOSTS + "".join(map(_host, PROVIDERS.values()))


def _gather(above: str, kind: type[Struct], found: _Found) -> _Found:
    """Every structure inside of `kind`, with the paths that lead to it and what is said of it first."""
    for field in fields(kind):
        inner, about = unwrap(field.type)
        path = f"{above}.{field.encode_name}" if above else field.encode_name
        if get_origin(inner) is Mapping:
            inner, path = get_args(inner)[1], f"{path}.NAME"
        if get_origin(inner) is tuple:
            inner, path = get_args(inner)[0], f"{path}[]"
        if isinstance(inner, type) and issubclass(inner, Struct):
            found.setdefault(inner, ([], about or PLAIN))[0].append(path)
            _gather(path, inner, found)
    return found


def _section(paths: Sequence[str], kind: type[Struct], about: About) -> str:
    rows = "".join(_row(field) for field in fields(kind))
    heading = ", ".join(f"`{path}`" for path in paths) or "Top level"
    words = f"\n{about.sentence}\n" if about.sentence and len(paths) == 1 else ""
    return f"\n## {heading}\n{words}\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n{rows}"


def _row(field: FieldInfo) -> str:
    kind, about = _described(field)
    return f"| `{field.encode_name}` | {_value(kind, about)} | {_default(field, about)} | {about.sentence} |\n"


def _described(field: FieldInfo) -> tuple[type, About]:
    kind, about = unwrap(field.type)
    return kind, about or PLAIN


def _value(kind: type, about: About) -> str:
    if get_origin(kind) is tuple:
        one = "a mapping, or " if get_args(kind)[0] in ONE_OR_MANY else ""
        return f"{one}a list of {_plural(get_args(kind)[0])}"
    if get_origin(kind) is Mapping:
        return f"a mapping of names to {_plural(get_args(kind)[1])}"
    if issubclass(kind, Struct):
        return f"a mapping{_lone(kind)}"
    return "text, secret" if kind is Secret else expected(kind, about)


def _lone(kind: type[Struct]) -> str:
    """What the one value looks like that may stand in place of the mapping."""
    if kind not in LONE_FORMS:
        return ", or text" if kind in SHORT_FORMS else ""
    only = next(field for field in fields(kind) if field.encode_name == LONE_FORMS[kind])
    return f", or {_value(*_described(only))}"


def _plural(kind: type) -> str:
    if get_origin(kind) is tuple:
        return f"lists of {_plural(get_args(kind)[0])}"
    if issubclass(kind, Struct):
        also = ["lists"] * (kind in LIST_FORMS) + ["texts"] * (kind in SHORT_FORMS or kind in LONE_FORMS)
        return " or ".join(["mappings", *also])
    if issubclass(kind, StrEnum):
        return ", ".join(kind)
    return _MANY.get(kind, "texts")


def _default(field: FieldInfo, about: About) -> str:
    value = field.default
    if value is NODEFAULT:
        return "required" if field.default_factory is NODEFAULT else "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"`{write_number(value, about.unit)}`"
    return f"`{value}`" if isinstance(value, str | StrEnum) and value else _absent(value)


def _absent(value: object) -> str:
    """A default that is not one plain word: sections say theirs key by key."""
    return "none" if value is None or value in ("", ()) else "as below"


def _host(host: Host) -> str:
    name = host.name if host.automatic or not host.key_env else f"{host.name} *"
    own = ", ".join(f"`{variable}`" for variable in host.url_env) or (
        "by region" if host.locate else "none; set base-url"
    )
    address = f"`{host.base_url}`" if host.base_url else own
    keys = ", ".join(f"`{key}`" for key in host.key_env)
    if host.cloud:
        keys += f", or what proves an identity to {_CLOUDS[host.cloud]}"
    if host.issuer:
        keys += f"none: accounts of `{host.issuer}` that somebody signed in to"
    where = "started by Isthmus itself" if host.name == LOCAL else address
    return f"| {name} | {where} | {_DIALECTS.get(host.dialect, host.dialect)} | {keys} |\n"


if __name__ == "__main__":
    sys.stdout.write(write_reference())
