"""Configurations from text, without a file and without this machine's environment."""

from collections.abc import Mapping
from pathlib import Path

from isthmus.config.listening import AS_CONFIGURED, Listen
from isthmus.config.load import Found, Loaded, parse
from isthmus.config.problems import ConfigProblems, Problem
from isthmus.config.schema import Config
from isthmus.config.secrets import Environment

NOTHING: Mapping[str, str] = {}


def load_text(
    text: str, variables: Mapping[str, str] = NOTHING, *, folder: Path = Path("nowhere"), listen: Listen = AS_CONFIGURED
) -> Loaded:
    """What a file with this text in `folder` comes to."""
    return parse(text, Found(folder / "isthmus.yaml", "a test"), Environment(variables), listen)


def config_of(text: str, variables: Mapping[str, str] = NOTHING) -> Config:
    return load_text(text, variables).config


def problems_of(text: str, variables: Mapping[str, str] = NOTHING) -> tuple[Problem, ...]:
    """Everything that is wrong with the text; nothing when it is right."""
    try:
        load_text(text, variables)
    except ConfigProblems as bad:
        return bad.problems
    return ()
