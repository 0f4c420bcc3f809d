"""What the answer must look like: held to JSON or a schema by the provider, or asked for in words.

Source: https://ai.google.dev/gemini-api/docs/structured-output.
"""

from msgspec import Raw

from isthmus.core.chat import ChatRequest, OutputFormat, OutputKind
from isthmus.core.profile import SchemaStyle
from isthmus.dialects.gemini.generate.media import Block
from isthmus.dialects.gemini.generate.pen import Pen
from isthmus.dialects.gemini.generate.tools import has_functions
from isthmus.dialects.gemini.schema import adapt_schema, read_schema
from isthmus.dialects.gemini.spelling import Camel
from isthmus.wire import json

_JSON = "Answer with one JSON object and nothing else: no words around it, no code fence."
_SCHEMA = "Answer with JSON that is valid under this JSON Schema, and nothing else: no words around it, no code fence."
_TYPES = {"application/json": OutputKind.JSON, "text/plain": OutputKind.TEXT}


def read_output(config: Camel) -> OutputFormat | None:
    """None, and the fields stay unclaimed, for a media type that the core has no word for."""
    value = config.look("responseMimeType")
    kind = None if value is None or not json.is_text(value) else _TYPES.get(json.decode(value))
    if kind is None:
        return None
    config.raw("responseMimeType")
    if kind is OutputKind.TEXT:
        return OutputFormat(kind)
    schema = _read_schema(config)
    return OutputFormat(kind) if schema is None else OutputFormat(OutputKind.SCHEMA, schema=schema)


def _read_schema(config: Camel) -> Raw | None:
    for name in ("responseJsonSchema", "_responseJsonSchema"):
        if (schema := config.raw(name)) is not None:
            return schema
    told = config.raw("responseSchema")
    return None if told is None else read_schema(told)


def write_output(config: Block, request: ChatRequest, pen: Pen) -> str | None:
    """Sets the fields, or gives the words that make up for them."""
    output, profile = request.output, pen.profile
    if output is None:
        return None
    if output.kind is OutputKind.TEXT:
        config["responseMimeType"] = "text/plain"
        return None
    if profile.schema is SchemaStyle.NONE or (has_functions(request) and not profile.schema_with_tools):
        pen.losses.emulate("output", "this model is not held to JSON here: it is asked for it in words")
        return _words(output)
    config["responseMimeType"] = "application/json"
    if output.kind is OutputKind.JSON or output.schema is None:
        return None
    if profile.schema is SchemaStyle.JSON_MODE:
        pen.losses.emulate("output.schema", "this model is asked in words to follow the schema")
        return _words(output)
    for name, value in (("name", output.name), ("about", output.about)):
        if value is not None:
            pen.losses.drop(f"output.{name}", "a schema of this dialect stands alone")
    config["responseJsonSchema"] = adapt_schema(output.schema, "output.schema", pen.losses)
    return None


def _words(output: OutputFormat) -> str:
    return _JSON if output.schema is None else f"{_SCHEMA}\n{bytes(output.schema).decode()}"
