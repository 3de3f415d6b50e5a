from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr
from structlog.testing import capture_logs

from sayso.errors import KnowledgeError
from sayso.knowledge.passages import Found, Passage
from sayso.knowledge.place import PROBE, Place
from sayso.knowledge.remote import (
    MAX_ANSWER_BYTES,
    Retrieval,
    make_headers,
    read_records,
)
from speech_server import Answer, always, answering

KEY = "rk-very-secret"
RECORD: dict[str, Any] = {
    "content": "Nine to five.",
    "score": 0.8,
    "title": "Opening hours",
    "metadata": {"source": "hours.pdf", "page": 3, "url": "http://x.test/hours"},
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def retrieval() -> AsyncIterator[Retrieval]:
    retrieval = Retrieval()
    await retrieval.open()
    yield retrieval
    await retrieval.close()


def place(
    url: str, *, top_k: int = 4, timeout_s: float = 5.0, headers: Mapping[str, str] | None = None
) -> Place:
    return Place(url, SecretStr(KEY), "agent-1", top_k, timeout_s, headers or {})


async def refuse(retrieval: Retrieval, answer: Answer, timeout_s: float = 5.0) -> KnowledgeError:
    async with answering(answer) as url:
        with pytest.raises(KnowledgeError) as caught:
            await retrieval.ask(place(url, timeout_s=timeout_s), "When?", [])
    assert KEY not in str(caught.value)
    assert caught.value.hint
    return caught.value


async def test_a_question_is_asked_and_its_records_are_read(retrieval: Retrieval) -> None:
    seen: list[tuple[str, dict[str, str], Any]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.path, dict(request.headers), await request.json()))
        return web.json_response({"records": [RECORD, {"content": "Closed on Sunday."}]})

    async with answering(answer) as url:
        retriever = retrieval.bind(place(url, top_k=2, headers={"X-Team": "blue"}))
        found = await retriever.find("When?", ["Hello."], 9)
    assert found == [
        Found(
            Passage(
                "0", "Nine to five.", "", "hours.pdf", 3, "Opening hours", RECORD["metadata"]["url"]
            ),
            0.8,
        ),
        Found(Passage("1", "Closed on Sunday.", "", "retrieval"), 0.0),
    ]
    path, headers, body = seen[0]
    assert path == "/v1/retrieval"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["X-Team"] == "blue"
    assert body == {
        "knowledge_id": "agent-1",
        "query": "When?",
        "retrieval_setting": {"top_k": 2, "score_threshold": 0.0},
        "context": ["Hello."],
    }


def test_the_owners_headers_win() -> None:
    headers = make_headers(Place("http://r.test", SecretStr("Bearer x"), headers={"accept": "*/*"}))
    assert headers == {"Authorization": "Bearer x", "accept": "*/*"}


@pytest.mark.parametrize(
    ("answer", "finding", "told"),
    [
        (always(status=503, text="busy"), "retrieval.status", "answered 503: busy"),
        (always(status=401, text=f"bad {KEY}"), "retrieval.status", "answered 401: bad ..."),
        (always(status=302, headers={"Location": "/x"}), "retrieval.redirect", "a redirect"),
        (always(text="<html>"), "retrieval.not_json", "did not answer JSON: <html>"),
        (always(text="[" * 100_000), "retrieval.not_json", "did not answer JSON"),
        (always(text="[]"), "retrieval.no_records", "without `records`: []"),
        (always(text='{"records": 1}'), "retrieval.no_records", "without `records`"),
        (always(body=b" " * (MAX_ANSWER_BYTES + 1)), "retrieval.too_long", "more than 1024 KiB"),
    ],
)
async def test_answers_of_no_use(
    retrieval: Retrieval, answer: Answer, finding: str, told: str
) -> None:
    error = await refuse(retrieval, answer)
    assert (error.finding, told in error.message) == (finding, True), error.message


async def test_one_that_hangs(retrieval: Retrieval) -> None:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    error = await refuse(retrieval, answer, timeout_s=0.2)
    assert error.finding == "retrieval.timeout"
    assert "longer than 200 ms" in error.message


async def test_one_that_drips(retrieval: Retrieval) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    assert (await refuse(retrieval, answer, timeout_s=0.2)).finding == "retrieval.timeout"


