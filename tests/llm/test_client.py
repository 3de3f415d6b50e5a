from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from sayso.config import Settings
from sayso.errors import LlmError
from sayso.llm import Endpoint, Message
from sayso.llm.client import LlmClient, deadlines_of
from sayso.llm.deadlines import Deadlines
from sayso.llm.fake import FakeConfig, Received, running_fake
from sayso.llm.fake.site import stop_listening
from sayso.llm.findings import Finding

HELLO = [Message("user", "Hello, you!")]
KEY = "sk-very-secret-1234"


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both loops: they name failures of the network differently, and servers run on uvloop."""
    return "asyncio", {"use_uvloop": request.param}


async def ask(client: LlmClient, endpoint: Endpoint) -> str:
    return "".join([str(piece) async for piece in client.bind(endpoint).reply(HELLO)])


async def fail(client: LlmClient, endpoint: Endpoint) -> LlmError:
    with pytest.raises(LlmError) as failed:
        await ask(client, endpoint)
    assert KEY not in str(failed.value)
    return failed.value


def quirk(url: str, name: str) -> Endpoint:
    return Endpoint(url, SecretStr(KEY), f"quirk:{name}")


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that answers each connection with whatever `answer` writes; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await stop_listening(server)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    return head + await reader.readexactly(length)


# What is sent ---------------------------------------------------------------------------------


def test_the_operators_deadlines() -> None:
    settings = Settings(llm_connect_timeout_s=1, llm_first_token_timeout_s=2)
    assert deadlines_of(settings).connect_s == 1
    assert deadlines_of(settings).first_token_s == 2


async def test_the_request_as_the_server_sees_it(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    endpoint = Endpoint(f"{fake}/", SecretStr(KEY), "m", headers={"x-my-extra-key": "value"})
    assert await ask(client, endpoint) == "Hello, you!"
    (request,) = received
    assert (request.method, request.path) == ("POST", "/chat/completions")
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Accept"] == "text/event-stream"
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["x-my-extra-key"] == "value"
    assert request.headers["User-Agent"].startswith("sayso/")
    assert request.body["stream"] is True


# What comes back ------------------------------------------------------------------------------

SAME = [
    "bad_json",
    "bare_done",
    "buffered",
    "choices_empty",
    "comments",
    "crlf",
    "cumulative",
    "hold_open",
    "json",
    "json_lines",
    "long_line",
    "messages",
    "no_done",
    "no_space",
    "parts",
    "reasoning",
    "think_inline",
]


@pytest.mark.parametrize("name", SAME)
async def test_quirks_that_change_nothing(client: LlmClient, fake: str, name: str) -> None:
    assert await ask(client, quirk(fake, name)) == "Hello, you!"


async def test_characters_cut_in_pieces(client: LlmClient, fake: str) -> None:
    assert await ask(client, quirk(fake, "split_utf8")) == "Grüße 👋 Hello, you!"
    assert await ask(client, quirk(fake, "split_emoji")) == "Hi 👋 Hello, you!"


FAILURES = {
    "400": "http.status",
    "401": "auth.refused",
    "403": "auth.refused",
    "404": "path.not_found",
    "404_model": "model.unknown",
    "429": "rate.limited",
    "500": "http.status",
    "choices_null": "stream.no_choices",
    "cut": "stream.cut",
    "cut_event": "stream.cut",
    "empty": "stream.empty",
    "endless_line": "stream.too_long",
    "error_object": "stream.error_object",
    "hang": "first_token.slow",
    "html": "http.html",
    "json_error": "stream.error_object",
    "keep_alive": "first_token.slow",
    "no_body": "stream.empty",
    "no-such-quirk": "model.unknown",
    "reasoning_only": "stream.reasoning_only",
    "redirect": "redirect.refused",
    "slow_first": "first_token.slow",
    "stall": "stream.stalled",
    "text": "body.not_sse",
    "tool_call": "stream.tool_calls_only",
}


@pytest.mark.parametrize(("name", "code"), FAILURES.items())
async def test_quirks_that_fail(client: LlmClient, fake: str, name: str, code: str) -> None:
    error = await fail(client, quirk(fake, name))
    assert error.finding == code
    assert f"POST {fake}/chat/completions" in error.message
    assert error.hint


async def test_what_arrived_before_a_failure_is_given(client: LlmClient, fake: str) -> None:
    said: list[str] = []
    pieces = client.bind(quirk(fake, "error_object")).reply(HELLO)
    with pytest.raises(LlmError):  # noqa: PT012 - what came before the failure counts
        async for piece in pieces:
            said.append(str(piece))  # noqa: PERF401
    assert said == ["Hello"]


async def test_the_error_quotes_the_servers_words(client: LlmClient, fake: str) -> None:
    error = await fail(client, quirk(fake, "429"))
    assert "answered 429" in error.message
    assert "Rate limit reached" in error.message


async def test_a_redirect_gets_no_key(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    error = await fail(client, quirk(fake, "redirect"))
    assert "/v1/chat/completions" in error.message
    assert len(received) == 1


async def test_what_was_overcome_is_told(fake: str) -> None:
    told: list[tuple[Endpoint, Finding]] = []
    client = LlmClient(
        Deadlines(), notice=lambda endpoint, finding: told.append((endpoint, finding))
    )
    await client.open()
    await ask(client, quirk(fake, "json"))
    await client.close()
    assert [(endpoint.model, finding.code) for endpoint, finding in told] == [
        ("quirk:json", "body.json_not_sse")
    ]


async def test_closing_the_generator_frees_the_server_at_once(client: LlmClient) -> None:
    left = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        writer.write(b'data: {"choices": [{"delta": {"content": "Hi"}}]}\n\n')
        assert await reader.read() == b""
        left.set()

    async with raw_server(answer) as port:
        endpoint = Endpoint(f"http://127.0.0.1:{port}")
        async with aclosing(client.bind(endpoint).reply(HELLO)) as pieces:
            assert await anext(pieces) == "Hi"
        async with asyncio.timeout(1):
            await left.wait()


async def test_a_connection_serves_the_next_answer(client: LlmClient) -> None:
    connections = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(2):
            await read_request(reader)
            event = b'data: {"choices": [{"delta": {"content": "Hi"}}]}\n\ndata: [DONE]\n\n'
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
            await asyncio.sleep(0.02)  # the end of the body comes after [DONE]
            writer.write(b"0\r\n\r\n")

    async with raw_server(answer) as port:
        for _ in range(2):
            assert await ask(client, Endpoint(f"http://127.0.0.1:{port}")) == "Hi"
            await asyncio.sleep(0.05)
    assert connections == 1


async def test_a_kept_connection_that_was_closed_is_tried_again(client: LlmClient) -> None:
    asked = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await read_request(reader)
        asked += 1
        if asked > 1:
            body = b'{"choices": [{"message": {"content": "Hi"}}]}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async with raw_server(answer) as port:
        assert await ask(client, Endpoint(f"http://127.0.0.1:{port}")) == "Hi"
    assert asked == 2


@pytest.mark.parametrize("always", [False, True])
async def test_a_connection_that_was_reset_is_tried_again(client: LlmClient, always: bool) -> None:
    """A server that closes with something unread resets it; a reply is not lost by that."""
    asked = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await read_request(reader)
        asked += 1
        if always or asked == 1:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            return
        body = b'{"choices": [{"message": {"content": "Hi"}}]}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async with raw_server(answer) as port:
        endpoint = Endpoint(f"http://127.0.0.1:{port}")
        if always:
            assert (await fail(client, endpoint)).finding == "connect.closed"
        else:
            assert await ask(client, endpoint) == "Hi"
    assert asked == 2


async def test_a_server_that_always_hangs_up(client: LlmClient) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)

    async with raw_server(answer) as port:
        error = await fail(client, Endpoint(f"http://127.0.0.1:{port}"))
    assert error.finding == "connect.closed"


async def test_a_server_that_speaks_no_http(client: LlmClient) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"220 mail.test ESMTP\r\n\r\n")

    async with raw_server(answer) as port:
        error = await fail(client, Endpoint(f"http://127.0.0.1:{port}"))
    assert error.finding == "http.broken"


async def test_a_broken_end_after_a_finish_reason_is_an_end(client: LlmClient) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        event = b'data: {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}\n\n'
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"%x\r\n%s\r\n" % (len(event), event))

    async with raw_server(answer) as port:
        assert await ask(client, Endpoint(f"http://127.0.0.1:{port}")) == "Hi"


async def test_an_error_whose_body_never_ends_is_told_in_time(client: LlmClient) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nloading")
        await reader.read()

    async with raw_server(answer) as port:
        async with asyncio.timeout(1):
            error = await fail(client, Endpoint(f"http://127.0.0.1:{port}"))
    assert error.finding == "http.status"
    assert "answered 503" in error.message
    assert "loading" in error.message


# Time -----------------------------------------------------------------------------------------


async def test_comments_are_life_after_the_first_word_but_not_for_ever(client: LlmClient) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.write(b'data: {"choices": [{"delta": {"content": "Hi"}}]}\n\n')
        while not writer.is_closing():
            writer.write(b": ping\n\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    now_s = asyncio.get_running_loop().time
    async with raw_server(answer) as port:
        begun_s = now_s()
        error = await fail(client, Endpoint(f"http://127.0.0.1:{port}"))
    assert error.finding == "stream.stalled"
    assert 0.35 < now_s() - begun_s < 1.0


async def test_a_whole_answer_is_bounded_in_time(fake: str) -> None:
    client = LlmClient(Deadlines(reply_s=0.3))
    await client.open()
    async with running_fake(FakeConfig(first_token_s=0.01, token_s=0.1)) as url:
        exchange = client.ask(Endpoint(url), [Message("user", "a b c d e f g h i j")])
        with pytest.raises(LlmError) as failed:
            _ = [piece async for piece in exchange.pieces()]
    await client.close()
    assert failed.value.finding == "stream.too_long"


async def test_the_first_token_is_timed(client: LlmClient) -> None:
    async with running_fake(FakeConfig(first_token_s=0.1, token_s=0)) as url:
        exchange = client.ask(Endpoint(url), HELLO)
        before = exchange.first_token_s
        _ = [piece async for piece in exchange.pieces()]
    assert before is None
    assert exchange.first_token_s is not None
    assert 0.09 < exchange.first_token_s < 0.3


async def test_a_server_that_takes_the_request_and_never_answers(client: LlmClient) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_server(answer) as port:
        error = await fail(client, Endpoint(f"http://127.0.0.1:{port}"))
    assert error.finding == "first_token.slow"
    assert "it sent nothing" in error.message


# No connection ----------------------------------------------------------------------------------


async def test_nobody_listens(client: LlmClient) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        error = await fail(client, Endpoint(f"http://127.0.0.1:{port}/v1", SecretStr(KEY)))
    assert error.finding == "connect.refused"
    assert f"nothing listens at 127.0.0.1 port {port}" in error.message


async def test_a_name_that_does_not_resolve(client: LlmClient) -> None:
    error = await fail(client, Endpoint("http://no-such-host.invalid/v1"))
    assert error.finding == "dns.failed"
    assert "no-such-host.invalid" in error.message


async def test_a_connection_that_takes_too_long() -> None:
    client = LlmClient(Deadlines(connect_s=0.1))
    await client.open()
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        crowd = [socket.socket() for _ in range(3)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(address)
        error = await fail(client, Endpoint(f"http://127.0.0.1:{address[1]}"))
        for one in crowd:
            one.close()
    await client.close()
    assert error.finding == "connect.timeout"


async def test_plain_http_where_tls_is_expected(client: LlmClient, fake: str) -> None:
    error = await fail(client, Endpoint(fake.replace("http://", "https://")))
    assert error.finding == "tls.failed"


async def test_a_certificate_nobody_vouches_for(client: LlmClient, tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_server(answer, _make_tls(tmp_path)) as port:
        error = await fail(client, Endpoint(f"https://localhost:{port}"))
    assert error.finding == "tls.failed"
    assert "certificate" in error.message


def _make_tls(folder: Path) -> ssl.SSLContext:
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
    subprocess.run(
        [*command.split(), "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
async def test_private_addresses_by_the_setting(host: str, fake: str) -> None:
    client = LlmClient(Deadlines(), private=False)
    await client.open()
    error = await fail(client, Endpoint(f"http://{host}:{fake.rpartition(':')[2]}"))
    await client.close()
    assert error.finding == "outbound.refused"
    assert "SAYSO_OUTBOUND_PRIVATE" in error.message


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "[::]", "[fd00:ec2::254]"])
async def test_addresses_that_are_never_called(client: LlmClient, host: str) -> None:
    assert (await fail(client, Endpoint(f"http://{host}/"))).finding == "outbound.refused"


async def test_a_bad_url(client: LlmClient) -> None:
    error = await fail(client, Endpoint("ftp://h", SecretStr(KEY)))
    assert error.finding == "url.bad"
    assert "ftp://h" in error.message
    assert (await fail(client, Endpoint(""))).finding == "url.bad"
    assert (await fail(client, Endpoint("http://a..b/"))).finding in ("url.bad", "dns.failed")


async def test_a_client_must_be_open() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        LlmClient(Deadlines()).ask(Endpoint("http://h"), HELLO)


async def test_closing_twice_is_fine(client: LlmClient, fake: str) -> None:
    await ask(client, quirk(fake, "hold_open"))
    await client.close()
    await client.close()


# Many at once -----------------------------------------------------------------------------------


async def test_many_conversations_at_once_and_some_hushed(fake: str) -> None:
    async with running_fake(FakeConfig(first_token_s=0.01, token_s=0.002, jitter_s=0.005)) as url:
        client = LlmClient(Deadlines())
        await client.open()
        endpoint = Endpoint(url)

        async def listen(n: int) -> str:
            said = ""
            words = [Message("user", f"Number {n} says one two three four")]
            async with aclosing(client.bind(endpoint).reply(words)) as pieces:
                async for piece in pieces:
                    said += str(piece)
                    if n % 3 == 0 and len(said) > 10:
                        break
            return said

        said = await asyncio.gather(*(listen(n) for n in range(60)))
        await client.close()
    for n, words in enumerate(said):
        whole = f"Number {n} says one two three four"
        assert whole.startswith(words) if n % 3 == 0 else words == whole


async def test_a_cancelled_caller_frees_the_server(client: LlmClient) -> None:
    left = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await reader.read()
        left.set()

    async with raw_server(answer) as port:
        task = asyncio.create_task(ask(client, Endpoint(f"http://127.0.0.1:{port}")))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(1):
            await left.wait()


async def test_requests_beyond_the_limit_wait_for_a_connection(fake: str) -> None:
    client = LlmClient(Deadlines(), max_connections=2)
    await client.open()
    said = await asyncio.gather(*(ask(client, Endpoint(fake)) for _ in range(8)))
    await client.close()
    assert said == ["Hello, you!"] * 8


async def test_a_full_house_is_a_connect_timeout(fake: str) -> None:
    client = LlmClient(Deadlines(connect_s=0.1, first_token_s=1.0), max_connections=1)
    await client.open()
    hanging = asyncio.create_task(ask(client, quirk(fake, "hang")))
    await asyncio.sleep(0.05)
    error = await fail(client, Endpoint(fake))
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    await client.close()
    assert error.finding == "connect.timeout"


@pytest.mark.parametrize("encoding", ["gzip", "br"])
async def test_an_answer_that_is_compressed_all_the_same(client: LlmClient, encoding: str) -> None:
    """We ask for none; gzip can be read anyway, and anything else is at least named."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        event = b'data: {"choices": [{"delta": {"content": "Hi"}}]}\n\ndata: [DONE]\n\n'
        body = gzip.compress(event) if encoding == "gzip" else b"\x0b\x02\x80nonsense\x03"
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}"
        writer.write(head.encode() + b"\r\n\r\n" + body)

    async with raw_server(answer) as port:
        endpoint = Endpoint(f"http://127.0.0.1:{port}")
        if encoding == "gzip":
            assert await ask(client, endpoint) == "Hi"
        else:
            error = await fail(client, endpoint)
            assert error.finding in ("http.broken", "stream.cut", "body.not_sse")
