"""What the answer must look like: held to a schema by the provider, or asked for in words.

Source: https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs.
"""

from msgspec import Raw

from isthmus.core.chat import OutputFormat, OutputKind
from isthmus.core.profile import SchemaStyle
from isthmus.dialects.anthropic.messages.marks import Block
from isthmus.dialects.anthropic.messages.pen import Pen
from isthmus.dialects.anthropic.messages.schema import close_schema
from isthmus.wire.json import Fields

_JSON = "Answer with one JSON object and nothing else: no words around it, no code fence."
_SCHEMA = "Answer with JSON that is valid under this JSON Schema, and nothing else: no words around it, no code fence."


def read_format(value: Raw, path: str) -> OutputFormat | None:
    """None for a kind of format that the core has no word for."""
    fields = Fields(value, path)
    if fields.text("type") != "json_schema":
        return None
    return OutputFormat(OutputKind.SCHEMA, schema=fields.need("schema", fields.raw("schema")))


def write_format(output: OutputFormat | None, pen: Pen) -> tuple[Block | None, Block | None]:
    """The `format`, or the block of system text that asks for the same; at most one of them."""
    if output is None or output.kind is OutputKind.TEXT:
        return None, None
    if output.kind is OutputKind.JSON or output.schema is None:
        pen.losses.emulate("output", "this dialect has no JSON mode: it is asked for in words")
        return None, {"type": "text", "text": _JSON}
    if pen.profile.schema is not SchemaStyle.NATIVE:
        pen.losses.emulate("output", "this model is not held to schemas: it is told the schema in words")
        return None, {"type": "text", "text": f"{_SCHEMA}\n{bytes(output.schema).decode()}"}
    for name, value in (("name", output.name), ("about", output.about)):
        if value is not None:
            pen.losses.drop(f"output.{name}", "a schema of this dialect stands alone")
    return {"type": "json_schema", "schema": close_schema(output.schema, "output.schema", pen.losses)}, None
