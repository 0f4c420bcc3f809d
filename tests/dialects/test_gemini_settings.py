"""Tools, thinking, the shape of the answer and the numbers, as Gemini spells them and as its models take them."""

from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.chat import (
    OutputFormat,
    OutputKind,
    ReasoningMode,
    ReasoningOptions,
    Sampling,
    Tool,
    ToolChoice,
    ToolMode,
)
from isthmus.core.content import (
    CacheMark,
)
from isthmus.core.profile import ModelProfile, ReasoningStyle, SchemaStyle
from isthmus.core.value import Extra, Foreign
from support.gemini import USER, Lost, asking, read, write

BUDGETED = ModelProfile(reasoning=ReasoningStyle.BUDGET, efforts=("none",), budgets=(512, 24_576))
ALWAYS = ModelProfile(reasoning=ReasoningStyle.BUDGET, budgets=(128, 32_768))
LEVELLED = ModelProfile(efforts=("low", "high"))
NO_EFFORT = [("reasoning.effort", "dropped")]


def test_tools_of_google_stand_beside_the_callers() -> None:
    tools = [
        {"googleSearch": {}, "functionDeclarations": [{"name": "clock"}]},
        {"code_execution": {}},
        {"functionDeclarations": {"name": "bell", "behavior": "BLOCKING"}},
    ]
    read_tools = read(tools=tools).tools
    assert read_tools == (
        Tool("clock"),
        Foreign("gemini", Raw(b'{"googleSearch":{}}')),
        Foreign("gemini", Raw(b'{"codeExecution":{}}')),
        Tool("bell", extra=Extra("gemini", {"behavior": Raw(b'"BLOCKING"')})),
    )
    body, losses = write(asking(tools=(*read_tools, Foreign("anthropic", Raw(b"{}")))))
    assert body["tools"] == [
        {"functionDeclarations": [{"name": "clock"}]},
        {"googleSearch": {}},
        {"codeExecution": {}},
        {"functionDeclarations": [{"name": "bell", "behavior": "BLOCKING"}]},
    ]
    assert losses == [("tools[4]", "dropped")]


@pytest.mark.parametrize(
    ("config", "choice"),
    [
        ({"mode": "AUTO"}, ToolChoice(ToolMode.AUTO)),
        ({"mode": "NONE"}, ToolChoice(ToolMode.NONE)),
        ({"mode": "ANY"}, ToolChoice(ToolMode.REQUIRED)),
        ({"mode": "ANY", "allowedFunctionNames": ["clock"]}, ToolChoice(ToolMode.NAMED, "clock")),
        ({"mode": "ANY", "allowedFunctionNames": ["clock", "bell"]}, ToolChoice(ToolMode.REQUIRED)),
        ({"mode": "VALIDATED"}, ToolChoice(ToolMode.AUTO)),
        ({"mode": "NOVEL"}, None),
        ({"streamFunctionCallArguments": True}, None),
    ],
)
def test_what_must_be_called_comes_back_word_for_word(config: dict[str, Any], choice: ToolChoice | None) -> None:
    tools = [{"functionDeclarations": [{"name": "clock"}, {"name": "bell"}]}]
    request = read(tools=tools, toolConfig={"functionCallingConfig": config, "retrievalConfig": {"languageCode": "no"}})
    assert request.tool_choice == choice
    body, losses = write(request)
    assert body["toolConfig"] == {"functionCallingConfig": config, "retrievalConfig": {"languageCode": "no"}}
    assert losses == []


def test_without_a_function_there_is_no_choice() -> None:
    config = {"functionCallingConfig": {"mode": "VALIDATED"}, "includeServerSideToolInvocations": True}
    body, _ = write(read(tools=[{"googleSearch": {}}], toolConfig=config))
    assert body["toolConfig"] == {"includeServerSideToolInvocations": True}


def test_what_no_tool_of_google_can_be_told_is_lost() -> None:
    tool = Tool("clock", strict=True, cache=CacheMark(), extra=Extra("openai_chat", {"x": Raw(b"1")}))
    _, losses = write(asking(tools=(tool,), parallel_tools=False))
    assert losses == [
        ("tools[0].strict", "dropped"),
        ("cache_control", "dropped"),
        ("tools[0].x", "dropped"),
        ("parallel_tools", "dropped"),
    ]


