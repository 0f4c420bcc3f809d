"""What the scripted provider says, in no dialect: one script per model name.

A script looks at the conversation and gives an act: an answer, a refusal by status, or a way of
breaking. The voices (`openai_voice.py`, `anthropic_voice.py`) put acts on the wire. A model name
may carry another model's name and `+` in front, and a tag after `@`; the scripts see neither.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

KEY = "sk-upstream-4f9c2a71d05e8b36"
"""The only key that the scripted provider accepts; what no client may ever see."""
MIDSTREAM_ERRORS = {
    "error": "The scripted provider lost its thread.",
    "leak": f"The key {KEY} has lost its thread.",
}
"""What the two errors in the middle of a stream say."""
HELLO = 'Hello from the wire: naïve café, 東京, 🙂 and "quotes" \\ too.'
THOUGHT = "The user greets me. I should greet back — briefly."
AWKWARD = (
    '{"note": "say \\"hi\\" \\\\ to Zoë\\n\\u2028🙂", "nested": {"none": null, "list": [1, 2.50, []]}, "flag": false}'
)
PARIS_JSON = '{"city": "Paris", "degrees": 21}'
DENIAL = "I can't help with that."
TOO_LONG = "prompt is too long: 200001 tokens > 200000 maximum"
SLOW_PIECES = 400
"""Pieces of an endless answer; at its pace it would take 20 s, so whoever hears them all was not cancelled."""


@dataclass(frozen=True)
class Tokens:
    """What every answer costs, in buckets that do not overlap. `written` is told by the Anthropic voice only."""

    fresh: int = 21
    read: int = 100
    written: int = 8
    visible: int = 12
    thought: int = 5


TOKENS = Tokens()


@dataclass(frozen=True)
class Words:
    text: str


@dataclass(frozen=True)
class Thought:
    text: str


@dataclass(frozen=True)
class Call:
    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Denial:
    text: str


Part: TypeAlias = Words | Thought | Call | Denial


@dataclass(frozen=True)
class Answer:
    """`stop`: stop, calls, length, word (a stop sequence) or refused. Times in seconds.

    `late` is before the answer's head, `before` before its first event, `between` before each piece of text.
    `odd` names a habit of OpenAI-like hosts, see `openai_habits.py`.
    `crumb` cuts the stream into writes of so many bytes; `unstreamed` answers whole, whatever was asked.
    `cut` breaks the stream after its `words` first pieces: reset, end (a clean end without a finish), error, or
    leak (an error whose text holds the key).
    """

    parts: tuple[Part, ...]
    stop: str = "stop"
    late: float = 0.0
    before: float = 0.0
    between: float = 0.0
    odd: str = ""
    crumb: int | None = None
    unstreamed: bool = False
    cut: str | None = None
    words: int = 2


@dataclass(frozen=True)
class Failure:
    """An answer with an error status; `kind` is the word of the error's type in OpenAI's and in Anthropic's table."""

    status: int
    message: str
    kind: tuple[str, str]
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    late: float = 0.0


@dataclass(frozen=True)
class Broken:
    """What no provider should do: html, html_error, drop, silence, error_body, cut_body, not_json."""

    how: str


Act: TypeAlias = Answer | Failure | Broken


@dataclass(frozen=True)
class Conversation:
    """What a script may look at, the same for both dialects."""

    model: str
    stream: bool
    body: Mapping[str, Any]
    said: str
    """The text of the last user turn."""
    system: str
    results: Mapping[str, str]
    """The text of each tool result of the last turn, by call id."""
    rounds: int
    """How many turns of the history hold tool calls."""
    media: tuple[str, ...]
    """Each image or document of the conversation, as `type:first eight hex digits of its digest`, or its address."""
    schema: Mapping[str, Any] | None
    """The JSON schema asked for by the dialect's own means."""
    thoughts: int
    """Thinking blocks with a good signature in the history."""
    dialect: str


