"""What Bedrock's Converse refuses, and what a script may know of a request that it takes.

The shape is judged by AWS's own description of it, which botocore holds; the order by what the service answers.
Sources: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html,
docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from fakes.scripts import Conversation, digest
from fakes.wire import Refused

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@lru_cache
def _shape() -> Shape:
    model = Loader().load_service_model("bedrock-runtime", "service-2")
    return ServiceModel(model, "bedrock-runtime").operation_model("Converse").input_shape


def judge(body: Mapping[str, Any], model: str) -> None:
    """Raises Refused for what would be answered with 400."""
    if "modelId" in body:
        raise Refused("modelId stands in the path")
    report = ParamValidator().validate({**body, "modelId": model}, _shape())
    if report.has_errors():
        raise Refused(f"The value at the request is not valid: {report.generate_report()}")
    listed = [
        tool["toolSpec"]["name"] for tool in (body.get("toolConfig") or {}).get("tools", ()) if "toolSpec" in tool
    ]
    _tools(body, listed)
    if not body.get("messages"):
        raise Refused("A conversation must start with a user message.")
    _order(body["messages"], listed)


def _tools(body: Mapping[str, Any], listed: Sequence[str]) -> None:
    if len(set(listed)) != len(listed):
        raise Refused("The tool names must be unique.")
    for tool in (body.get("toolConfig") or {}).get("tools", ()):
        schema = tool.get("toolSpec", {}).get("inputSchema", {}).get("json", {"type": "object"})
        if schema.get("type") != "object":
            raise Refused("The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of: object.")
    if any(not NAME.fullmatch(name) for name in listed):
        raise Refused("toolSpec.name failed to satisfy constraint: [a-zA-Z0-9_-]+")


def _order(messages: Sequence[Mapping[str, Any]], listed: Sequence[str]) -> None:
    """Roles take turns; each toolUse is answered in the very next turn, and only what was called is."""
    awaited: list[str] = []
    wanted = "user"
    for index, message in enumerate(messages):
        if message["role"] != wanted:
            raise Refused("A conversation must alternate between user and assistant roles.")
        if not message["content"]:
            raise Refused(f"The content field in the Message object at messages.{index} is empty.")
        answered = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        if sorted(answered) != sorted(awaited):
            raise Refused(
                f"The number of toolResult blocks at messages.{index}.content exceeds the number of toolUse blocks of "
                "previous turn, or falls short of it."
            )
        for block in message["content"]:
            if "text" in block and not block["text"].strip():
                raise Refused(f"The text field in the ContentBlock object at messages.{index}.content is blank.")
        awaited = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
        if (awaited or answered) and not listed:
            raise Refused("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
        if any(not NAME.fullmatch(id_) for id_ in awaited):
            raise Refused("toolUseId failed to satisfy constraint: [a-zA-Z0-9_-]+")
        wanted = "assistant" if wanted == "user" else "user"
    if awaited:
        raise Refused("Expected toolResult blocks for each toolUse.")


def converse(body: Mapping[str, Any], model: str, stream: bool) -> Conversation:
    """The request as a script sees it."""
    messages = body["messages"]
    blocks = [block for message in messages for block in message["content"]]
    last = [block["toolResult"] for block in messages[-1]["content"] if "toolResult" in block]
    wanted = ((body.get("outputConfig") or {}).get("textFormat") or {}).get("structure", {}).get("jsonSchema", {})
    return Conversation(
        model=model,
        stream=stream,
        body={**body, "tools": (body.get("toolConfig") or {}).get("tools")},
        said=_text([message for message in messages if message["role"] == "user"][-1]["content"]),
        system=_text(body.get("system") or []),
        results={result["toolUseId"]: _result(result) for result in last},
        rounds=sum(1 for message in messages if any("toolUse" in block for block in message["content"])),
        media=tuple(_media(block) for block in blocks if "image" in block or "document" in block),
        schema=json.loads(wanted["schema"]) if "schema" in wanted else None,
        thoughts=sum(1 for block in blocks if "reasoningContent" in block),
        dialect="bedrock",
    )


def _text(blocks: Sequence[Mapping[str, Any]]) -> str:
    return "".join(block.get("text", "") for block in blocks)


def _result(result: Mapping[str, Any]) -> str:
    return "".join(part.get("text") or json.dumps(part.get("json", "")) for part in result["content"])


def _media(block: Mapping[str, Any]) -> str:
    kind = "image" if "image" in block else "document"
    data = base64.b64decode(block[kind]["source"]["bytes"])
    family = "image" if kind == "image" else "application"
    return f"{family}/{block[kind]['format']}:{digest(data)}"
