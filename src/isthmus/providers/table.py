"""PROVIDERS: every kind of provider that can be configured, by name."""

from collections.abc import Mapping

from isthmus.providers import anthropic, gemini
from isthmus.providers.compatible import COMPATIBLE
from isthmus.providers.emulate import SmallModel
from isthmus.providers.host import ANTHROPIC, GEMINI, OLLAMA, Host
from isthmus.providers.provider import Origin
from isthmus.providers.signers import unsigned

LOCAL_ORIGIN = Origin("http", "127.0.0.1", 0)
"""Stands for the bundled model, whose port is known only while it runs. Port 0 is never connected to."""
LOCAL_MODEL = "smollm2-135m"

_SPECIAL = (
    Host("openai", "https://api.openai.com/v1", ("OPENAI_API_KEY",)),
    Host("anthropic", "https://api.anthropic.com/v1", ("ANTHROPIC_API_KEY",), ANTHROPIC, anthropic.sign),
    Host("anthropic-compatible", None, dialect=ANTHROPIC, sign=anthropic.sign),
    Host(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        GEMINI,
        gemini.sign,
    ),
    Host("ollama", "http://127.0.0.1:11434", dialect=OLLAMA),
    # docs.ollama.com/cloud: the same API, with a key.
    Host("ollama-cloud", "https://ollama.com", ("OLLAMA_API_KEY",), OLLAMA),
    Host(
        "local",
        "http://127.0.0.1:0/v1",
        sign=unsigned,
        models=(LOCAL_MODEL,),
        listed=False,
        emulator=SmallModel,
    ),
)

PROVIDERS: Mapping[str, Host] = {host.name: host for host in (*_SPECIAL, *COMPATIBLE)}

__all__ = ["LOCAL_MODEL", "LOCAL_ORIGIN", "PROVIDERS", "Host"]
