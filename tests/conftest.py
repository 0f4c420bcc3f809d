"""What all tests share: a steady Hypothesis, and the counts of what was read of recorded traffic."""

import pytest
from hypothesis import HealthCheck, settings

from support.recordings import VARIABLE, folder

settings.register_profile(
    "steady",
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("steady")


SLOW = frozenset(
    {
        "test_accounts_beside_gateway",
        "test_accounts_killed",
        "test_accounts_managed",
        "test_addresses",
        "test_archive",
        "test_admin_openapi",
        "test_answer_bodies",
        "test_azure_outside",
        "test_bedrock_outside",
        "test_budgets_hold",
        "test_catalogue_command",
        "test_codex_outside",
        "test_config_any_text",
        "test_connection",
        "test_continued_outside",
        "test_cutting",
        "test_deadlines",
        "test_egress",
        "test_entra",
        "test_failover_outside",
        "test_failures",
        "test_flow_control",
        "test_foreign_files_outside",
        "test_found",
        "test_google_auth",
        "test_grammar",
        "test_guarded",
        "test_guide_accounts",
        "test_guide_admin",
        "test_guide_keys",
        "test_guide_logs",
        "test_guide_money",
        "test_guide_opentelemetry",
        "test_guide_sign_in",
        "test_http2",
        "test_import_any",
        "test_keys_command",
        "test_local_install",
        "test_login_outside",
        "test_logs_command",
        "test_mutations",
        "test_no_cycles",
        "test_odd_hosts",
        "test_official_clients",
        "test_ollama_outside",
        "test_operation_outside",
        "test_otel_outside",
        "test_plain",
        "test_planted_secrets",
        "test_pooling",
        "test_prefixes",
        "test_refresh_killed",
        "test_refresh_outside",
        "test_route_inventory",
        "test_refused_answers",
        "test_request_heads",
        "test_responses_judged",
        "test_round_trip",
        "test_sdk_anthropic",
        "test_sdk_anthropic_trouble",
        "test_sdk_openai",
        "test_sdk_openai_trouble",
        "test_sdk_responses",
        "test_sdk_to_responses",
        "test_second_try",
        "test_security_machine",
        "test_security_outside",
        "test_service_command",
        "test_shared_budgets",
        "test_sign_in_outside",
        "test_silence_outside",
        "test_spill_outside",
        "test_store_accounts",
        "test_store_faults",
        "test_store_faults_outside",
        "test_store_injection",
        "test_store_migrations",
        "test_store_records",
        "test_store_retention",
        "test_store_usage",
        "test_taps",
        "test_tls",
        "test_tool_texts_any",
        "test_tools_run",
        "test_vertex_outside",
    }
)
"""Files that `make check` leaves to `make test`: each takes several seconds."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without recordings their tests are not run; the summary says so."""
    for item in items:
        if item.path.stem in SLOW:
            item.add_marker(pytest.mark.slow)
    if folder() is None and (absent := [item for item in items if item.get_closest_marker("recordings")]):
        config.hook.pytest_deselected(items=absent)
        items[:] = [item for item in items if item not in absent]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if folder() is None:
        terminalreporter.write_line(f"recorded traffic: not read, because {VARIABLE} names no folder that holds it")
        return
    counts: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("passed", ()):
        for name, value in report.user_properties:
            if name.startswith("recorded "):
                dialect, number = value
                counts.setdefault(name.removeprefix("recorded "), []).append(f"{number} {dialect}")
    for what, numbers in sorted(counts.items()):
        terminalreporter.write_line(f"recorded traffic: {what}: {', '.join(sorted(numbers))}")
