from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from rest_world import World, open_world

AGENTS = "/api/v1/agents"
ERROR_KEYS = {"errorMessage", "errorId", "message", "hint", "field"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path, max_body_bytes=4096, create_agent_per_min=0) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncGenerator[httpx2.AsyncClient]:
    async with world.client() as client:
        yield client


def check_error(answer: httpx2.Response, status: int, error_id: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["errorId"]) == (status, error_id), answer.text
    assert body.keys() - {"details"} == ERROR_KEYS
    assert body["errorMessage"] == body["message"]
    assert re.fullmatch(r"[A-Za-z].*[.!?]", body["message"], re.DOTALL)
    return body


@pytest.mark.parametrize(
    ("method", "path", "status", "error_id"),
    [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("GET", "/api/v1/nothing", 404, "NOT_FOUND"),
        ("PUT", AGENTS, 405, "METHOD_NOT_ALLOWED"),
        ("POST", AGENTS + "/x", 405, "METHOD_NOT_ALLOWED"),
        ("GET", AGENTS + "?pageSize=x", 400, "BAD_REQUEST"),
    ],
)
async def test_every_error_has_the_same_shape(
    client: httpx2.AsyncClient, method: str, path: str, status: int, error_id: str
) -> None:
    check_error(await client.request(method, path), status, error_id)


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def test_a_browser_that_is_lost_gets_a_page(client: httpx2.AsyncClient) -> None:
    for method in ("GET", "HEAD"):
        answer = await client.request(method, "/my-agent", headers=BROWSER)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is nothing here" in (await client.get("/my-agent", headers=BROWSER)).text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v1/nothing"), ("GET", "/builtin/v1/nothing"), ("POST", "/nothing")],
)
async def test_who_asks_the_api_gets_json_whatever_else_it_takes(
    client: httpx2.AsyncClient, method: str, path: str
) -> None:
    check_error(await client.request(method, path, headers=BROWSER), 404, "NOT_FOUND")


async def test_a_wrong_method_is_told_the_right_ones(client: httpx2.AsyncClient) -> None:
    answer = await client.put(AGENTS)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}
    assert answer.json()["hint"] == "Possible: GET, POST."


@pytest.mark.parametrize("path", [AGENTS, AGENTS + "/x", "/api/v1/voices", "/api/v1/agent-stats/x"])
async def test_without_a_key_nothing_is_answered(world: World, path: str) -> None:
    async with world.client("") as nobody:
        answer = await nobody.get(path)
    check_error(answer, 401, "UNAUTHORIZED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_wrong_user_id_is_refused(world: World) -> None:
    async with world.client(**{"X-User-Id": "somebody"}) as client:
        check_error(await client.get(AGENTS), 401, "UNAUTHORIZED")
    async with world.client(**{"X-USER-ID": world.user_id}) as client:
        assert (await client.get(AGENTS)).status_code == 200


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b'{"displayName": "A",}', "trailing comma"),
        (b"{'displayName': 'A'}", "double quotes"),
        (b"", "A JSON body is required"),
        (b"   ", "empty"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"\xff{}", "UTF-8 at byte 1"),
        (b"[" * 3000, "nested|end of the text"),
        (b'{"displayName": ' + b"9" * 4000 + b"}", "must be a string|digits|parsing"),
        (b'{"displayName": "\\ud800"}', "surrogate"),
        (b'{"displayName": "\\u0000"}', "NUL"),
        (b'{"displayName": "A", "voiceSpeed": NaN}', "finite"),
        (b'{"displayName": "A", "voiceSpeed": 1e999}', "finite"),
    ],
)
async def test_a_body_that_cannot_be_read_is_explained(
    client: httpx2.AsyncClient, body: bytes, part: str
) -> None:
    answer = await client.post(AGENTS, content=body, headers={"Content-Type": "application/json"})
    assert re.search(part, check_error(answer, 400, "BAD_REQUEST")["message"]), answer.text


async def test_a_body_without_a_type_is_json_and_a_form_is_not(client: httpx2.AsyncClient) -> None:
    answer = await client.post(AGENTS, content=b'{"displayName": "A"}')
    assert answer.status_code == 201
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await client.post(AGENTS, content=b'{"displayName": "A"}', headers=form)
    assert "Content-Type" in str(check_error(answer, 400, "BAD_REQUEST")["hint"])


async def test_several_mistakes_are_all_told(client: httpx2.AsyncClient) -> None:
    sent = {"voiceSpeed": 9, "llm": {"baseURL": "ftp://x"}}
    body = check_error(await client.post(AGENTS, json=sent), 400, "BAD_REQUEST")
    assert body["field"] == "displayName"
    fields = [one["field"] for one in body["details"]]
    assert fields == ["displayName", "voiceSpeed", "llm.baseURL"]
    assert all(one["message"] in body["message"] for one in body["details"])


async def test_a_body_has_a_largest_size_announced_or_not(client: httpx2.AsyncClient) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 1000

    for content in (b" " * 5000, drip()):
        body = check_error(await client.post(AGENTS, content=content), 413, "CONTENT_TOO_LARGE")
        assert "4,096 bytes" in body["message"]


