"""The text to be continued, which is no conversation: how it becomes one, and how one becomes a text.

A prompt is one user message. Of several prompts the first is read, and all are kept for this dialect; whoever can
ask several times asks once for each (see `split`). Tokens are kept as they are: only the model whose they are can
read them.

A conversation of more than one user message is told as a transcript, which is an emulation: a model that continues
texts knows no roles.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import CacheMark, Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.value import Extra, Foreign, Value
from isthmus.dialects.openai import COMPLETIONS
from isthmus.wire import json
from isthmus.wire.json import Malformed

PROMPT = "prompt"
ECHO = "echo"
LISTED = Raw(b'"list"')
"""Marks a prompt that stood in a list of one."""
_TRUE = Raw(b"true")
_HEADS: Mapping[Role, str] = {
    Role.SYSTEM: "System",
    Role.DEVELOPER: "System",
    Role.USER: "User",
    Role.ASSISTANT: "Assistant",
}


def read_prompt(value: Raw | None, kept: dict[str, Raw], labels: dict[str, Raw]) -> tuple[Message, ...]:
    """The conversation. What it cannot hold goes into `kept`, what is only spelling into `labels`."""
    if value is None:
        return _said(Text(""))
    if json.is_text(value):
        return _said(Text(json.decode(value)))
    items = json.read_items(value, PROMPT)
    if not items:
        raise Malformed("prompt must not be empty", PROMPT)
    if _is_number(items[0]):
        return _said(Foreign(COMPLETIONS, _tokens(value)))
    if len(items) == 1:
        labels[PROMPT] = LISTED
    else:
        kept[PROMPT] = value
    first, *_ = [_one(item) for item in items]
    return _said(first)


def _said(part: Part) -> tuple[Message, ...]:
    return (Message(Role.USER, (part,)),)


def _is_number(value: Raw) -> bool:
    return bytes(memoryview(value)[:1]).isdigit()


def _one(item: Raw) -> Text | Foreign:
    if json.is_text(item):
        return Text(json.decode(item))
    return Foreign(COMPLETIONS, _tokens(item))


def _tokens(value: Raw) -> Raw:
    found = json.decode(value)
    if not isinstance(found, list) or not all(type(token) is int for token in found):
        raise Malformed("prompt must be a string, a list of strings, a list of tokens, or a list of such lists", PROMPT)
    return value


def split(body: bytes) -> Sequence[bytes]:
    """A request for each prompt in `body`, in their order.

    Raises INVALID for a body that cannot be read, and UNSUPPORTED for tokens: no other dialect can say them.
    """
    try:
        fields = json.read_fields(body)
        value = fields.get(PROMPT, json.NULL)
        if value == json.NULL or json.is_text(value):
            return (body,)
        items = json.read_items(value, PROMPT)
    except Malformed as error:
        raise GatewayError(Kind.INVALID, error.message, param=error.path or None) from error
    if not all(json.is_text(item) for item in items):
        message = "a prompt of tokens can only be read by the model whose tokens they are; send it as text"
        raise GatewayError(Kind.UNSUPPORTED, message, param=PROMPT)
    return [json.encode({**fields, PROMPT: item}) for item in items]


class Echo(Value, frozen=True):
    """What an answer must know of its request: the prompts, how many choices each has, and whether to repeat them."""

    prompts: tuple[str, ...] = ()
    choices: int = 1
    wanted: bool = False

    def prompt(self, candidate: int) -> str:
        """That of one candidate."""
        return self.prompts[min(candidate // self.choices, len(self.prompts) - 1)] if self.prompts else ""


_read_echo = json.decoder(Echo)


def echo(request: ChatRequest) -> Extra:
    """As the core carries it. Prompts of tokens are told as empty: nobody repeats them who cannot read them."""
    extra = request.extra
    ours = extra if extra is not None and extra.dialect == COMPLETIONS else Extra(COMPLETIONS, {})
    if PROMPT in ours.fields:
        items = json.read_items(ours.fields[PROMPT])
        prompts = [json.decode(item) if json.is_text(item) else "" for item in items]
    else:
        prompts = ["".join(part.text for turn in request.messages for part in turn.parts if isinstance(part, Text))]
    told = Echo(tuple(prompts), max(request.sampling.n or 1, 1), ours.labels.get(ECHO) == _TRUE)
    return Extra(COMPLETIONS, {ECHO: json.raw(told)})


def echoed(told: Extra | None) -> Echo:
    """What `echo` said."""
    return _read_echo(told.fields[ECHO]) if told is not None and told.dialect == COMPLETIONS else Echo()


def write_prompt(request: ChatRequest, losses: Losses) -> object:
    """The prompt: text, or what this dialect's reader has kept."""
    extra = request.extra
    ours = extra is not None and extra.dialect == COMPLETIONS
    if ours and extra is not None and PROMPT in extra.fields:
        return extra.fields[PROMPT]
    only = request.messages[0].parts if len(request.messages) == 1 else ()
    if len(only) == 1 and isinstance(part := only[0], Foreign) and part.dialect == COMPLETIONS:
        prompt: object = part.body
    else:
        prompt = _text(request.messages, losses)
    return [prompt] if ours and extra is not None and extra.labels.get(PROMPT) == LISTED else prompt


