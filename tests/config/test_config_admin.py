"""Who may manage, as it is configured."""

import hashlib

import pytest

from isthmus.config.compile import compile_config
from isthmus.engine.management import Actor, Management, Role
from support.configured import config_of, problems_of

KEY = "manage-me-0123456789"
KEYS = "admin: {keys: [{name: vera, key: viewer-0123456789}, {name: olga, key: owner-0123456789, role: owner}]}\n"


def management_of(text: str) -> Management:
    return compile_config(config_of(text)).management


def digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def test_without_a_section_nobody_has_a_key_and_others_may_not_manage() -> None:
    assert management_of("") == Management(secrets={}, remote=False, apart=False, local=True)


def test_whoever_has_the_management_key_is_an_owner() -> None:
    assert management_of(f"management-key: {KEY}\n").secrets == {digest(KEY): Actor("management-key", Role.OWNER)}


def test_further_keys_have_roles_of_their_own_the_smallest_where_none_is_said() -> None:
    assert management_of(KEYS).secrets == {
        digest("viewer-0123456789"): Actor("vera", Role.VIEWER),
        digest("owner-0123456789"): Actor("olga", Role.OWNER),
    }


def test_what_is_switched_is_taken_over() -> None:
    found = management_of(f"management-key: {KEY}\nadmin: {{remote: true, local: false}}\n")
    assert (found.remote, found.local, found.apart) == (True, False, False)
    assert management_of("admin: {listener: {port: 9}}\n").apart


def test_no_secret_of_an_administrator_is_in_what_was_compiled() -> None:
    compiled = compile_config(config_of(f"management-key: {KEY}\n{KEYS}"))
    assert KEY not in repr(compiled)
    assert "0123456789" not in repr(compiled.management)


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("admin: {remote: true}\n", "admin.remote", "needs a key"),
        ("admin: {listener: {host: 0.0.0.0}}\n", "admin.listener.host", "other machines can reach"),
        ("admin: {listener: {port: 8317}}\n", "admin.listener", "a listener for clients"),
        (f"management-key: {KEY}\nadmin: {{remote: true, listener: {{port: 9}}}}\n", "admin.remote", "leave one out"),
        ("admin: {keys: [{name: a, key: short}]}\n", "admin.keys[0].key", "could be guessed"),
        (f"management-key: {KEY}\nadmin: {{keys: [{{name: a, key: {KEY}}}]}}\n", "admin.keys[0]", "management-key"),
        (
            "admin: {keys: [{name: a, key: one-0123456789}, {name: a, key: two-0123456789}]}\n",
            "admin.keys[1]",
            "the same name",
        ),
        ("admin: {keys: [{name: management-key, key: one-0123456789}]}\n", "admin.keys[0]", "the same name"),
        (f"client-keys: [{KEY}]\nadmin: {{keys: [{{name: a, key: {KEY}}}]}}\n", "admin.keys[0]", "a client key"),
        ("admin: {keys: [{name: a, key: one-0123456789, role: god}]}\n", "admin.keys[0].role", "owner"),
    ],
)
def test_what_would_be_open_or_ambiguous_is_refused(text: str, key: str, words: str) -> None:
    found = [(problem.key, problem.message) for problem in problems_of(text)]
    assert [one for one in found if one[0] == key and words in one[1]], found


def test_a_listener_of_this_machine_needs_no_key() -> None:
    assert not problems_of("admin: {listener: {port: 9}}\n")


def test_a_key_that_cannot_be_read_is_not_told_to_be_missing() -> None:
    [problem] = problems_of("management-key: ${NOPE}\nadmin: {remote: true}\n")
    assert problem.key == "management-key"
