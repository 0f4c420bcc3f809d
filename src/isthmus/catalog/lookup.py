"""From a model's name to what it can do. Pure; the facts are in families/."""

from isthmus.core.profile import UNKNOWN, ModelProfile


def profile_of(host_name: str, model: str) -> ModelProfile:
    """What `model` at `host_name` can do."""
    return UNKNOWN
