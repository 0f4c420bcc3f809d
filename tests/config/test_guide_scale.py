"""The guide to several instances shows the files that are deployed, and those agree with one another."""

import re
import shutil
import subprocess
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml

from isthmus import __version__
from isthmus.config.load import load
from isthmus.config.secrets import Environment

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "isthmus"
SHOWN = MappingProxyType(
    {"yaml": "isthmus.yaml", "ini": "isthmus.service", "nginx": "nginx.conf", "haproxy": "haproxy.cfg"}
)
"""The file that a block of each language shows."""
DRAIN = 120
AROUND = 10
"""Seconds beyond the draining that whoever stops an instance must grant: rows are written for 5 of them."""
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNIT = (DEPLOY / "isthmus.service").read_text()
VARIABLES = {"MANAGEMENT_KEY", "STORE_URL", "STATE_URL"}


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def locked(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ]+)", (ROOT / name).read_text(), flags=re.MULTILINE))


def test_what_it_shows_is_what_is_deployed() -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "guide" / "scale.md").read_text(), flags=re.DOTALL)
    shown = {language: text for language, text in blocks if language in SHOWN}
    assert shown == {language: (DEPLOY / name).read_text() for language, name in SHOWN.items()}


def test_the_configuration_takes_its_secrets_from_the_environment() -> None:
    environment = {
        "MANAGEMENT_KEY": "mk-0123456789abcdef",
        "STORE_URL": "postgresql://isthmus:pw@postgres.example.com/isthmus",
        "STATE_URL": "redis://redis.example.com",
        "OPENAI_API_KEY": "sk-0123456789abcdef",
    }
    loaded = load(DEPLOY / "isthmus.yaml", Environment(environment))
    assert list(loaded.config.providers) == ["openai"]
    assert loaded.config.limits.drain == DRAIN
    assert set(re.findall(r"\$\{(\w+)", (DEPLOY / "isthmus.yaml").read_text())) == VARIABLES


def test_every_way_to_deploy_it_has_the_variables_of_the_configuration() -> None:
    example = (DEPLOY / "isthmus.env.example").read_text()
    assert set(re.findall(r"^(\w+)=", example, flags=re.MULTILINE)) >= VARIABLES
    assert set(COMPOSE["x-gateway"]["environment"]) >= VARIABLES


def test_the_chart_brings_the_same_configuration_and_is_of_this_version() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert values["configuration"] == yaml.safe_load((DEPLOY / "isthmus.yaml").read_text())
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == __version__


def test_an_instance_is_given_more_time_to_end_than_its_requests() -> None:
    patience = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, flags=re.MULTILINE)
    given = [*map(int, patience), seconds(COMPOSE["x-gateway"]["stop_grace_period"])]
    assert [one >= DRAIN + AROUND for one in given] == [True, True]


def test_systemd_tells_only_the_process_that_keeps_the_workers() -> None:
    assert "KillMode=mixed" in UNIT.splitlines()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "isthmus.service"
    unit.write_text(UNIT.replace("/opt/isthmus/bin/isthmus", "/bin/true"))
    out = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (out.returncode, out.stderr) == (0, "")


def test_both_containers_have_the_balancers_names_and_no_rights() -> None:
    gateways = {name: one for name, one in COMPOSE["services"].items() if name.startswith("gateway-")}
    for name in ("nginx.conf", "haproxy.cfg"):
        assert set(re.findall(r"gateway-\d(?=:8317)", (DEPLOY / name).read_text())) == set(gateways)
    for one in gateways.values():
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert "no-new-privileges:true" in one["security_opt"]
        assert "ports" not in one


def test_the_image_holds_the_versions_that_are_tested() -> None:
    image, tested = locked("deploy/requirements.lock"), locked("requirements-dev.lock")
    assert {"asyncpg", "redis", "hiredis", "uvloop"} <= image.keys()
    assert {name: version for name, version in image.items() if tested.get(name, version) != version} == {}


def test_the_image_is_built_of_what_its_context_holds_and_runs_as_nobody_in_particular() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = [
        name for names in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE) for name in names.split()
    ]
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert [name for name in copied if f"!{name}" not in allowed or not (ROOT / name).exists()] == []
    assert re.findall(r"^USER (\S+)$", dockerfile, re.MULTILINE) == ["10001"]
