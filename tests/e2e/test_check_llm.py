"""The check of an LLM over real sockets: by REST, by the engine and from the terminal alike."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from picky_server import Picky
from picky_server import running as running_picky
from sayso.config import Settings
from sayso.llm import Endpoint
from sayso.llm.fake import FakeConfig, running_fake
from sayso.llm.report import check_once, print_report
from sayso.llm.verdict import make_document
from served import REHEARSED, Served, serving

KEY = "sk-canary-0123456789abcdef"
FIRST_TOKEN_S = 2.0
BUDGET_S = 8.0
WAITS = {
    "llm_connect_timeout_s": 1.0,
    "llm_first_token_timeout_s": FIRST_TOKEN_S,
    "llm_check_timeout_s": BUDGET_S,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = {**REHEARSED, **WAITS, "llm_deep_check": True}
    with serving(tmp_path_factory.mktemp("checking"), **settings) as server:
        yield server


@dataclass(frozen=True)
class Case:
    """An endpoint that cannot carry a conversation as it is, and what is to be said of it."""

    name: str
    code: str
    fix: str
    ok: bool = False
    path: str = "/v1"
    model: str = "m"
    closed: bool = False
    first_token_s: float = 0.0
    suggestion: str | None = None


CASES = (
    Case("closed port", "connect.refused", "Start the LLM server", closed=True),
    Case("HTML site", "http.html", "Correct baseURL", model="quirk:html"),
    Case("401", "auth.refused", "Check llm.apiKey", model="quirk:401"),
    Case("slow", "first_token.slow", "Use a faster model", first_token_s=20.0),
    Case("JSON only", "body.json_not_sse", "stream it", ok=True, model="quirk:json"),
    Case("model typo", "model.unknown", "Set llm.baseParams.model", model="quirk:404_model"),
    Case("wrong path", "http.html", "Set baseURL to", path="/v2", suggestion="/v1"),
    Case("no path", "http.html", "Set baseURL to", path="", suggestion="/v1"),
    Case("pasted", "http.html", "Set baseURL to", path="/v1/chat/completions", suggestion="/v1"),
)
NAMES = [case.name for case in CASES]


@asynccontextmanager
async def endpoint_of(case: Case) -> AsyncIterator[str]:
    """The server of `case`; gives its URL without a path."""
    if case.closed:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        return
    config = FakeConfig(first_token_s=case.first_token_s, token_s=0.0, prefix="/v1")
    async with running_fake(config) as url:
        yield url


def assert_told(case: Case, url: str, told: dict[str, Any]) -> None:
    assert told["ok"] is case.ok
    first = told["findings"][0]
    assert first["code"] == case.code
    assert first["severity"] == ("warning" if case.ok else "error")
    assert case.fix in first["fix"]
    assert told["suggestion"] == (None if case.suggestion is None else f"{url}{case.suggestion}")
    assert told["totalMs"] / 1000 < BUDGET_S
    assert KEY not in repr(told)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
async def test_the_engine_and_the_terminal(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    async with endpoint_of(case) as url:
        report = await check_once(
            Endpoint(f"{url}{case.path}", SecretStr(KEY), case.model),
            Settings.model_validate(WAITS),
        )
    assert_told(case, url, make_document(report))
    print_report(report, as_json=False)
    printed = capsys.readouterr().out
    assert printed.startswith("passed" if case.ok else "failed")
    assert case.code in printed
    assert f"What to do: {report.findings[0].fix}" in printed
    if case.suggestion is not None:
        assert f"A base URL that works: {url}{case.suggestion}" in printed
    assert KEY not in printed


@pytest.mark.parametrize("case", CASES, ids=NAMES)
async def test_rest(case: Case, server: Served) -> None:
    async with endpoint_of(case) as url, server.rest() as rest:
        llm = {
            "baseURL": f"{url}{case.path}",
            "apiKey": KEY,
            "baseParams": {"model": case.model},
        }
        tried = await rest.post("/llm-checks", json=llm)
        assert tried.status_code == 200, tried.text
        assert_told(case, url, tried.json())
        saved = await rest.post("/agents", json={"displayName": "Desk", "llm": llm})
        body = saved.json()
        assert KEY not in saved.text
        if case.ok:
            assert saved.status_code == 201
            noticed = [{**issue, "field": None} for issue in body["llmIssues"]]
            assert noticed == tried.json()["findings"]
            return
        assert saved.status_code == 400
        assert body["errorId"] == "BAD_REQUEST"
        assert body["field"] == "llm"
        assert body["message"] == body["errorMessage"]
        assert body["hint"]
        first = body["details"][0]
        assert first["code"] == case.code
        assert case.fix in first["fix"]
        assert first["evidence"] == tried.json()["findings"][0]["evidence"]


async def test_a_saved_agent_keeps_its_report_and_completes_it(server: Served) -> None:
    async with running_picky(Picky(refuses=frozenset({"tools"}))) as url, server.rest() as rest:
        llm = {"baseURL": url, "apiKey": KEY, "baseParams": {"model": "m", "temperature": 0.5}}
        agent = (await rest.post("/agents", json={"displayName": "Desk", "llm": llm})).json()
        path = f"/agents/{agent['id']}/llm-check"
        found = (await rest.get(path)).json()
        assert found["state"] in ("running", "complete")
        assert found["ok"]
        assert [stage["name"] for stage in found["stages"]][:2] == ["url", "outbound"]
        async with asyncio.timeout(30):
            while found["state"] != "complete":
                await asyncio.sleep(0.05)
                found = (await rest.get(path)).json()
        assert [finding["code"] for finding in found["findings"]] == ["tools.refused"]
        assert found["profile"]["tools"] is False
        assert found["profile"]["longPrompt"] is True
        assert found["checkedAt"]
        again = await rest.patch(f"/agents/{agent['id']}", json={"llm": None})
        assert again.status_code == 200
        assert (await rest.get(path)).status_code == 404


async def test_a_conversation_sends_what_the_check_learned(server: Served) -> None:
    picky = Picky(refuses=frozenset({"temperature"}), roles=frozenset({"user", "assistant"}))
    async with running_picky(picky) as url, server.rest() as rest:
        llm = {"baseURL": url, "apiKey": KEY, "baseParams": {"model": "m", "temperature": 0.5}}
        saved = await rest.post("/agents", json={"displayName": "Desk", "llm": llm})
        assert saved.status_code == 201, saved.text
        codes = {issue["code"] for issue in saved.json()["llmIssues"]}
        assert codes == {"params.rejected", "system.refused"}
        profile = server.server._profiles._known
        assert any(not known.temperature and not known.system for known in profile.values())


async def test_a_stored_key_is_tried_for_its_own_server_only(server: Served) -> None:
    async with running_picky(Picky()) as url, server.rest() as rest:
        llm = {"baseURL": url, "apiKey": KEY, "baseParams": {"model": "m"}}
        agent = (await rest.post("/agents", json={"displayName": "Desk", "llm": llm})).json()
        async with running_picky(other := Picky()) as elsewhere:
            for body in ({"baseURL": elsewhere}, {"baseURL": elsewhere, "apiKey": "••••cdef"}):
                refused = await rest.post("/llm-checks", json={**body, "agentId": agent["id"]})
                assert refused.status_code == 400
                assert refused.json()["field"] == "llm.apiKey"
            assert other.bodies == []
            open_ = await rest.post("/llm-checks", json={"baseURL": elsewhere})
            assert open_.status_code == 200
            assert "Authorization" not in other.headers[0]
    async with running_picky(mine := Picky()) as url, server.rest() as rest:
        llm = {"baseURL": url, "apiKey": KEY}
        agent = (await rest.post("/agents", json={"displayName": "Desk", "llm": llm})).json()
        count = len(mine.headers)
        tried = await rest.post("/llm-checks", json={"baseURL": url, "agentId": agent["id"]})
        assert tried.json()["ok"]
        assert mine.headers[count]["Authorization"] == f"Bearer {KEY}"
        nobody = await rest.post("/llm-checks", json={"baseURL": url, "agentId": "none"})
        assert nobody.status_code == 404


async def test_what_cannot_be_checked_is_a_400(server: Served) -> None:
    async with server.rest() as rest:
        bodies: tuple[Any, ...] = ({}, {"baseURL": "no url"}, {"type": "built-in"}, [])
        for body in bodies:
            assert (await rest.post("/llm-checks", json=body)).status_code == 400
        stranger = await rest.get("/agents/nobody/llm-check")
        assert stranger.status_code == 404


async def test_the_key_is_found_nowhere(server: Served, tmp_path: Path) -> None:
    async with running_fake(FakeConfig(first_token_s=0, token_s=0)) as url, server.rest() as rest:
        llm = {
            "baseURL": f"{url}?api_key={KEY}-query",
            "apiKey": KEY,
            "baseParams": {"model": "m", "defaultHeaders": {"X-Key": f"{KEY}-header"}},
        }
        saved = await rest.post("/agents", json={"displayName": "Desk", "llm": llm})
        assert saved.status_code == 201, saved.text
        path = f"/agents/{saved.json()['id']}/llm-check"
        found = await rest.get(path)
        async with asyncio.timeout(30):
            while found.json()["state"] != "complete":
                await asyncio.sleep(0.05)
                found = await rest.get(path)
        assert KEY not in found.text
        assert KEY not in saved.text
    rows = b"".join(p.read_bytes() for p in server.settings.data_dir.glob("sayso.db*"))
    assert b"llm_checks" in rows
    assert KEY.encode() not in rows
