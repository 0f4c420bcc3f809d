"""What a strict issuer works with: people, families of tokens, codes, and JWTs."""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT = "test-client"
AUTH = "https://api.openai.com/auth"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Person:
    """Somebody who signs in: as the codex issuer tells of them."""

    email: str = "ada@example.com"
    account: str = "acc-ada"
    plan: str = "plus"


@dataclass(frozen=True)
class Asked:
    """One request. `fields` are of its form or JSON; names of `headers` are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Trouble:
    """What happens to one request of a token, in place of a plain answer.

    `drop`: the connection is cut "before" or "after" what was asked is done. `until`: it waits for this first.
    """

    status: int = 0
    retry_after: str = ""
    drop: str = ""
    until: threading.Event | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Family:
    """All tokens of one sign-in. `live` is the refresh token that is good, `before` the one before it."""

    person: Person
    scope: str
    live: str = ""
    before: str = ""
    rotated_at: float = 0.0
    used: bool = False
    """Was the live token's access token shown to anybody?"""
    dead: bool = False
    accesses: dict[str, float] = field(default_factory=dict)


@dataclass
class Code:
    person: Person
    challenge: str
    redirect_uri: str
    scope: str
    ends: float
    spent: Family | None = None


@dataclass
class Device:
    user_code: str
    scope: str
    ends: float
    interval: float
    person: Person | None = None
    denied: bool = False
    asked_at: float | None = None


class Refused(Exception):
    def __init__(self, word: str, status: int = 400) -> None:
        super().__init__(word)
        self.word = word
        self.status = status


def prefix_of(family: Family) -> str:
    """What every refresh token of a family begins with, so that one that was given out long ago is still known."""
    return f"refresh-{id(family):x}-"


def greeting(person: Person) -> Mapping[str, Any]:
    """A chat completion, in OpenAI's dialect."""
    said = {"role": "assistant", "content": f"Hello {person.email}"}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "our-model",
        "choices": [{"index": 0, "message": said, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def jwt(claims: Mapping[str, Any]) -> str:
    """A token with these claims, signed with nothing that anybody could check."""
    return f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(claims)}.{secrets.token_urlsafe(24)}"


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def parts_of(assertion: str) -> tuple[Mapping[str, Any], Mapping[str, Any], bytes, bytes]:
    """Header, claims, what was signed, and the signature."""
    parts = assertion.split(".")
    if len(parts) != 3:
        raise Refused("invalid_grant")
    header, claims, signature = (decoded(part) for part in parts)
    return json.loads(header), json.loads(claims), f"{parts[0]}.{parts[1]}".encode(), signature


@cache
def robot_key() -> rsa.RSAPrivateKey:
    """One for all tests: making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