@pytest.mark.parametrize(
    ("config", "options"),
    [
        ({"thinkingBudget": 1024, "includeThoughts": True}, ReasoningOptions(ReasoningMode.ON, budget=1024)),
        ({"thinkingBudget": 1024}, ReasoningOptions(budget=1024)),
        ({"thinkingBudget": 0}, ReasoningOptions(ReasoningMode.OFF)),
        ({"thinkingBudget": -1, "includeThoughts": True}, ReasoningOptions(ReasoningMode.ADAPTIVE)),
        ({"thinkingBudget": -1}, ReasoningOptions(ReasoningMode.ADAPTIVE, show="omitted")),
        ({"thinkingLevel": "LOW"}, ReasoningOptions(effort="low")),
        ({"thinkingLevel": "LOW", "includeThoughts": True}, ReasoningOptions(ReasoningMode.ADAPTIVE, "low")),
        ({"includeThoughts": True}, ReasoningOptions(show="summarized")),
        ({"includeThoughts": False}, ReasoningOptions(show="omitted")),
        ({"thinkingBudget": 7, "novel": 1}, ReasoningOptions(budget=7, extra=Extra("gemini", {"novel": Raw(b"1")}))),
    ],
)
def test_every_way_to_ask_for_thinking_comes_back(config: dict[str, Any], options: ReasoningOptions) -> None:
    request = read(generationConfig={"thinkingConfig": config})
    assert request.reasoning == options
    body, losses = write(request)
    assert body["generationConfig"]["thinkingConfig"] == config
    assert losses == []


def test_an_empty_wish_to_think_is_none() -> None:
    assert read(generationConfig={"thinkingConfig": {}}).reasoning is None


@pytest.mark.parametrize(
    ("options", "profile", "config", "losses"),
    [
        (ReasoningOptions(effort="medium"), BUDGETED, {"thinkingBudget": 8192}, [("reasoning.effort", "rewritten")]),
        (ReasoningOptions(effort="max"), BUDGETED, {"thinkingBudget": 24576}, [("reasoning.effort", "rewritten")]),
        (ReasoningOptions(budget=100), BUDGETED, {"thinkingBudget": 512}, [("reasoning.budget", "rewritten")]),
        (
            ReasoningOptions(budget=600, effort="low"),
            BUDGETED,
            {"thinkingBudget": 600},
            [("reasoning.effort", "dropped")],
        ),
        (ReasoningOptions(ReasoningMode.OFF), BUDGETED, {"thinkingBudget": 0}, []),
        (ReasoningOptions(ReasoningMode.OFF), ALWAYS, {"thinkingBudget": 128}, [("reasoning.mode", "rewritten")]),
        (ReasoningOptions(ReasoningMode.ON), BUDGETED, {"thinkingBudget": -1, "includeThoughts": True}, []),
        (ReasoningOptions(effort="medium"), LEVELLED, {"thinkingLevel": "HIGH"}, [("reasoning.effort", "rewritten")]),
        (ReasoningOptions(budget=1000), LEVELLED, {"thinkingLevel": "LOW"}, [("reasoning.budget", "rewritten")]),
        (
            ReasoningOptions(budget=9000, effort="low"),
            LEVELLED,
            {"thinkingLevel": "HIGH"},
            [("reasoning.budget", "rewritten"), ("reasoning.effort", "dropped")],
        ),
        (ReasoningOptions(ReasoningMode.OFF), LEVELLED, {"thinkingLevel": "LOW"}, [("reasoning.mode", "rewritten")]),
        (ReasoningOptions(ReasoningMode.ADAPTIVE), LEVELLED, {"includeThoughts": True}, []),
        (ReasoningOptions(effort="novel"), LEVELLED, {"thinkingLevel": "NOVEL"}, []),
        (
            ReasoningOptions(effort="low", budget=7),
            ModelProfile(),
            {"thinkingBudget": 7},
            [("reasoning.effort", "dropped")],
        ),
    ],
)
def test_a_model_is_asked_to_think_in_its_own_terms(
    options: ReasoningOptions, profile: ModelProfile, config: dict[str, Any], losses: Lost
) -> None:
    body, found = write(asking(reasoning=options), profile)
    assert body["generationConfig"]["thinkingConfig"] == config
    assert found == losses


@pytest.mark.parametrize(("mode", "losses"), [(ReasoningMode.ON, [("reasoning", "dropped")]), (ReasoningMode.OFF, [])])
def test_a_model_that_does_not_think_is_not_asked_to(mode: ReasoningMode, losses: Lost) -> None:
    thoughtless = ModelProfile(reasoning=ReasoningStyle.NONE)
    body, found = write(asking(reasoning=ReasoningOptions(mode)), thoughtless)
    assert "generationConfig" not in body
    assert found == losses


