"""Whose manners a listener has: what systems before this one did in ways that cannot be joined."""

from enum import StrEnum


class Compat(StrEnum):
    """Only what clients of one system expect and clients of another do not: see `server/manners.py`."""

    UNIFIED = "unified"
    MUX = "mux"
    TRUCK = "truck"
    BEDROCK = "bedrock"
    LLMS = "llms"
    CODEX = "codex"
