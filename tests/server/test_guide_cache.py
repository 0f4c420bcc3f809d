"""The guide on kept answers is true: its command is answered from the cache the second time."""

import re
import subprocess
from pathlib import Path

from fakes.gateway import open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "cache.md").read_text()
[SECTION] = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
[COMMAND] = re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)


def config(upstream: Upstream) -> str:
    return f"""
providers:
  there: {{type: compatible, base-url: "{upstream.root}/v1", api-key: {KEY}, models: [says-hello]}}
aliases: {{local/smollm2-135m: there/says-hello}}
{SECTION}"""


def said(root: str, *, more: str = "") -> tuple[str, dict[str, str]]:
    command = COMMAND.replace("http://127.0.0.1:8317", root).replace("curl -i", f"curl -si {more}")
    told = subprocess.run(["bash", "-c", command], capture_output=True, check=True, timeout=20, text=True)
    head, _, body = told.stdout.replace("\r\n", "\n").partition("\n\n")
    fields = [line.partition(": ") for line in head.splitlines()[1:]]
    return body, {name: value for name, _, value in fields}


def test_the_second_time_its_command_is_answered_from_the_cache(upstream: Upstream, tmp_path: Path) -> None:
    with open_gateway(config(upstream), tmp_path) as gateway:
        body, first = said(gateway.root)
        again, second = said(gateway.root)
        _, third = said(gateway.root, more="-H 'cache-control: no-cache'")
        line = gateway.said_soon('"cached":true')
    assert again == body
    assert (first["x-isthmus-cache"], second["x-isthmus-cache"], third["x-isthmus-cache"]) == ("miss", "hit", "bypass")
    assert second["age"].isdigit()
    assert line.count('"cached":true') == 1
