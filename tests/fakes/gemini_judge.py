"""What Gemini's generateContent refuses, and what a script may know of a request that it takes.

Its JSON is read as protocol buffers are: an unknown name anywhere is refused, and names may be camel or snake case.
Sources: ai.google.dev/api/generate-content, /api/caching (Content, Part, Tool, Schema),
ai.google.dev/gemini-api/docs/function-calling, /docs/thought-signatures (from 3 on the first call of a turn is signed).
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fakes.scripts import Conversation, digest
from fakes.wire import Refused, names, only

UNKNOWN = 'Invalid JSON payload received. Unknown name "{path}": Cannot find field.'
FIELDS = names(
    "contents systemInstruction tools toolConfig safetySettings generationConfig cachedContent model serviceTier store"
)
SETTINGS = names(
    "stopSequences responseMimeType responseSchema responseJsonSchema responseModalities candidateCount "
    "maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs "
    "enableEnhancedCivicAnswers speechConfig thinkingConfig imageConfig mediaResolution"
)
THINKING = names("includeThoughts thinkingBudget thinkingLevel")
PART = names(
    "text inlineData fileData functionCall functionResponse executableCode codeExecutionResult thought "
    "thoughtSignature videoMetadata partMetadata mediaResolution toolCall toolResponse"
)
KINDS = ("text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult")
INSIDE = {
    "inlineData": names("mimeType data"),
    "fileData": names("mimeType fileUri"),
    "functionCall": names("id name args"),
    "functionResponse": names("id name response parts willContinue scheduling"),
    "executableCode": names("id language code"),
    "codeExecutionResult": names("id outcome output"),
}
TOOL = names(
    "functionDeclarations googleSearch googleSearchRetrieval codeExecution urlContext computerUse fileSearch "
    "googleMaps mcpServers"
)
DECLARATION = names("name description behavior parameters parametersJsonSchema response responseJsonSchema")
SCHEMA = names(
    "type format title description nullable enum maxItems minItems properties required minProperties maxProperties "
    "minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum"
)
TYPES = names("STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL TYPE_UNSPECIFIED")
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
SIGNATURES = frozenset({"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"})
"""What stands for a signature where another model made the call."""


def sign(thought: str) -> str:
    """The signature that this provider gives."""
    return base64.b64encode(b"scripted:" + digest(thought.encode()).encode()).decode()


def judge(body: Mapping[str, Any], model: str) -> None:
    """Raises Refused for what would be answered with 400."""
    body = spelled(body)
    only(body, FIELDS, "", UNKNOWN)
    contents = body.get("contents")
    if not isinstance(contents, list) or not contents:
        raise Refused("* GenerateContentRequest.contents: contents is not specified")
    listed = _tools(body.get("tools") or ())
    _choice(body.get("toolConfig") or {}, listed)
    _settings(body.get("generationConfig") or {})
    system = body.get("systemInstruction")
    for index, content in enumerate(contents):
        _content(content, f"contents[{index}]")
    if system is not None:
        _content(system, "system_instruction")
    _order(contents)
    if re.search(r"gemini-[3-9]", model):
        _signed(contents)


def spelled(value: Any, *, free: bool = False) -> Any:
    """The names in camel case; what lies in free objects (arguments, results, JSON schemas) is left alone."""
    if isinstance(value, list):
        return [spelled(item, free=free) for item in value]
    if not isinstance(value, dict) or free:
        return value
    loose = names("args response parametersJsonSchema responseJsonSchema example default partMetadata")
    found = {}
    for name, inner in value.items():
        camel = re.sub(r"_([a-z])", lambda match: match[1].upper(), name)
        if camel == "properties" and isinstance(inner, dict):
            found[camel] = {key: spelled(schema) for key, schema in inner.items()}
        else:
            found[camel] = spelled(inner, free=camel in loose)
    return found


def _settings(settings: Mapping[str, Any]) -> None:
    only(settings, SETTINGS, "generation_config", UNKNOWN)
    thinking = settings.get("thinkingConfig") or {}
    only(thinking, THINKING, "generation_config.thinking_config", UNKNOWN)
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        raise Refused("You can only set only one of thinking budget and thinking level.")
    if not 0 <= settings.get("temperature", 0) <= 2:
        raise Refused("* GenerateContentRequest.generation_config.temperature: must be in the range [0.0, 2.0].")
    if len(settings.get("stopSequences") or ()) > 5:
        raise Refused("* GenerateContentRequest.generation_config.stop_sequences: at most 5 are taken")
    schemas = [name for name in ("responseSchema", "responseJsonSchema") if settings.get(name) is not None]
    if len(schemas) > 1:
        raise Refused("Only one of response_schema and response_json_schema may be set.")
    if schemas and settings.get("responseMimeType") not in ("application/json", "text/x.enum"):
        raise Refused("Response schema is supported only with response_mime_type application/json.")
    if settings.get("responseSchema") is not None:
        _schema(settings["responseSchema"], "generation_config.response_schema")


def _tools(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    listed: list[str] = []
    for index, tool in enumerate(tools):
        where = f"tools[{index}]"
        only(tool, TOOL, where, UNKNOWN)
        if "functionDeclarations" in tool and not tool["functionDeclarations"]:
            raise Refused(f"* GenerateContentRequest.{where}.function_declarations: must not be empty")
        for number, function in enumerate(tool.get("functionDeclarations") or ()):
            listed.append(_declaration(function, f"{where}.function_declarations[{number}]"))
    if len(set(listed)) != len(listed):
        raise Refused("Duplicate function declaration found.")
    return listed


def _declaration(function: Mapping[str, Any], where: str) -> str:
    only(function, DECLARATION, where, UNKNOWN)
    name = function.get("name") or ""
    if not NAME.fullmatch(name):
        raise Refused(f"* GenerateContentRequest.{where}.name: Invalid function name.")
    if "parameters" in function and "parametersJsonSchema" in function:
        raise Refused(f"* {where}: parameters and parameters_json_schema must not both be set")
    if function.get("parameters") is not None:
        _schema(function["parameters"], f"{where}.parameters")
    return str(name)


def _schema(schema: Any, where: str) -> None:
    """An OpenAPI schema of which only some words are known."""
    if not isinstance(schema, dict):
        raise Refused(f"Invalid value at '{where}': a schema is an object")
    only(schema, SCHEMA, where, UNKNOWN)
    kind = schema.get("type")
    if kind is not None and (not isinstance(kind, str) or kind.upper() not in TYPES):
        raise Refused(f"Invalid value at '{where}.type': {kind!r}")
    if any(not isinstance(value, str) for value in schema.get("enum") or ()):
        raise Refused(f"Invalid value at '{where}.enum' (TYPE_STRING)")
    if kind is not None and kind.upper() == "ARRAY" and "items" not in schema:
        raise Refused(f"* GenerateContentRequest.{where}.items: missing field.")
    for name, inner in (schema.get("properties") or {}).items():
        _schema(inner, f"{where}.properties[{name}]")
    if set(schema.get("required") or ()) - set(schema.get("properties") or {}):
        raise Refused(f"* GenerateContentRequest.{where}.required: property is not defined")
    for inner in (*(schema.get("anyOf") or ()), *([schema["items"]] if "items" in schema else ())):
        _schema(inner, f"{where}.items")


def _choice(config: Mapping[str, Any], listed: Sequence[str]) -> None:
    only(
        config, names("functionCallingConfig retrievalConfig includeServerSideToolInvocations"), "tool_config", UNKNOWN
    )
    calling = config.get("functionCallingConfig") or {}
    only(calling, names("mode allowedFunctionNames"), "tool_config.function_calling_config", UNKNOWN)
    if calling.get("mode", "AUTO") not in ("AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED"):
        raise Refused("Invalid value at 'tool_config.function_calling_config.mode'")
    allowed = calling.get("allowedFunctionNames")
    if allowed and calling.get("mode") not in ("ANY", "VALIDATED"):
        raise Refused("Allowed function names should only be set when the function calling mode is ANY or VALIDATED.")
    if set(allowed or ()) - set(listed):
        raise Refused("Allowed function names are not among the declared functions.")


def _content(content: Mapping[str, Any], where: str) -> None:
    only(content, names("role parts"), where, UNKNOWN)
    if content.get("role", "user") not in ("user", "model", "function"):
        raise Refused("Please use a valid role: user, model.")
    if not content.get("parts"):
        raise Refused(f"* GenerateContentRequest.{where}.parts: must include at least one parts field")
    for index, part in enumerate(content["parts"]):
        _part(part, f"{where}.parts[{index}]")


def _part(part: Mapping[str, Any], where: str) -> None:
    only(part, PART, where, UNKNOWN)
    kinds = [kind for kind in KINDS if kind in part]
    if len(kinds) != 1:
        raise Refused(
            f"* GenerateContentRequest.{where}.data: required oneof field 'data' must have one initialized field"
        )
    kind = kinds[0]
    if kind == "text":
        if not isinstance(part["text"], str):
            raise Refused(f"Invalid value at '{where}.text' (TYPE_STRING)")
        return
    inner = part[kind]
    only(inner, INSIDE[kind], f"{where}.{kind}", UNKNOWN)
    holder = {"functionCall": "args", "functionResponse": "response"}.get(kind)
    if holder is not None:
        if not NAME.fullmatch(inner.get("name") or ""):
            raise Refused(f"* GenerateContentRequest.{where}.{kind}.name: Name cannot be empty.")
        if not isinstance(inner.get(holder, {}), dict):
            raise Refused(f"Invalid value at '{where}.{kind}.{holder}' (type.googleapis.com/google.protobuf.Struct)")
    for data in (part.get("thoughtSignature"), inner.get("data") if kind == "inlineData" else None):
        _bytes(data, where)


def _bytes(data: str | None, where: str) -> None:
    try:
        base64.b64decode((data or "").replace("-", "+").replace("_", "/") + "==")
    except (binascii.Error, ValueError) as error:
        raise Refused(f"Invalid value at '{where}' (TYPE_BYTES), Base64 decoding failed") from error


def _of(content: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [part[kind] for part in content["parts"] if kind in part]


def _order(contents: Sequence[Mapping[str, Any]]) -> None:
    """Calls follow what a user said, and the turn behind them answers each, and only them."""
    open_calls: list[dict[str, Any]] = []
    before = ""
    for content in [*contents, {"role": "end", "parts": []}]:
        role = content.get("role", "user")
        results = _of(content, "functionResponse")
        if len(results) != len(open_calls):
            raise Refused(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        if sorted(call["name"] for call in open_calls) != sorted(result["name"] for result in results):
            raise Refused("Please ensure that function responses name the functions that were called.")
        open_calls = _of(content, "functionCall")
        if open_calls and before != "user":
            raise Refused(
                "Please ensure that function call turn comes immediately after a user turn or after a function "
                "response turn."
            )
        before = "user" if role in ("user", "function") else role


def _signed(contents: Sequence[Mapping[str, Any]]) -> None:
    for content in contents:
        called = [part for part in content["parts"] if "functionCall" in part]
        if not called:
            continue
        signature = called[0].get("thoughtSignature")
        if not signature:
            name = called[0]["functionCall"]["name"]
            raise Refused(f"Function call is missing a thought_signature in functionCall parts: {name}")
        told = base64.b64decode(signature.replace("-", "+").replace("_", "/") + "==").decode(errors="replace")
        if not told.startswith("scripted:") and told not in SIGNATURES:
            raise Refused("Thought signature is not valid.")


def converse(body: Mapping[str, Any], model: str, stream: bool) -> Conversation:
    """The request as a script sees it."""
    body = spelled(body)
    contents = body["contents"]
    results: dict[str, str] = {}
    calls = next((_of(content, "functionCall") for content in reversed(contents) if content.get("role") == "model"), [])
    for number, result in enumerate(_of(contents[-1], "functionResponse")):
        id_ = result.get("id") or calls[number].get("id") or str(number)
        results[id_] = _told(result.get("response") or {})
    users = [content for content in contents if content.get("role", "user") == "user" and _text(content)]
    settings = body.get("generationConfig") or {}
    return Conversation(
        model=model,
        stream=stream,
        body=body,
        said=_text(users[-1]) if users else "",
        system=_text(body.get("systemInstruction") or {"parts": []}),
        results=results,
        rounds=sum(1 for content in contents if _of(content, "functionCall")),
        media=tuple(seen for content in contents for seen in _media(content)),
        schema=settings.get("responseJsonSchema") or settings.get("responseSchema"),
        thoughts=sum(1 for content in contents if any("thoughtSignature" in part for part in content["parts"])),
        dialect="gemini",
    )


def _told(response: Mapping[str, Any]) -> str:
    for name in ("output", "result", "return_value", "content", "error"):
        if isinstance(response.get(name), str):
            return str(response[name])
    return str(dict(response))


def _text(content: Mapping[str, Any]) -> str:
    return "".join(part.get("text", "") for part in content["parts"] if not part.get("thought"))


def _media(content: Mapping[str, Any]) -> list[str]:
    inline = [f"{data['mimeType']}:{digest(base64.b64decode(data['data']))}" for data in _of(content, "inlineData")]
    return inline + [data["fileUri"] for data in _of(content, "fileData")]
