"""The section `otel`: what can be written there, and what is told of what cannot work."""

import subprocess
import sys

import pytest

from isthmus.config import checks_otel
from isthmus.config.reload import takes_restart
from isthmus.config.schema_otel import OtelEntry
from isthmus.core.secret import Secret
from support.configured import config_of, problems_of


def test_nothing_is_sent_unless_it_is_switched_on() -> None:
    assert not config_of("insecure: false\n").otel.enabled
    assert config_of("otel: true\n").otel == OtelEntry(enabled=True)


def test_every_key_is_read() -> None:
    text = (
        "otel: {enabled: true, endpoint: 'https://otel.example.com', headers: {api-key: abc}, service-name: gw,"
        " traces: false, sample: 10%, propagate: false, metrics: false, metrics-every: 5}\n"
    )
    assert config_of(text).otel == OtelEntry(
        enabled=True,
        endpoint="https://otel.example.com",
        headers={"api-key": Secret("abc")},
        service_name="gw",
        traces=False,
        sample=0.1,
        propagate=False,
        metrics=False,
        metrics_every=5.0,
    )


@pytest.mark.parametrize(
    "address",
    ["otel.example.com:4318", "ftp://otel.example.com", "http://", "http://u:p@otel.example.com", "http://x?y"],
)
def test_what_is_no_address_of_a_collector_is_told(address: str) -> None:
    [problem] = problems_of(f"otel:\n  endpoint: {address}\n")
    assert problem.key == "otel.endpoint"
    assert "http://127.0.0.1:4318" in problem.message


def test_a_header_that_none_can_be_is_told() -> None:
    [problem] = problems_of("otel:\n  headers: {'a b': c}\n")
    assert problem.key == "otel.headers.a b"


def test_a_share_is_one() -> None:
    assert [problem.key for problem in problems_of("otel: {sample: 150%}\n")] == ["otel.sample"]


@pytest.mark.parametrize("missing", ["opentelemetry_that_is_not_there", "nowhere.at.all"])
def test_without_the_extra_it_is_said_how_to_have_it(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_otel, "EXTRA", missing)
    [problem] = problems_of("otel: true\n")
    assert problem.key == "otel"
    assert "pip install 'isthmus[otel]'" in problem.message
    assert problems_of("otel: false\n") == ()


def test_a_change_takes_a_restart() -> None:
    assert takes_restart("otel", config_of(""), config_of("otel: true\n"))


def test_the_library_is_imported_only_where_it_is_switched_on() -> None:
    program = "import isthmus.app, sys; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
