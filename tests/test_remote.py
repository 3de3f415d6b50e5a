"""One connection for all speech servers: who may be called, and what is said when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from sayso import __version__
from sayso.errors import InstallationError, SpeechError
from sayso.remote import MAX_COMPLAINT_BYTES, MAX_COMPLAINT_CHARS, Desk, SpeechServer
from speech_server import KEY, Answer, always, answering, make_config

DESK = Desk("speech-to-text", "/audio/words", "SAYSO_STT_OPTIONS", "http://127.0.0.1:8000/v1")
TIMEOUT = aiohttp.ClientTimeout(total=5.0)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def make(*, private: bool = True, **options: str) -> SpeechServer:
    return SpeechServer(DESK, make_config(options, private=private), TIMEOUT)


@asynccontextmanager
async def opened(server: SpeechServer) -> AsyncGenerator[SpeechServer]:
    await server.open()
    try:
        yield server
    finally:
        await server.close()


@asynccontextmanager
async def asking(answer: Answer, query: str = "") -> AsyncGenerator[SpeechServer]:
    async with (
        answering(answer) as url,
        opened(make(url=f"{url}{query}", api_key=KEY)) as server,
    ):
        yield server


async def read(server: SpeechServer) -> bytes:
    async with server.ask(json={}) as response:
        return await response.read()


async def fail(server: SpeechServer) -> str:
    with pytest.raises(SpeechError) as caught:
        await read(server)
    assert KEY not in str(caught.value)
    return str(caught.value)


# Asking ----------------------------------------------------------------------------------------


async def test_it_is_asked_under_our_name_with_the_key() -> None:
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(text="yes", headers={"Set-Cookie": "a=b"})

    async with asking(answer, "/?version=2") as server:
        assert await read(server) == b"yes"
        assert await read(server) == b"yes"
    for request in seen:
        assert request.path_qs == "/v1/audio/words?version=2"
        assert request.headers["User-Agent"] == f"sayso/{__version__}"
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        assert "Cookie" not in request.headers, "none are kept"


async def test_without_a_key_none_is_sent() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=str("Authorization" in request.headers))

    async with answering(answer) as url, opened(make(url=url)) as server:
        assert await read(server) == b"False"


async def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with asking(always(text="direct")) as server:
        assert await read(server) == b"direct"


# Who may be called -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "private", "why"),
    [
        ("127.0.0.1", False, "SAYSO_OUTBOUND_PRIVATE is off"),
        ("[::1]", False, "SAYSO_OUTBOUND_PRIVATE is off"),
        ("169.254.169.254", True, "metadata"),
        ("[fe80::1%25lo]", True, "link-local"),
    ],
)
async def test_a_forbidden_address_does_not_start(host: str, private: bool, why: str) -> None:
    server = make(url=f"http://{host}:8000/v1", private=private)
    with pytest.raises(InstallationError, match=why) as caught:
        await server.open()
    assert "was not called" in str(caught.value)
    assert caught.value.hint
    assert "SAYSO_STT_OPTIONS" in caught.value.hint


@pytest.mark.parametrize("host", ["localhost", "0x7f.1"])
async def test_a_name_of_a_forbidden_address_is_refused_when_it_is_called(host: str) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    async with answering(answer) as url:
        port = url.rpartition(":")[2]
        async with opened(make(url=f"http://{host}:{port}", private=False)) as server:
            message = await fail(server)
    assert "was not called: " in message
    assert "SAYSO_OUTBOUND_PRIVATE is off" in message
    assert asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        where = f"http://user:pw@elsewhere.example/v1/x?key={KEY}"
        return web.Response(status=status, headers={"Location": where})

    async with asking(answer) as server:
        message = await fail(server)
    assert f"answered {status}, a redirect to http://elsewhere.example/v1/x; " in message
    assert "SAYSO_STT_OPTIONS" in message
    assert asked == ["/v1/audio/words"]


@pytest.mark.parametrize(
    ("location", "shown"), [("", "nowhere"), ("http://[", "something that is no URL")]
)
async def test_a_redirect_to_nowhere_is_a_sentence(location: str, shown: str) -> None:
    async with asking(always(status=302, headers={"Location": location})) as server:
        assert f"a redirect to {shown};" in await fail(server)


# What goes wrong -------------------------------------------------------------------------------


async def test_a_complaint_is_quoted_on_one_short_line_without_secrets() -> None:
    long = f"bad \x1b[1mkey {KEY} of\n v2 s3cret " + "x" * 2 * MAX_COMPLAINT_BYTES
    async with asking(always(status=401, text=long), "?token=s3cret&version=v2") as server:
        message = await fail(server)
    assert "answered 401 (text/plain): bad �[1mkey ... of v2 ... xxx" in message
    assert "s3cret" not in message
    assert len(message.partition("plain): ")[2]) == MAX_COMPLAINT_CHARS


async def test_a_complaint_without_words_is_told_as_such() -> None:
    async with asking(always(status=500)) as server:
        assert (await fail(server)).endswith("answered 500 (application/octet-stream): nothing")


async def test_a_complaint_that_breaks_off_is_told_as_far_as_it_came() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=503, headers={"Content-Length": "100"})
        response.content_type = "text/plain"
        await response.prepare(request)
        await response.write(b"busy")
        assert request.transport
        request.transport.close()
        return response

    async with asking(answer) as server:
        assert (await fail(server)).endswith("answered 503 (text/plain): busy")


async def test_a_server_that_is_not_there_is_a_sentence() -> None:
    async with opened(make(url="http://127.0.0.1:1/v1?key=s3cret")) as server:
        message = await fail(server)
    assert message.startswith(
        "the speech-to-text server at http://127.0.0.1:1/v1/audio/words cannot be reached: "
    )


async def test_a_host_that_cannot_be_spelled_is_a_sentence() -> None:
    async with opened(make(url=f"http://{'a' * 300}.example/v1")) as server:
        assert "cannot be reached" in await fail(server)


async def test_a_server_that_takes_too_long_is_a_sentence() -> None:
    gate = asyncio.Event()

    async def wait(request: web.Request) -> web.Response:
        await gate.wait()
        return web.Response()

    async with answering(wait) as url:
        config = make_config({"url": url}, 0.05)
        timeout = aiohttp.ClientTimeout(total=config.timeout_s)
        async with opened(SpeechServer(DESK, config, timeout)) as server:
            assert "took longer than 0.05 s" in await fail(server)
        gate.set()


async def test_an_answer_that_breaks_off_is_a_sentence() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport
        request.transport.close()
        return response

    async with asking(answer) as server:
        assert "cannot be reached" in await fail(server)


async def test_a_server_that_is_not_open_is_not_asked() -> None:
    server = make(url="http://127.0.0.1:1/v1")
    assert "is not open" in await fail(server)
    await server.open()
    await server.close()
    await server.close()
    assert "is not open" in await fail(server)


# Options ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("http://a/v1", "http://a/v1/audio/words"),
        ("https://a:8443/v1/audio/words/", "https://a:8443/v1/audio/words"),
        (" http://a ", "http://a/audio/words"),
        ("http://a/v1/?key=k#x", "http://a/v1/audio/words"),
    ],
)
def test_the_url_is_completed_and_shown_without_its_query(given: str, shown: str) -> None:
    assert make(url=given).url == shown


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", "does not begin with http"),
        ("a.com/v1", "does not begin with http"),
        ("ftp://a/v1", "does not begin with http"),
        ("http:///v1", "names no host"),
        ("http://[::1/v1", "is not a URL"),
        ("http://a:port/v1", "is not a URL"),
        ("http://me:s3cret@a/v1", "contains a user or a password"),
        ("http://a/v 1", "contains a blank"),
        ("http://a/v\x7f1", "contains a blank or an unprintable"),
    ],
)
def test_a_url_that_cannot_be_called_is_refused(url: str, fault: str) -> None:
    with pytest.raises(InstallationError, match=fault) as caught:
        make(url=url)
    assert "needs the option `url`" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.hint == 'Set SAYSO_STT_OPTIONS=\'{"url": "http://127.0.0.1:8000/v1"}\'.'


def test_a_key_that_cannot_be_sent_is_refused_unsaid() -> None:
    with pytest.raises(InstallationError, match="unprintable") as caught:
        make(url="http://a", api_key=f"{KEY}\r\nX-Other: 1")
    assert KEY not in str(caught.value)


def test_keys_are_not_in_any_repr() -> None:
    config = make_config({"url": "http://a", "api_key": KEY})
    assert KEY not in repr(config)
    assert KEY not in repr(SpeechServer(DESK, config, TIMEOUT))
