"""What a Gemini client may send, in every spelling and of every sort."""

import pytest
from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import (
    Message,
    Role,
)
from isthmus.core.content import (
    CacheMark,
    Citation,
    FileRef,
    Inline,
    Media,
    MediaKind,
    Reasoning,
    Refusal,
    Signature,
    Text,
    ToolResult,
    Url,
)
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.gemini.generate import CODEC
from isthmus.wire import json
from support.gemini import ASKED, CALL, PICTURE, USER, contents, read, said

SOUND = Media(MediaKind.AUDIO, Inline("audio/wav", "A"))
OTHERS = Extra("other", {"x": Raw(b"1")})


def test_the_model_and_the_stream_stand_in_the_path() -> None:
    request = read(model="models/gemini-2.5-pro")
    assert (request.model, request.stream, request.extra) == ("", False, None)
    peek = CODEC.peek(json.encode({"contents": [USER]}))
    assert (peek.model, peek.stream, peek.marked) == ("", False, False)


def test_one_thing_may_stand_for_a_list_of_one() -> None:
    body = {"contents": {"parts": {"text": "Hello?"}}, "system_instruction": {"parts": {"text": "Be brief."}}}
    assert CODEC.read_request(json.encode(body)).messages == (Message(Role.SYSTEM, (Text("Be brief."),)), ASKED)


def test_system_text_may_be_a_string() -> None:
    assert read(systemInstruction="Be brief.").messages[0] == Message(Role.SYSTEM, (Text("Be brief."),))


@pytest.mark.parametrize("tokens", [7, 7.0, "7"])
def test_a_whole_number_may_be_spelled_in_three_ways(tokens: object) -> None:
    assert read(generationConfig={"maxOutputTokens": tokens}).max_output == 7


def test_the_name_in_camel_case_counts_where_both_are_there() -> None:
    assert read(generationConfig={"top_k": 3, "topK": 4}).sampling.top_k == 4


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{}", "contents"),
        (b'{"contents":[]}', "contents"),
        (b'{"contents":7}', "contents"),
        (b'{"contents":[{"role":"tool","parts":[]}]}', "contents[0].role"),
        (b'{"contents":[{"parts":[{"text":7}]}]}', "contents[0].parts[0].text"),
        (b'{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"topP":"much"}}', "generationConfig.topP"),
        (b'{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"functionDeclarations":[{}]}]}', None),
        (b"no", None),
    ],
)
def test_a_field_of_the_wrong_sort_is_named(body: bytes, param: str | None) -> None:
    with pytest.raises(GatewayError) as caught:
        CODEC.read_request(body)
    assert caught.value.kind is Kind.INVALID
    assert param is None or caught.value.param == param


@pytest.mark.parametrize("body", [b"{}", b'{"contents":[]}', b"[]"])
def test_a_peek_refuses_what_nobody_could_answer(body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        CODEC.peek(body)
    assert caught.value.kind is Kind.INVALID


def test_a_peek_sees_one_content_for_a_list() -> None:
    assert CODEC.peek(json.encode({"contents": USER})).usage_asked


def test_a_signed_text_is_a_text_and_a_thought_of_which_only_the_proof_is_told() -> None:
    seal = Reasoning("", Signature("google", "c2ln"), redacted=True)
    assert said({"text": "Yes.", "thoughtSignature": "c2ln"}, role="model").parts == (Text("Yes."), seal)
    body, losses = contents(ASKED, Message(Role.ASSISTANT, (Text("Yes."), seal)))
    assert body[1]["parts"] == [{"text": "Yes.", "thoughtSignature": "c2ln"}]
    assert losses == []


def test_a_signature_in_a_part_of_its_own_stays_there() -> None:
    parts = [{"text": "Yes."}, {"text": "", "thoughtSignature": "c2ln"}]
    body, losses = contents(ASKED, said(*parts, role="model"))
    assert body[1]["parts"] == parts
    assert losses == []


def test_a_proof_that_comes_first_goes_with_the_next_text() -> None:
    """Dialects that keep thoughts in a field of their own give them back in front."""
    seal = Reasoning("", Signature("google", "c2ln"), redacted=True)
    body, _ = contents(ASKED, Message(Role.ASSISTANT, (seal, Text("Yes."))))
    assert body[1]["parts"] == [{"text": "Yes.", "thoughtSignature": "c2ln"}]


def test_a_proof_without_any_text_stands_alone() -> None:
    seal = Reasoning("", Signature("google", "c2ln"), redacted=True)
    body, _ = contents(ASKED, Message(Role.ASSISTANT, (seal, CALL)), Message(Role.USER, (ToolResult("call_1", ()),)))
    assert body[1]["parts"][-1] == {"text": "", "thoughtSignature": "c2ln"}


def test_another_vendors_proof_comes_back_from_a_client_as_it_was() -> None:
    marked = "aXN0aG11czo6YW50aHJvcGljOkFCQw=="
    part = {"text": "Hm.", "thought": True, "thoughtSignature": marked}
    assert said(part, role="model").parts == (Reasoning("Hm.", Signature("anthropic", "ABC")),)
    assert CODEC.peek(json.encode({"contents": [{"role": "model", "parts": [part]}]})).marked


def test_a_proof_that_only_looks_like_ours_is_googles() -> None:
    part = {"text": "Hm.", "thought": True, "thoughtSignature": "aXN0aG11czo/"}
    assert said(part, role="model").parts == (Reasoning("Hm.", Signature("google", "aXN0aG11czo/")),)


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("image/png", MediaKind.IMAGE),
        ("audio/wav", MediaKind.AUDIO),
        ("video/mp4", MediaKind.VIDEO),
        ("application/pdf", MediaKind.DOCUMENT),
        ("text/csv", MediaKind.DOCUMENT),
    ],
)
def test_the_kind_is_told_by_the_media_type(media_type: str, kind: MediaKind) -> None:
    part = {"inlineData": {"mimeType": media_type, "data": "AAAA"}}
    assert said(part).parts == (Media(kind, Inline(media_type, "AAAA")),)