def test_fields_that_only_google_knows_come_back_where_they_stood() -> None:
    told = {
        "generationConfig": {"responseModalities": ["TEXT", "IMAGE"], "speechConfig": {"languageCode": "no"}},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "cachedContent": "cachedContents/a",
        "labels": {"team": "a"},
    }
    body, losses = write(read(**told))
    assert body == {"contents": [USER], **told}
    assert losses == []


def test_that_text_alone_is_wanted_is_no_loss_elsewhere() -> None:
    request = read(generationConfig={"responseModalities": ["TEXT"]})
    assert request.extra is not None
    assert request.extra.fields == {}
    assert write(request)[0]["generationConfig"] == {"responseModalities": ["TEXT"]}


def test_leftovers_of_another_dialect_are_lost() -> None:
    _, losses = write(asking(extra=Extra("openai_chat", {"store": Raw(b"true")}), end_user="ida"))
    assert losses == [("end_user", "dropped"), ("store", "dropped")]


@pytest.mark.parametrize(
    ("config", "output"),
    [
        ({"responseMimeType": "text/plain"}, OutputFormat(OutputKind.TEXT)),
        ({"responseMimeType": "application/json"}, OutputFormat(OutputKind.JSON)),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
            OutputFormat(OutputKind.SCHEMA, schema=Raw(b'{"type":"object"}')),
        ),
        ({"responseMimeType": "text/x.enum", "responseSchema": {"enum": ["a"]}}, None),
    ],
)
def test_what_the_answer_must_look_like_comes_back(config: dict[str, Any], output: OutputFormat | None) -> None:
    request = read(generationConfig=config)
    assert request.output == output
    body, losses = write(request)
    assert body["generationConfig"] == config
    assert losses == []


SCHEMA = OutputFormat(OutputKind.SCHEMA, name="place", about="A place.", schema=Raw(b'{"type":"object"}'))


@pytest.mark.parametrize(
    ("output", "profile", "losses"),
    [
        (SCHEMA, ModelProfile(schema=SchemaStyle.NONE), [("output", "emulated")]),
        (SCHEMA, ModelProfile(schema_with_tools=False), [("output", "emulated")]),
        (SCHEMA, ModelProfile(schema=SchemaStyle.JSON_MODE), [("output.schema", "emulated")]),
        (OutputFormat(OutputKind.JSON), ModelProfile(schema=SchemaStyle.NONE), [("output", "emulated")]),
    ],
    ids=["no schema", "not beside tools", "json mode", "no json"],
)
def test_a_model_that_is_not_held_to_json_is_asked_in_words(
    output: OutputFormat, profile: ModelProfile, losses: Lost
) -> None:
    body, found = write(asking(output=output, tools=(Tool("clock"),)), profile)
    assert "JSON" in body["systemInstruction"]["parts"][0]["text"]
    assert found == losses


def test_a_schema_stands_alone() -> None:
    body, losses = write(asking(output=SCHEMA))
    assert body["generationConfig"]["responseJsonSchema"] == {"type": "object"}
    assert losses == [("output.name", "dropped"), ("output.about", "dropped")]


@pytest.mark.parametrize(
    ("fields", "profile", "losses"),
    [
        ({"sampling": Sampling(temperature=3.0)}, ModelProfile(), [("sampling.temperature", "rewritten")]),
        ({"sampling": Sampling(top_k=3)}, ModelProfile(sampling=False), [("sampling.top_k", "dropped")]),
        ({"sampling": Sampling(stop=tuple("abcdef"))}, ModelProfile(), [("sampling.stop[5:]", "dropped")]),
        ({"max_output": 9999}, ModelProfile(max_output_limit=10), [("max_output", "rewritten")]),
    ],
    ids=["temperature", "no sampling", "stops", "limit"],
)
def test_numbers_beyond_what_the_model_takes_are_told(
    fields: dict[str, Any], profile: ModelProfile, losses: Lost
) -> None:
    assert write(asking(**fields), profile)[1] == losses


def test_a_model_that_needs_a_limit_is_given_one() -> None:
    body, losses = write(asking(), ModelProfile(requires_max_output=True, default_max_output=77))
    assert body["generationConfig"] == {"maxOutputTokens": 77}
    assert losses == []
