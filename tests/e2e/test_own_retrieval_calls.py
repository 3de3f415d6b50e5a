"""An owner's own retrieval server in conversations: asked first, and made up for when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from sayso.knowledge.passages import Found, Passage
from sayso.llm.fake import running_app
from served import REHEARSED, FakeLlm, Served, ask, fake_llm, hear_greeting, serving

KEY = "rk-very-secret-0001"
RECORD: dict[str, Any] = {
    "content": "On Sundays we are closed.",
    "score": 0.83,
    "title": "Opening hours",
    "metadata": {"source": "house-rules.pdf", "page": 3},
}


@dataclass
class Shop:
    """A retrieval server that can be spoilt.

    Attributes:
        mood: how it answers.
        asked: the requests so far, with their headers.
    """

    url: str = ""
    mood: str = "well"
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append({**body, "headers": dict(request.headers), "path": request.path})
        match self.mood:
            case "hangs":
                await asyncio.Event().wait()
            case "busy":
                return web.Response(status=503, text=f"busy, {KEY}")
            case "moved":
                return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/"})
            case "html":
                return web.Response(text="<html>")
            case "strange":
                return web.json_response({"results": []})
            case "endless":
                return web.Response(body=b" " * 1_100_000)
        return web.json_response({"records": [] if self.mood == "empty" else [RECORD]})

    def knowledge(self, **changes: object) -> dict[str, object]:
        return {"baseURL": self.url, "apiKey": KEY, "timeoutMs": 2000, **changes}


@asynccontextmanager
async def opened() -> AsyncIterator[Shop]:
    shop, app = Shop(), web.Application()
    app.router.add_post("/retrieval", shop.answer)
    async with running_app(app) as shop.url:
        yield shop


class Ours:
    """What the server itself knows."""

    async def prepare(self) -> bool:
        return True

    async def find(self, asked: str, context: Sequence[str], limit: int) -> list[Found]:
        del asked, context, limit
        return [Found(Passage("p9", "Open from nine.", "s1", "notes.md"), 0.5)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("retrieval")
    with serving(folder, **REHEARSED, retrieval_timeout_s=5.0) as served:
        yield served


def asked_with(llm: FakeLlm) -> str:
    """What the LLM was sent as the caller's last words."""
    return llm.prompts[-1][-1][1]


async def test_what_it_finds_is_sent_to_the_llm_and_is_on_the_record(server: Served) -> None:
    async with opened() as shop, fake_llm("We are closed.") as llm:
        agent_id = await server.make_agent(
            llm.url,
            greeting="Hello!",
            variables={"shop": "Nonna's"},
            knowledge=shop.knowledge(headers={"X-Shop": "{{shop}}", "X-Call": "{{callerId}}"}),
        )
        async with server.call(agent_id, callerId="+15550100") as caller:
            await hear_greeting(caller)
            await ask(caller, "When do you open?")
            await ask(caller, "And on Sunday?")
        stored = await server.stored(agent_id, caller.conversation_id, lines=5)
    asked = shop.asked[-1]
    assert (asked["query"], asked["knowledge_id"]) == ("And on Sunday?", agent_id)
    assert asked["context"][-2:] == ["When do you open?", "We are closed."]
    assert asked["headers"]["Authorization"] == f"Bearer {KEY}"
    assert (asked["headers"]["X-Shop"], asked["headers"]["X-Call"]) == ("Nonna's", "+15550100")
    shown = asked_with(llm)
    assert '<passage source="house-rules.pdf" page="3" section="Opening hours">' in shown
    assert "On Sundays we are closed." in shown
    assert shown.endswith("And on Sunday?")
    timings = stored.turns[-1]["timings"]
    assert timings["passages"] == [
        {"id": "0", "source": "house-rules.pdf", "url": None, "page": 3, "score": 0.83}
    ]
    assert "retrieval_s" in timings
    assert "mishaps" not in timings
    assert ("user", "And on Sunday?") in stored.lines


@dataclass
class HandClock:
    """A clock that is moved by hand."""

    at_s: float = 0.0

    def now_s(self) -> float:
        return self.at_s


