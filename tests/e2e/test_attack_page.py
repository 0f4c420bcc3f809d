"""A page in a real browser, on the machine of whoever runs a gateway that asks for no key, with accounts in it.

From wherever it comes, it reads nothing of what the gateway manages, and changes nothing.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.attackers import NAME, Came, find_browser, open_attacker
from support.codex import ADA, BEN, CodexPlace, open_codex_place

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
WAYS = {
    "a page of another port": "127.0.0.1",
    "a page of another name of this machine": "localhost",
    "a page of another site": NAME,
    "a page whose name was made to lead here": NAME,
}
"""Where the page comes from."""
REBOUND = "a page whose name was made to lead here"
AS_A_WHOLE = {("GET /auth/callback", "invalid"), ("GET /auth/callback", "unauthenticated")}
"""How the gateway refuses a whole page with a guessed state, and one at a name that is not its own."""
TOLD = ("example.com", "acc-ada", "acc-ben", "oauth_url", "auth_url", "acc_", "sk-stolen", "isthmus.yaml", "configPath")
"""What only somebody who manages is told."""


@dataclass(frozen=True)
class Attack:
    """What a page reported, and what had been done to the gateway when it was over."""

    results: Sequence[Any]
    before: Any
    after: Any
    deeds: Sequence[Any]
    asked_of_issuer: int
    settings: Path
    log: str


@pytest.fixture(scope="module")
def browser(clients: Path) -> Path:
    found = find_browser(clients)
    if found is None:
        pytest.skip("there is no Chromium on the PATH, and npm has none for this system")
    return found


@pytest.fixture(scope="module", params=WAYS)
def attack(request: pytest.FixtureRequest, browser: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attack]:
    folder = tmp_path_factory.mktemp("attacked")
    with open_codex_place(folder, (ADA, BEN)) as place, open_attacker() as attacker:
        if request.param == REBOUND:
            attacker.gateway = place.gateway.root
        else:
            attacker.target = place.gateway.root
        place.manage("POST", "/accounts/switch", {"email": ADA.email})
        before, asked = state_of(place, folder), len(place.issuer.asked)
        with attacker.visited(browser, WAYS[request.param], tmp_path_factory.mktemp("browser")) as results:
            deeds = deeds_of(place)
        yield Attack(
            results,
            before,
            state_of(place, folder),
            deeds,
            len(place.issuer.asked) - asked,
            folder / ".claude" / "settings.json",
            place.gateway.said(),
        )


def state_of(place: CodexPlace, folder: Path) -> Any:
    """All that could have been changed."""
    _, told = place.manage("GET", "/admin/accounts")
    _, keys = place.manage("GET", "/admin/keys")
    return told, keys, (folder / "isthmus.yaml").read_text()


def deeds_of(place: CodexPlace) -> Sequence[Any]:
    """The audit log without what the test itself did, once the page has gone where it went last."""
    deadline = time.monotonic() + 20
    while True:
        deeds = place.manage("GET", "/admin/audit?limit=1000")[1]["deeds"]
        arrived = {(deed["what"], deed["outcome"]) for deed in deeds} & AS_A_WHOLE
        if arrived or time.monotonic() > deadline:
            mine = {"POST /admin/accounts", "POST /accounts/switch"}
            return [deed for deed in deeds if deed["what"] not in mine or deed["outcome"] != "done"]
        time.sleep(0.1)


def test_it_reads_nothing(attack: Attack) -> None:
    read = [result for result in attack.results if any(word in result["text"] for word in TOLD)]
    assert read == []


def test_what_it_is_answered_is_refused(attack: Attack) -> None:
    """But for what is told to everybody."""
    open_to_all = ("/health",)
    answered = [
        (result["how"], result["path"], result["status"])
        for result in attack.results
        if result["status"] not in (None, 0, 401, 403, 404, 405, 415) and result["path"] not in open_to_all
    ]
    assert answered == []


def test_health_tells_it_that_the_gateway_lives_and_no_more(attack: Attack) -> None:
    told = [json.loads(one["text"]) for one in attack.results if one["path"] == "/health" and one["text"]]
    assert all(one == {"status": "ok"} for one in told)


def test_it_changes_nothing(attack: Attack) -> None:
    assert attack.after == attack.before
    assert not attack.settings.exists()
    assert attack.asked_of_issuer == 0
    assert "a sign-in at" not in attack.log


def test_nothing_of_it_was_done(attack: Attack) -> None:
    assert [deed for deed in attack.deeds if deed["outcome"] == "done"] == []


def test_it_was_refused_each_way_that_it_came(attack: Attack) -> None:
    """A whole page is let in as far as its state is looked at, unless its name is another's."""
    refused = {(deed["what"], deed["outcome"]) for deed in attack.deeds}
    assert refused & {("POST /accounts/switch", "forbidden"), ("POST /accounts/switch", "unauthenticated")}
    assert refused & AS_A_WHOLE


def test_what_it_brought_as_a_code_is_in_no_line_of_the_log(attack: Attack) -> None:
    assert "planted-code" not in attack.log + json.dumps(attack.deeds)


def test_such_a_page_really_sends_what_it_tries(browser: Path, tmp_path: Path) -> None:
    """To somebody who lets everybody do everything."""
    with open_attacker() as naive, open_attacker() as attacker:
        attacker.target = f"http://127.0.0.1:{naive.port}"
        with attacker.visited(browser, NAME, tmp_path):
            came = tuple(naive.came)
    assert {one.origin for one in came} == {None, "null", f"http://{NAME}:{attacker.port}"}
    assert sent(came, "POST", "/accounts/switch", b'{"email":"ben@example.com"}')
    assert sent(came, "GET", "/auth/callback?code=planted-code&state=guessed")
    assert sent(came, "OPTIONS", "/accounts/ben@example.com")
    assert not sent(came, "DELETE", "/accounts/ben@example.com"), "a browser asks beforehand, and was not told yes"


def test_a_name_that_was_made_to_lead_here_is_read_where_nobody_looks_at_names(browser: Path, tmp_path: Path) -> None:
    with open_attacker() as attacker, attacker.visited(browser, NAME, tmp_path) as results:
        read = [(one["how"], one["status"], one["text"]) for one in results]
    assert ("fetch", 200, '{"told": "to everybody"}') in read
    assert sent(attacker.came, "DELETE", "/accounts/ben@example.com")


def sent(came: Sequence[Came], method: str, path: str, words: bytes = b"") -> bool:
    return any(one.method == method and one.path == path and words in one.body for one in came)
