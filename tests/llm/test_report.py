from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from picky_server import Picky, running
from sayso.cli import app
from sayso.config import Settings
from sayso.llm import Endpoint
from sayso.llm.fake import FakeConfig, running_fake
from sayso.llm.report import check_once, is_starting, print_report
from sayso.llm.verdict import make_document
from vendors import llama_loading, running_vendor

RUN = CliRunner()
KEY = "sk-canary-0123456789"


async def test_a_good_report_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    async with running(Picky()) as url:
        report = await check_once(Endpoint(url, SecretStr(KEY)), Settings())
    print_report(report, as_json=False)
    told = capsys.readouterr().out
    assert told.startswith(f"passed  {url}/chat/completions\n")
    for line in ("URL              ok", "TLS              not used", "conversation     ok"):
        assert line in told
    assert "It said: 'The smoke test has passed.'" in told
    assert "--deep looks further" in told
    assert " ms\n" in told
    assert KEY not in told


async def test_a_deep_report_says_what_was_tried(capsys: pytest.CaptureFixture[str]) -> None:
    async with running(Picky(refuses=frozenset({"tools"}))) as url:
        report = await check_once(Endpoint(url), Settings(), deep=True)
    print_report(report, as_json=False)
    told = capsys.readouterr().out
    assert "warning: tools.refused" in told
    assert "What to do: " in told
    assert "Tools: no" in told
    assert "Keeps connections: yes" in told
    assert "--deep" not in told
    assert make_document(report)["state"] == "complete"


async def test_a_bad_report_names_the_base_url_that_works(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with running(Picky()) as url:
        report = await check_once(Endpoint(url.removesuffix("/v1")), Settings())
    print_report(report, as_json=False)
    told = capsys.readouterr().out
    assert told.startswith("failed  ")
    assert "HTTP answer      failed" in told
    assert "first word       not reached" in told
    assert "TLS              not used" in told
    assert "error: path.not_found" in told
    assert f"A base URL that works: {url}\n" in told
    assert "Answers come as" not in told


async def test_a_report_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    async with running(Picky(roles=frozenset({"user", "assistant"}))) as url:
        report = await check_once(Endpoint(url, SecretStr(KEY)), Settings())
    print_report(report, as_json=True)
    text = capsys.readouterr().out
    told = json.loads(text)
    assert told == make_document(report)
    assert told["ok"]
    assert told["state"] == "quick"
    assert told["findings"][0]["code"] == "system.refused"
    assert told["findings"][0]["evidence"]
    assert not told["profile"]["system"]
    assert told["profile"]["refused"] == []
    assert told["stages"][0] == {"name": "url", "state": "ok", "ms": None}
    assert KEY not in text


# The command ------------------------------------------------------------------------------------


class Seen:
    """A server that keeps the headers it was sent, on a thread of its own."""

    def __init__(self) -> None:
        self.picky = Picky()
        self.url = ""


@pytest.fixture
def served() -> Iterator[Seen]:
    import asyncio

    seen, ready, over = Seen(), threading.Event(), threading.Event()

    async def serve() -> None:
        async with running(seen.picky) as url:
            seen.url = url
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield seen
    over.set()
    thread.join()


def test_the_command_sends_what_it_is_told(served: Seen) -> None:
    result = RUN.invoke(
        app,
        [
            *("check-llm", served.url, "--model", "m", "--api-key", KEY),
            *("--header", "X-One=1", "--header", "X-Two: 2", "--header", "X-Three=a=b:c"),
            *("--temperature", "0.5", "--max-tokens", "9", "--deep"),
        ],
    )
    assert result.exit_code == 0, result.output
    assert "Tools: yes" in result.output
    assert KEY not in result.output
    first = served.picky.bodies[0]
    assert first["model"] == "m"
    assert first["temperature"] == 0.5
    assert first["max_tokens"] == 9
    headers = served.picky.headers[0]
    assert headers["X-One"] == "1"
    assert headers["X-Two"] == "2"
    assert headers["X-Three"] == "a=b:c"
    assert headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("header", ["no mark", "=value", ""])
def test_a_header_that_cannot_be_read_is_refused(header: str) -> None:
    result = RUN.invoke(app, ["check-llm", "http://127.0.0.1:9", "--header", header])
    assert result.exit_code == 2


class TestWaiting:
    """For a server that is starting."""

    async def test_until_its_model_is_loaded(self) -> None:
        async with running_vendor(llama_loading(requests=4)) as door:
            report = await check_once(Endpoint(door.origin), Settings(), wait_s=60.0)
        assert report.ok
        assert len(door.received) > 4

    async def test_until_it_listens(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        checking = asyncio.create_task(
            check_once(Endpoint(f"http://127.0.0.1:{port}"), Settings(), wait_s=60.0)
        )
        await asyncio.sleep(0)
        async with running_fake(FakeConfig(first_token_s=0.0, token_s=0.0), port=port):
            assert (await checking).ok

    async def test_not_longer_than_it_was_told(self) -> None:
        report = await check_once(Endpoint("http://127.0.0.1:9"), Settings(), wait_s=0.3)
        assert report.findings[0].code == "connect.refused"

    async def test_not_for_a_mistake(self) -> None:
        picky = Picky(refuses=frozenset({"model"}))
        async with running(picky) as url:
            report = await check_once(Endpoint(url), Settings(), wait_s=60.0)
        assert not report.ok
        assert not is_starting(report)
