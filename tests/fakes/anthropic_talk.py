"""What a script may know of a request in Anthropic's dialect that the judge has taken."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fakes.scripts import Conversation, digest


def turns_of(messages: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Roles with their blocks; neighbours of one role are one turn, and system words belong to none."""
    turns: list[tuple[str, list[Mapping[str, Any]]]] = []
    for message in messages:
        if message["role"] == "system":
            continue
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
        if turns and turns[-1][0] == message["role"]:
            turns[-1][1].extend(blocks)
        else:
            turns.append((message["role"], blocks))
    return turns


def converse(body: Mapping[str, Any]) -> Conversation:
    """The request as a script sees it."""
    turns = turns_of(body["messages"])
    last = turns[-1][1] if turns and turns[-1][0] == "user" else []
    system = body.get("system") or ""
    blocks = [block for _, turn in turns for block in turn]
    return Conversation(
        model=body["model"],
        stream=bool(body.get("stream")),
        body=body,
        said=_joined([block for block in last if block["type"] == "text"]),
        system=system if isinstance(system, str) else "\n".join(block["text"] for block in system),
        results={block["tool_use_id"]: _told(block) for block in last if block["type"] == "tool_result"},
        rounds=sum(1 for _, turn in turns if any(block["type"] == "tool_use" for block in turn)),
        media=tuple(_seen(block) for block in _all(blocks) if block["type"] in ("image", "document")),
        schema=((body.get("output_config") or {}).get("format") or {}).get("schema"),
        thoughts=sum(1 for block in blocks if block["type"] == "thinking"),
        dialect="anthropic",
    )


def _joined(blocks: Sequence[Mapping[str, Any]]) -> str:
    return "".join(block.get("text", "") for block in blocks)


def _told(block: Mapping[str, Any]) -> str:
    content = block.get("content") or ""
    text = content if isinstance(content, str) else _joined(content)
    return f"Error: {text}" if block.get("is_error") else text


def _all(blocks: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for block in blocks:
        yield block
        if block["type"] == "tool_result" and isinstance(block.get("content"), list):
            yield from block["content"]


def _seen(block: Mapping[str, Any]) -> str:
    source = block["source"]
    if source["type"] == "base64":
        return f"{source['media_type']}:{digest(base64.b64decode(source['data']))}"
    return str(source.get("url") or source.get("file_id") or source["type"])
