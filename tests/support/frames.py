"""Strategies for what providers stream: right events in wrong orders, with pieces left out."""

from typing import Any

from hypothesis import strategies as st

WORDS = st.sampled_from(["", "a", "é", "{", '{"x":1}', " "])
NUMBERS = st.integers(0, 2)
MAYBE = st.none()


def openai_chunks() -> st.SearchStrategy[dict[str, Any]]:
    """Chunks of up to three candidates."""
    usage = st.fixed_dictionaries({"prompt_tokens": NUMBERS, "completion_tokens": NUMBERS})
    function = st.fixed_dictionaries({}, optional={"name": WORDS, "arguments": WORDS})
    call = st.fixed_dictionaries(
        {}, optional={"index": NUMBERS, "id": st.sampled_from(["", "call_a", "call_b"]), "function": function}
    )
    detail = st.fixed_dictionaries(
        {"type": st.sampled_from(["reasoning.text", "reasoning.encrypted", "reasoning.summary", "other"])},
        optional={"text": WORDS, "summary": WORDS, "data": WORDS, "signature": WORDS, "index": NUMBERS},
    )
    delta = st.fixed_dictionaries(
        {},
        optional={
            "role": st.just("assistant"),
            "content": MAYBE | WORDS | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": WORDS})),
            "refusal": MAYBE | WORDS,
            "reasoning_content": MAYBE | WORDS,
            "reasoning": MAYBE | WORDS,
            "reasoning_details": MAYBE | st.lists(detail, max_size=2),
            "annotations": st.just([{"type": "url_citation", "url_citation": {"url": "https://example.com"}}]),
            "tool_calls": MAYBE | st.lists(call, max_size=3),
        },
    )
    choice = st.fixed_dictionaries(
        {"index": NUMBERS},
        optional={
            "delta": delta,
            "finish_reason": MAYBE | st.sampled_from(["stop", "tool_calls", "odd", ""]),
            "logprobs": MAYBE | st.just({"content": []}),
        },
    )
    return st.fixed_dictionaries(
        {"id": st.just("chatcmpl-1")},
        optional={"choices": st.lists(choice, max_size=2), "usage": MAYBE | usage, "model": st.just("m")},
    )


def anthropic_events() -> st.SearchStrategy[dict[str, Any]]:
    """Events of a message, pieces of blocks that may not be open among them."""
    block = st.sampled_from(
        [
            {"type": "text", "text": ""},
            {"type": "text", "text": "a", "citations": None},
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "redacted_thinking", "data": "x"},
            {"type": "tool_use", "id": "toolu_a", "name": "clock", "input": {}},
            {"type": "server_tool_use", "id": "srvtoolu_a", "name": "search", "input": {}},
        ]
    )
    delta = st.sampled_from(
        [
            {"type": "text_delta", "text": "a"},
            {"type": "thinking_delta", "thinking": "a"},
            {"type": "signature_delta", "signature": "s"},
            {"type": "input_json_delta", "partial_json": '{"x"'},
            {"type": "citations_delta", "citation": {"type": "char_location", "cited_text": "a"}},
            {"type": "new_delta", "new": 1},
        ]
    )
    message = {"id": "msg_1", "model": "m", "content": [], "usage": {"input_tokens": 1}}
    whole = {"type": "tool_use", "id": "toolu_b", "name": "clock", "input": {}}
    usage = st.fixed_dictionaries({}, optional={"output_tokens": NUMBERS})
    reason = st.fixed_dictionaries({"stop_reason": MAYBE | st.sampled_from(["end_turn", "tool_use", "odd"])})

    def event(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({"type": st.just(kind), **fields})

    return st.one_of(
        event("message_start", message=st.just(message) | st.just({**message, "content": [whole]})),
        event("content_block_start", index=NUMBERS, content_block=block),
        event("content_block_delta", index=NUMBERS, delta=delta),
        event("content_block_stop", index=NUMBERS),
        event("message_delta", delta=reason, usage=usage),
        event("message_stop"),
        event("ping"),
        event("new_event"),
    )


def converse_events() -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """Events of Converse by name, pieces of blocks that may not be open among them."""
    call = {"toolUseId": "tooluse_a", "name": "clock"}
    starts = [
        {},
        {"toolUse": call},
        {"toolUse": {**call, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "tooluse_a", "type": "result", "status": "success"}},
        {"image": {"format": "png"}},
        {"novel": {}},
    ]
    deltas = [
        {"text": "a"},
        {"text": ""},
        {"toolUse": {"input": '{"x"'}},
        {"toolResult": [{"text": "a"}]},
        {"reasoningContent": {"text": "a"}},
        {"reasoningContent": {"signature": "Ea"}},
        {"reasoningContent": {"redactedContent": "RWE="}},
        {"reasoningContent": {}},
        {"citation": {"title": "a"}},
        {"image": {"source": {"bytes": "AAAA"}}},
        {"image": {"error": {"message": "a"}}},
        {"novel": 1},
    ]
    told = st.fixed_dictionaries({}, optional={"usage": st.just({"outputTokens": 1}), "metrics": st.just({})})

    def event(name: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
        return st.tuples(st.just(name), st.fixed_dictionaries(fields))

    return st.one_of(
        event("messageStart", role=st.just("assistant")),
        event("contentBlockStart", contentBlockIndex=NUMBERS, start=st.sampled_from(starts)),
        event("contentBlockDelta", contentBlockIndex=NUMBERS, delta=st.sampled_from(deltas)),
        event("contentBlockStop", contentBlockIndex=NUMBERS),
        event("messageStop", stopReason=st.sampled_from(["end_turn", "tool_use", "odd"])),
        st.tuples(st.just("metadata"), told),
        event("novelEvent"),
    )
