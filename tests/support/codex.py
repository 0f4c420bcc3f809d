"""A gateway that asks a stand-in of the Codex backend, under accounts of people who have signed in."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakes.codex_backend import CodexBackend, open_codex_backend
from fakes.gateway import CLIENT_KEY, RunningGateway, open_gateway
from fakes.strict_issuer import StrictIssuer, open_strict_issuer
from fakes.strict_words import CLIENT, Person
from support.asking import ask_json

ADA, BEN = Person(), Person("ben@example.com", "acc-ben", "pro")


@dataclass(frozen=True)
class CodexPlace:
    """The gateway, the backend that it asks, and the issuer of both's tokens."""

    gateway: RunningGateway
    backend: CodexBackend
    issuer: StrictIssuer

    def ask(
        self, path: str, body: Any = None, *, method: str = "POST", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        shown = {"authorization": f"Bearer {CLIENT_KEY}", **(headers or {})}
        return ask_json(self.gateway.root + path, method, body, shown)

    def manage(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return ask_json(self.gateway.root + path, method, body, {})

    def sign_in(self, person: Person) -> str:
        """Have the person's refresh token adopted. The account's id."""
        given = self.issuer.sign_in(person)
        body = {"issuer": "codex", "refresh_token": given["refresh_token"]}
        status, told = self.manage("POST", "/admin/accounts", body)
        assert status in (200, 201), told
        return str(told["id"])


def configured(issuer: StrictIssuer, backend: CodexBackend, more: str = "", pool: str = "sticky") -> str:
    """The codex issuer and provider, where they are in this test."""
    return f"""
accounts:
  issuers:
    codex:
      client-id: {CLIENT}
      authorize-url: {issuer.authorize_url}
      token-url: {issuer.token_url}
      usage-url: {backend.root}/backend-api/wham/usage
      models-url: {backend.base}/models?client_version=1.0.0
providers:
  codex: {{base-url: {backend.base}, pool: {pool}}}
client-keys:
  - {{name: tester, key: {CLIENT_KEY}}}
{more}
"""


@contextmanager
def open_codex_place(
    folder: Path, people: Sequence[Person] = (ADA,), more: str = "", pool: str = "sticky"
) -> Iterator[CodexPlace]:
    """A gateway with these people's accounts, the first of them active."""
    with (
        open_strict_issuer() as issuer,
        open_codex_backend(issuer) as backend,
        open_gateway(configured(issuer, backend, more, pool), folder) as gateway,
    ):
        place = CodexPlace(gateway, backend, issuer)
        for person in people:
            place.sign_in(person)
        yield place