@pytest.mark.parametrize(
    ("url", "finding"),
    [
        ("ftp://r.test", "retrieval.url"),
        ("http://me:pass@r.test", "retrieval.url"),
        ("http://[", "retrieval.url"),
        ("http://169.254.169.254/v1", "retrieval.address"),
        ("http://127.0.0.1:1/v1", "retrieval.unreachable"),
    ],
)
async def test_addresses_that_cannot_be_asked(retrieval: Retrieval, url: str, finding: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        await retrieval.ask(place(url), "When?", [])
    assert caught.value.finding == finding
    assert "pass@" not in str(caught.value)


async def test_private_addresses_by_the_operators_word() -> None:
    retrieval = Retrieval(private=False)
    await retrieval.open()
    try:
        error = await refuse(retrieval, always(text="{}"))
    finally:
        await retrieval.close()
    assert error.finding == "retrieval.address"


async def test_headers_of_the_connection_are_not_the_owners(retrieval: Retrieval) -> None:
    with pytest.raises(KnowledgeError) as caught:
        await retrieval.ask(place("http://127.0.0.1:1", headers={"Content-Length": "3"}), "?", [])
    assert caught.value.finding == "retrieval.header"
    assert "Content-Length" in str(caught.value)


class TestResting:
    """One that keeps failing is left alone, and comes back by itself."""

    @pytest.fixture
    async def resting(self) -> AsyncIterator[Resting]:
        state = Resting()
        state.retrieval = Retrieval(now_s=lambda: state.now_s)
        await state.retrieval.open()
        async with answering(state.answer) as state.url:
            yield state
        await state.retrieval.close()

    async def test_nobody_waits_for_it_after_two_failures(self, resting: Resting) -> None:
        with capture_logs() as logs:
            told = [await resting.ask() for _ in range(3)]
        assert told == ["retrieval.status", "retrieval.status", "retrieval.resting"]
        assert resting.asked == ["When?", "When?"]
        (line,) = logs
        assert (line["event"], line["rest_s"]) == ("retrieval_rests", 30.0)
        assert KEY not in repr(logs)

    async def test_a_look_beside_the_conversation_finds_it_well_again(
        self, resting: Resting
    ) -> None:
        for _ in range(2):
            await resting.ask()
        resting.works = True
        resting.now_s = 11.0
        with capture_logs() as logs:
            assert await resting.ask() == "retrieval.resting"
            async with asyncio.timeout(10):
                await resting.looked.wait()
                await asyncio.gather(*resting.retrieval._looks)
            assert await resting.ask() == ""
        assert resting.asked[2:] == [PROBE, "When?"]
        assert [line["event"] for line in logs] == ["retrieval_is_well_again"]

    async def test_one_that_still_fails_rests_longer(self, resting: Resting) -> None:
        for _ in range(2):
            await resting.ask()
        resting.now_s = 31.0
        assert await resting.ask() == "retrieval.status"
        resting.now_s = 90.0
        assert await resting.ask() == "retrieval.resting"

    async def test_one_agents_trouble_is_not_anothers(self, resting: Resting) -> None:
        for _ in range(2):
            await resting.ask()
        assert await resting.ask("other") == "retrieval.status"

    async def test_a_look_ends_with_the_server(self, resting: Resting) -> None:
        for _ in range(2):
            await resting.ask()
        resting.hangs = True
        resting.now_s = 11.0
        await resting.ask()
        await resting.looked.wait()
        await resting.retrieval.close()
        assert not resting.retrieval._looks


@dataclass
class Resting:
    """A retrieval server that fails until it works, and a clock that is moved by hand."""

    now_s: float = 0.0
    works: bool = False
    hangs: bool = False
    url: str = ""
    asked: list[str] = field(default_factory=list)
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    retrieval: Retrieval = field(default_factory=Retrieval)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((await request.json())["query"])
        if self.asked[-1] == PROBE:
            self.looked.set()
        if self.hangs:
            await asyncio.Event().wait()
        return web.json_response({"records": [RECORD]}, status=200 if self.works else 500)

    async def ask(self, knowledge_id: str = "agent-1") -> str:
        """The finding; "" if it answered."""
        at = Place(self.url, SecretStr(KEY), knowledge_id, timeout_s=30.0)
        try:
            await self.retrieval.bind(at).find("When?", [], 4)
        except KnowledgeError as error:
            return error.finding
        return ""


async def test_it_must_be_open() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await Retrieval().ask(place("http://r.test"), "When?", [])
    await Retrieval().close()


@pytest.mark.parametrize(
    "record",
    [
        "text",
        {"content": 5},
        {"content": " "},
        {},
    ],
)
def test_records_without_text_are_left_out(record: object) -> None:
    body = json.dumps({"records": [record, RECORD]}).encode()
    assert [one.passage.text for one in read_records(Place("http://r.test"), body)] == [
        "Nine to five."
    ]


@pytest.mark.parametrize(
    ("score", "read"), [(2, 1.0), (-1, 0.0), ("0.5", 0.0), (None, 0.0), (0.5, 0.5)]
)
def test_odd_scores(score: object, read: float) -> None:
    body = json.dumps({"records": [{"content": "x", "score": score, "metadata": []}]}).encode()
    assert read_records(Place("http://r.test"), body)[0].score == read