Script: TypeAlias = Callable[[Conversation], Act]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]


def _weather(*cities: str, opening: tuple[Part, ...] = ()) -> Script:
    """Asks for the weather of each city at once, then tells all of it in the order of the cities."""

    def script(talk: Conversation) -> Act:
        calls = tuple(
            Call(f"call_{city.lower()}_{number}", "get_weather", json.dumps({"city": city}))
            for number, city in enumerate(cities)
        )
        if not talk.results:
            return Answer((*opening, *calls), "calls")
        told = "; ".join(f"{city}: {text}" for city, text in zip(cities, _results_of(calls, talk), strict=True))
        return Answer((Words(told),))

    return script


def _results_of(calls: tuple[Call, ...], talk: Conversation) -> list[str]:
    """The calls' results: by id, or in their order where the client's dialect keeps no ids."""
    known = all(call.id in talk.results for call in calls)
    return [talk.results[call.id] for call in calls] if known else list(talk.results.values())


def _awkward(talk: Conversation) -> Act:
    if talk.results:
        return Answer((Words(f"It said: {talk.results['call_awkward']}"),))
    return Answer((Call("call_awkward", "note", AWKWARD),), "calls")


def _bare_call(talk: Conversation) -> Act:
    if talk.results:
        return Answer((Words("Done."),))
    return Answer((Call("call_bare", "ping", "{}"),), "calls")


def _thoughtful(talk: Conversation) -> Act:
    if talk.rounds or not talk.body.get("tools"):
        return Answer((Thought(THOUGHT), Words(f"{HELLO} (thoughts returned: {talk.thoughts})")))
    return Answer((Thought(THOUGHT), Call("call_think", "get_weather", '{"city": "Paris"}')), "calls")


def _seeing(talk: Conversation) -> Act:
    return Answer((Words("I see " + (", ".join(talk.media) or "nothing")),))


def _structured(talk: Conversation) -> Act:
    if talk.schema is None:
        return Failure(400, "the test asked for no schema", ("invalid_request_error", "invalid_request_error"))
    return Answer((Words(PARIS_JSON),))


def _giving(talk: Conversation) -> Act:
    """The same by whatever means it was asked for: a schema, a tool that must be called, or words."""
    tools = talk.body.get("tools")
    if talk.schema is None and tools:
        return Answer((Call("call_give", _first_name(tools), PARIS_JSON),), "calls")
    return Answer((Words(PARIS_JSON),))


def _first_name(tools: Any) -> str:
    """The first tool's name, in any dialect."""
    inner = tools[0] if isinstance(tools, list) else tools
    if isinstance(inner.get("name"), str):
        return str(inner["name"])
    return _first_name(next(value for value in inner.values() if isinstance(value, dict | list)))


def _goes_on(talk: Conversation) -> Answer:
    """As a model that goes on with a turn of its own at the end: it says the rest of its greeting only."""
    last = talk.body["messages"][-1]
    begun = last["content"] if last["role"] == "assistant" else ""
    told = begun if isinstance(begun, str) else "".join(part["text"] for part in begun)
    return Answer((Words(HELLO.removeprefix(told)),))


def _odd(talk: Conversation) -> Act:
    """The habit is the tag of the model's name."""
    habit = talk.model.partition("@")[2]
    if not talk.body.get("tools"):
        return Answer((Words(HELLO),), odd=habit)
    calls = [Call(f"call_{city}", "get_weather", json.dumps({"city": city})) for city in ("Paris", "Oslo")]
    return Answer((Words("Let me look."), *calls), "calls", odd=habit)


def _says(*parts: Part, **how: Any) -> Script:
    return lambda talk: Answer(parts, **how)


def _fails(status: int, message: str, *kind: str, code: str | None = None, **headers: str) -> Script:
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda talk: Failure(status, message, (kind[0], kind[-1]), code, spelled)


def _breaks(how: str) -> Script:
    return lambda talk: Broken(how)


