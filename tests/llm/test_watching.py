from __future__ import annotations

import asyncio

import pytest

from sayso.errors import LlmError
from sayso.llm import Endpoint, Exchanged, Message
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.fake import FakeConfig, running_fake
from sayso.llm.watching import find_watcher, unwatch, watched_by

HELLO = [Message("user", "Hello")]
DEADLINES = Deadlines(connect_s=5, first_token_s=5, between_tokens_s=5, reply_s=10)


async def ask(config: FakeConfig, *, stop: bool = False, shown: str = "") -> list[Exchanged]:
    """What is seen of one question."""
    seen: list[Exchanged] = []
    client = LlmClient(DEADLINES)
    await client.open()

    async def hear(url: str) -> None:
        pieces = client.bind(Endpoint(url), shown=shown).reply(HELLO)
        async for _ in pieces:
            if stop:
                break
        await pieces.aclose()

    async with running_fake(config) as url:
        with watched_by(seen.append):
            task = asyncio.create_task(hear(url))
        assert find_watcher() is None
        await asyncio.wait([task])
        if error := task.exception():
            assert isinstance(error, LlmError)
    await client.close()
    return seen


async def test_an_answer_is_seen_as_it_came() -> None:
    [one] = await ask(FakeConfig(mode="scripted", script=("Nine euros.",)))
    assert (one.response, one.outcome, one.finding, one.status) == (
        "Nine euros.",
        "answered",
        "",
        200,
    )
    assert b'"Hello"' in one.request
    assert one.first_token_ms is not None
    assert one.first_token_ms <= one.total_ms


async def test_one_that_nobody_waits_for_was_stopped() -> None:
    [one] = await ask(FakeConfig(mode="scripted", script=("One two three.",)), stop=True)
    assert one.outcome == "stopped"


async def test_where_the_operators_own_llm_is_stays_untold() -> None:
    [one] = await ask(FakeConfig(mode="scripted", script=("Hi.",)), shown="built-in")
    assert (one.llm, one.model) == ("built-in", "built-in")
    assert any(secret.startswith("127.0.0.1") for secret in one.secrets)


async def test_what_is_no_answer_is_seen_as_a_failure() -> None:
    seen: list[Exchanged] = []
    client = LlmClient(DEADLINES)
    await client.open()
    async with running_fake(FakeConfig()) as url:
        with watched_by(seen.append):
            pieces = client.bind(Endpoint(f"{url}/nowhere/at/all")).reply(HELLO)
            with pytest.raises(LlmError):
                await anext(pieces)
    await client.close()
    assert (seen[0].outcome, seen[0].status, seen[0].finding) == ("failed", 200, "http.html")
    assert seen[0].first_token_ms is None


async def test_what_is_for_no_reply_is_not_watched() -> None:
    seen: list[Exchanged] = []

    async def look() -> object:
        unwatch()
        return find_watcher()

    with watched_by(seen.append):
        assert find_watcher() == seen.append
        assert await asyncio.create_task(look()) is None
        assert find_watcher() == seen.append
