"""The Codex backend of ChatGPT at the wire: it knows people by the tokens that a strict issuer gave them.

It refuses what the real one refuses, leaves the items out of the last event of a stream, and tells of two windows with
every answer. An account runs out after so many answers, and is whole again when its window ends. Whose words these are
stands in providers/codex.py.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any

from fakes import responses_judge, responses_voice
from fakes.strict_issuer import StrictIssuer
from fakes.strict_words import Person
from fakes.upstream import Seen, Upstream, open_upstream
from fakes.wire import Piece, Refused, Reply, Reset, Stream, Whole, names

ROOT = "/backend-api"
TAKEN = names(
    "model instructions input tools tool_choice parallel_tool_calls reasoning store stream include prompt_cache_key "
    "text service_tier client_metadata"
)
"""All fields that are on its list."""
WITHOUT_ID = frozenset({"message", "reasoning", "function_call", "custom_tool_call"})
SESSION, WEEK = 18_000, 604_800
MODELS = ("gpt-5.3-codex", "gpt-5.2")


@dataclass
class Plan:
    """What one account has left, and until when it has nothing. `left` is None for what never ends."""

    left: int | None = None
    lasts: float = SESSION
    """Seconds until the window is whole again in which it was used up."""
    spent_until: float = 0.0
    models: tuple[str, ...] = MODELS
    answered: int = 0
    refusal: tuple[int, dict[str, Any]] | None = None
    """What it is refused with, whatever it asks."""
    failure: dict[str, Any] | None = None
    """What each of its streams breaks off with, as soon as it has begun."""


@dataclass
class _Account:
    person: Person
    plan: Plan = field(default_factory=Plan)


class CodexBackend(Upstream):
    """`plans` are by the account's id; `who` are the accounts that asked for an answer, in their order."""

    def __init__(self, issuer: StrictIssuer, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.plans: dict[str, Plan] = {}
        self.who: list[str] = []
        self._issuer = issuer
        self._clock = clock

    @property
    def base(self) -> str:
        """What stands for `https://chatgpt.com/backend-api/codex`."""
        return f"{self.root}{ROOT}/codex"

    def plan(self, account: str) -> Plan:
        return self.plans.setdefault(account, Plan())

    def _reply(self, seen: Seen) -> Reply:
        answers: dict[tuple[str, str], Callable[[Seen, _Account], Reply]] = {
            ("POST", f"{ROOT}/codex/responses"): self._answer,
            ("GET", f"{ROOT}/codex/models"): self._models,
            ("GET", f"{ROOT}/wham/usage"): self._usage,
        }
        answer = answers.get((seen.method, seen.path))
        if answer is None:
            return _detail(404, "Not Found")
        person = self._issuer.who(seen.headers.get("authorization", "").removeprefix("Bearer "))
        if person is None:
            seen.verdict = "a bad token"
            words = "Provided authentication token is expired. Please try signing in again."
            return _error(401, {"message": words, "type": "invalid_request_error", "code": "token_expired"})
        if seen.headers.get("chatgpt-account-id") != person.account:
            seen.verdict = "another account"
            return _detail(403, "The account is not one of this token's.")
        return answer(seen, _Account(person, self.plan(person.account)))

    def _answer(self, seen: Seen, account: _Account) -> Reply:
        plan, now = account.plan, self._clock()
        self.who.append(account.person.account)
        if plan.refusal is not None:
            return _error(*plan.refusal)
        if plan.left == 0 and now >= plan.spent_until:
            plan.left = None
        if plan.left == 0:
            return self._spent(account, now)
        try:
            body = seen.json
            seen.model = str(body.get("model", ""))
            _judge(body)
        except Refused as refused:
            seen.verdict = refused.message
            return _detail(400, refused.message)
        script = self.script(seen.model) if seen.model in plan.models else None
        if script is None:
            return _detail(400, f"The '{seen.model}' model is not supported when using Codex with a ChatGPT account.")
        plan.answered += 1
        if plan.left is not None:
            plan.left -= 1
            plan.spent_until = now + plan.lasts
        if plan.failure is not None:
            return Stream(_failed(plan.failure))
        talk = responses_judge.converse(body)
        reply = responses_voice.answer(script(talk), talk)
        headers = self._limits(plan, now)
        if isinstance(reply, Stream):
            return replace(reply, steps=_without_items(reply.steps), headers={**reply.headers, **headers})
        return replace(reply, headers={**reply.headers, **headers}) if isinstance(reply, Whole) else reply

    def _spent(self, account: _Account, now: float) -> Reply:
        ends = account.plan.spent_until
        told = {
            "type": "usage_limit_reached",
            "message": "The usage limit has been reached",
            "plan_type": account.person.plan,
            "resets_at": int(ends),
            "resets_in_seconds": int(ends - now),
        }
        return _error(429, told, self._limits(account.plan, now))

    def _limits(self, plan: Plan, now: float) -> dict[str, str]:
        used = 100.0 if plan.left == 0 else 12.5
        ends = plan.spent_until if plan.left == 0 else now + SESSION
        return {
            "date": formatdate(now, usegmt=True),
            "x-codex-primary-used-percent": str(used),
            "x-codex-primary-window-minutes": str(SESSION // 60),
            "x-codex-primary-reset-at": str(int(ends)),
            "x-codex-secondary-used-percent": "3",
            "x-codex-secondary-window-minutes": str(WEEK // 60),
            "x-codex-secondary-reset-at": str(int(now) + WEEK),
        }

    def _models(self, seen: Seen, account: _Account) -> Reply:
        if not seen.query.startswith("client_version="):
            return _detail(400, "client_version is required")
        levels = [{"effort": effort, "description": effort} for effort in ("low", "medium", "high")]
        told = [
            {
                "slug": name,
                "display_name": name,
                "description": f"The model {name}.",
                "default_reasoning_level": "medium",
                "supported_reasoning_levels": levels,
                "visibility": "list",
            }
            for name in account.plan.models
        ]
        return Whole(200, json.dumps({"models": told}).encode())

    def _usage(self, seen: Seen, account: _Account) -> Reply:
        plan, now = account.plan, self._clock()
        spent = plan.left == 0 and now < plan.spent_until
        ends = plan.spent_until if spent else now + SESSION
        session = {"used_percent": 100 if spent else 12, "limit_window_seconds": SESSION, "reset_at": int(ends)}
        week = {"used_percent": 3, "limit_window_seconds": WEEK, "reset_at": int(now) + WEEK}
        limit = {"allowed": not spent, "limit_reached": spent, "primary_window": session, "secondary_window": week}
        return Whole(200, json.dumps({"plan_type": account.person.plan, "rate_limit": limit}).encode())


def _judge(body: dict[str, Any]) -> None:
    """Raises Refused for what would be answered with 400, in the order in which the real one looks."""
    unknown = [name for name in body if name not in TAKEN]
    demands = (
        (not unknown, f"Unsupported parameter: {', '.join(unknown)}"),
        (body.get("store") is False, "Store must be set to false"),
        (body.get("stream") is True, "Stream must be set to true"),
        (bool(body.get("instructions")), "Instructions are required"),
        (isinstance(body.get("input"), list), "Input must be a list"),
        (body.get("service_tier") in (None, "priority", "flex"), "Unsupported service_tier"),
    )
    for met, words in demands:
        if not met:
            raise Refused(words)
    for item in body["input"]:
        if item.get("role") == "system":
            raise Refused("System messages are not allowed")
        if "id" in item and item.get("type", "message") in WITHOUT_ID:
            raise Refused(f"Item with id '{item['id']}' not found. Items are not persisted when `store` is false.")
    responses_judge.judge(body)


def _without_items(steps: Iterator[Piece | Reset]) -> Iterator[Piece | Reset]:
    """The last event tells no items, for nothing is kept that could be told."""
    for step in steps:
        if isinstance(step, Piece) and b"event: response.completed" in step.data:
            head, _, data = step.data.partition(b"data: ")
            event = json.loads(data)
            event["response"]["output"] = []
            yield replace(step, data=head + b"data: " + json.dumps(event).encode() + b"\n\n")
        else:
            yield step


def _failed(error: dict[str, Any]) -> Iterator[Piece | Reset]:
    response = {"id": "resp_failed", "object": "response", "created_at": 1, "model": "m", "output": []}
    for name, more in (("created", {"status": "in_progress"}), ("failed", {"status": "failed", "error": error})):
        event = {"type": f"response.{name}", "response": {**response, **more}}
        yield Piece(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())


def _error(status: int, told: dict[str, Any], headers: dict[str, str] | None = None) -> Whole:
    return Whole(status, json.dumps({"error": told}).encode(), headers or {})


def _detail(status: int, words: str) -> Whole:
    return Whole(status, json.dumps({"detail": words}).encode())


@contextmanager
def open_codex_backend(issuer: StrictIssuer) -> Iterator[CodexBackend]:
    """One on a free port of the loopback."""
    backend = CodexBackend(issuer)
    with open_upstream(backend):
        yield backend
