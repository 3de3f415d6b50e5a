from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from structlog.testing import capture_logs

from endpoints import Endpoint, running_endpoint
from sayso.functions.answer import CUT_NOTE, MAX_TEXT_CHARS
from sayso.functions.call import MAX_READ_BYTES, Called, HttpCalls
from sayso.functions.definition import Function, Kind, Parameter, Position
from sayso.functions.findings import FINDINGS

KEY = "sk-canary-51b2c9aa04/x"
METADATA = "http://169.254.169.254/latest/meta-data/"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def endpoint() -> AsyncGenerator[Endpoint]:
    async with running_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
async def calls() -> AsyncGenerator[HttpCalls]:
    calls = HttpCalls(private=True)
    await calls.open()
    yield calls
    await calls.close()


def function(url: str, *parameters: Parameter, method: str = "GET", **more: Any) -> Function:  # noqa: ANN401
    return Function("f1", "Try", "Tries.", url, method, parameters, **more)


async def ask(calls: HttpCalls, url: str, method: str = "GET", **more: Any) -> Called:  # noqa: ANN401
    called = await calls.call(function(url, method=method, **more), "{}")
    assert called.outcome.finding in {"", *FINDINGS}
    return called


# What arrives -----------------------------------------------------------------------------------

EVERYWHERE = tuple(
    Parameter(f"{position.value}-{kind.value}", kind, position, choices=choices)
    for position in Position
    for kind, choices in (
        (Kind.NUMBER, ()),
        (Kind.STRING, ()),
        (Kind.BOOLEAN, ()),
        (Kind.ENUM, ("small", "large")),
    )
)
FIXED = tuple(
    Parameter(f"fixed-{position.value}", position=position, static=f"{position.value} & 1")
    for position in Position
)


async def test_every_position_and_type_arrives(calls: HttpCalls, endpoint: Endpoint) -> None:
    given = {
        name: {"number": 2.5, "string": "ü & /", "boolean": True, "enum": "large"}[
            name.rpartition("-")[2]
        ]
        for name in (one.name for one in EVERYWHERE)
    }
    made = function(f"{endpoint.url}/a/{{url-string}}", *EVERYWHERE, *FIXED, method="POST")
    called = await calls.call(made, json.dumps(given))
    assert called.outcome.ok
    asked = endpoint.last
    assert asked.method == "POST"
    assert asked.path == "/a/%C3%BC%20%26%20%2F/2.5/true/large/url%20%26%201"
    assert asked.query == [
        ("query-number", "2.5"),
        ("query-string", "ü & /"),
        ("query-boolean", "true"),
        ("query-enum", "large"),
        ("fixed-query", "query & 1"),
    ]
    assert json.loads(asked.body) == {
        "body-number": 2.5,
        "body-string": "ü & /",
        "body-boolean": True,
        "body-enum": "large",
        "fixed-body": "body & 1",
    }
    sent = {name: value for name, value in asked.headers.items() if name in given}
    assert sent["header-number"] == "2.5"
    assert sent["header-boolean"] == "true"
    assert sent["header-enum"] == "large"
    assert asked.headers["fixed-header"] == "header & 1"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"].startswith("sayso/")
    assert "cookie" not in asked.headers


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_every_method_arrives(calls: HttpCalls, endpoint: Endpoint, method: str) -> None:
    called = await calls.call(
        function(f"{endpoint.url}/x", Parameter("day"), method=method), '{"day": "Friday"}'
    )
    assert (called.outcome.ok, called.status, called.tries) == (True, 200, 1)
    assert called.outcome.ms > 0
    asked = endpoint.last
    assert asked.method == method
    if method in {"GET", "DELETE"}:
        assert (asked.query, asked.body) == ([("day", "Friday")], "")
    else:
        assert (asked.query, json.loads(asked.body)) == ([], {"day": "Friday"})


async def test_variables_are_filled_in(calls: HttpCalls, endpoint: Endpoint) -> None:
    who = Parameter("X-Caller", position=Position.HEADER, static="{{callerId}}")
    await calls.call(function(f"{endpoint.url}/x", who), "", {"callerId": "anna"})
    assert endpoint.last.headers["x-caller"] == "anna"