def _text(messages: Sequence[Message], losses: Losses) -> str:
    told = [(turn, _words(turn, f"messages[{number}]", losses)) for number, turn in enumerate(messages)]
    if len(told) == 1 and told[0][0].role is Role.USER:
        return told[0][1]
    losses.emulate("messages", "a text is continued here: the conversation is told as a transcript")
    lines = [f"{_HEADS[turn.role]}: {words}" for turn, words in told if words]
    if not messages or messages[-1].role is not Role.ASSISTANT:
        lines.append("Assistant:")
    return "\n\n".join(lines)


def _words(turn: Message, path: str, losses: Losses) -> str:
    losses.drop_extra(turn.extra, path)
    if turn.name is not None:
        losses.drop(f"{path}.name", "a text names nobody")
    pieces = [_part(part, f"{path}.parts[{number}]", losses) for number, part in enumerate(turn.parts)]
    return "".join(pieces)


def _part(part: Part, path: str, losses: Losses) -> str:
    match part:
        case Text():
            _tell(part, path, losses)
            return part.text
        case Refusal():
            losses.rewrite(path, "a refusal is told as text")
            return part.text
        case ToolCall():
            _tell(part, path, losses)
            losses.rewrite(path, "a call is told in words")
            return f"\n[calls {part.name} with {part.arguments or '{}'}]"
        case ToolResult():
            _tell(part, path, losses)
            losses.rewrite(path, "a result is told in words")
            inner = [_part(item, f"{path}.parts[{number}]", losses) for number, item in enumerate(part.parts)]
            return f"\n[the tool {'failed' if part.failed else 'answered'}: {''.join(inner)}]"
        case Media():
            losses.drop(path, f"a text holds no {part.kind}")
        case Reasoning():
            losses.drop(path, "a text holds no thoughts")
        case Foreign():
            losses.drop(path, f"only {part.dialect} knows this item")
    return ""


def _tell(part: Text | ToolCall | ToolResult, path: str, losses: Losses) -> None:
    """What is lost of a part whose words are kept."""
    if isinstance(part.cache, CacheMark):
        losses.drop("cache_control", "this dialect has no marks for caches")
    if isinstance(part, Text) and part.citations:
        losses.drop(f"{path}.citations", "a text cites nothing")
    if isinstance(part, ToolCall) and part.signature is not None:
        losses.drop(f"{path}.signature", "a text holds no signature")
    losses.drop_extra(part.extra, path)


def restore(document: dict[str, Any], extra: Extra | None, losses: Losses) -> None:
    """Put the leftovers of this dialect back; tell those of another."""
    if extra is None:
        return
    if extra.dialect != COMPLETIONS:
        losses.drop_extra(extra, "")
        return
    for name, value in (*extra.fields.items(), *extra.labels.items()):
        document.setdefault(name, value)