async def test_what_nobody_expected_is_answered_without_its_story(world: World) -> None:
    async def fail() -> None:
        raise RuntimeError("canary: inner workings")

    world.check.before_answer = fail
    with capture_logs() as logs:
        async with world.client(Origin="https://page.example") as client:
            answer = await client.post(
                AGENTS, json={"displayName": "A", "llm": {"baseURL": "http://x"}}
            )
    body = check_error(answer, 500, "INTERNAL_ERROR")
    assert "canary" not in answer.text
    assert "canary" not in str(logs)
    (line,) = logs
    assert (line["event"], line["error"]) == ("request_failed", "RuntimeError")
    assert line["reference"] in body["hint"]
    assert "test_rest.py" in line["at"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_browsers_may_call_from_anywhere_and_see_the_page_headers(
    client: httpx2.AsyncClient,
) -> None:
    asked = await client.options(
        AGENTS,
        headers={
            "Origin": "https://page.example",
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization,x-user-id,content-type",
        },
    )
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    answer = await client.get(AGENTS, headers={"Origin": "https://page.example"})
    exposed = answer.headers["Access-Control-Expose-Headers"]
    for name in ("X-Page-Size", "X-Start-After", "X-Next-Start-After", "X-Total-Count"):
        assert name in exposed


async def test_the_docs_page_loads_nothing_from_outside(client: httpx2.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "default-src 'none'" in policy
    found = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert found
    for link in found:
        assert "//" not in link
        if not link.startswith("data:"):
            assert (await client.get(f"/{link}")).status_code == 200
    assert "<script>" not in page.text


ASKS_FOR = {
    "post /api/v1/session": "nobody",
    "delete /api/v1/session": "nobody",
    "post /api/v1/account": "nobody",
    "patch /api/v1/account": "browser",
    "get /api/v1/shared/{token}": "nobody",
    "get /api/v1/agents/{agentId}/avatar": "nobody",
    "get /api/v1/shared/{token}/recording": "nobody",
}
"""What needs no key, or more than one."""


async def test_openapi_says_what_is_true(client: httpx2.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    assert schema["openapi"].startswith("3.1")
    assert schema["info"]["title"] == "Sayso API"
    assert set(schema["components"]["securitySchemes"]) == {
        "ApiKeyAuth",
        "XUserIdAuth",
        "SessionCookie",
    }
    extensions = set()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert "422" not in operation["responses"]
            assert operation["summary"]
            assert len(operation["tags"]) == 1, f"{method} {path} is listed twice, or nowhere"
            ways = operation.get("security", [])
            asks_for = "nobody" if not ways else "key" if {"ApiKeyAuth": []} in ways else "browser"
            assert asks_for == ASKS_FOR.get(f"{method} {path}", "key")
            assert not ways or {"SessionCookie": []} in ways
            error = operation["responses"]["401"]["content"]["application/json"]["schema"]
            assert error["$ref"].endswith("/ErrorBody")
            if operation.get("x-sayso-extension"):
                extensions.add(f"{method} {path}")
    assert extensions == {
        *ASKS_FOR,
        "get /api/v1/session",
        "get /api/v1/api-keys",
        "post /api/v1/api-keys",
        "delete /api/v1/api-keys/{keyId}",
        "post /api/v1/agents/{agentId}/tickets",
        "get /api/v1/agents",
        "get /api/v1/agents/{agentId}/critical-knowledge-files",
        "post /api/v1/agents/{agentId}/critical-knowledge-files",
        "put /api/v1/agents/{agentId}/critical-knowledge-files/{fileId}",
        "delete /api/v1/agents/{agentId}/critical-knowledge-files/{fileId}",
        "get /api/v1/agents/{agentId}/critical-knowledge-files/{fileId}/status",
        "get /api/v1/agents/{agentId}/knowledge-pages",
        "post /api/v1/agents/{agentId}/knowledge-pages",
        "get /api/v1/agents/{agentId}/knowledge-pages/{pageId}",
        "delete /api/v1/agents/{agentId}/knowledge-pages/{pageId}",
        "post /api/v1/agents/{agentId}/knowledge-pages/{pageId}/refresh",
        "delete /api/v1/agents/{agentId}",
        "post /api/v1/agents/{agentId}/llm-check",
        "get /api/v1/voices",
        "get /api/v1/agents/{agentId}/llm-check",
        "post /api/v1/external-functions/{functionId}/try",
        "post /api/v1/llm-checks",
        "post /api/v1/knowledge-checks",
        "post /api/v1/mcp-checks",
        "get /api/v1/agents/{agentId}/conversations/{conversationId}/turns",
        "delete /api/v1/conversations/{conversationId}",
        "delete /api/v1/conversations/{conversationId}/share",
        "get /api/v1/analytics",
        "get /api/v1/conversations",
        "get /api/v1/conversations/{conversationId}",
        "get /api/v1/conversations/{conversationId}/exchanges",
        "get /api/v1/conversations/{conversationId}/export",
        "get /api/v1/conversations/{conversationId}/recording",
        "post /api/v1/conversations/{conversationId}/share",
        "put /api/v1/conversations/{conversationId}/rating",
        "delete /api/v1/agents/{agentId}/avatar",
        "get /api/v1/agents/{agentId}/avatar",
        "get /api/v1/agents/{agentId}/versions",
        "get /api/v1/agents/{agentId}/versions/{number}",
        "post /api/v1/agents/{agentId}/duplicate",
        "post /api/v1/agents/{agentId}/knowledge/search",
        "post /api/v1/agents/{agentId}/undelete",
        "post /api/v1/agents/{agentId}/versions/{number}/restore",
        "post /api/v1/voices/preview",
        "put /api/v1/agents/{agentId}/avatar",
    }
    view = schema["components"]["schemas"]["AgentView"]["properties"]
    assert view["answeredBy"]["x-sayso-extension"] is True