async def test_what_cannot_be_read_is_not_sent(calls: HttpCalls, endpoint: Endpoint) -> None:
    called = await calls.call(function(f"{endpoint.url}/x", Parameter("day")), "{}")
    assert called.outcome.finding == "arguments.missing"
    assert 'Still missing: "day"' in called.outcome.text
    assert (called.sent, called.status, called.tries, endpoint.asked) == (None, None, 0, [])


async def test_many_calls_at_once_get_their_own_answers(
    calls: HttpCalls, endpoint: Endpoint
) -> None:
    made = function(f"{endpoint.url}/x", Parameter("n", Kind.NUMBER), method="POST")
    found = await asyncio.gather(*(calls.call(made, json.dumps({"n": n})) for n in range(60)))
    for n, called in enumerate(found):
        assert json.loads(json.loads(called.outcome.text)["body"]) == {"n": n}


# What comes back --------------------------------------------------------------------------------


async def test_an_answer_is_told(calls: HttpCalls, endpoint: Endpoint) -> None:
    told = await ask(calls, f"{endpoint.url}/give?kind=text/html&text=<p>Open</p>")
    assert told.outcome.text == "Open"
    told = await ask(calls, f"{endpoint.url}/give?status=404&text=No+such+order")
    assert (told.outcome.ok, told.status, told.outcome.finding) == (False, 404, "http.status")
    assert told.outcome.text.endswith("404 (Not Found). It said: No such order")
    told = await ask(calls, f"{endpoint.url}/give?kind=audio/mpeg")
    assert told.outcome.finding == "answer.binary"


async def test_a_long_answer_is_cut(calls: HttpCalls, endpoint: Endpoint) -> None:
    told = await ask(calls, f"{endpoint.url}/give?kind=text/plain&times=20000")
    assert len(told.outcome.text) == MAX_TEXT_CHARS
    assert told.outcome.text.endswith(CUT_NOTE)


async def test_an_endless_answer_is_read_to_the_limit(calls: HttpCalls, endpoint: Endpoint) -> None:
    told = await ask(calls, f"{endpoint.url}/flood")
    assert told.outcome.ok
    assert len(told.outcome.text) <= MAX_TEXT_CHARS < MAX_READ_BYTES
    async with asyncio.timeout(10):
        await endpoint.gave_up.wait()


@pytest.mark.parametrize("path", ["hang", "drip"])
async def test_a_slow_answer_is_given_up(calls: HttpCalls, endpoint: Endpoint, path: str) -> None:
    told = await ask(calls, f"{endpoint.url}/{path}", timeout_s=0.3)
    assert told.outcome.finding == "timeout"
    assert told.outcome.text == "The call failed: there was no answer within 0.3 seconds."
    assert told.tries == 1
    async with asyncio.timeout(10):
        await endpoint.gave_up.wait()


async def test_who_is_cancelled_hangs_up(calls: HttpCalls, endpoint: Endpoint) -> None:
    call = asyncio.create_task(calls.call(function(f"{endpoint.url}/hang"), ""))
    async with asyncio.timeout(10):
        await endpoint.hanging.wait()
        call.cancel()
        await asyncio.wait([call])
        await endpoint.gave_up.wait()
    assert call.cancelled()


# Where nobody may go ----------------------------------------------------------------------------


