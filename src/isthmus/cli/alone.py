"""A gateway that does not serve, for commands that ask what a configuration would do. Nobody is asked anything."""

from isthmus.cli.known_accounts import known_accounts
from isthmus.cloud.authority import open_authority
from isthmus.config.compile import compile_loaded
from isthmus.config.environment import ollama_answers
from isthmus.config.load import Loaded
from isthmus.core.operations import Operation
from isthmus.dialects.table import CODECS
from isthmus.engine.exchange import Call, Exchange
from isthmus.engine.live import Live
from isthmus.engine.ports import Ports
from isthmus.server.explain_page import EXPLAIN, serve_explanation
from isthmus.state.limits import LocalLimiter
from isthmus.state.memory import BoundedMemory
from isthmus.system_clock import SystemClock
from isthmus.transport.client import open_transport
from isthmus.transport.fetch import open_fetcher
from isthmus.wire.headers import Headers, find

_HERE: Headers = ((b"host", b"127.0.0.1"),)


async def explain_alone(loaded: Loaded, body: bytes, headers: Headers, query: bytes) -> tuple[int, bytes]:
    """Status and body of what POST /v0/explain would answer an administrator, just after a start."""
    live = Live(compile_loaded(loaded, ollama=loaded.automatic and await ollama_answers()))
    live.sign_in(await known_accounts(loaded))
    clock, presented = SystemClock(), find(headers, b"x-api-key")
    call = Call(
        CODECS["openai_chat", Operation.CHAT],
        EXPLAIN,
        _HERE + headers,
        None if presented is None else presented.decode(),
        "127.0.0.1",
    )

    async def receive(limit: int) -> bytes:  # noqa: ARG001  as the server's
        return body

    async with (
        open_transport() as transport,
        open_fetcher() as fetcher,
        open_authority(clock, loaded.environment.get) as authority,
    ):
        ports = Ports(
            transport,
            clock,
            _Nobody(),
            authority=authority,
            memory=BoundedMemory(clock.now),
            fetcher=fetcher,
            limiter=LocalLimiter(clock.time),
        )
        exchange = Exchange("ex_alone", call, clock, 1)
        answer = await serve_explanation(exchange, receive, live.take(), ports, path="", query=query, manages=True)
    return answer.status, answer.body


class _Nobody:
    """Implements the engine's Recorder."""

    def record(self, exchange: Exchange) -> None:
        """There is no log."""