SCRIPTS: Mapping[str, Script] = {
    "says-hello": _says(Words(HELLO)),
    "is-odd": _odd,
    "crumbles": _says(Words(HELLO), crumb=3),
    "does-not-stream": _says(Thought(THOUGHT), Words(HELLO), unstreamed=True),
    "says-much": _says(Words("word " * 500)),
    "slow-if-asked": lambda talk: Answer((Words(HELLO),), late=5.0 if talk.said == "Slowly." else 0.0),
    "goes-on": _goes_on,
    "goes-on-late": lambda talk: replace(_goes_on(talk), late=0.5),
    "thinks": _thoughtful,
    "calls-one": _weather("Paris"),
    "calls-two": _weather("Paris", "Oslo", opening=(Words("Let me look."),)),
    "calls-awkward": _awkward,
    "calls-bare": _bare_call,
    "sees": _seeing,
    "answers-json": _structured,
    "gives-json": _giving,
    "refuses": _says(Denial(DENIAL), stop="refused"),
    "runs-out": _says(Words("This goes on and"), stop="length"),
    "stops-at-word": _says(Words("One, two, "), stop="word"),
    "speaks-slowly": _says(Words("tick " * SLOW_PIECES), between=0.05),
    "ticks": _says(Words("tick " * 10), between=0.05),
    "pauses": _says(Words("One two"), before=0.4, between=0.4),
    "dawdles": _says(Words(HELLO), late=0.5),
    "dawdles-and-fails": lambda talk: Failure(500, "Too late.", ("server_error", "api_error"), late=0.5),
    "fails-400": _fails(400, "max_tokens: the scripted provider does not like it", "invalid_request_error"),
    "fails-401": _fails(
        401,
        f"Incorrect API key provided: {KEY}. Get one at the desk.",
        "invalid_request_error",
        "authentication_error",
        code="invalid_api_key",
    ),
    "fails-403": _fails(403, "This model is not for you.", "permission_error"),
    "fails-404": _fails(
        404, "The model does not exist here.", "invalid_request_error", "not_found_error", code="model_not_found"
    ),
    "fails-413": _fails(413, "Request exceeds the maximum size", "invalid_request_error", "request_too_large"),
    "fails-429": _fails(
        429,
        "Rate limit reached for the scripted model: limit 3, used 3.",
        "tokens",
        "rate_limit_error",
        code="rate_limit_exceeded",
        retry_after="7",
    ),
    "fails-429-with-key": _fails(
        429, f"Rate limit reached for key {KEY}.", "tokens", "rate_limit_error", retry_after="7"
    ),
    "fails-500": _fails(500, "The server had an error while processing your request.", "server_error", "api_error"),
    "fails-529": _fails(529, "Overloaded", "server_error", "overloaded_error"),
    "too-long": _fails(
        400,
        TOO_LONG,
        "invalid_request_error",
        code="context_length_exceeded",
    ),
    "sends-html": _breaks("html"),
    "sends-html-error": _breaks("html_error"),
    "sends-text": _breaks("not_json"),
    "drops": _breaks("drop"),
    "never-answers": _breaks("silence"),
    "sends-error-body": _breaks("error_body"),
    "cuts-body": _breaks("cut_body"),
    "resets-midway": _says(Words(HELLO), cut="reset"),
    "resets-at-once": _says(Words(HELLO), cut="reset", words=0),
    "errs-at-once": _says(Words(HELLO), cut="error", words=0),
    "ends-midway": _says(Words(HELLO), cut="end"),
    "errs-midway": _says(Words(HELLO), cut="error"),
    "leaks-midway": _says(Words(HELLO), cut="leak"),
    "leaks-midway-in-crumbs": _says(Words(HELLO), cut="leak", crumb=5),
}


def script_of(model: str) -> Script | None:
    return SCRIPTS.get(model.partition("@")[0].rpartition("+")[2])