@pytest.mark.parametrize("target", [METADATA, "/x", "http://127.0.0.1:9/", "//evil.example/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_redirect_is_not_followed(
    calls: HttpCalls, endpoint: Endpoint, target: str, method: str
) -> None:
    key = Parameter("Authorization", position=Position.HEADER, static=f"Bearer {KEY}")
    made = function(f"{endpoint.url}/redirect?to={target}", key, method=method)
    told = await calls.call(made, "{}")
    assert (told.outcome.finding, told.status) == ("redirect.refused", 302)
    assert "redirects are not followed" in told.outcome.text
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(
    "url",
    [METADATA, "http://[fd00:ec2::254]/", "http://0.0.0.0/", "http://2852039166/", "http://0/"],
)
async def test_metadata_is_never_called(calls: HttpCalls, url: str) -> None:
    told = await ask(calls, url)
    assert not told.outcome.ok
    assert told.outcome.finding in {"outbound.refused", "function.bad"}
    assert told.tries == 1


async def test_private_addresses_are_the_operators_choice(endpoint: Endpoint) -> None:
    strict = HttpCalls(private=False)
    await strict.open()
    for url in (endpoint.url, endpoint.url.replace("127.0.0.1", "localhost")):
        told = await ask(strict, f"{url}/x")
        assert told.outcome.finding == "outbound.refused"
        assert told.outcome.text == "The call failed: its address may not be called."
    assert endpoint.asked == []
    await strict.close()


# What fails -------------------------------------------------------------------------------------


async def test_reading_is_tried_again(calls: HttpCalls, endpoint: Endpoint) -> None:
    endpoint.failing = 1
    told = await ask(calls, f"{endpoint.url}/drop")
    assert (told.outcome.text, told.tries) == ("At last.", 2)


async def test_but_not_for_ever(calls: HttpCalls, endpoint: Endpoint) -> None:
    endpoint.failing = 9
    told = await ask(calls, f"{endpoint.url}/drop")
    assert (told.outcome.finding, told.tries) == ("http.broken", 2)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_what_may_have_happened_is_not_repeated(
    calls: HttpCalls, endpoint: Endpoint, method: str
) -> None:
    await ask(calls, f"{endpoint.url}/drop", method)  # a connection that could be kept
    endpoint.failing = 1
    told = await ask(calls, f"{endpoint.url}/drop", method)
    assert (told.outcome.finding, told.tries) == ("http.broken", 1)
    assert len(endpoint.asked) == 2


async def test_nobody_there_is_tried_twice_whatever_the_method(calls: HttpCalls) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        told = await ask(calls, url, "POST")
    assert (told.outcome.finding, told.tries) == ("connect.failed", 2)
    assert told.outcome.text == "The call failed: its server cannot be reached."


async def test_other_failures_have_names(calls: HttpCalls, endpoint: Endpoint) -> None:
    told = await ask(calls, endpoint.url.replace("http:", "https:"))
    assert told.outcome.finding == "tls.failed"
    told = await ask(calls, "http://no-such-host.invalid/")
    assert told.outcome.finding == "dns.failed"


async def test_who_speaks_no_http_is_told(calls: HttpCalls) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        told = await ask(calls, f"http://127.0.0.1:{port}/", "POST")
    assert told.outcome.finding == "http.broken"


async def test_calls_that_are_closed_say_so(endpoint: Endpoint) -> None:
    told = await ask(HttpCalls(private=True), f"{endpoint.url}/x")
    assert told.outcome.text == "The call failed: the server is closing."


# Secrets ----------------------------------------------------------------------------------------


async def test_a_secret_is_told_to_nobody_but_the_endpoint(
    calls: HttpCalls, endpoint: Endpoint
) -> None:
    parameters = (
        Parameter("Authorization", position=Position.HEADER, static=f"Bearer {KEY}"),
        Parameter("token", position=Position.QUERY, static="q-canary-1"),
        Parameter("tenant", position=Position.BODY, static="b-canary-2"),
        Parameter("path", position=Position.URL, static="u-canary-3"),
        Parameter("say"),
    )
    canaries = (KEY, "q-canary-1", "b-canary-2", "u-canary-3", "o-canary-4")
    arguments = json.dumps({"say": f"what is {KEY}?"})
    told: list[object] = []
    with capture_logs() as logs:
        for path in ("/x", "/give", "/drip", "/drop"):
            endpoint.failing = 1
            made = function(
                f"{endpoint.url}{path}?code=o-canary-4", *parameters, method="POST", timeout_s=0.3
            )
            told.append(await calls.call(made, arguments))
    asked = json.dumps([vars(one) for one in endpoint.asked])
    assert all(canary in asked for canary in canaries)
    everything = repr(told) + repr(logs)
    assert [canary for canary in canaries if canary in everything] == []
    assert [line["event"] for line in logs] == ["function_called"] * 4
    assert set(logs[0]) == {
        "event", "log_level", "function_id", "ok", "status", "ms", "tries", "finding",
    }  # fmt: skip
