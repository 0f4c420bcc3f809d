"""The files of `deploy/`, with the names and paths of their examples replaced by what a test has."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import trustme

from fakes.gateway import free_port

FOLDER = Path(__file__).parents[2] / "deploy"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
BALANCERS: Mapping[str, str | None] = {"nginx": NGINX, "haproxy": HAPROXY}
STARTS_WITHIN = 15.0


def filled(name: str, changes: Mapping[str, str]) -> str:
    """The file's text. Every change must be one: an example that is no longer there fails here."""
    text = (FOLDER / name).read_text()
    for said, meant in changes.items():
        assert said in text, f"deploy/{name} has no {said!r} any more"
        text = text.replace(said, meant)
    return text


class Balanced(NamedTuple):
    """Where a balancer listens, and how a client knows it."""

    root: str
    trust: ssl.SSLContext


@contextmanager
def open_balancer(program: str, gateways: Sequence[str], folder: Path) -> Iterator[Balanced]:
    """The balancer `nginx` or `haproxy` in front of two gateways, by their `host:port`."""
    port, authority = free_port(), trustme.CA()
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "isthmus.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "isthmus.key"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "isthmus.crt"))
    command = (_nginx if program == "nginx" else _haproxy)(port, gateways, folder)
    log = folder / f"{program}.log"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            _wait_until_open(process, port, log)
            yield Balanced(f"https://127.0.0.1:{port}", trust)
        finally:
            process.terminate()


def _nginx(port: int, gateways: Sequence[str], folder: Path) -> Sequence[str]:
    """The file is made to be included where Debian's nginx and the official image look for sites."""
    site = filled(
        "nginx.conf",
        {
            "gateway-1:8317": gateways[0],
            "gateway-2:8317": gateways[1],
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "/etc/nginx/tls": str(folder),
        },
    )
    (folder / "site.conf").write_text(site)
    kept = " ".join(f"{one}_temp_path {folder}/{one};" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;"
        f"events {{}} http {{ access_log off; {kept} include {folder}/site.conf; }}"
    )
    return [str(NGINX), "-c", str(folder / "nginx.conf"), "-e", "stderr"]


def _haproxy(port: int, gateways: Sequence[str], folder: Path) -> Sequence[str]:
    changes = {
        "gateway-1 gateway-1:8317": f"gateway-1 {gateways[0]}",
        "gateway-2 gateway-2:8317": f"gateway-2 {gateways[1]}",
        "bind :443": f"bind 127.0.0.1:{port}",
        "maxconn 20000": "maxconn 500",
        "/etc/haproxy/tls": str(folder),
    }
    (folder / "haproxy.cfg").write_text(filled("haproxy.cfg", changes))
    return [str(HAPROXY), "-db", "-f", str(folder / "haproxy.cfg")]


def _wait_until_open(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"the balancer does not listen: {log.read_text(errors='replace')}")
