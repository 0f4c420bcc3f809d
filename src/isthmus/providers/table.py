"""PROVIDERS: every kind of provider that can be configured, by name."""

from collections.abc import Mapping

from isthmus.core.operations import Operation
from isthmus.providers import anthropic, azure, bedrock, codex, gemini, vertex
from isthmus.providers.compatible import COMPATIBLE
from isthmus.providers.emulate import SmallModel
from isthmus.providers.host import ANTHROPIC, BEDROCK, GEMINI, OLLAMA, OPENAI_CHAT, Host
from isthmus.providers.provider import Origin
from isthmus.providers.signers import unsigned

LOCAL_ORIGIN = Origin("http", "127.0.0.1", 0)
"""Stands for the bundled model, whose port is known only while it runs. Port 0 is never connected to."""
LOCAL_MODEL = "smollm2-135m"

SPECIAL: tuple[Host, ...] = (
    Host(
        "openai",
        "https://api.openai.com/v1",
        ("OPENAI_API_KEY",),
        also={
            Operation.CHAT: (OPENAI_CHAT, "openai_responses", "openai_completions"),
            Operation.COUNT_TOKENS: ("openai",),
        },
    ),
    Host("anthropic", "https://api.anthropic.com/v1", ("ANTHROPIC_API_KEY",), ANTHROPIC, anthropic.sign),
    Host("anthropic-compatible", None, dialect=ANTHROPIC, sign=anthropic.sign),
    Host(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        GEMINI,
        gemini.sign,
    ),
    # The variables are those of Microsoft's own libraries.
    Host(
        "azure",
        None,
        ("AZURE_OPENAI_API_KEY",),
        sign=azure.sign,
        listed=False,
        settings={
            "api-version": ("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION"),
            "tenant-id": ("AZURE_TENANT_ID",),
            "client-id": ("AZURE_CLIENT_ID",),
            "credentials-file": ("AZURE_FEDERATED_TOKEN_FILE",),
            "authority-url": ("AZURE_AUTHORITY_HOST",),
        },
        url_env=("AZURE_OPENAI_ENDPOINT",),
        locate=azure.locate,
        cloud="entra",
    ),
    # The variables are those of Google's, Anthropic's and Vercel's libraries. GOOGLE_API_KEY is Gemini's.
    Host(
        "vertex",
        None,
        ("GOOGLE_VERTEX_API_KEY",),
        GEMINI,
        vertex.sign,
        models=("gemini-*", "claude-*"),
        listed=False,
        also={
            Operation.CHAT: (GEMINI, ANTHROPIC, OPENAI_CHAT),
            Operation.EMBED: ("gemini_single", "vertex", "vertex_single"),
            Operation.COUNT_TOKENS: (GEMINI, ANTHROPIC),
        },
        settings={
            "region": ("GOOGLE_CLOUD_LOCATION", "GOOGLE_VERTEX_LOCATION", "CLOUD_ML_REGION"),
            "project": ("GOOGLE_CLOUD_PROJECT", "GOOGLE_VERTEX_PROJECT", "ANTHROPIC_VERTEX_PROJECT_ID"),
            "credentials-file": (),
        },
        locate=vertex.locate,
        cloud="google",
    ),
    Host("ollama", "http://127.0.0.1:11434", dialect=OLLAMA),
    # docs.ollama.com/cloud: the same API, with a key.
    Host("ollama-cloud", "https://ollama.com", ("OLLAMA_API_KEY",), OLLAMA),
    Host(
        "bedrock",
        None,
        ("AWS_BEARER_TOKEN_BEDROCK",),
        BEDROCK,
        bedrock.sign,
        models=bedrock.MODELS,
        listed=False,
        settings={"region": ("AWS_REGION", "AWS_DEFAULT_REGION"), "profile": ("AWS_PROFILE",)},
        locate=bedrock.locate,
        cloud="aws",
    ),
    Host(
        "codex",
        codex.BASE,
        sign=codex.sign,
        quirks=codex.QUIRKS,
        models=codex.MODELS,
        also={Operation.CHAT: ("openai_responses",), Operation.EMBED: ()},
        locate=codex.locate,
        limits_account=True,
        issuer=codex.ISSUER,
        stand_ins=codex.STAND_INS,
    ),
    Host(
        "local",
        "http://127.0.0.1:0/v1",
        sign=unsigned,
        models=(LOCAL_MODEL,),
        listed=False,
        emulator=SmallModel,
    ),
)
"""Hosts that are unlike the many: by what they speak, how they are signed to, or where they are."""

PROVIDERS: Mapping[str, Host] = {host.name: host for host in (*SPECIAL, *COMPATIBLE)}

__all__ = ["LOCAL_MODEL", "LOCAL_ORIGIN", "PROVIDERS", "SPECIAL", "Host"]
