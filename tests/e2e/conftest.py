"""The scripted provider, a gateway in front of it, and the clients that `make e2e` installed."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e import documents
from fakes.gateway import FURTHER, NATIVE, RUNNING, RunningGateway, between, every_dialect, open_gateway
from fakes.upstream import Upstream, open_upstream

CLIENTS = Path(__file__).parents[2] / "build" / "e2e"
PROVIDERS = ("openai", "anthropic", "deepseek", *FURTHER)
PLAYED = ("says-hello", "calls-two", "gives-json", "fails-429", "ends-midway", "errs-midway", "resets-midway", "agent")
ROUTES = "\n".join(
    [
        "",
        "routes:",
        "  claude-sonnet-4-5: [openai/agent]",
        "  gpt-5.5: [anthropic/agent]",
        "  gpt-6-sol: [anthropic/agent]",
        "  claude-haiku-4-5-20251001: [openai/says-hello]",
        *(
            f"  {script}-on-{provider}: ['{provider}/{NATIVE.get(provider, '')}{script}']"
            for provider in PROVIDERS
            for script in PLAYED
        ),
    ]
)
"""Each script at each provider, under a name without slashes: some clients read more into those."""


@pytest.fixture(scope="session")
def clients() -> Path:
    """Where npm put the clients."""
    if not (CLIENTS / "node_modules").is_dir():
        pytest.fail("the clients from npm are not installed: run `make e2e`")
    return CLIENTS


@pytest.fixture(scope="session")
def providers() -> tuple[str, ...]:
    return PROVIDERS


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    with open_upstream() as running:
        yield running


@pytest.fixture(scope="session")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with open_gateway(
        between(upstream, providers=every_dialect(upstream), more=ROUTES), tmp_path_factory.mktemp("gateway")
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def nobody_rests() -> None:
    """What one test made fail does not concern the next."""
    for running in RUNNING:
        running.wake_all()


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Note in the report which cell of the table a test is for: its parameters `client`, `provider` and `scenario`."""
    asked = getattr(item, "callspec", None)
    if call.when == "call" and asked is not None and {"client", "provider"} <= set(asked.params):
        scenario = asked.params.get("scenario") or item.originalname.removeprefix("test_").replace("_", " ")
        item.user_properties.append(("cell", (asked.params["client"], asked.params["provider"], scenario)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table: a line for each client and provider, with the scenarios that passed and those that failed."""
    if not documents.blocks():
        terminalreporter.write_line(
            f"documents: not tried, because {documents.VARIABLE} names no folder that holds them"
        )
    cells: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, told in report.user_properties:
                if name == "cell":
                    cells[told[0], told[1]][told[3] if len(told) > 3 else outcome].append(told[2])
    if not cells:
        return
    terminalreporter.section("clients through the gateway")
    for (client, provider), found in sorted(cells.items()):
        bad = "".join(f"  FAILED: {scenario}" for scenario in sorted(found["failed"]))
        terminalreporter.write_line(f"{client:30} {provider:10} {', '.join(sorted(found['passed']))}{bad}")
