"""The guide on OpenTelemetry is true: its examples are valid, its command is traced, its tables name what is sent."""

import re
import subprocess
from pathlib import Path

from fakes.collector import open_collector, told
from fakes.gateway import open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream
from isthmus.telemetry.otel.measures import DURATION, FIRST, TOKENS
from isthmus.telemetry.otel.sender import AT_ONCE, CLOSES_WITHIN, EVERY, WAITING
from support.configured import config_of

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "opentelemetry.md").read_text()
SPANS = (Path(__file__).parents[2] / "src" / "isthmus" / "telemetry" / "otel" / "spans.py").read_text()
CONFIGURATIONS = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
INSTALL, COMMAND = re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)
NAME = re.compile(r"[`\"]((?:gen_ai|isthmus|http|server|error)(?:\.[a-z_]+)+)[`\"]")


def test_its_examples_are_valid() -> None:
    for text in CONFIGURATIONS:
        assert config_of(text).otel.enabled
    assert "isthmus[otel]" in INSTALL


def test_its_tables_name_all_attributes_of_spans_and_no_others() -> None:
    rows = [line.split(" | ")[0] for line in GUIDE.partition("## Metrics")[0].splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in NAME.findall(row)} == set(NAME.findall(SPANS))


def test_its_table_names_the_metrics_and_their_units() -> None:
    rows = re.findall(r"^\| `(gen_ai[a-z_.]+)` \| (\S+) \|", GUIDE.partition("## Metrics")[2], flags=re.MULTILINE)
    assert rows == [(one.name, one.unit) for one in (DURATION, TOKENS, FIRST)]


def test_it_tells_the_bounds_that_hold() -> None:
    words = (
        f"{AT_ONCE} requests",
        f"within {EVERY:.0f} s",
        f"{WAITING} requests wait",
        f"sent for {CLOSES_WITHIN:.0f} s",
    )
    assert [one for one in words if one not in GUIDE] == []


def test_its_command_is_traced(upstream: Upstream, tmp_path: Path) -> None:
    config = f"""
providers:
  there: {{type: compatible, base-url: "{upstream.root}/v1", api-key: {KEY}, models: [says-hello]}}
"""
    with open_collector() as collector:
        otel = CONFIGURATIONS[0].replace("http://127.0.0.1:4318", collector.root)
        with open_gateway(config + otel, tmp_path) as gateway:
            command = COMMAND.replace("http://127.0.0.1:8317", gateway.root)
            done = subprocess.run(["bash", "-c", command], capture_output=True, check=True, timeout=30)
            assert b'"choices"' in done.stdout
            served, asked = collector.spans_soon(2)
            line = gateway.said_soon(f'"trace":"{served.trace_id.hex()}"')
    assert served.trace_id.hex() == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert told(asked.attributes)["gen_ai.usage.input_tokens"]
    assert str(told(served.attributes)["isthmus.exchange"]) in line
