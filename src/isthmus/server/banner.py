"""What a person sees when the gateway starts: where it listens, which models answer, one line to paste."""

from collections.abc import Sequence

from isthmus import __version__
from isthmus.engine.compat import Compat
from isthmus.engine.live import Now

SHOWN = 8
"""Models named before the rest is only counted."""
QUESTION = "What is the capital of France?"


def banner(addresses: Sequence[str], now: Now, apart: Sequence[str] = (), compat: Sequence[Compat] = ()) -> str:
    """The text, without a last line feed. `addresses` are URLs without a path; management alone is at those `apart`.

    `compat` says whose clients connect at each address, in their order.
    """
    names = [name for name, _ in now.directory.names()]
    lines = [f"Isthmus {__version__} listens on {' and '.join(_with_manners(addresses, compat))}"]
    if apart:
        lines.append(f"Management alone: {' and '.join(apart)}")
    lines.append(f"Configuration: {now.snapshot.source}")
    lines.append(f"Models that answer: {_some(names, now)}")
    model = names[0] if names else "MODEL"
    lines += ["", "Try it:", f"  {curl_line(addresses[0], model, needs_key=now.snapshot.asks)}"]
    return "\n".join(lines)


def _with_manners(addresses: Sequence[str], compat: Sequence[Compat]) -> list[str]:
    whose = [*compat, *[Compat.UNIFIED] * len(addresses)]
    return [url if one is Compat.UNIFIED else f"{url} ({one})" for url, one in zip(addresses, whose, strict=False)]


def curl_line(address: str, model: str, *, needs_key: bool) -> str:
    """A question to `model` that works when pasted into a shell."""
    key = ' -H "authorization: Bearer $ISTHMUS_KEY"' if needs_key else ""
    body = f'{{"model":"{model}","messages":[{{"role":"user","content":"{QUESTION}"}}]}}'
    return f"curl {address}/v1/chat/completions{key} -H 'content-type: application/json' -d '{body}'"


def _some(names: Sequence[str], now: Now) -> str:
    if not names:
        providers = ", ".join(now.snapshot.providers) or "none"
        return f"those of the providers {providers}, by their own names"
    more = f" and {len(names) - SHOWN} more (GET /v1/models)" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
