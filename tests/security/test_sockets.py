"""A session that is closed leaves no socket behind, however its answers were given up."""

from __future__ import annotations

import asyncio
import io
import socket
import ssl
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import structlog

from sayso.llm.fake.site import stop_listening
from sayso.security import outbound
from sayso.security.outbound import GuardedConnector, hang_up
from sayso.security.sockets import Sockets

MANY_BYTES = 32_000_000
"""More than the system holds of what a server does not read."""
TURNS = 3
"""How many turns of the loop an aborted connection may take to close."""


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate of its own."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
    made = subprocess.run([*command.split(), "-keyout", "-"], check=True, capture_output=True)
    path.write_bytes(made.stdout)
    return path


# Sockets ---------------------------------------------------------------------------------------


@pytest.fixture
def sockets() -> Sockets:
    return Sockets()


def open_one(sockets: Sockets) -> socket.socket:
    return sockets.open(socket.AF_INET, socket.SOCK_STREAM, 0)


def test_a_closed_socket_is_forgotten(sockets: Sockets) -> None:
    one, other = open_one(sockets), open_one(sockets)
    assert len(sockets) == 2
    one.close()
    one.close()
    assert len(sockets) == 1
    with socket.socket(fileno=other.detach()):
        assert len(sockets) == 0


def test_who_is_not_connected_is_not_shut_down(sockets: Sockets) -> None:
    with open_one(sockets):
        sockets.shut_down()
        assert len(sockets) == 1


def test_the_other_side_hears_of_a_shut_down(sockets: Sockets) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, open_one(sockets) as one:
        one.connect(server.getsockname())
        with server.accept()[0] as other:
            sockets.shut_down()
            assert other.recv(1) == b""
            assert one.recv(1) == b""


async def test_all_are_waited_for(sockets: Sockets) -> None:
    await sockets.wait_closed()
    one, other = open_one(sockets), open_one(sockets)
    waiting = asyncio.create_task(sockets.wait_closed())
    await asyncio.sleep(0)
    one.close()
    await asyncio.sleep(0)
    assert not waiting.done()
    other.close()
    await waiting


# Sessions --------------------------------------------------------------------------------------


@dataclass
class Deaf:
    """A server that reads the head of a question only, and answers without end, or not at all."""

    answers: bool = True
    url: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked.set()
        if self.answers:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        await self.over.wait()
        writer.transport.abort()


@asynccontextmanager
async def running(deaf: Deaf, certificate: Path | None) -> AsyncGenerator[Deaf]:
    tls = None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    server = await asyncio.start_server(deaf.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    deaf.url = f"{'https' if tls else 'http'}://localhost:{port}/"
    try:
        yield deaf
    finally:
        deaf.over.set()
        await stop_listening(server)
        await server.wait_closed()


@pytest.fixture(params=["http", "https"])
def own_certificate(request: pytest.FixtureRequest, certificate: Path) -> Path | None:
    return certificate if request.param == "https" else None


@asynccontextmanager
async def calling(certificate: Path | None) -> AsyncGenerator[aiohttp.ClientSession]:
    connector = GuardedConnector(private=True, limit=4)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session
        async with asyncio.timeout(5.0):  # far from `CLOSE_S`, far from for ever
            await session.close()
        assert len(connector._sockets) == 0


async def post(
    session: aiohttp.ClientSession, url: str, certificate: Path | None
) -> aiohttp.ClientResponse:
    """Ask more than the server reads; gives the answer once it came and the question is stuck."""
    trust: ssl.SSLContext | bool = True
    if certificate is not None:
        trust = ssl.create_default_context(cafile=certificate)
    response = await session.post(url, data=io.BytesIO(bytes(MANY_BYTES)), ssl=trust)
    assert await response.content.readany() == b"x"
    assert response.connection
    assert response.connection.transport
    while not response.connection.transport.get_write_buffer_size():  # noqa: ASYNC110 nobody tells
        await asyncio.sleep(0)
    return response


def count(session: aiohttp.ClientSession) -> int:
    assert isinstance(session.connector, GuardedConnector)
    return len(session.connector._sockets)


async def test_a_closed_session_leaves_no_given_up_answer(own_certificate: Path | None) -> None:
    async with running(Deaf(), own_certificate) as deaf, calling(own_certificate) as session:
        response = await post(session, deaf.url, own_certificate)
        response.close()
        await asyncio.sleep(0)
        assert count(session) == 1, "aiohttp alone waits until the server has read everything"


async def test_who_hangs_up_is_gone_at_once(own_certificate: Path | None) -> None:
    async with running(Deaf(), own_certificate) as deaf, calling(own_certificate) as session:
        hang_up(await post(session, deaf.url, own_certificate))
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert count(session) == 0


async def test_a_closed_session_leaves_no_given_up_question(own_certificate: Path | None) -> None:
    deaf = Deaf(answers=False)
    async with running(deaf, own_certificate), calling(own_certificate) as session:
        asking = asyncio.create_task(post(session, deaf.url, own_certificate))
        await deaf.asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_an_answer_read_to_its_end_keeps_its_connection() -> None:
    connections: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while not reader.at_eof():
            if await reader.readline() == b"\r\n":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with calling(None) as session:
        for _ in range(2):
            response = await session.get(f"http://127.0.0.1:{port}/")
            assert await response.read() == b"yes"
            hang_up(response)
        assert count(session) == 1
    await stop_listening(server)
    await server.wait_closed()
    assert len(connections) == 1


async def test_a_socket_that_nobody_closes_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbound, "CLOSE_S", 0.01)
    connector = GuardedConnector(private=True, limit=1)
    with open_one(connector._sockets), structlog.testing.capture_logs() as lines:
        await connector.close()
    assert [(line["event"], line["count"]) for line in lines] == [("connections_left_open", 1)]
