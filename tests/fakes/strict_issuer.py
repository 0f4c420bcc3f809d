"""A strict issuer of accounts at the wire: it refuses whatever RFC 6749, 7523, 7636 and 8628 say that one may refuse.

Refresh tokens rotate, and one that comes back a second time kills its whole family. It has a clock of its own, can be
slow, full, broken, or cut a connection before or after it has done what was asked, and it remembers who asked what.
"""

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace

from fakes.strict_wire import Handler
from fakes.strict_words import (
    AUTH,
    CLIENT,
    LOOPBACK,
    Answer,
    Asked,
    Code,
    Device,
    Family,
    Person,
    Refused,
    Trouble,
    challenge_of,
    greeting,
    jwt,
    parts_of,
    prefix_of,
    robot_key,
)
from isthmus.providers.issuer import Claims, Issuer, SignInFlow

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
VERIFIED_WITHIN = 300.0
"""Seconds by which clocks may differ."""


@dataclass
class StrictIssuer:
    """`person` is who signs in next, `denies` whether they refuse. `troubles` befall the next requests for tokens."""

    url: str = ""
    person: Person = field(default_factory=Person)
    denies: bool = False
    skew: float = 0.0
    """Seconds by which its clock is ahead."""
    lifetime: float = 3600.0
    """Seconds that an access token lasts."""
    tells_lifetime: bool = True
    rotates: bool = True
    grace: float = 0.0
    """Seconds in which a refresh token may come back, as long as its successor was never used."""
    code_lasts: float = 60.0
    device_interval: float = 5.0
    device_lasts: float = 600.0
    json_tokens: bool = False
    openai_words: bool = False
    """Does it refuse refresh tokens with 401, and words of its own, as OpenAI does?"""
    ports: frozenset[int] = frozenset()
    """Where browsers may be sent back to; anywhere on this machine where empty."""
    audience: str = ""
    clock: Callable[[], float] = time.time
    troubles: deque[Trouble] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    codes: dict[str, Code] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    robots: dict[str, rsa.RSAPublicKey] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    arrived: threading.Event = field(default_factory=threading.Event)
    """Set whenever tokens are asked for."""

    # What tests use

    @property
    def authorize_url(self) -> str:
        return f"{self.url}/oauth/authorize"

    @property
    def token_url(self) -> str:
        return f"{self.url}/oauth/token"

    @property
    def device_url(self) -> str:
        return f"{self.url}/oauth/device/code"

    def sign_in(self, person: Person | None = None) -> Mapping[str, Any]:
        """Tokens as somebody has them who signed in before."""
        with self.lock:
            return self._new_family(person or self.person, "openid")

    def refreshes(self) -> int:
        """How many requests there were to refresh a token."""
        return sum(one.fields.get("grant_type") == "refresh_token" for one in self.asked)

    def polls(self) -> int:
        """How often the tokens of a device code were asked for."""
        return sum(one.fields.get("grant_type") == DEVICE for one in self.asked)

    def who(self, access: str) -> Person | None:
        """Whose access token this is, if it is good now; it counts as used."""
        with self.lock:
            return self._person(access)

    def revoke(self, person: Person) -> None:
        """Nothing that this person was given is good any more."""
        with self.lock:
            for family in self.families:
                family.dead = family.dead or family.person == person

    def approve(self, user_code: str, person: Person | None = None) -> None:
        self._device(user_code).person = person or self.person

    def deny(self, user_code: str) -> None:
        self._device(user_code).denied = True

    def new_robot(self, email: str = "robot@example.com") -> str:
        """The key file of a service account, as Google gives it out."""
        key = robot_key()
        self.robots[email] = key.public_key()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        told = {
            "type": "service_account",
            "client_email": email,
            "private_key_id": "key-1",
            "private_key": pem,
            "token_uri": self.token_url,
        }
        return json.dumps(told)

    def now(self) -> float:
        """Unix time by its own clock."""
        return self.clock() + self.skew

    # What it answers

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        routes = {
            ("GET", "/oauth/authorize"): self._authorize,
            ("POST", "/oauth/token"): self._token,
            ("POST", "/oauth/device/code"): self._begin_device,
            ("POST", "/v1/chat/completions"): self._chat,
        }
        route = routes.get((asked.method, asked.path))
        if route is None:
            return Answer(404, {"error": "not_found"})
        try:
            with self.lock:
                return route(asked)
        except Refused as refused:
            return self._refusal(refused)

    def _refusal(self, refused: Refused) -> Answer:
        if self.openai_words and refused.word.startswith("refresh_token"):
            return Answer(401, {"error": {"code": refused.word, "message": "Please log in again."}})
        word = "invalid_grant" if refused.word.startswith("refresh_token") else refused.word
        return Answer(refused.status, {"error": word, "error_description": f"refused: {refused.word}"})

    def _authorize(self, asked: Asked) -> Answer:
        """A wrong client or redirect URI is never redirected to (RFC 6749, section 4.1.2.1)."""
        said = asked.query
        target = urlsplit(said.get("redirect_uri", ""))
        if said.get("client_id") != CLIENT or target.scheme != "http" or target.hostname not in LOOPBACK:
            raise Refused("invalid_request")
        if self.ports and target.port not in self.ports:
            raise Refused("invalid_request")
        if said.get("response_type") != "code" or not said.get("state"):
            raise Refused("invalid_request")
        if said.get("code_challenge_method") != "S256" or len(said.get("code_challenge", "")) != 43:
            raise Refused("invalid_request")
        if self.denies:
            told = {"error": "access_denied", "state": said["state"]}
        else:
            code = "code-" + secrets.token_urlsafe(24)
            ends = self.now() + self.code_lasts
            self.codes[code] = Code(
                self.person, said["code_challenge"], said["redirect_uri"], said.get("scope", ""), ends
            )
            told = {"code": code, "state": said["state"]}
        return Answer(302, {}, {"location": f"{said['redirect_uri']}?{urlencode(told)}"})

    def _token(self, asked: Asked) -> Answer:
        grants = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh_token,
            DEVICE: self._by_device,
            JWT_BEARER: self._by_assertion,
        }
        kind = asked.headers.get("content-type", "")
        if kind != ("application/json" if self.json_tokens else "application/x-www-form-urlencoded"):
            raise Refused("invalid_request")
        grant = grants.get(asked.fields.get("grant_type", ""))
        if grant is None:
            raise Refused("unsupported_grant_type")
        if grant != self._by_assertion and asked.fields.get("client_id") != CLIENT:
            raise Refused("invalid_client", 401)
        return Answer(200, grant(asked.fields), {"cache-control": "no-store"})

    def _by_code(self, said: Mapping[str, str]) -> Mapping[str, Any]:
        code = self.codes.get(said.get("code", ""))
        if code is None:
            raise Refused("invalid_grant")
        if code.spent is not None:
            code.spent.dead = True
            raise Refused("invalid_grant")
        if said.get("redirect_uri") != code.redirect_uri or self.now() > code.ends:
            raise Refused("invalid_grant")
        if challenge_of(said.get("code_verifier", "")) != code.challenge:
            raise Refused("invalid_grant")
        given = self._new_family(code.person, code.scope)
        code.spent = self.families[-1]
        return given

    def _by_refresh_token(self, said: Mapping[str, str]) -> Mapping[str, Any]:
        token = said.get("refresh_token", "")
        found = next((one for one in self.families if token.startswith(prefix_of(one))), None)
        if found is None or not token:
            raise Refused("refresh_token_invalidated")
        if found.dead:
            raise Refused("refresh_token_invalidated")
        if token == found.live:
            return self._rotated(found)
        if token == found.before and not found.used and self.now() - found.rotated_at < self.grace:
            found.live = found.before
            return self._rotated(found)
        found.dead = True
        raise Refused("refresh_token_reused")

    def _by_device(self, said: Mapping[str, str]) -> Mapping[str, Any]:
        device = self.devices.get(said.get("device_code", ""))
        if device is None:
            raise Refused("invalid_grant")
        now, last = self.now(), device.asked_at
        device.asked_at = now
        if now > device.ends:
            raise Refused("expired_token")
        if device.denied:
            raise Refused("access_denied")
        if last is not None and now - last < device.interval:
            device.interval += 5.0
            raise Refused("slow_down")
        if device.person is None:
            raise Refused("authorization_pending")
        del self.devices[said["device_code"]]
        return self._new_family(device.person, device.scope)

    def _by_assertion(self, said: Mapping[str, str]) -> Mapping[str, Any]:
        header, claims, signed, signature = parts_of(said.get("assertion", ""))
        key = self.robots.get(claims.get("iss", ""))
        if key is None or header.get("alg") != "RS256":
            raise Refused("invalid_grant")
        try:
            key.verify(signature, signed, padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            raise Refused("invalid_grant") from None
        now, begins, ends = self.now(), claims.get("iat", 0), claims.get("exp", 0)
        if claims.get("aud") != (self.audience or self.token_url) or not claims.get("scope"):
            raise Refused("invalid_grant")
        if not begins - VERIFIED_WITHIN < now < ends + VERIFIED_WITHIN or ends - begins > 3600:
            raise Refused("invalid_grant")
        access = "ya29." + secrets.token_urlsafe(24)
        robot = Family(Person(claims["iss"], "", ""), claims["scope"], accesses={access: now + self.lifetime})
        self.families.append(robot)
        return {"access_token": access, "token_type": "Bearer", "expires_in": int(self.lifetime)}

    def _chat(self, asked: Asked) -> Answer:
        """What its tokens are good for: it greets whoever asks."""
        person = self._person(asked.headers.get("authorization", "").removeprefix("Bearer "))
        return Answer(401, {"error": {"message": "who are you?"}}) if person is None else Answer(200, greeting(person))

    def _begin_device(self, asked: Asked) -> Answer:
        if asked.fields.get("client_id") != CLIENT:
            raise Refused("invalid_client", 401)
        code, user_code = "device-" + secrets.token_urlsafe(24), secrets.token_hex(4).upper()
        ends = self.now() + self.device_lasts
        self.devices[code] = Device(user_code, asked.fields.get("scope", ""), ends, self.device_interval)
        told = {
            "device_code": code,
            "user_code": user_code,
            "verification_uri": f"{self.url}/device",
            "verification_uri_complete": f"{self.url}/device?user_code={user_code}",
            "expires_in": int(self.device_lasts),
            "interval": int(self.device_interval),
        }
        return Answer(200, told)

    # What it gives out

    def _new_family(self, person: Person, scope: str) -> Mapping[str, Any]:
        self.families.append(Family(person, scope))
        return self._rotated(self.families[-1])

    def _rotated(self, family: Family) -> Mapping[str, Any]:
        if self.rotates or not family.live:
            family.before, family.live = family.live, prefix_of(family) + secrets.token_urlsafe(24)
        family.rotated_at, family.used = self.now(), False
        access = self._access(family)
        family.accesses[access] = self.now() + self.lifetime
        given = {
            "access_token": access,
            "refresh_token": family.live,
            "id_token": self._id_token(family.person),
            "token_type": "Bearer",
            "scope": family.scope,
        }
        return {**given, "expires_in": int(self.lifetime)} if self.tells_lifetime else given

    def _access(self, family: Family) -> str:
        now, person = int(self.now()), family.person
        auth = {"chatgpt_account_id": person.account, "chatgpt_plan_type": person.plan}
        claims = {"iss": self.url, "iat": now, "exp": now + int(self.lifetime), "jti": secrets.token_hex(8), AUTH: auth}
        return jwt(claims)

    def _id_token(self, person: Person) -> str:
        now = int(self.now())
        auth = {"chatgpt_account_id": person.account, "chatgpt_plan_type": person.plan}
        told = {"iss": self.url, "aud": CLIENT, "sub": f"user-{person.account}", "iat": now, "exp": now + 3600}
        return jwt({**told, "email": person.email, AUTH: auth})

    def _person(self, access: str) -> Person | None:
        for family in self.families:
            if not family.dead and family.accesses.get(access, 0.0) > self.now():
                family.used = True
                return family.person
        return None

    def _device(self, user_code: str) -> Device:
        return next(one for one in self.devices.values() if one.user_code == user_code)

    def next_trouble(self, asked: Asked) -> Trouble:
        """What befalls this request, where it is one for tokens."""
        if asked.path != "/oauth/token":
            return Trouble()
        self.arrived.set()
        with self.lock:
            return self.troubles.popleft() if self.troubles else Trouble()


@contextmanager
def open_strict_issuer(**settings: Any) -> Iterator[StrictIssuer]:
    """One on a free port of this machine."""
    issuer = StrictIssuer(**settings)
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Of", (Handler,), {"issuer": issuer})) as server:
        issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield issuer
        finally:
            for trouble in issuer.troubles:
                if trouble.until is not None:
                    trouble.until.set()
            server.shutdown()
            thread.join()


def row(issuer: StrictIssuer, **changes: Any) -> Issuer:
    """The issuer as the gateway knows it: with the claims of the codex issuer."""
    known = Issuer(
        name="strict",
        title="The strict issuer",
        client_id=CLIENT,
        flows=(SignInFlow.CODE, SignInFlow.DEVICE, SignInFlow.PASTED, SignInFlow.SERVICE_ACCOUNT, SignInFlow.FILE),
        authorize_url=issuer.authorize_url,
        token_url=issuer.token_url,
        device_url=issuer.device_url,
        scopes=("openid", "email"),
        subject_header=b"chatgpt-account-id",
        claims=Claims(subject=(AUTH, "chatgpt_account_id"), plan=(AUTH, "chatgpt_plan_type")),
        files=("${CODEX_HOME:-.codex}/auth.json", ".codex-claude-proxy/accounts.json"),
        json_tokens=issuer.json_tokens,
        audience=issuer.audience,
    )
    return replace(known, **changes)
