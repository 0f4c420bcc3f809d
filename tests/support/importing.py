"""Files of other systems, as the gateway reads them."""

from collections.abc import Mapping
from pathlib import Path

from isthmus.config.foreign import Foreign, translated
from isthmus.config.imports.report import Fit
from isthmus.config.load import Found, Loaded, parse
from isthmus.config.problems import ConfigProblems, Problem
from isthmus.config.secrets import Environment

SPECIMENS = Path(__file__).parents[1] / "config" / "imports" / "specimens"
FILES: Mapping[str, str] = {
    "llm_mux.yaml": "llm-mux",
    "llm_mux_older.yaml": "llm-mux",
    "truckllm.yaml": "truckllm",
    "llms.json": "llms",
    "settings.json": "codex",
    "accounts.json": "codex",
    "litellm.yaml": "litellm",
}
"""Every specimen, and whose it is."""
VARIABLES: Mapping[str, str] = {
    name: f"{name.lower().replace('_', '-')}-0123456789"
    for name in (
        "ANTHROPIC_API_KEY",
        "AZURE_API_KEY",
        "GEMINI_API_KEY",
        "GROQ_API_KEY",
        "LITELLM_MASTER_KEY",
        "OPENAI_API_KEY",
        "REDIS_HOST",
        "REDIS_PASSWORD",
        "TRUCK_ADMIN_KEY",
    )
}
"""What the specimens name of the environment, but for what the tests leave out."""


def text_of(file: str) -> str:
    return (SPECIMENS / file).read_text()


def foreign(text: str, variables: Mapping[str, str] = VARIABLES, *, kind: str | None = None) -> Foreign:
    """The text of another system in our words."""
    found = translated(text, Environment(variables), text_of, kind=kind)
    assert found is not None, "it is not taken for a file of another system"
    return found


def taken_over(text: str, variables: Mapping[str, str] = VARIABLES) -> Loaded:
    """The configuration that a file with this text comes to."""
    return parse(text, Found(SPECIMENS / "a-file", "a test"), Environment(variables))


def problems(text: str, variables: Mapping[str, str] = VARIABLES) -> tuple[Problem, ...]:
    try:
        taken_over(text, variables)
    except ConfigProblems as bad:
        return bad.problems
    return ()


def said(found: Foreign, what: Fit) -> set[str]:
    """The keys of which this is told."""
    return {one.line.partition(":")[0] for one in found.remarks if one.what is what}