async def test_another_takes_its_place_until_it_comes_back(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = HandClock()
    monkeypatch.setattr(server.server._ready._indexes, "of", lambda *_: Ours())
    monkeypatch.setattr(server.server._engines.retrieval, "_now_s", clock.now_s)
    async with opened() as shop, fake_llm("Yes.") as llm:
        agent_id = await server.make_agent(llm.url, knowledge=shop.knowledge())
        with capture_logs() as logs:
            async with server.call(agent_id) as caller:
                for shop.mood in ("hangs", "busy", "busy", "well"):
                    if shop.mood == "well":
                        clock.at_s += 31.0
                    await ask(caller, f"{shop.mood}?")
                    place = "house-rules.pdf" if shop.mood == "well" else "notes.md"
                    assert f'source="{place}"' in asked_with(llm)
        assert len(shop.asked) == 4, "the check, and three of four turns: one it rests"
        told = [str(one.message) for one in caller.told]
        stored = await server.stored(agent_id, caller.conversation_id)
    turns = [turn["timings"] for turn in stored.turns if "passages" in turn["timings"]]
    assert [turn.get("mishaps") for turn in turns] == [
        "retrieval.timeout (owner)",
        "retrieval.status (owner)",
        "retrieval.resting (owner)",
        None,
    ]
    assert [turn["passages"][0]["source"] for turn in turns] == ["notes.md"] * 3 + [
        "house-rules.pdf"
    ]
    lines = [line for line in logs if "knowledge" in line["event"] or "retrieval" in line["event"]]
    assert [line["event"] for line in lines] == [
        "knowledge_mishap",
        "retrieval_rests",
        "knowledge_mishap",
        "knowledge_mishap",
        "retrieval_is_well_again",
    ]
    assert "retrieval" not in "".join(told), "the caller hears nothing of it"
    assert KEY not in repr(logs)


@pytest.mark.parametrize(
    ("mood", "finding"),
    [
        ("busy", "retrieval.status"),
        ("moved", "retrieval.redirect"),
        ("html", "retrieval.not_json"),
        ("strange", "retrieval.no_records"),
        ("endless", "retrieval.too_long"),
        ("hangs", "retrieval.timeout"),
    ],
)
async def test_one_of_no_use_is_not_saved(server: Served, mood: str, finding: str) -> None:
    async with opened() as shop, server.rest() as rest:
        shop.mood = mood
        body = {"displayName": "No use", "knowledge": shop.knowledge()}
        answer = await rest.post("/agents", json=body)
        agents = (await rest.get("/agents")).json()
    assert (answer.status_code, answer.json()["details"][0]["code"]) == (400, finding)
    assert KEY not in answer.text
    assert not [one for one in agents if one["displayName"] == "No use"]


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"baseURL": "http://127.0.0.1:1"}, "retrieval.unreachable"),
        ({"baseURL": "http://169.254.169.254/v1"}, "retrieval.address"),
        ({"headers": {"Host": "x.test"}}, "retrieval.header"),
    ],
)
async def test_one_that_cannot_be_asked_is_not_saved(
    server: Served, changes: dict[str, Any], finding: str
) -> None:
    async with opened() as shop, server.rest() as rest:
        body = {"displayName": "No use", "knowledge": shop.knowledge(**changes)}
        answer = await rest.post("/agents", json=body)
    assert (answer.status_code, answer.json()["details"][0]["code"]) == (400, finding)
    assert shop.asked == []


async def test_one_that_finds_nothing_is_saved_with_a_warning(server: Served) -> None:
    async with opened() as shop, server.rest() as rest:
        shop.mood = "empty"
        made = await rest.post("/agents", json={"displayName": "E", "knowledge": shop.knowledge()})
        tried = await rest.post("/knowledge-checks", json=shop.knowledge(query="Anybody there?"))
    assert [one["code"] for one in made.json()["knowledgeIssues"]] == ["retrieval.empty"]
    assert "Anybody there?" in tried.json()["findings"][0]["message"]
    assert shop.asked[-1]["query"] == "Anybody there?"


async def test_private_addresses_are_the_operators_to_allow(tmp_path: Path) -> None:
    with serving(tmp_path, **REHEARSED, outbound_private=False) as served:
        async with opened() as shop, served.rest() as rest:
            for url in (shop.url, shop.url.replace("127.0.0.1", "localhost")):
                body = {"displayName": "P", "knowledge": shop.knowledge(baseURL=url)}
                answer = await rest.post("/agents", json=body)
                found = answer.json()["details"][0]
                assert (answer.status_code, found["code"]) == (400, "retrieval.address")
    assert shop.asked == []
