from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from sayso.errors import KnowledgeError
from sayso.knowledge.passages import Found, Passage
from sayso.knowledge.place import Place
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


@pytest.mark.parametrize(
    "base", ["http://r.test/v1", "http://r.test/v1/", "http://r.test/v1/retrieval"]
)
def test_the_path_is_added_once(base: str) -> None:
    assert Place(base).url == "http://r.test/v1/retrieval"


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
