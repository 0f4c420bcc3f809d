"""What the answer must look like: held to a schema by the provider, or asked for in words.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_OutputConfig.html.
"""

from msgspec import Raw

from isthmus.core.chat import OutputFormat, OutputKind
from isthmus.core.profile import SchemaStyle
from isthmus.dialects.bedrock.converse.marks import Block
from isthmus.dialects.bedrock.converse.pen import Pen
from isthmus.dialects.bedrock.converse.schema import close_schema
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_JSON = "Answer with one JSON object and nothing else: no words around it, no code fence."
_SCHEMA = "Answer with JSON that is valid under this JSON Schema, and nothing else: no words around it, no code fence."


def read_format(value: Raw, path: str) -> OutputFormat | None:
    """`textFormat`. None for a kind of format that the core has no word for."""
    fields = Fields(value, path)
    structure = fields.fields("structure")
    told = None if structure is None else structure.fields("jsonSchema")
    if told is None or fields.text("type") != "json_schema":
        return None
    text = told.need("schema", told.text("schema"))
    try:
        schema = Raw(text.encode())
        json.decode(schema)
    except Malformed as error:
        raise Malformed(f"{told.at('schema')} holds no JSON", told.at("schema")) from error
    return OutputFormat(OutputKind.SCHEMA, told.text("name"), told.text("description"), schema)


def write_format(output: OutputFormat | None, pen: Pen) -> tuple[Block | None, Block | None]:
    """The `textFormat`, or the block of system text that asks for the same; at most one of them."""
    if output is None or output.kind is OutputKind.TEXT:
        return None, None
    if output.kind is OutputKind.JSON or output.schema is None:
        pen.losses.emulate("output", "this dialect has no JSON mode: it is asked for in words")
        return None, {"text": _JSON}
    if pen.profile.schema is not SchemaStyle.NATIVE:
        pen.losses.emulate("output", "this model is not held to schemas: it is told the schema in words")
        return None, {"text": f"{_SCHEMA}\n{bytes(output.schema).decode()}"}
    schema: Block = {"schema": bytes(close_schema(output.schema, "output.schema", pen.losses)).decode()}
    if output.name is not None:
        schema["name"] = output.name
    if output.about is not None:
        schema["description"] = output.about
    return {"type": "json_schema", "structure": {"jsonSchema": schema}}, None
