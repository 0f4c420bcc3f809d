"""Leftovers of another dialect are told as losses, unless they say nothing."""

from msgspec import Raw

from isthmus.core.losses import Deed, Loss, Losses
from isthmus.core.value import Extra


def test_a_leftover_is_told_by_its_path() -> None:
    losses = Losses()
    losses.drop_extra(Extra("openai_chat", {"seed": Raw(b"7")}), "messages[1]")
    assert losses.found == [Loss("messages[1].seed", Deed.DROPPED, "only openai_chat knows this field")]


def test_an_empty_leftover_is_no_loss() -> None:
    losses = Losses()
    losses.drop_extra(Extra("d", {"a": Raw(b"null"), "b": Raw(b'""'), "c": Raw(b"[]"), "d": Raw(b"{}")}), "")
    assert not losses.found
