"""What an answer must look like: `text.format`; and what only this dialect says beside it, as `text.verbosity`.

Source: the OpenAI API reference, "Create a model response", `text`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Raw

from isthmus.core.chat import OutputFormat, OutputKind
from isthmus.core.losses import Losses
from isthmus.core.profile import SchemaStyle
from isthmus.core.value import Extra
from isthmus.dialects.openai import RESPONSES
from isthmus.dialects.openai.responses.content import Host
from isthmus.dialects.openai.responses.extras import fields_of
from isthmus.wire.json import Fields

TEXT_DOT = "text."
"""How the names of leftovers of `text` begin."""
_WORDS = "Answer with one JSON object and nothing else."
_Told = tuple[dict[str, Any] | None, str | None]


def read_output(fields: Fields) -> tuple[OutputFormat | None, dict[str, Raw]]:
    """The format, and the leftovers of `text`, a format of a type that we do not know among them."""
    text = fields.fields("text")
    if text is None:
        return None, {}
    value = text.look("format")
    output = None if value is None else _read_format(Fields(value, text.at("format")))
    if output is not None:
        text.raw("format")
    return output, {TEXT_DOT + name: left for name, left in fields_of(text.rest(RESPONSES)).items()}


def _read_format(wanted: Fields) -> OutputFormat | None:
    match wanted.text("type"):
        case "text":
            return OutputFormat(OutputKind.TEXT)
        case "json_object":
            return OutputFormat(OutputKind.JSON)
        case "json_schema":
            name, about = wanted.text("name"), wanted.text("description")
            return OutputFormat(OutputKind.SCHEMA, name, about, wanted.raw("schema"), wanted.flag("strict"))
    return None


def write_output(output: OutputFormat | None, extra: Extra | None, host: Host) -> tuple[dict[str, Any], str | None]:
    """The field `text`, and the words that make up for what the model cannot be held to."""
    format_, words = (None, None) if output is None else _FORMATS[output.kind](output, host)
    text: dict[str, Any] = {} if format_ is None else {"format": format_}
    text.update({name[len(TEXT_DOT) :]: left for name, left in fields_of(extra).items() if name.startswith(TEXT_DOT)})
    return ({"text": text} if text else {}), words


def _write_text(_output: OutputFormat, _host: Host) -> _Told:
    return {"type": "text"}, None


def _write_json(_output: OutputFormat, host: Host) -> _Told:
    if host.profile.schema is SchemaStyle.NONE:
        host.losses.emulate("output", "this model is asked for JSON in words")
        return None, _WORDS
    return {"type": "json_object"}, None


def _write_schema(output: OutputFormat, host: Host) -> _Told:
    if host.profile.schema is SchemaStyle.NATIVE:
        document: dict[str, Any] = {"type": "json_schema", "name": output.name or "answer"}
        more = {"description": output.about, "schema": output.schema, "strict": output.strict}
        return {**document, **{name: value for name, value in more.items() if value is not None}}, None
    document_, _ = _write_json(output, Host(host.profile, Losses()))
    host.losses.emulate("output.schema", "this model is asked in words to follow the schema")
    schema = "" if output.schema is None else bytes(output.schema).decode()
    return document_, f"{_WORDS} It must be valid against this JSON schema:\n{schema}" if schema else _WORDS


_FORMATS: Mapping[OutputKind, Callable[[OutputFormat, Host], _Told]] = {
    OutputKind.TEXT: _write_text,
    OutputKind.JSON: _write_json,
    OutputKind.SCHEMA: _write_schema,
}
