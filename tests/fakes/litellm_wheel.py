"""A wheel of litellm with a short list of models, as a package index would serve it."""

import json
import zipfile
from pathlib import Path

from isthmus.catalog.litellm import MEMBER

MODELS = {
    "sample_spec": {"mode": "one of: chat, ...", "max_input_tokens": "max input tokens"},
    "gpt-9": {
        "litellm_provider": "openai",
        "mode": "chat",
        "max_input_tokens": 900,
        "input_cost_per_token": 0.000009,
        "output_cost_per_token": 0.000018,
    },
}


def write_wheel(folder: Path, version: str = "9.1.2", *, models: object = MODELS) -> Path:
    """The wheel's file. Without `models` it is some other package's."""
    info = f"litellm-{version}.dist-info"
    wheel = folder / f"litellm-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("litellm/__init__.py", "raise SystemExit('a wheel is read, never run')")
        if models is not None:
            archive.writestr(MEMBER, json.dumps(models))
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: litellm\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/licenses/LICENSE", "MIT License\nCopyright somebody")
        archive.writestr(f"{info}/RECORD", "")
    return wheel
