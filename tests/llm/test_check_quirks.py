"""The check says of every known misbehaviour what a conversation would end in, within its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from picky_server import Picky
from picky_server import running as running_picky
from sayso.llm import Endpoint
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.fake import QUIRKS, FakeConfig, Quirk, running_app, running_fake
from sayso.llm.verdict import CheckReport

KEY = "sk-canary-0123456789abcdef"
DEADLINES = Deadlines(connect_s=1.0, first_token_s=1.3, between_tokens_s=0.9)
BUDGET_S = 0.8
MARGIN_S = 1.0
"""What a busy machine may add to a budget, in seconds; the budget is what is tested."""
ELSEWHERE = {"400": "request.refused"}
"""Where the check knows more than a single request does."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def url() -> AsyncIterator[str]:
    async with running_fake(FakeConfig(first_token_s=0, token_s=0)) as url:
        yield url


def endpoint_of(url: str, quirk: Quirk) -> Endpoint:
    params: dict[str, Any] = dict(quirk.params)
    temperature, max_tokens = params.pop("temperature", None), params.pop("maxTokens", None)
    return Endpoint(
        url, SecretStr(KEY), f"quirk:{quirk.name}", temperature, max_tokens, extra=params
    )


@pytest.mark.parametrize("name", QUIRKS)
async def test_the_check_foretells_the_conversation(name: str, url: str) -> None:
    quirk = QUIRKS[name]
    report = await LlmCheck(LlmClient(DEADLINES), budget_s=5.0).check(endpoint_of(url, quirk))
    assert report.ok == (quirk.finding is None), report.findings
    if quirk.finding is not None:
        assert report.findings[0].code == ELSEWHERE.get(name, quirk.finding)
        assert report.findings[0].fix
    assert report.total_ms < (5.0 + MARGIN_S) * 1000
    assert KEY not in repr(report)


@asynccontextmanager
async def misleading() -> AsyncIterator[str]:
    """Answers a page at the path that is asked for, and hangs at every other one."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    app = web.Application()
    app.router.add_post("/wrong/chat/completions", page)
    app.router.add_route("*", "/{path:.*}", hang)
    async with running_app(app, handler_cancellation=True) as url:
        yield f"{url}/wrong"


async def timed(endpoint: Endpoint) -> tuple[CheckReport, float]:
    now_s = asyncio.get_running_loop().time
    began_s = now_s()
    patient = Deadlines(connect_s=60.0, first_token_s=60.0, between_tokens_s=60.0)
    report = await LlmCheck(LlmClient(patient), budget_s=BUDGET_S).check(endpoint)
    return report, now_s() - began_s


@pytest.mark.parametrize(
    "name",
    ["silent", "hang", "keep_alive", "drip", "stall", "stall_alive", "reasoning_endless"],
)
async def test_no_server_makes_a_save_wait_longer(name: str, url: str) -> None:
    report, took_s = await timed(endpoint_of(url, QUIRKS[name]))
    assert not report.ok
    assert took_s < BUDGET_S + MARGIN_S


async def test_nor_does_the_search_for_another_path() -> None:
    async with misleading() as url:
        report, took_s = await timed(Endpoint(url))
    assert [finding.code for finding in report.findings] == ["http.html"]
    assert report.suggestion is None
    assert took_s < BUDGET_S + MARGIN_S


@pytest.mark.parametrize(
    "picky",
    [
        Picky(refuses=frozenset("abcdefgh"), refuse_s=0.3),
        Picky(roles=frozenset({"user"}), refuse_s=0.5),
        Picky(first_s=0.5, token_s=0.3),
        Picky(first_s=0.6, token_s=0.0, slots=1, queues=True),
        Picky(first_s=0.4, token_s=0.02, holds_back=True),
    ],
    ids=["parameters", "roles", "slow", "queue", "held-back"],
)
async def test_nor_does_looking_for_what_is_refused(picky: Picky) -> None:
    async with running_picky(picky) as url:
        _, took_s = await timed(Endpoint(url, extra=dict.fromkeys("abcdefgh", 1)))
    assert took_s < BUDGET_S + MARGIN_S


async def test_a_quick_server_answers_a_save_at_once() -> None:
    async with running_picky(Picky()) as url:
        took_s = [(await timed(Endpoint(url)))[1] for _ in range(5)]
    assert min(took_s) < BUDGET_S / 4
