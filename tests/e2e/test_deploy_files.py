"""The files of `deploy/` as those programs judge them that read them: Helm, Docker Compose, and hadolint."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "build" / "e2e" / "deploy" / "bin"
CHART = ROOT / "deploy" / "helm" / "isthmus"
WARNING = 2
"""Helm's number for it; what is higher is worse."""
ASKED = """
import json, sys
from helm_python import chart
path, values = sys.argv[1], json.loads(sys.argv[2])
told = chart.lint(path, values, strict=True)
print(json.dumps([told, chart.Chart.load(path).render(values, name="gateway", namespace="llm")]))
"""
EVERYTHING = {
    "autoscaling": {"enabled": True},
    "ingress": {"enabled": True, "tlsSecretName": "tls"},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "podAnnotations": {"prometheus.io/scrape": "true"},
    "imagePullSecrets": [{"name": "pull"}],
    "tolerations": [{"operator": "Exists"}],
    "workers": 4,
}
pytestmark = pytest.mark.e2e


def helm(values: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    """What Helm finds wrong, and what it makes of the chart."""
    words = [str(PROGRAMS / "python"), "-c", ASKED, str(CHART), json.dumps(values)]
    out = subprocess.run(words, capture_output=True, text=True, timeout=50, check=False)
    assert out.returncode == 0, out.stderr
    lint, rendered = json.loads(out.stdout)
    made = [one for name, text in rendered.items() if name.endswith(".yaml") for one in yaml.safe_load_all(text) if one]
    return lint, made


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    if not (PROGRAMS / "hadolint").exists():
        pytest.fail("what judges the files is not installed: run `make e2e`")


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["as it comes", "with everything"])
def test_helm_finds_nothing_wrong_with_the_chart(values: Mapping[str, Any]) -> None:
    lint, _ = helm(values)
    assert lint["errors"] == []
    assert [one for one in lint["messages"] if one["severity"] >= WARNING] == []


def test_the_chart_makes_what_was_asked_for() -> None:
    _, plain = helm({})
    kinds = ["ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "Service"]
    assert sorted(one["kind"] for one in plain) == kinds
    _, everything = helm(EVERYTHING)
    assert sorted(one["kind"] for one in everything) == sorted([*kinds, "HorizontalPodAutoscaler", "Ingress"])
    [deployment] = [one for one in everything if one["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    assert "replicas" not in deployment["spec"]
    assert pod["containers"][0]["args"] == ["serve", "--config", "/etc/isthmus/isthmus.yaml", "--workers", "4"]
    assert (pod["nodeSelector"], pod["tolerations"]) == ({"kubernetes.io/os": "linux"}, [{"operator": "Exists"}])


def test_a_pod_is_given_more_time_to_end_than_its_requests() -> None:
    _, made = helm({})
    [file] = [one["data"]["isthmus.yaml"] for one in made if one["kind"] == "ConfigMap"]
    [pod] = [one["spec"]["template"]["spec"] for one in made if one["kind"] == "Deployment"]
    [before] = [int(one["lifecycle"]["preStop"]["exec"]["command"][1]) for one in pod["containers"]]
    assert pod["terminationGracePeriodSeconds"] >= before + yaml.safe_load(file)["limits"]["drain"] + 10


def test_values_of_the_wrong_kind_are_told() -> None:
    words = [str(PROGRAMS / "python"), "-c", ASKED, str(CHART), '{"workers": "many"}']
    out = subprocess.run(words, capture_output=True, text=True, timeout=50, check=False)
    assert "workers" in out.stdout + out.stderr


def test_hadolint_finds_nothing_wrong_with_the_dockerfile() -> None:
    words = [str(PROGRAMS / "hadolint"), str(ROOT / "deploy" / "Dockerfile")]
    out = subprocess.run(words, capture_output=True, text=True, timeout=50, check=False)
    assert (out.returncode, out.stdout) == (0, "")


def test_docker_compose_understands_its_file() -> None:
    words = [
        str(PROGRAMS / "docker-compose"),
        "-f",
        str(ROOT / "deploy" / "compose.yaml"),
        "config",
        "--format",
        "json",
    ]
    given = {"MANAGEMENT_KEY": "mk-0123456789abcdef", "POSTGRES_PASSWORD": "pw"}
    out = subprocess.run(words, capture_output=True, text=True, timeout=50, check=False, env=given)
    assert out.returncode == 0, out.stderr
    services = json.loads(out.stdout)["services"]
    assert sorted(services) == ["balancer", "gateway-1", "gateway-2", "postgres", "valkey"]
    assert services["gateway-1"]["environment"]["STORE_URL"] == "postgresql://isthmus:pw@postgres/isthmus"
    assert (ROOT / "deploy" / "Dockerfile").samefile(
        Path(services["gateway-1"]["build"]["context"], services["gateway-1"]["build"]["dockerfile"])
    )
