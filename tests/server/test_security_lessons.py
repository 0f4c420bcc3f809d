"""What has gone wrong in LLM gateways, one row for each, and the tests that hold what this one does instead."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from isthmus.routing.naming import matches

TESTS = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-fuzz.lock")


class Lesson(NamedTuple):
    """`seen` is where it happened, with the number under which it was reported; `tests` are FILE::TEST."""

    seen: str
    what: str
    tests: tuple[str, ...]


LESSONS = (
    Lesson(
        "LiteLLM, CVE-2024-6587",
        "a field of the request said where the provider's key was sent",
        (
            "server/test_security_management.py::test_where_a_provider_is_never_comes_from_a_request",
            "server/test_security_machine.py::test_no_field_and_no_header_of_a_request_says_where_it_goes",
        ),
    ),
    Lesson(
        "LiteLLM, 37053",
        "a guard against such addresses was there, and nothing called it",
        (
            "server/test_security_machine.py::test_no_file_is_fetched_from_this_machine_for_a_client",
            "transport/test_guarded.py::test_a_machine_of_ones_own_network_is_never_connected_to",
            "transport/test_guarded.py::test_a_redirect_is_judged_like_the_first_address",
        ),
    ),
    Lesson(
        "LiteLLM, GHSA-46cm-pfwv-cgf8 and GHSA-xqmj-j6mv-4862",
        "what people wrote was evaluated as a template",
        (
            "server/test_security_machine.py::test_what_people_write_is_sent_as_they_wrote_it",
            "server/test_security_machine.py::test_a_models_name_is_neither_evaluated_nor_a_path",
        ),
    ),
    Lesson(
        "LiteLLM, CVE-2026-42208",
        "the presented key became a part of an SQL statement",
        (
            "server/test_security_keys.py::test_a_presented_key_reaches_no_query",
            "server/test_security_management.py::test_a_presented_key_reaches_no_query",
            "store/test_store_injection.py::test_what_is_written_is_read_as_it_was_and_does_nothing",
            "store/test_store_injection.py::test_what_is_asked_for_finds_only_what_is_called_so",
        ),
    ),
    Lesson(
        "LiteLLM, CVE-2026-35030",
        "who somebody is was remembered by the beginning of a token",
        (
            "server/test_security_keys.py::test_only_whole_digests_are_looked_up",
            "server/test_security_keys.py::test_keys_are_told_apart_by_all_of_their_characters",
            "server/test_security_management.py::test_keys_that_begin_alike_are_told_apart",
        ),
    ),
    Lesson(
        "LiteLLM, CVE-2026-35029 and CVE-2026-47102",
        "anybody could change the configuration, and give themselves a role",
        (
            "server/test_security_management.py::test_nobody_gives_themselves_a_role",
            "server/test_security_management.py::test_a_field_that_is_not_meant_to_be_written_is_refused",
            "server/test_security_machine.py::test_a_field_that_nobody_may_write_changes_nothing",
            "server/test_security_keys.py::test_no_field_of_a_request_widens_what_its_client_may_use",
        ),
    ),
    Lesson(
        "LiteLLM, GHSA-69x8-hrgq-fjj8",
        "hashes of passwords were told, and taken for passwords",
        (
            "server/test_security_keys.py::test_a_digest_is_no_key",
            "server/test_security_management.py::test_a_digest_is_no_password_and_is_never_told",
        ),
    ),
    Lesson(
        "LiteLLM, CVE-2026-49468",
        "the Host header made another path of what was judged than of what was served",
        (
            "server/test_security_management.py::test_no_header_makes_somebody_a_program_of_this_machine_or_a_path_another",
            "server/test_security_management.py::test_a_page_whose_name_was_made_to_lead_here_may_not_manage",
        ),
    ),
    Lesson(
        "LiteLLM, CVE-2026-30623 and CVE-2026-40217",
        "the API started programs, and ran code of its users",
        (
            "server/test_security_machine.py::test_no_body_of_management_starts_or_writes_anything_or_is_evaluated",
            "server/test_security_machine.py::test_no_path_of_management_is_a_path_of_a_file",
        ),
    ),
    Lesson(
        "LiteLLM, 35541",
        "sessions never ended, and a route asked for no authority",
        (
            "server/test_security_management.py::test_there_are_no_sessions_that_could_outlive_their_key",
            "server/test_security_keys.py::test_every_route_for_clients_asks_for_a_key",
            "server/test_route_inventory.py::AUTHORITY",
        ),
    ),
    Lesson(
        "LiteLLM, 8075 and 24902",
        "keys in URLs and headers stood in traces, logs and rows",
        (
            "server/test_planted_secrets.py::test_no_file_holds_a_planted_secret",
            "server/test_planted_secrets.py::test_no_administrator_is_told_a_planted_secret",
            "server/test_security_management.py::test_a_secret_in_the_query_is_not_taken_and_not_kept",
        ),
    ),
    Lesson(
        "LiteLLM, March 2026",
        "a release that others had made took the credentials of every machine it was installed on",
        ("server/test_security_lessons.py::test_what_is_installed_is_pinned_by_its_digest",),
    ),
    Lesson(
        "Portkey, CVE-2025-66405 and 1718",
        "the Host header said which host is asked; the fix stood where one route did not pass",
        (
            "server/test_security_machine.py::test_neither_the_host_nor_a_whole_url_in_the_request_line_says_where_it_goes",
            "providers/test_hostile_names.py::test_hosts_come_from_configuration_alone",
        ),
    ),
    Lesson(
        "Portkey, 1597 and 1507",
        "names became parts of host names; a gateway could ask itself without end",
        (
            "providers/test_hostile_names.py::test_a_models_name_leads_to_no_other_path",
            "server/test_security_loops.py::test_a_request_that_comes_back_is_refused_after_a_few_rounds",
        ),
    ),
    Lesson(
        "Bifrost, GHSA-vj9g-7rqh-x2p4 and 518",
        "without a configured secret, management was open to everybody",
        (
            "server/test_security_management.py::test_without_a_configured_secret_management_is_closed_to_others_and_not_open",
            "server/test_admin_authority.py::test_from_elsewhere_nothing_is_open_without_a_secret",
        ),
    ),
    Lesson(
        "Bifrost, 3954",
        "a provider's key came back to the client in a header of the answer",
        (
            "engine/test_repeated_secrets.py::test_no_header_of_an_answer_tells_what_was_sent_to_prove_who_asks",
            "engine/test_repeated_secrets.py::test_what_is_not_listed_is_not_passed_on",
        ),
    ),
    Lesson(
        "new-api, CVE-2026-25591",
        "wildcards in a search kept the database busy without end",
        (
            "store/test_store_injection.py::test_what_is_asked_for_finds_only_what_is_called_so",
            "server/test_security_lessons.py::test_a_pattern_of_many_wildcards_is_matched_at_once",
            "store/test_store_faults.py::test_a_question_without_end_is_ended",
        ),
    ),
    Lesson(
        "new-api, CVE-2026-41432",
        "a forged message of a payment gave credit: here nobody but an owner changes what a budget allows",
        ("server/test_route_inventory.py::MANAGEMENT",),
    ),
    Lesson(
        "new-api, CVE-2026-30886",
        "anybody could fetch what was kept for somebody else",
        (
            "server/test_security_keys.py::test_what_is_kept_for_one_client_is_nobody_elses",
            "server/test_security_keys.py::test_nobody_goes_on_from_an_answer_of_another_client",
            "engine/test_response_cache.py::test_an_answer_is_shared_by_whom_the_rule_names",
            "server/test_losses_page.py::test_nobody_else_may_look",
            "server/test_captured_bodies.py::test_an_owner_reads_the_bodies_of_an_exchange",
        ),
    ),
    Lesson(
        "CLIProxyAPI, as it is installed",
        "it listens to everybody",
        (
            "server/test_security_management.py::test_by_default_only_this_machine_is_listened_to_and_others_may_not_manage",
        ),
    ),
)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.seen)
def test_every_lesson_is_held_by_tests_that_there_are(lesson: Lesson) -> None:
    for one in lesson.tests:
        file, _, name = one.partition("::")
        assert re.search(rf"^(async )?def {name}\(|^{name}\b", (TESTS / file).read_text(), re.MULTILINE), one


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_installed_is_pinned_by_its_digest(lock: str) -> None:
    text = (TESTS.parent / lock).read_text()
    entries = re.split(
        r"^(?=[A-Za-z0-9])", "\n".join(line for line in text.splitlines() if line[:1] != "#"), flags=re.M
    )
    packages = [entry for entry in entries if entry.strip()]
    assert packages
    for entry in packages:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.timeout(5)
@pytest.mark.parametrize("pattern", ["*a" * 20 + "b", "*" * 500 + "b", "*a*" * 50 + "!", "a*" * 1000 + "b"])
def test_a_pattern_of_many_wildcards_is_matched_at_once(pattern: str) -> None:
    assert not matches("a" * 5000, pattern)
