"""Explanations as people read them."""

import pytest

from isthmus.cli.explained import say_explained, say_past

REQUEST = {"model": "fast", "because": "a route", "operation": "chat", "dialect": "openai_chat", "client": "anyone"}


def test_windows_of_an_account_are_told_with_what_is_left_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    windows = [
        {"measure": "5 hours", "remaining": 0.25, "limit": 1.0, "reset": 600},
        {"measure": "requests", "remaining": 30, "limit": None, "reset": None},
    ]
    candidate = {"provider": "codex", "model": "m", "key": "me@example.com", "told_by_provider": windows}
    say_explained({"request": REQUEST, "rules": {}, "candidates": [candidate]})
    said = capsys.readouterr().out
    assert "codex/m (me@example.com) has 25% left of its limit of 5 hours, and all of it in 600 s" in said
    assert "requests" not in said, "of what nobody knows the whole, there is no share"


def test_a_spill_is_told_of_a_request_that_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    say_past({"model": "fast", "because": "a route", "spill": "it is paid by use"})
    assert "it is paid by use" in capsys.readouterr().out
