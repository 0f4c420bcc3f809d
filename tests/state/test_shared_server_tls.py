"""A shared state over TLS: a rediss:// URL names whom to trust, and nobody else is talked to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from fakes.clock import FakeClock
from fakes.redis_server import PROGRAM, RedisServer
from isthmus.core.secret import Secret
from isthmus.state.shared_server import open_server


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """The file of an authority; beside it, a server's certificate and key that it signed."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "certificate.pem"))
    return tmp_path / "authority.pem"


@pytest.fixture
def encrypted(tmp_path: Path, authority: Path) -> Iterator[Secret]:
    """The URL of a server that speaks nothing but TLS."""
    if PROGRAM is None:
        pytest.skip("neither valkey-server nor redis-server is on the PATH")
    files = {"cert-file": "certificate.pem", "key-file": "key.pem", "ca-cert-file": authority.name}
    options = [word for name, file in files.items() for word in (f"--tls-{name}", str(tmp_path / file))]
    server = RedisServer(tmp_path, *options, "--tls-auth-clients", "no", tls=True)
    try:
        server.start()
    except AssertionError:
        pytest.skip(f"{PROGRAM} was built without TLS")
    try:
        yield Secret(f"rediss://127.0.0.1:{server.port}/0")
    finally:
        server.stop()


async def test_a_server_whose_authority_is_trusted_is_used(encrypted: Secret, authority: Path) -> None:
    url = Secret(f"{encrypted.reveal()}?ssl_ca_certs={authority}")
    async with open_server(url, FakeClock(), budget=10) as shared:
        assert await shared.ask(shared.redis.time) is not None


async def test_a_server_that_nobody_vouches_for_is_not_used(encrypted: Secret) -> None:
    async with open_server(encrypted, FakeClock(), budget=10) as shared:
        assert await shared.ask(shared.redis.time) is None