def test_base64_in_the_alphabet_for_addresses_is_read_as_the_other() -> None:
    """Google's Python client writes it so, and no other vendor takes it."""
    (media,) = said({"inlineData": {"mimeType": "image/png", "data": "-_8="}}).parts
    assert media == Media(MediaKind.IMAGE, Inline("image/png", "+/8="))


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("https://example.com/a.png", Url("https://example.com/a.png")),
        ("gs://bucket/a.png", FileRef("gemini", "gs://bucket/a.png")),
        (
            "https://generativelanguage.googleapis.com/v1beta/files/a",
            FileRef("gemini", "https://generativelanguage.googleapis.com/v1beta/files/a"),
        ),
    ],
    ids=["web", "storage", "upload"],
)
def test_googles_own_addresses_are_files_that_it_holds(uri: str, source: object) -> None:
    (media,) = said({"fileData": {"mimeType": "image/webp", "fileUri": uri}}).parts
    assert isinstance(media, Media)
    assert (media.kind, media.source) == (MediaKind.IMAGE, source)
    body, losses = contents(Message(Role.USER, (media,)))
    assert body[0]["parts"] == [{"fileData": {"mimeType": "image/webp", "fileUri": uri}}]
    assert losses == []


def test_the_type_of_an_address_is_guessed_by_its_ending_and_its_kind() -> None:
    page = Media(MediaKind.DOCUMENT, Url("https://example.com/a.txt?x=1"))
    odd = Media(MediaKind.IMAGE, Url("https://example.com/a.pdf"))
    body, _ = contents(Message(Role.USER, (page, odd)))
    assert [part["fileData"]["mimeType"] for part in body[0]["parts"]] == ["text/plain", "image/jpeg"]


def test_settings_of_a_film_stay_with_it() -> None:
    part = {
        "fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"},
        "videoMetadata": {"fps": 0.2},
    }
    body, losses = contents(said(part))
    assert body[0]["parts"] == [part]
    assert losses == []


def test_plain_text_of_a_document_is_sent_as_base64() -> None:
    body, _ = contents(Message(Role.USER, (Media(MediaKind.DOCUMENT, Inline("text/plain", "é", plain=True)),)))
    assert body[0]["parts"] == [{"inlineData": {"mimeType": "text/plain", "data": "w6k="}}]


@pytest.mark.parametrize(
    ("media", "profile", "loss"),
    [
        (PICTURE, ModelProfile(images=False), ("messages[0].parts[1]", "dropped")),
        (
            Media(MediaKind.AUDIO, Inline("audio/wav", "A")),
            ModelProfile(audio=False),
            ("messages[0].parts[1]", "dropped"),
        ),
        (Media(MediaKind.IMAGE, FileRef("anthropic", "file_1")), ModelProfile(), ("messages[0].parts[1]", "dropped")),
        (replace(PICTURE, name="a.png"), ModelProfile(), ("messages[0].parts[1].name", "dropped")),
        (replace(PICTURE, detail="low"), ModelProfile(), ("messages[0].parts[1].detail", "dropped")),
        (replace(PICTURE, cache=CacheMark()), ModelProfile(), ("cache_control", "dropped")),
        (
            replace(PICTURE, extra=Extra("other", {"x": Raw(b"1")})),
            ModelProfile(),
            ("messages[0].parts[1].x", "dropped"),
        ),
    ],
    ids=["images", "audio", "file", "name", "detail", "cache", "extra"],
)
def test_what_a_model_is_not_given_of_media_is_told(media: Media, profile: ModelProfile, loss: tuple[str, str]) -> None:
    _, losses = contents(Message(Role.USER, (Text("Look:"), media)), profile=profile)
    assert losses == [loss]


def test_a_part_that_nobody_knows_is_kept_whole() -> None:
    part = {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"}
    turn = said(part, role="model")
    assert turn.parts == (Foreign("gemini", json.raw(part)),)
    body, losses = contents(ASKED, turn)
    assert body[1]["parts"] == [part]
    assert losses == []


def test_a_part_of_another_dialect_is_lost() -> None:
    body, losses = contents(ASKED, Message(Role.ASSISTANT, (Text("Hm."), Foreign("anthropic", Raw(b"{}")))))
    assert body[1]["parts"] == [{"text": "Hm."}]
    assert losses == [("messages[1].parts[1]", "dropped")]


def test_refusals_and_citations_are_words() -> None:
    parts = (Text("See.", citations=(Citation("https://example.com"),)), Refusal("No."))
    body, losses = contents(ASKED, Message(Role.ASSISTANT, parts))
    assert body[1]["parts"] == [{"text": "See."}, {"text": "No."}]
    assert losses == [("messages[1].parts[0].citations", "dropped")]


def test_thoughts_of_nobody_are_told_as_thoughts() -> None:
    body, losses = contents(ASKED, Message(Role.ASSISTANT, (Reasoning("Hm."), Text("Yes."))))
    assert body[1]["parts"][0] == {"text": "Hm.", "thought": True}
    assert losses == []
