"""The desks of the scripted provider beside those of OpenAI and Anthropic: Gemini, Ollama and Converse.

A desk checks the key, lets its judge look at the body, and lets its voice say what the script of the model does.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

from fakes import (
    converse_judge,
    converse_voice,
    gemini_judge,
    gemini_voice,
    ollama_judge,
    ollama_voice,
)
from fakes.scripts import KEY, Act, Conversation, Script
from fakes.wire import Refused, Reply, Whole


class Asked(Protocol):
    """A request as it arrived."""

    headers: Any
    model: str
    verdict: str | None

    @property
    def json(self) -> Any: ...


Judge = Callable[[Any, str, bool], Conversation]
"""Of the body, the model and whether to stream as the path says them: the conversation, or Refused."""


@dataclass(frozen=True)
class Desk:
    """`path` matches what is asked here; its groups are the model and the method, where the path names them."""

    path: re.Pattern[str]
    header: str
    judge: Judge
    answer: Callable[[Act, Conversation], Reply]
    refusal: Callable[[int, str], Reply]
    streams: str = ""
    """The method that asks for a stream."""

    def reply(self, seen: Asked, path: str, script: Callable[[str], Script | None]) -> Reply:
        groups = [*self._groups(path), "", ""]
        seen.model = groups[0]
        if seen.headers.get(self.header, "").removeprefix("Bearer ") != KEY:
            seen.verdict = "a wrong key"
            return self.refusal(401, "The key is not valid.")
        try:
            seen.model = seen.model or str(seen.json.get("model", ""))
            talk = self.judge(seen.json, seen.model, groups[1] == self.streams)
        except Refused as refused:
            seen.verdict = refused.message
            return self.refusal(400, refused.message)
        found = script(seen.model)
        if found is None:
            return self.refusal(404, f"The model {seen.model} does not exist.")
        return self.answer(found(talk), talk)

    def _groups(self, path: str) -> list[str]:
        found = self.path.fullmatch(path)
        return [unquote(group) for group in found.groups()] if found else []


def find(path: str) -> Desk | None:
    return next((desk for desk in DESKS if desk.path.fullmatch(path)), None)


def _gemini(body: Any, model: str, stream: bool) -> Conversation:
    gemini_judge.judge(body, model)
    return gemini_judge.converse(body, model, stream)


def _ollama(body: Any, model: str, stream: bool) -> Conversation:
    ollama_judge.judge(body)
    return ollama_judge.converse(body)


def _generate(body: Any, model: str, stream: bool) -> Conversation:
    return _ollama(ollama_judge.as_chat(body), model, stream)


def _converse(body: Any, model: str, stream: bool) -> Conversation:
    converse_judge.judge(body, model)
    return converse_judge.converse(body, model, stream)


DESKS = (
    Desk(
        re.compile("/gemini/v1beta/models/([^:]+):(generateContent|streamGenerateContent)"),
        "x-goog-api-key",
        _gemini,
        gemini_voice.answer,
        lambda status, message: Whole(status, gemini_voice.error_body(status, message)),
        "streamGenerateContent",
    ),
    Desk(
        re.compile("/ollama/api/chat"),
        "authorization",
        _ollama,
        ollama_voice.answer,
        lambda status, message: Whole(status, ollama_voice.error_body(message)),
    ),
    Desk(
        re.compile("/ollama/api/generate"),
        "authorization",
        _generate,
        ollama_voice.continues,
        lambda status, message: Whole(status, ollama_voice.error_body(message)),
    ),
    Desk(
        re.compile("/bedrock/model/([^/]+)/(converse|converse-stream)"),
        "authorization",
        _converse,
        converse_voice.answer,
        converse_voice.refusal,
        "converse-stream",
    ),
)
